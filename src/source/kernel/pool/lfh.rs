//! LFH subsegments of a segment heap: blocks of one size with an allocation bitmap.
//!
//! The field that holds the block size and the offset of the first block is encoded with the LFH
//! key. The reader derives both without the key: the first block follows the bitmap, and the pool
//! headers of blocks in use give the size. Both values together yield the key, so one subsegment is
//! enough to decode all others.

use crate::source::kernel::core::Core;
use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::part::{Chunk, Pages, is_block};

const LFH: &str = "_HEAP_LFH_SUBSEGMENT";
const PAGE: u64 = 0x1000;
/// Upper limit on the size of an LFH subsegment and of its blocks.
const MAX_LFH: u64 = 0x8_0000;
const MAX_BLOCK: u64 = 0x4000;
/// This many blocks in use at the expected offsets are not a coincidence.
const SURE_BLOCKS: usize = 6;

/// Where the fields of an LFH subsegment are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LfhFields {
    /// The number of blocks, and how many of them are free.
    count: u64,
    free: u64,
    /// The encoded block size and offset of the first block.
    places: u64,
    /// The allocation bitmap, and the number of its 16-bit words.
    bitmap: u64,
    words: u64,
}

impl LfhFields {
    pub(crate) fn of(core: &Core) -> Option<Self> {
        let offset = |path| core.field(LFH, path).map(|field| field.offset as u64);
        Some(Self {
            count: offset("BlockCount")?,
            free: offset("FreeCount")?,
            places: offset("BlockOffsets")?,
            bitmap: offset("BlockBitmap")?,
            words: offset("CommitUnitCount")?,
        })
    }

    /// The layout of Windows 10 2004.
    #[cfg(test)]
    pub(crate) const fn for_tests() -> Self {
        Self { count: 0x22, free: 0x20, places: 0x28, bitmap: 0x30, words: 0x2d }
    }

    /// Whether the bitmap says that a block is in use.
    fn is_used(&self, pages: &Pages<'_>, at: u64, index: u64) -> Option<bool> {
        // Each block has two bits, so the bits of a block never cross a byte.
        let byte = pages.number(at + self.bitmap + index / 4, 1)?;
        Some(byte >> (2 * (index % 4)) & 1 == 1)
    }

    /// The end of the bitmap for this many blocks: it consists of machine words, which are half as
    /// long as `unit`.
    const fn map_end(&self, count: u64, unit: u64) -> u64 {
        let word = unit / 2;
        self.bitmap + count.div_ceil(4 * word) * word
    }
}

impl LfhFields {
    /// The blocks of the LFH subsegment at a page and the address behind it, or `None` if the page
    /// does not begin an LFH subsegment.
    pub(crate) fn blocks(
        &self,
        unit: u64,
        headers: &Headers,
        pages: &Pages<'_>,
        at: u64,
        key: u64,
    ) -> Option<(Vec<Chunk>, u64)> {
        let hidden = pages.number(at + self.places, 4)?;
        let places = hidden ^ (key ^ (at / PAGE)) & 0xffff_ffff;
        let (size, first) = (places & 0xffff, places >> 16);
        let count = pages.number(at + self.count, 2)?;
        let bytes = first + count * size;
        let map_end = self.map_end(count, unit);
        let is_one = size >= 2 * unit
            && size.is_multiple_of(unit)
            && first.is_multiple_of(unit)
            && count != 0
            && bytes <= MAX_LFH.min(pages.end().saturating_sub(at))
            && first >= map_end
            && map_end <= PAGE;
        if !is_one {
            return None;
        }
        let (mut used, mut sound) = (0usize, 0usize);
        let mut blocks = Vec::new();
        for index in 0..count {
            let is_free = !self.is_used(pages, at, index)?;
            let block = at + first + index * size;
            // Nothing is known about a block on a page that the dump does not hold.
            if !is_free && pages.page(block).is_some() {
                used += 1;
                let header = pages.header(headers, block);
                sound += usize::from(header.is_some_and(|header| is_block(headers, header)));
            }
            blocks.push(Chunk { at: block, bytes: size, is_free });
        }
        (sound != 0 && 2 * sound >= used).then_some((blocks, at + bytes))
    }

    /// The LFH key under which the page begins an LFH subsegment, if there is one.
    pub(crate) fn derive(
        &self,
        unit: u64,
        headers: &Headers,
        pages: &Pages<'_>,
        at: u64,
    ) -> Option<u64> {
        let hidden = pages.number(at + self.places, 4)?;
        let count = pages.number(at + self.count, 2)?;
        let free = pages.number(at + self.free, 2)?;
        let words = pages.number(at + self.words, 1)?;
        let map_end = self.map_end(count, unit) + 2 * words;
        if hidden == 0 || count < SURE_BLOCKS as u64 || free >= count || map_end > PAGE {
            return None;
        }
        let first = map_end.next_multiple_of(unit);
        let used = || (0..count).filter(|i| self.is_used(pages, at, *i) == Some(true));
        let is_sound = |place: u64, size: u64| {
            let header = pages.header(headers, place).filter(|header| is_block(headers, *header));
            header.is_some_and(|header| u64::from(header.size) * unit <= size)
        };
        let lead = used().next()?;
        let most = (MAX_LFH / count).min(MAX_BLOCK) / unit;
        // The smallest size that fits: twice that size would fit every second block.
        let size = (2..=most).map(|units| units * unit).find(|size| {
            let place = |index: u64| at + first + index * size;
            if !is_sound(place(lead), *size) {
                return false;
            }
            let (sound, all) = used().fold((0, 0), |(sound, all), index| {
                (sound + usize::from(is_sound(place(index), *size)), all + 1)
            });
            sound >= SURE_BLOCKS && 8 * sound >= 7 * all
        })?;
        Some((hidden ^ (first << 16 | size) ^ (at / PAGE)) & 0xffff_ffff)
    }
}
