//! The container format of a file, detected by its content.

use super::archive::Kind;
use super::bytes::u32_at;
use super::layout::Saved;
use super::{Error, Image};
use super::{bare, elf, foreign, lime, spool};
use crate::memory::View;

/// The end of every message that rejects a file.
pub(super) const ACCEPTED: &str = "expected a Windows kernel dump (PAGEDU64, PAGEDUMP), a minidump (MDMP), \
     the memory of a Windows system or a debugger log";

/// The container formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A user-mode minidump (`MDMP`).
    Minidump,
    /// A 64-bit kernel dump (`PAGEDU64`).
    Kernel64,
    /// A 32-bit kernel dump (`PAGEDUMP`).
    Kernel32,
    /// Text, which may be a debugger log; the log reader decides.
    Text,
    /// An ELF core file, which may hold a machine's physical memory.
    ElfCore,
    /// A raw memory image, one page after another.
    Raw,
    /// Memory saved by an acquisition tool or a hypervisor.
    Saved(Saved),
}

impl Format {
    /// The signature of such a file.
    const fn magic(self) -> &'static [u8] {
        match self {
            Self::Minidump => b"MDMP",
            Self::Kernel64 => b"PAGEDU64",
            Self::Kernel32 => b"PAGEDUMP",
            Self::ElfCore => b"\x7fELF",
            Self::Text | Self::Raw | Self::Saved(_) => b"",
        }
    }

    /// The number of bytes that are needed to read such a file at all.
    const fn header_bytes(self) -> usize {
        match self {
            Self::Minidump => 32,
            Self::Kernel64 => 0x2000,
            Self::Kernel32 => 0x1000,
            Self::Text | Self::Saved(_) => 0,
            Self::ElfCore | Self::Raw => 64,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Minidump => "minidump",
            Self::Kernel64 => "64-bit kernel dump",
            Self::Kernel32 => "32-bit kernel dump",
            Self::Text => "text",
            Self::ElfCore => "ELF core file",
            Self::Raw => "memory image",
            Self::Saved(saved) => saved.words(),
        }
    }
}

/// Detects the format of an image.
///
/// # Errors
/// [`Error::NotADump`], with a description of the file.
pub fn detect(image: &Image) -> Result<Format, Error> {
    if let Some(layout) = image.layout() {
        return Ok(Format::Saved(layout.saved));
    }
    tell(image).map_err(|found| {
        let part = if is_part(image.path()) { PART } else { "" };
        image.not_a_dump(format!("{found}{part}"))
    })
}

/// The addition to the message if the file name is that of a part of a split file.
const PART: &str = ". The name is that of a part of a file that was split: the parts have to be \
                    joined first (`cat x.001 x.002 > x`, `copy /b x.001+x.002 x`)";

/// Whether the extension is a number of three digits.
fn is_part(path: &str) -> bool {
    let ending = spool::file_name(path).rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.len() == 3 && ending.bytes().all(|byte| byte.is_ascii_digit())
}

fn tell<'f>(file: impl Into<View<'f>>) -> Result<Format, String> {
    let file = file.into();
    let (bytes, len) = (file.head(foreign::SAMPLE), file.len());
    let formats = [Format::Minidump, Format::Kernel64, Format::Kernel32];
    for format in formats {
        if bytes.starts_with(format.magic()) {
            return whole(format, len);
        }
    }
    if bytes.is_empty() {
        return Err(format!("an empty file; {ACCEPTED}"));
    }
    if formats.iter().any(|format| format.magic().starts_with(bytes)) {
        return Err(format!("the first {len} bytes of a dump, cut off within its signature"));
    }
    if bytes.starts_with(b"PMDM") {
        return Err("a minidump with its bytes in the order of big-endian machines, which is not \
                    read; Windows writes them the other way round"
            .to_owned());
    }
    if bytes.starts_with(b"PAGE") {
        let mark = u32_at(bytes, 4).unwrap_or_default();
        return Err(format!(
            "a kernel dump header with the mark {mark:#010x} instead of DUMP or DU64: \
             the dump was not written to its end"
        ));
    }
    if lime::is_lime(bytes) {
        return Ok(Format::Saved(Saved::Lime));
    }
    if let Some(found) = lime::describe(bytes) {
        return Err(found);
    }
    if let Some(kind) = Kind::of(bytes) {
        return Err(format!("{}; {ACCEPTED}", kind.name()));
    }
    if elf::is_core(bytes) {
        return whole(Format::ElfCore, len);
    }
    if foreign::is_text(bytes) {
        return Ok(Format::Text);
    }
    if foreign::may_be_memory(bytes, len) && bare::has_tables(file) {
        return Ok(Format::Raw);
    }
    Err(format!("{}; {ACCEPTED}", foreign::describe(bytes, len)))
}

fn whole(format: Format, len: usize) -> Result<Format, String> {
    let needed = format.header_bytes();
    if len >= needed {
        return Ok(format);
    }
    let name = format.name();
    Err(format!("a {name} of {len} bytes, cut off within its header of {needed} bytes"))
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn formats_are_detected_by_their_first_bytes() {
        let padded = |magic: &[u8]| [magic, &[0; 0x2000]].concat();
        assert_eq!(tell(&padded(b"MDMP")), Ok(Format::Minidump));
        assert!(tell(&padded(b"PMDM")).unwrap_err().contains("big-endian"));
        assert_eq!(tell(&padded(b"PAGEDU64")), Ok(Format::Kernel64));
        assert_eq!(tell(&padded(b"PAGEDUMP")), Ok(Format::Kernel32));
    }

    #[test]
    fn truncation_is_reported() {
        let cut = |bytes: &[u8]| tell(bytes).unwrap_err();
        assert_eq!(
            cut(b"PAGEDU64 and a little more"),
            "a 64-bit kernel dump of 26 bytes, cut off within its header of 8192 bytes"
        );
        assert_eq!(cut(b"MDM"), "the first 3 bytes of a dump, cut off within its signature");
        assert_eq!(cut(b"PAGED"), "the first 5 bytes of a dump, cut off within its signature");
        assert!(cut(b"").starts_with("an empty file; expected"));
        assert!(cut(b"PAGEPAGE").contains("0x45474150"));
    }

    #[test]
    fn messages_are_one_line() {
        let message = shown(&tell(b"\x1b[31m\n\0red").unwrap_err());
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}
