//! Image files on the symbol path: the parts of a loaded image that a dump leaves out, such as its
//! code and its unwind data.
//!
//! A file is identified by its name, time date stamp and size in memory. It is found in the
//! directory layout of symbol servers, or by its name among other files. It is read a range at a
//! time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::folder::{self, Listings};
use super::image::{Image, ImageSection};

/// The identity of an image, from a module list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageId {
    /// The file name.
    pub name: String,
    /// The time date stamp.
    pub timestamp: u32,
    /// The size in memory.
    pub size: u32,
}

impl ImageId {
    /// Candidate paths of the file below a folder: in the directory layout of symbol stores, or
    /// directly in the folder.
    fn places(&self, folder: &Path, listings: &Listings) -> Vec<PathBuf> {
        // The name comes from the dump and must not lead outside the folder.
        let is_bad = |c: char| c.is_control() || "\\/:*?\"<>|".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains(is_bad) {
            return Vec::new();
        }
        let key = format!("{:08X}{:x}", self.timestamp, self.size);
        let name = self.name.as_str();
        let stored = listings.file(&folder::tier(folder, name), &[name, &key, name]);
        stored.into_iter().chain(listings.file(folder, &[name])).collect()
    }
}

/// An image file.
#[derive(Debug)]
pub struct ImageFile {
    file: Mutex<File>,
    sections: Vec<ImageSection>,
}

impl ImageFile {
    /// The file of an image in a folder, or the path itself if it is the file.
    pub(super) fn find(path: &Path, id: &ImageId, listings: &Listings) -> Option<Self> {
        if path.is_file() {
            let is_it = path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(&id.name));
            return if is_it { Self::open(path, id) } else { None };
        }
        id.places(path, listings).iter().find_map(|place| Self::open(place, id))
    }

    /// Opens a file; `None` if it is of another image.
    fn open(path: &Path, id: &ImageId) -> Option<Self> {
        let file = Mutex::new(File::open(path).ok()?);
        // The headers have the same layout in memory and in the file.
        let read = |at: u32, buffer: &mut [u8]| read_at(&file, at.into(), buffer);
        let image = Image::new(&read)?;
        let headers = image.headers();
        if (headers.timestamp, headers.size_of_image) != (id.timestamp, id.size) {
            return None;
        }
        let sections = image.sections();
        Some(Self { file, sections })
    }

    /// Fills the buffer with the bytes that the image has at an offset in memory before anything is
    /// written to it.
    pub fn read(&self, offset: u32, buffer: &mut [u8]) -> bool {
        let first = self.sections.iter().map(|section| section.start).min().unwrap_or(0);
        let end = u64::from(offset).saturating_add(buffer.len() as u64);
        if end <= first.into() {
            return read_at(&self.file, offset.into(), buffer);
        }
        let holds = |section: &&ImageSection| {
            section.start <= offset
                && end <= u64::from(section.start).saturating_add(section.size.into())
        };
        let Some(section) = self.sections.iter().find(holds) else { return false };
        let into = offset.saturating_sub(section.start);
        let held = usize::try_from(section.file_size.saturating_sub(into)).unwrap_or(0);
        let (there, beyond) = buffer.split_at_mut(held.min(buffer.len()));
        // The part of a section that is not in the file is zero.
        beyond.fill(0);
        read_at(&self.file, u64::from(section.file_at).saturating_add(into.into()), there)
    }
}

fn read_at(file: &Mutex<File>, at: u64, buffer: &mut [u8]) -> bool {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(at)).is_ok() && file.read_exact(buffer).is_ok()
}
