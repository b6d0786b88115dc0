//! PE images as they are in memory, where a dump may lack some of their pages.
//!
//! An image is read through a closure, one small range at a time, because existing PE readers need
//! the whole image as one slice, while in a dump its pages are scattered and some are missing. This
//! module knows neither dumps nor address spaces; offsets are relative to the image's base.

mod exports;
mod version;

use std::fmt;

use super::bytes::{u16_at, u32_at};
use super::id::PdbId;

pub use version::VersionInfo;

/// Images have up to 96 sections.
const MAX_SECTIONS: u16 = 96;
/// Upper limit on the entries of a debug directory.
const MAX_ENTRIES: u32 = 64;
/// The signature, the file header, and the optional header with its directories.
const HEADERS: usize = 0x18 + 0x70 + 16 * 8;
const SECTION: usize = 40;
const PAGE: u32 = 0x1000;
const CODEVIEW: u32 = 2;
const REPRODUCIBLE: u32 = 16;
const EXPORTS: usize = 0;
const RESOURCES: usize = 2;
const FUNCTIONS: usize = 3;
const DEBUG: usize = 6;

/// Fills the buffer with the bytes at an offset from the image's base; returns whether that
/// succeeded.
pub type Read<'a> = &'a dyn Fn(u32, &mut [u8]) -> bool;

/// The headers of an image in memory, and access to its directories.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    read: Read<'a>,
    headers: Headers,
}

/// The header fields of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Headers {
    /// The machine type (`0x8664` …).
    pub machine: u16,
    /// Time date stamp.
    pub timestamp: u32,
    /// Checksum.
    pub checksum: u32,
    /// Size of the image in memory.
    pub size_of_image: u32,
    /// The entry point.
    pub entry: u32,
    /// Whether it is a 64-bit image.
    pub is_64: bool,
    sections_at: u32,
    section_count: u16,
    directories: [(u32, u32); 16],
}

/// A section of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImageSection {
    /// Its name.
    pub name: String,
    /// Its offset in memory.
    pub start: u32,
    /// Its size in memory.
    pub size: u32,
    /// Its size in the file.
    pub file_size: u32,
    /// Its offset in the file.
    pub file_at: u32,
    /// The section characteristics (`0x20000000`: executable).
    pub characteristics: u32,
}

impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl<'a> Image<'a> {
    /// Reads the headers; `None` if they are missing or not those of an image.
    pub fn new(read: Read<'a>) -> Option<Self> {
        let mut start = [0; 0x40];
        if !read(0, &mut start) || !start.starts_with(b"MZ") {
            return None;
        }
        let at = u32_at(&start, 0x3c)?;
        // A short header may omit directories, and the page may end directly behind it.
        let mut bytes = [0; HEADERS];
        let is_whole = read(at, &mut bytes);
        if !is_whole && !read(at, bytes.get_mut(..HEADERS - 16 * 8)?) {
            return None;
        }
        let headers = Headers::parse(&bytes, at)?;
        Some(Self { read, headers })
    }

    /// The header fields.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The sections, as far as their table can be read.
    pub fn sections(&self) -> Vec<ImageSection> {
        let mut sections = Vec::new();
        for i in 0..u32::from(self.headers.section_count.min(MAX_SECTIONS)) {
            let mut bytes = [0; SECTION];
            let at = self.headers.sections_at.checked_add(i.saturating_mul(40));
            if !at.is_some_and(|at| (self.read)(at, &mut bytes)) {
                break;
            }
            let name = super::bytes::cstring(bytes.get(..8).unwrap_or_default(), 0);
            let number = |at| u32_at(&bytes, at).unwrap_or_default();
            sections.push(ImageSection {
                name: String::from_utf8_lossy(name.unwrap_or_default()).into_owned(),
                size: number(8),
                start: number(12),
                file_size: number(16),
                file_at: number(20),
                characteristics: number(36),
            });
        }
        sections
    }

    /// The PDB that the debug directory names.
    pub fn pdb(&self) -> Option<PdbId> {
        self.debug_entries(CODEVIEW).find_map(|entry| {
            let (len, at) = (u32_at(&entry, 16)? as usize, u32_at(&entry, 20)?);
            PdbId::from_record(&self.prefix(at, len.min(PdbId::MAX_RECORD)))
        })
    }

    /// Whether the debug directory marks the build as reproducible, so that the time date stamp is
    /// a hash of the image.
    pub fn is_reproducible(&self) -> bool {
        self.debug_entries(REPRODUCIBLE).next().is_some()
    }

    /// The readable entries of a type in the debug directory.
    fn debug_entries(&self, kind: u32) -> impl Iterator<Item = [u8; 28]> {
        let (table, size) = self.directory(DEBUG).unwrap_or_default();
        let read = self.read;
        (0..(size / 28).min(MAX_ENTRIES)).filter_map(move |i| {
            let mut entry = [0; 28];
            let is_read = read(table.checked_add(i.checked_mul(28)?)?, &mut entry);
            (is_read && u32_at(&entry, 12)? == kind).then_some(entry)
        })
    }

    /// The version resource.
    pub fn version(&self) -> Option<VersionInfo> {
        version::read(self)
    }

    /// The exported names with their offsets, in offset order.
    pub fn exports(&self) -> Vec<(u32, String)> {
        exports::read(self).unwrap_or_default()
    }

    /// Offset and size of the function table (`.pdata`), which unwinding needs.
    pub fn functions(&self) -> Option<(u32, u32)> {
        self.directory(FUNCTIONS)
    }

    fn directory(&self, index: usize) -> Option<(u32, u32)> {
        let (at, size) = *self.headers.directories.get(index)?;
        (at != 0 && size != 0).then_some((at, size))
    }

    /// All bytes of a range, if they are readable.
    fn bytes(&self, at: u32, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        (self.read)(at, &mut bytes).then_some(bytes)
    }

    /// The longest readable prefix of a range, page by page.
    fn prefix(&self, at: u32, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = at;
        while bytes.len() < len {
            let page = PAGE.saturating_sub(at % PAGE) as usize;
            let part = page.min(len.saturating_sub(bytes.len()));
            let Some(more) = self.bytes(at, part) else { break };
            bytes.extend(more);
            let Some(next) = u32::try_from(part).ok().and_then(|part| at.checked_add(part)) else {
                break;
            };
            at = next;
        }
        bytes
    }
}

impl Headers {
    /// Parses headers at an offset of the image.
    fn parse(bytes: &[u8], at: u32) -> Option<Self> {
        if !bytes.starts_with(b"PE\0\0") {
            return None;
        }
        let optional = 0x18;
        let is_64 = match u16_at(bytes, optional)? {
            0x10b => false,
            0x20b => true,
            _ => return None,
        };
        // In 64-bit images the directories are 16 bytes later.
        let directories_at: usize = if is_64 { 0x88 } else { 0x78 };
        let count = u32_at(bytes, directories_at.checked_sub(4)?)?;
        let mut directories = [(0, 0); 16];
        for (i, directory) in directories.iter_mut().enumerate().take(count.min(16) as usize) {
            let at = i.checked_mul(8)?.checked_add(directories_at)?;
            *directory = (u32_at(bytes, at)?, u32_at(bytes, at.checked_add(4)?)?);
        }
        let optional_size = u32::from(u16_at(bytes, 20)?);
        Some(Self {
            machine: u16_at(bytes, 4)?,
            timestamp: u32_at(bytes, 8)?,
            checksum: u32_at(bytes, optional + 64)?,
            size_of_image: u32_at(bytes, optional + 56)?,
            entry: u32_at(bytes, optional + 16)?,
            is_64,
            sections_at: at.checked_add(0x18)?.checked_add(optional_size)?,
            section_count: u16_at(bytes, 6)?,
            directories,
        })
    }
}

#[cfg(test)]
mod tests;
