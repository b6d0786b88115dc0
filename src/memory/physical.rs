//! Physical pages, and their location in a file.

use super::{Bitmap, Gpa, Runs, View};

/// The size of a page, the unit of memory in dumps.
pub const PAGE: u64 = 0x1000;

/// Pages that follow one another both in physical memory and in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Number of the first page.
    pub first: u64,
    /// How many pages.
    pub pages: u64,
    /// Where the first page is in the file.
    pub offset: u64,
}

impl Run {
    /// The number of the page after the last.
    pub const fn end(&self) -> u64 {
        self.first.saturating_add(self.pages)
    }

    /// The part of the run from one page up to another; `None` if there is none.
    pub(super) fn cut(self, from: u64, to: u64) -> Option<Self> {
        let first = self.first.max(from);
        let pages = self.end().min(to).checked_sub(first).filter(|pages| *pages != 0)?;
        let offset = self.offset.checked_add(first.checked_sub(self.first)?.checked_mul(PAGE)?)?;
        Some(Self { first, pages, offset })
    }
}

/// Which physical pages a file holds, and where. It never has an entry per page.
#[derive(Debug)]
pub enum PageMap {
    /// A list of runs.
    Runs(Runs),
    /// A bit for each page of the machine; the pages follow one another in the file.
    Bitmap(Bitmap),
}

impl PageMap {
    /// The offset of a page in the file; `None` unless the file holds all of it.
    pub fn offset_of<'f>(&self, file: impl Into<View<'f>>, page: u64) -> Option<u64> {
        match self {
            Self::Runs(runs) => runs.offset_of(page),
            Self::Bitmap(bitmap) => bitmap.offset_of(file, page),
        }
    }

    /// How many pages the file holds.
    pub const fn present(&self) -> u64 {
        match self {
            Self::Runs(runs) => runs.present(),
            Self::Bitmap(bitmap) => bitmap.present(),
        }
    }

    /// A page number greater than that of any page in the file.
    pub fn end(&self) -> u64 {
        match self {
            Self::Runs(runs) => runs.end(),
            Self::Bitmap(bitmap) => bitmap.bits(),
        }
    }

    /// The first run of pages in the file, within a range of pages.
    pub fn next_run(&self, file: View<'_>, from: u64, to: u64) -> Option<Run> {
        match self {
            Self::Runs(runs) => runs.next_run(from, to),
            Self::Bitmap(bitmap) => bitmap.next_run(file, from, to),
        }
    }
}

/// The physical memory that a file holds. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Physical<'a> {
    file: View<'a>,
    map: &'a PageMap,
}

impl<'a> Physical<'a> {
    /// The memory of a file whose pages are where the map says.
    pub fn new(file: impl Into<View<'a>>, map: &'a PageMap) -> Self {
        Self { file: file.into(), map }
    }

    /// Where the pages are.
    pub const fn map(self) -> &'a PageMap {
        self.map
    }

    /// The file.
    pub const fn file(self) -> View<'a> {
        self.file
    }

    /// The bytes of a page.
    pub fn page(self, page: u64) -> Option<&'a [u8]> {
        self.at_offset(self.map.offset_of(self.file, page)?)
    }

    /// The bytes of the page at an offset of the file.
    pub(super) fn at_offset(self, offset: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        self.file.get(start..start.checked_add(usize::try_from(PAGE).ok()?)?)
    }

    /// The bytes from an address up to the end of its page, never empty.
    pub fn at(self, address: Gpa) -> Option<&'a [u8]> {
        let skip = usize::try_from(address.0 % PAGE).ok()?;
        self.page(address.0 / PAGE)?.get(skip..)
    }

    /// The 32-bit number at an address that is a multiple of 4.
    pub fn u32_at(self, address: Gpa) -> Option<u32> {
        Some(u32::from_le_bytes(self.at(address)?.get(..4)?.try_into().ok()?))
    }

    /// The 64-bit number at an address that is a multiple of 8.
    pub fn u64_at(self, address: Gpa) -> Option<u64> {
        Some(u64::from_le_bytes(self.at(address)?.get(..8)?.try_into().ok()?))
    }

    /// The runs of pages in a range, in address order. A parallel scan gives each thread a range of
    /// page numbers.
    pub fn runs(self, from: u64, to: u64) -> impl Iterator<Item = Run> + 'a {
        let mut at = from;
        std::iter::from_fn(move || {
            let run = self.map.next_run(self.file, at, to)?;
            at = run.end();
            Some(run)
        })
    }

    /// The memory in a range of pages as the file holds it, in slices with their addresses.
    /// Consecutive pages are combined to slices of at most `most` pages.
    pub fn pieces(
        self,
        from: u64,
        to: u64,
        most: u64,
    ) -> impl Iterator<Item = (Gpa, &'a [u8])> + 'a {
        let mut at = from;
        std::iter::from_fn(move || {
            let run = self.map.next_run(self.file, at, to)?;
            let pages = run.pages.min(most.max(1));
            at = run.first.saturating_add(pages);
            let start = usize::try_from(run.offset).ok()?;
            let len = usize::try_from(pages.checked_mul(PAGE)?).ok()?;
            let bytes = self.file.get(start..start.checked_add(len)?)?;
            Some((Gpa(run.first.checked_mul(PAGE)?), bytes))
        })
    }
}
