//! MSF, the container of PDB files: streams that are scattered over the pages of a file.
//!
//! Only the streams that are requested are read. This module knows nothing about their contents.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use crate::symbol::bytes::size_at;

const MAGIC: &[u8; 32] = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0";
const NO_STREAM: usize = 0xffff_ffff;
/// Upper limit on streams; more indicate a damaged file.
const MAX_STREAMS: usize = 1 << 20;
/// Upper limit on the size of a stream that is read.
const MAX_STREAM: usize = 1 << 30;

/// A file and the location of its streams.
#[derive(Debug)]
pub(super) struct Msf {
    file: Mutex<File>,
    len: u64,
    page: usize,
    streams: Vec<Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    size: usize,
    pages: Vec<u32>,
}

impl Msf {
    /// Reads the directory; the error describes the file.
    pub(super) fn open(mut file: File) -> Result<Self, String> {
        let len = file.metadata().map_err(|error| error.to_string())?.len();
        let mut head = [0; 56];
        file.read_exact(&mut head).map_err(|_| "a file that is too short for a PDB".to_owned())?;
        if !head.starts_with(MAGIC) {
            return Err("no PDB of the format that has been written since 2002".to_owned());
        }
        let mut msf = Self { file: Mutex::new(file), len, page: 0, streams: Vec::new() };
        msf.read_directory(&head).ok_or("a PDB whose directory is damaged")?;
        Ok(msf)
    }

    fn read_directory(&mut self, head: &[u8]) -> Option<()> {
        let page = size_at(head, 32)?;
        if !page.is_power_of_two() || !(512..=0x1_0000).contains(&page) {
            return None;
        }
        self.page = page;
        let size = size_at(head, 44)?;
        let map_pages = self.pages_of(size)?.checked_mul(4)?.div_ceil(page);
        // The page numbers of the directory's page list follow in the header.
        let mut map = Vec::new();
        for i in 0..map_pages {
            let number = self.read_at((i as u64).checked_mul(4)?.checked_add(52)?, 4)?;
            map.push(u32::from_le_bytes(number.try_into().ok()?));
        }
        let list = self.gather(&map, self.pages_of(size)?.checked_mul(4)?)?;
        let directory = self.gather(&numbers(&list), size)?;
        let count = size_at(&directory, 0)?;
        if count > MAX_STREAMS || count > directory.len() / 4 {
            return None;
        }
        let mut at = count.checked_mul(4)?.checked_add(4)?;
        // A page belongs to one stream, except for pages of an old directory, so the file size
        // bounds the sum of all streams.
        let all = usize::try_from(self.len).ok()?.div_ceil(page);
        let mut left = all.checked_mul(2)?;
        for i in 0..count {
            let size = size_at(&directory, i.checked_mul(4)?.checked_add(4)?)?;
            let size = if size == NO_STREAM { 0 } else { size };
            let end = at.checked_add(self.pages_of(size)?.checked_mul(4)?)?;
            let pages = numbers(directory.get(at..end)?);
            left = left.checked_sub(pages.len())?;
            self.streams.push(Stream { size, pages });
            at = end;
        }
        Some(())
    }

    /// How many pages hold this many bytes; `None` if that exceeds the file.
    fn pages_of(&self, size: usize) -> Option<usize> {
        let may_be = size as u64 <= self.len && size <= MAX_STREAM;
        may_be.then(|| size.div_ceil(self.page))
    }

    /// A stream's bytes.
    pub(super) fn stream(&self, index: usize) -> Option<Vec<u8>> {
        let stream = self.streams.get(index)?;
        self.gather(&stream.pages, stream.size)
    }

    fn gather(&self, pages: &[u32], size: usize) -> Option<Vec<u8>> {
        if size as u64 > self.len || pages.len() < size.div_ceil(self.page) {
            return None;
        }
        let mut bytes = Vec::with_capacity(size);
        let mut rest = pages;
        while bytes.len() < size {
            // Consecutive pages are read at once.
            let first = *rest.first()?;
            let follows = |(page, next): &(&u32, u64)| u64::from(**page) == *next;
            let run = rest.iter().zip(u64::from(first)..).take_while(follows).count();
            let wanted = run.checked_mul(self.page)?.min(size.checked_sub(bytes.len())?);
            let at = u64::from(first).checked_mul(self.page as u64)?;
            bytes.extend(self.read_at(at, wanted)?);
            rest = rest.get(run..)?;
        }
        Some(bytes)
    }

    fn read_at(&self, at: u64, len: usize) -> Option<Vec<u8>> {
        if at.checked_add(len as u64)? > self.len {
            return None;
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let number = |part: &[u8]| part.try_into().map_or(0, u32::from_le_bytes);
    bytes.chunks_exact(4).map(number).collect()
}
