//! Archives, in which dumps are often sent. Each member that may be a dump or a log is decompressed
//! into a temporary file; an archive within an archive (`.zip` of `.gz`) is decompressed too.
//!
//! The size and the compression ratio of what is decompressed are limited. Names of members are
//! never used as paths.

#[cfg(feature = "archives")]
mod cabinet;
#[cfg(feature = "archives")]
mod seven;
#[cfg(feature = "archives")]
mod single;
#[cfg(feature = "archives")]
mod take;
#[cfg(feature = "archives")]
mod zipped;

use super::spool::Spooling;
use super::{Error, Image};

/// The formats that can be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    SevenZip,
    Cabinet,
    Gzip,
    Zstd,
    Xz,
}

const MAGICS: [(&[u8], Kind); 6] = [
    (b"PK\x03\x04", Kind::Zip),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (b"MSCF\0\0\0\0", Kind::Cabinet),
    (b"\x1f\x8b\x08", Kind::Gzip),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"\xfd7zXZ\0", Kind::Xz),
];

impl Kind {
    /// How many bytes tell the format.
    pub(super) const MAGIC: usize = 8;

    /// The format of a file that begins with these bytes.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind)
    }

    /// The name of the format, with an article.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Zip => "a zip archive",
            Self::SevenZip => "a 7z archive",
            Self::Cabinet => "a cabinet file",
            Self::Gzip => "a gzip file",
            Self::Zstd => "a zstd file",
            Self::Xz => "an xz file",
        }
    }

    /// The command that decompresses the format.
    #[cfg(not(feature = "archives"))]
    const fn command(self) -> &'static str {
        match self {
            Self::Zip => "unzip",
            Self::SevenZip => "7z x",
            Self::Cabinet => "cabextract, or expand on Windows,",
            Self::Gzip => "gzip -dk",
            Self::Zstd => "zstd -d",
            Self::Xz => "xz -dk",
        }
    }
}

/// The contents of an archive.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    pub(super) images: Vec<Image>,
    pub(super) errors: Vec<Error>,
}

/// Decompresses the members that may be dumps or logs.
#[cfg(feature = "archives")]
pub(super) fn unpack(image: &Image, kind: Kind, spooling: &Spooling) -> Unpacked {
    let mut taker = take::Taker::new(image, kind, spooling);
    let done = take::members(image, kind, &mut taker);
    taker.finish(done)
}

/// Returns an error that says how to decompress the file.
#[cfg(not(feature = "archives"))]
pub(super) fn unpack(image: &Image, kind: Kind, _: &Spooling) -> Unpacked {
    let (name, command) = (kind.name(), kind.command());
    let found = format!("{name}, which this build of dumpql does not open: {command} unpacks it");
    Unpacked { images: Vec::new(), errors: vec![image.not_a_dump(found)] }
}
