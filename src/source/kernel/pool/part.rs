//! A part of a segment heap, page by page, and the blocks in it.

use crate::dump::bytes::u64_at;
use crate::source::kernel::pool::header::{Header, Headers};
use crate::source::kernel::pool::tag::is_tag;

const PAGE: u64 = 0x1000;

/// A part of memory, page by page.
pub(crate) struct Pages<'f> {
    /// The first address.
    pub(crate) start: u64,
    /// The pages; `None` for a page that the dump does not hold.
    pub(crate) pages: Vec<Option<&'f [u8]>>,
}

/// A block of a subsegment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The address of its pool header; for a free block, its first address.
    pub(crate) at: u64,
    /// Its size in bytes from there.
    pub(crate) bytes: u64,
    pub(crate) is_free: bool,
}

impl<'f> Pages<'f> {
    /// The page that contains an address.
    pub(crate) fn page(&self, at: u64) -> Option<&'f [u8]> {
        let index = usize::try_from(at.checked_sub(self.start)? / PAGE).ok()?;
        self.pages.get(index).copied().flatten()
    }

    /// The address behind the last page.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.pages.len() as u64 * PAGE)
    }

    /// A number of this many bytes, which must not cross a page.
    pub(crate) fn number(&self, at: u64, bytes: usize) -> Option<u64> {
        let offset = usize::try_from(at % PAGE).ok()?;
        if bytes == 8 {
            return u64_at(self.page(at)?, offset);
        }
        let held = self.page(at)?.get(offset..)?.get(..bytes)?;
        Some(held.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The header of a block.
    pub(crate) fn header(&self, headers: &Headers, at: u64) -> Option<Header> {
        headers.at(self.page(at)?, usize::try_from(at % PAGE).ok()?)
    }
}

/// Whether a header can belong to a block in use.
pub(crate) fn is_block(headers: &Headers, header: Header) -> bool {
    header.size != 0 && headers.is_of_heap(header) && is_tag(header.tag())
}
