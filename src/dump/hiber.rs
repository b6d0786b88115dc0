//! Hibernation files (`hiberfil.sys`). Their pages are compressed; they are decompressed into a
//! temporary file.
//!
//! The header is `PO_MEMORY_IMAGE`, whose size identifies the Windows version. The built-in layouts
//! do not contain it, so [`FORMS`] lists the fields that are read. Since Windows 8 it points to two
//! restoration sets: sets of up to 16 pages, each preceded by its descriptors. Windows 7 has tables
//! of page ranges, each followed by blocks of up to 16 pages.

use memchr::memmem;
use rayon::prelude::*;

use super::bytes::{slice, slice_at, u8_at, u32_at, u64_at, unsigned_at};
use super::layout::{Layout, Saved};
use super::spool::{Budget, Spool, Spooling};
use super::{Error, Image, xpress};
use crate::memory::{PAGE, View};

/// The part of the header that tells the format.
const HEAD: usize = 0x20;
/// The signatures, and their meaning.
const SIGNATURES: [(&[u8], &str); 5] = [
    (b"HIBR", ""),
    (b"hibr", ""),
    (b"RSTR", "the system was being resumed from this file"),
    (b"WAKE", "the system was resumed from this file"),
    (b"wake", "the system was resumed from this file"),
];
const BLOCK: &[u8] = b"\x81\x81xpress";
/// Size of the header of a block in Windows 7.
const BLOCK_HEADER: usize = 32;
/// Upper limit on the gap between two blocks.
const MAX_GAP: usize = 10 << 10;
/// How many pages at the start of a file with a cleared header are searched for the first block.
const MAX_FIRST: u64 = 16;
/// How many sets are decompressed at a time.
const BATCH: usize = 128;
/// Upper limit on the pages of a set; Windows writes 16.
const MAX_SET: u64 = 256;
/// Upper limit on page numbers; a machine has less memory.
const MAX_PAGE: u64 = 1 << 36;
/// Upper limit on the range tables of Windows 7.
const MAX_TABLES: usize = 1 << 20;

/// The offsets of the header fields in one version.
struct Form {
    /// The size of the header, which a header field states.
    size: u32,
    /// The size of pointers and page numbers.
    width: usize,
    sets: Sets,
}

enum Sets {
    /// For each restoration set, the offsets of its first page number and of its page count.
    Two { boot: (usize, usize), kernel: (usize, usize) },
    /// The offset of the page number of the first table.
    Tables(usize),
}

const fn two(size: u32, boot: (usize, usize), kernel: (usize, usize)) -> Form {
    Form { size, width: 8, sets: Sets::Two { boot, kernel } }
}

const fn narrow(size: u32, kernel: usize) -> Form {
    let (boot, kernel) = ((0x50, 0x48), (0x54, kernel));
    Form { size, width: 4, sets: Sets::Two { boot, kernel } }
}

/// The supported versions. The offsets are those of `FirstBootRestorePage` and `NumPagesForLoader`,
/// `FirstKernelRestorePage` and `PerfInfo.KernelPagesProcessed`.
const FORMS: [Form; 14] = [
    // Windows 8 and 8.1.
    two(0x360, (0x60, 0x58), (0x68, 0x1c8)),
    narrow(0x2c8, 0x1b0),
    // Windows 10 1507 and 1511.
    two(0x3b0, (0x68, 0x58), (0x70, 0x218)),
    narrow(0x310, 0x1f8),
    // Windows 10 1607.
    two(0x3c8, (0x68, 0x58), (0x70, 0x220)),
    narrow(0x328, 0x200),
    // Windows 10 1703 to 1803.
    two(0x3d8, (0x68, 0x58), (0x70, 0x230)),
    narrow(0x338, 0x210),
    // Windows 10 1809 to 22H2.
    two(0x3e0, (0x68, 0x58), (0x70, 0x230)),
    narrow(0x340, 0x210),
    // Windows Server 2022, Windows 11 21H2 to 23H2; 24H2.
    two(0x448, (0x68, 0x58), (0x70, 0x230)),
    two(0x4d8, (0x68, 0x58), (0x70, 0x230)),
    // Windows 7.
    Form { size: 0x128, width: 8, sets: Sets::Tables(0x68) },
    Form { size: 0xe0, width: 4, sets: Sets::Tables(0x4c) },
];

/// The meaning of the signature; `None` if there is none.
fn signature(file: &[u8]) -> Option<&'static str> {
    SIGNATURES.iter().find(|(magic, _)| file.starts_with(magic)).map(|(_, said)| *said)
}

/// Whether the file is a hibernation file: it has the signature, or a cleared header is followed by
/// a first block.
pub(super) fn is_one<'f>(file: impl Into<View<'f>>) -> bool {
    let file = file.into();
    let head = file.head(HEAD);
    let is_page = |offset| u32_at(head, offset).map(u64::from) == Some(PAGE);
    (signature(head).is_some() && (is_page(0x14) || is_page(0x18))) || first_table(file).is_some()
}

/// The first table of a Windows 7 file whose header was cleared: it precedes the first block.
fn first_table(file: View<'_>) -> Option<u64> {
    if file.slice_at(0, PAGE)?.iter().any(|byte| *byte != 0) {
        return None;
    }
    let is_block = |page: &u64| file.slice_at(page.saturating_mul(PAGE), 8) == Some(BLOCK);
    (2..MAX_FIRST).find(is_block).and_then(|page| page.checked_sub(1))
}

/// Pages that were compressed together.
struct Set<'f> {
    data: &'f [u8],
    how: How,
    /// Page ranges: number of the first page, and count.
    places: Vec<(u64, u64)>,
    pages: u64,
}

#[derive(Clone, Copy)]
enum How {
    Stored,
    Plain,
    Huffman,
}

impl Set<'_> {
    fn bytes(&self) -> Option<Vec<u8>> {
        let size = usize::try_from(self.pages.checked_mul(PAGE)?).ok()?;
        match self.how {
            How::Stored => self.data.get(..size).map(<[u8]>::to_vec),
            How::Plain => xpress::plain(self.data, size),
            How::Huffman => xpress::huffman(self.data, size),
        }
    }
}

/// Receives sets of pages and writes them decompressed.
struct Writer<'a> {
    image: &'a Image,
    file: &'a [u8],
    spool: Spool,
    budget: Budget,
    layout: Layout,
    waiting: Vec<Set<'a>>,
    /// How many pages could not be decompressed.
    damaged: u64,
}

impl<'a> Writer<'a> {
    fn add(&mut self, set: Set<'a>) -> Result<(), Error> {
        self.waiting.push(set);
        if self.waiting.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let sets = std::mem::take(&mut self.waiting);
        let all: Vec<Option<Vec<u8>>> = sets.par_iter().map(Set::bytes).collect();
        for (set, bytes) in sets.iter().zip(all) {
            let Some(bytes) = bytes else {
                self.damaged = self.damaged.saturating_add(set.pages);
                self.layout.missing(set.pages);
                continue;
            };
            let total = self.spool.bytes().saturating_add(bytes.len() as u64);
            self.budget
                .spend(bytes.len() as u64, total, self.image.len() as u64)
                .map_err(|why| self.image.not_a_dump(format!("a hibernation file that {why}")))?;
            let mut offset = self.spool.bytes();
            self.spool.write(&bytes)?;
            for (first, pages) in &set.places {
                let bytes = pages.saturating_mul(PAGE);
                self.layout.range(first.saturating_mul(PAGE), bytes, offset);
                offset = offset.saturating_add(bytes);
            }
        }
        Ok(())
    }

    fn problem(&mut self, found: String) {
        self.layout.problems.push(found);
    }
}

/// Decompresses a hibernation file into a temporary file.
pub(super) fn unpack(image: &Image, spooling: &Spooling) -> Result<Image, Error> {
    let file = image.whole();
    let said = signature(file);
    let tables = first_table(file.into()).filter(|_| said.is_none());
    let form = match tables {
        // A 64-bit system is assumed: page numbers of a 32-bit system, read as 64-bit numbers,
        // form no valid ranges.
        Some(_) => FORMS.iter().find(|form| form.size == 0x128),
        None => u32_at(file, 0xc).and_then(|size| FORMS.iter().find(|form| form.size == size)),
    };
    let Some(form) = form else { return Err(image.not_a_dump(unknown(file))) };
    let mut writer = Writer {
        image,
        file,
        spool: spooling.file(image.path())?,
        budget: spooling.budget(),
        layout: Layout::new(Saved::Hibernation, "compressed pages"),
        waiting: Vec::new(),
        damaged: 0,
    };
    match said {
        Some("") => {}
        Some(said) => writer
            .problem(format!("{said}: it holds the memory of the time when the system hibernated")),
        None => writer.problem("the header was cleared, as when a system was resumed".to_owned()),
    }
    match form.sets {
        Sets::Two { boot, kernel } => {
            for (name, (first, count)) in [("boot", boot), ("kernel", kernel)] {
                let first = unsigned_at(file, first, form.width).unwrap_or_default();
                let count = u64_at(file, count).unwrap_or_default();
                restoration_set(&mut writer, form.width, name, first, count)?;
            }
        }
        Sets::Tables(first) => {
            let first = tables.or_else(|| unsigned_at(file, first, form.width));
            range_tables(&mut writer, form.width, first.unwrap_or_default())?;
        }
    }
    writer.flush()?;
    if writer.damaged != 0 {
        let damaged = writer.damaged;
        writer.problem(format!("{damaged} pages cannot be decompressed"));
    }
    if writer.layout.is_empty() {
        return Err(image.not_a_dump("a hibernation file without a page that can be decompressed"));
    }
    Ok(writer.spool.finish()?.in_place_of(image).with_layout(writer.layout, None))
}

fn unknown(file: &[u8]) -> String {
    let size = u32_at(file, 0xc).unwrap_or_default();
    format!(
        "a hibernation file whose header has {size:#x} bytes; the versions of Windows 7 to 11 that \
         are known have others"
    )
}

/// The sets of pages of a restoration set.
fn restoration_set(
    writer: &mut Writer<'_>,
    width: usize,
    name: &str,
    first: u64,
    count: u64,
) -> Result<(), Error> {
    if first == 0 || count == 0 {
        return Ok(());
    }
    let mut at = first.checked_mul(PAGE);
    let mut left = count;
    while left != 0 {
        let next = at.and_then(|at| set(writer.file, width, at));
        let Some((set, end)) = next else {
            writer.layout.missing(left);
            writer.problem(format!("the {name} restoration set ends {left} pages before its end"));
            return Ok(());
        };
        left = left.saturating_sub(set.pages);
        at = Some(end);
        writer.add(set)?;
    }
    Ok(())
}

/// Parses the set at an offset and returns it with its end. A number holds the count of descriptors
/// (8 bits), the data size (22 bits) and whether Huffman codes are used. Each descriptor holds the
/// page count less one (4 bits) and the first page number. The data follows.
fn set(file: &[u8], width: usize, at: u64) -> Option<(Set<'_>, u64)> {
    let start = usize::try_from(at).ok()?;
    let head = u32_at(file, start)?;
    let (count, size) = (head & 0xff, (head >> 8 & 0x3f_ffff) as usize);
    let descriptors = start.checked_add(4)?;
    let len = width.checked_mul(count as usize)?;
    let data = descriptors.checked_add(len)?;
    let places: Option<Vec<(u64, u64)>> = slice(file, descriptors, len)?
        .chunks_exact(width)
        .map(|place| unsigned_at(place, 0, width))
        .map(|place| place.map(|place| (place >> 4, (place & 15).saturating_add(1))))
        .map(|place| place.filter(|(first, _)| *first < MAX_PAGE))
        .collect();
    let places = places.filter(|places| !places.is_empty() && size != 0)?;
    let pages = places.iter().fold(0u64, |sum, (_, pages)| sum.saturating_add(*pages));
    if pages > MAX_SET {
        return None;
    }
    let how = match head >> 31 {
        _ if pages.checked_mul(PAGE)? == size as u64 => How::Stored,
        0 => How::Plain,
        _ => How::Huffman,
    };
    let set = Set { data: slice(file, data, size)?, how, places, pages };
    Some((set, data.checked_add(size)? as u64))
}

/// Reads the range tables of Windows 7 and the blocks that follow each of them.
fn range_tables(writer: &mut Writer<'_>, width: usize, first: u64) -> Result<(), Error> {
    let file = writer.file;
    let mut table = first;
    for _ in 0..MAX_TABLES {
        let at = table.checked_mul(PAGE).filter(|_| table != 0);
        let Some((ranges, next)) = at.and_then(|at| ranges(file, width, at)) else {
            writer.problem(format!("no table of page ranges in page {table:#x} of the file"));
            return Ok(());
        };
        let end = at.and_then(|at| usize::try_from(at.checked_add(PAGE)?).ok());
        let missing = blocks(writer, ranges, end.unwrap_or(usize::MAX))?;
        if missing != 0 {
            writer.layout.missing(missing);
            writer
                .problem(format!("{missing} pages of the table in page {table:#x} have no block"));
        }
        // The next table must be at a higher page, so that the walk ends.
        if next <= table {
            return Ok(());
        }
        table = next;
    }
    Ok(())
}

/// The ranges of the table at an offset, and the page number of the next table.
fn ranges(file: &[u8], width: usize, at: u64) -> Option<(Vec<(u64, u64)>, u64)> {
    let page = slice_at(file, at, PAGE)?;
    let next = unsigned_at(page, 0, width)?;
    let count = u32_at(page, width)? as usize;
    let size = width.checked_mul(2)?;
    let list = slice(page, size, size.checked_mul(count)?)?;
    let ranges: Option<Vec<(u64, u64)>> = list
        .chunks_exact(size)
        .map(|range| {
            let (start, end) = (unsigned_at(range, 0, width)?, unsigned_at(range, width, width)?);
            (start < end && end < MAX_PAGE).then_some((start, end.checked_sub(start)?))
        })
        .collect();
    Some((ranges.filter(|ranges| !ranges.is_empty())?, next))
}

/// Adds the blocks that hold the pages of these ranges; returns the number of pages without a
/// block.
fn blocks(writer: &mut Writer<'_>, ranges: Vec<(u64, u64)>, mut at: usize) -> Result<u64, Error> {
    let file = writer.file;
    let mut left = ranges.iter().fold(0u64, |sum, (_, pages)| sum.saturating_add(*pages));
    let mut ranges = ranges.into_iter();
    let mut rest = ranges.next();
    while left != 0 {
        let Some((data, pages, end)) = block(file, at) else { return Ok(left) };
        let mut wanted = pages.min(left);
        left = left.saturating_sub(wanted);
        let mut places = Vec::new();
        while let Some((first, count)) = rest.filter(|_| wanted != 0) {
            let taken = count.min(wanted);
            places.push((first, taken));
            wanted = wanted.saturating_sub(taken);
            rest = match count.saturating_sub(taken) {
                0 => ranges.next(),
                more => Some((first.saturating_add(taken), more)),
            };
        }
        let stored = pages.checked_mul(PAGE) == Some(data.len() as u64);
        let how = if stored { How::Stored } else { How::Plain };
        writer.add(Set { data, how, places, pages })?;
        at = end;
    }
    Ok(0)
}

/// The data of the next block, its page count, and its end. The block header holds the signature,
/// the page count less one, and four times the data size less one.
fn block(file: &[u8], at: usize) -> Option<(&[u8], u64, usize)> {
    let ahead = file.get(at..)?;
    let ahead = ahead.get(..MAX_GAP).unwrap_or(ahead);
    let at = at.checked_add(memmem::find(ahead, BLOCK)?)?;
    let pages = u64::from(u8_at(file, at.checked_add(8)?)?).checked_add(1)?;
    let size = (u32_at(file, at.checked_add(9)?)? & 0xff_ffff) >> 2;
    let size = (size as usize).checked_add(1)?;
    let data = at.checked_add(BLOCK_HEADER)?;
    let end = data.checked_add(size)?.checked_next_multiple_of(8)?;
    Some((slice(file, data, size)?, pages, end))
}
