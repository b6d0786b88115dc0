//! Results of searches in a file, kept in a cache directory for the next session.
//!
//! An entry belongs to one file: its name is derived from the file's size, time and first bytes,
//! and from what else the search depends on. It is written under a temporary name and then renamed,
//! and it is used only if its checksum is right. Deleting the directory costs only time.

use std::fs::{self, File};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64, xxh3_128};

use super::Image;
use super::bytes::u64_at;
use super::fault::Health;
use crate::parts::{self, Part};

const MAGIC: &[u8; 16] = b"dumpql index 04\n";
/// Magic, key, length and checksum.
const HEAD: usize = 48;
/// How many of a file's first bytes identify it.
const FIRST_BYTES: usize = 0x2000;
/// How many entries of a kind are kept; older ones are deleted.
const MAX_ENTRIES: usize = 32;
/// Size of a part that has its own checksum.
const PART: usize = 1 << 20;
const ENDING: &str = "dumpql-index";

/// Size and modification time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    bytes: u64,
    nanoseconds: u128,
}

impl Identity {
    pub(super) fn of(metadata: &fs::Metadata) -> Option<Self> {
        let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        metadata.is_file().then_some(Self { bytes: metadata.len(), nanoseconds: time.as_nanos() })
    }

    /// The identity of a file of a name that has a version instead of a time.
    pub(super) fn of_version(name: &str, bytes: u64, version: &str) -> Self {
        let text = format!("{name}\0{version}");
        Self { bytes, nanoseconds: xxh3_128(text.as_bytes()) }
    }

    /// The identity of a member of the file.
    #[cfg(feature = "archives")]
    pub(super) fn of_member(self, name: &str, bytes: usize) -> Self {
        let name = u128::from(xxh3_64(name.as_bytes())) << 64;
        Self { bytes: bytes as u64, nanoseconds: self.nanoseconds ^ name }
    }
}

/// A checksum that detects damage: the checksum of the parts' checksums, which threads compute in
/// parallel.
#[derive(Clone)]
struct Sum {
    whole: Xxh3Default,
    part: Xxh3Default,
    /// How many more bytes fit in the part.
    room: usize,
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sum").field("room", &self.room).finish_non_exhaustive()
    }
}

impl Sum {
    fn new() -> Self {
        Self { whole: Xxh3Default::new(), part: Xxh3Default::new(), room: PART }
    }

    /// The checksum of bytes that are all in memory.
    fn of(bytes: &[u8]) -> u64 {
        let parts: Vec<u64> = bytes.par_chunks(PART).map(xxh3_64).collect();
        let mut whole = Xxh3Default::new();
        for sum in &parts {
            whole.update(&sum.to_le_bytes());
        }
        whole.digest()
    }

    /// Adds bytes.
    fn add(&mut self, bytes: &[u8]) {
        let (now, mut later) = bytes.split_at(self.room.min(bytes.len()));
        self.part.update(now);
        self.room = self.room.saturating_sub(now.len());
        while self.room == 0 {
            self.whole.update(&self.part.digest().to_le_bytes());
            let (now, rest) = later.split_at(PART.min(later.len()));
            self.part = Xxh3Default::new();
            self.part.update(now);
            (self.room, later) = (PART.saturating_sub(now.len()), rest);
        }
    }

    fn value(&self) -> u64 {
        let mut whole = self.whole.clone();
        if self.room < PART {
            whole.update(&self.part.digest().to_le_bytes());
        }
        whole.digest()
    }
}

/// The path of an entry.
#[derive(Debug, Clone)]
pub struct Entry {
    path: PathBuf,
    key: [u8; 16],
    /// Whether what was read of the file is right.
    health: Health,
}

impl Entry {
    /// The entry of an image about something; `about` lists everything that it depends on. `None`
    /// if the image has no cache directory or is not a file.
    pub fn of(image: &Image, kind: &str, about: &[&str]) -> Option<Self> {
        let (folder, identity) = (image.cache()?, image.identity()?);
        let mut key = Xxh3Default::new();
        key.update(&identity.bytes.to_le_bytes());
        key.update(&identity.nanoseconds.to_le_bytes());
        key.update(image.head(FIRST_BYTES));
        for part in about {
            key.update(part.as_bytes());
            key.update(&[0]);
        }
        let key = key.digest128();
        let path = folder.join(format!("{kind}-{key:032x}.{ENDING}"));
        Some(Self { path, key: key.to_le_bytes(), health: image.health() })
    }

    /// The stored bytes, or `None` if there are none or they are damaged.
    pub fn open(&self) -> Option<Kept> {
        let image = Image::open(&self.path).ok()?;
        let file = image.whole();
        let payload = file.get(HEAD..)?;
        let is_ours = file.get(..16)? == MAGIC && file.get(16..32)? == self.key;
        let is_whole = u64_at(file, 32)? == payload.len() as u64;
        (is_ours && is_whole && u64_at(file, 40)? == Sum::of(payload)).then_some(Kept(image))
    }

    /// Begins to write the entry, or returns `None` if the directory is not writable.
    pub fn write(&self) -> Option<Writer> {
        fs::create_dir_all(self.path.parent()?).ok()?;
        let (part, file) = Part::beside(&self.path).ok()?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(&[0; HEAD]).ok()?;
        let (entry, sum) = (self.clone(), Sum::new());
        Some(Writer { file: Some(file), part, entry, sum, bytes: 0 })
    }
}

/// The stored bytes of an entry.
#[derive(Debug)]
pub struct Kept(Image);

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.whole().get(HEAD..).unwrap_or_default()
    }
}

/// An entry that is being written; it is deleted unless it is finished.
#[derive(Debug)]
pub struct Writer {
    file: Option<BufWriter<File>>,
    part: Part,
    entry: Entry,
    sum: Sum,
    bytes: u64,
}

impl Writer {
    /// Adds bytes. `finish` reports write errors.
    pub fn add(&mut self, bytes: &[u8]) {
        self.sum.add(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.file.as_mut().is_some_and(|file| file.write_all(bytes).is_err()) {
            self.file = None;
        }
    }

    /// Moves the entry into place; returns whether that succeeded. What was made of a file that was
    /// cut meanwhile is not kept.
    pub fn finish(mut self) -> bool {
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&self.entry.key);
        head.extend_from_slice(&self.bytes.to_le_bytes());
        head.extend_from_slice(&self.sum.value().to_le_bytes());
        let written = self.file.take().is_some_and(|mut file| {
            let placed = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head));
            placed.and_then(|()| file.flush()).is_ok()
        });
        let done = written && self.entry.health.damage().is_none() && self.part.place().is_ok();
        if done {
            make_room(&self.entry.path);
        }
        done
    }
}

/// Deletes the oldest entries of the same kind, beyond the number that is kept.
fn make_room(entry: &Path) {
    let kind = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        Some(name.split_once('-')?.0.to_owned())
    };
    let Some(folder) = entry.parent() else { return };
    parts::sweep(folder);
    let Ok(files) = fs::read_dir(folder) else { return };
    let is_alike = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == ENDING) && kind(path) == kind(entry)
    };
    let mut entries: Vec<_> = files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(is_alike)
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    entries.sort();
    for (_, path) in entries.iter().rev().skip(MAX_ENTRIES) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_do_not_depend_on_how_bytes_are_added() {
        for len in [0, 1, 31, 32, 4096, PART - 32, PART - 1, PART, PART + 1, 3 * PART + 77] {
            let mut bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            let whole = Sum::of(&bytes);
            for step in [7, 32, 96, 1 << 19, PART, 5 * PART] {
                let mut sum = Sum::new();
                bytes.chunks(step).for_each(|bytes| sum.add(bytes));
                assert_eq!(sum.value(), whole, "{len} bytes, {step} at a time");
            }
            if let Some(byte) = bytes.last_mut() {
                *byte ^= 1;
                assert_ne!(Sum::of(&bytes), whole);
            }
        }
    }
}
