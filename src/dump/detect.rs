//! Which container format a file has, by its content.

use super::{Error, Image};

/// The container formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A user-mode minidump (`MDMP`).
    Minidump,
    /// A 64-bit kernel dump (`PAGEDU64`).
    Kernel64,
    /// A 32-bit kernel dump (`PAGEDUMP`).
    Kernel32,
}

/// Tells the format of an image.
///
/// # Errors
/// [`Error::NotADump`], saying what the file is instead.
pub fn detect(image: &Image) -> Result<Format, Error> {
    match image.get(..8) {
        Some([b'M', b'D', b'M', b'P', ..]) => Ok(Format::Minidump),
        Some(b"PAGEDU64") => Ok(Format::Kernel64),
        Some(b"PAGEDUMP") => Ok(Format::Kernel32),
        _ => Err(Error::NotADump { path: image.path().to_owned(), found: "not a dump".to_owned() }),
    }
}
