//! Physical memory with one bit per page: the pages whose bit is set follow one another in the
//! file.
//!
//! The position of a page is the number of set bits before its own. Counts are kept only for blocks
//! of bits; the bitmap itself stays in the file.

use super::{PAGE, Run, View};

/// The smallest block size, as log2 of bits.
const BLOCK: u32 = 9;
/// Upper limit on blocks, whatever the size of the bitmap.
const MAX_BLOCKS: u64 = 1 << 20;
/// Upper limit on pages: 52 bits of physical address.
const MAX_BITS: u64 = 1 << 40;

/// A bitmap in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    /// Where the bits are in the file.
    start: usize,
    /// How many bits there are.
    bits: u64,
    /// Where the pages start in the file.
    pages: u64,
    /// The block size, as log2 of bits.
    shift: u32,
    /// For each block the number of set bits before it.
    ranks: Vec<u64>,
    /// How many bits are set.
    set: u64,
    /// How many pages the file holds.
    held: u64,
}

impl Bitmap {
    /// The bitmap of `bits` bits at `start`, whose pages start at `pages`. Bits beyond the end of
    /// the file or of the bitmap are ignored.
    pub fn new<'f>(file: impl Into<View<'f>>, start: usize, bits: u64, pages: u64) -> Self {
        let file = file.into();
        let end = usize::try_from(pages).unwrap_or(usize::MAX).min(file.len());
        let room = end.saturating_sub(start) as u64;
        let bits = bits.min(room.saturating_mul(8)).min(MAX_BITS);
        let mut shift = BLOCK;
        while bits >> shift > MAX_BLOCKS {
            shift = shift.saturating_add(1);
        }
        let mut bitmap = Self { start, bits, pages, shift, ranks: Vec::new(), set: 0, held: 0 };
        bitmap.count(file);
        bitmap.held = bitmap.set.min((file.len() as u64).saturating_sub(pages) / PAGE);
        bitmap
    }

    fn count(&mut self, file: View<'_>) {
        let bytes = self.bytes(file).unwrap_or_default();
        let block = 1usize << self.shift.saturating_sub(3);
        self.ranks.reserve_exact(bytes.len().div_ceil(block));
        for block in bytes.chunks(block) {
            self.ranks.push(self.set);
            self.set = self.set.saturating_add(ones(block));
        }
        // Bits of the last byte beyond the end.
        let beyond = (bytes.len() as u64).saturating_mul(8).saturating_sub(self.bits);
        if let Some(last) = bytes.last().filter(|_| beyond != 0) {
            let kept = 8u64.saturating_sub(beyond);
            self.set = self.set.saturating_sub((last >> kept).count_ones().into());
        }
    }

    /// The bytes of the bits.
    fn bytes<'f>(&self, file: View<'f>) -> Option<&'f [u8]> {
        let len = usize::try_from(self.bits.div_ceil(8)).ok()?;
        file.get(self.start..self.start.checked_add(len)?)
    }

    /// How many bits there are.
    pub const fn bits(&self) -> u64 {
        self.bits
    }

    /// How many bits are set.
    pub const fn set(&self) -> u64 {
        self.set
    }

    /// How many pages the file holds.
    pub const fn present(&self) -> u64 {
        self.held
    }

    /// The offset of a page in the file.
    pub(super) fn offset_of<'f>(&self, file: impl Into<View<'f>>, page: u64) -> Option<u64> {
        let bytes = self.bytes(file.into())?;
        if self.word(bytes, page)? & 1 == 0 {
            return None;
        }
        self.place(self.rank(bytes, page)?)
    }

    fn place(&self, rank: u64) -> Option<u64> {
        if rank >= self.held {
            return None;
        }
        self.pages.checked_add(rank.checked_mul(PAGE)?)
    }

    /// How many bits are set before this one.
    fn rank(&self, bytes: &[u8], page: u64) -> Option<u64> {
        let block = page >> self.shift;
        let rank = self.ranks.get(usize::try_from(block).ok()?)?;
        let first = byte_of(block << self.shift)?;
        let last = byte_of(page)?;
        let whole = ones(bytes.get(first..last)?);
        let part = bytes.get(last)? & !(u8::MAX << (page % 8));
        rank.checked_add(whole)?.checked_add(part.count_ones().into())
    }

    /// The bits from this one on, at least one and at most 64; bits beyond the end are 0.
    fn word(&self, bytes: &[u8], page: u64) -> Option<u64> {
        let left = self.bits.checked_sub(page).filter(|left| *left != 0)?;
        let at = byte_of(page)?;
        let mut word = [0; 8];
        let held = bytes.get(at..bytes.len().min(at.checked_add(8)?))?;
        word.get_mut(..held.len())?.copy_from_slice(held);
        let word = u64::from_le_bytes(word) >> (page % 8);
        Some(if left >= 64 { word } else { word & !(u64::MAX << left) })
    }

    /// How many of the bits of [`Bitmap::word`] are valid.
    fn width(&self, page: u64) -> u64 {
        (64u64.saturating_sub(page % 8)).min(self.bits.saturating_sub(page))
    }

    /// The first run between two pages.
    pub(super) fn next_run<'f>(
        &self,
        file: impl Into<View<'f>>,
        from: u64,
        to: u64,
    ) -> Option<Run> {
        let bytes = self.bytes(file.into())?;
        let first = self.skip(bytes, from, to, false)?;
        let end = self.skip(bytes, first, to, true).unwrap_or(to.min(self.bits));
        let rank = self.rank(bytes, first)?;
        let pages = end.checked_sub(first)?.min(self.held.checked_sub(rank)?);
        let offset = self.place(rank)?;
        Some(Run { first, pages, offset })
    }

    /// The first bit in a range whose value differs from `set`.
    fn skip(&self, bytes: &[u8], from: u64, to: u64, set: bool) -> Option<u64> {
        let end = to.min(self.bits);
        let mut at = from;
        while at < end {
            let word = self.word(bytes, at)?;
            let same = if set { word.trailing_ones() } else { word.trailing_zeros() };
            let width = self.width(at);
            if u64::from(same) < width {
                return at.checked_add(same.into()).filter(|at| *at < end);
            }
            at = at.checked_add(width)?;
        }
        None
    }
}

/// The position of the byte that holds a bit.
fn byte_of(page: u64) -> Option<usize> {
    usize::try_from(page / 8).ok()
}

/// How many bits are set.
fn ones(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words: u64 = words.iter().map(|w| u64::from(u64::from_le_bytes(*w).count_ones())).sum();
    let rest: u64 = rest.iter().map(|byte| u64::from(byte.count_ones())).sum();
    words.saturating_add(rest)
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod tests {
    use super::*;

    /// The offset of every page by a naive loop over the bits.
    fn slowly(file: &[u8], start: usize, bits: u64, pages: u64) -> Vec<Option<u64>> {
        let mut next = pages;
        let mut result = Vec::new();
        for page in 0..bits {
            let byte = file.get(start + page as usize / 8).copied().unwrap_or(0);
            let mut place = None;
            if byte >> (page % 8) & 1 == 1 {
                place = Some(next).filter(|at| at + PAGE <= file.len() as u64);
                next += PAGE;
            }
            result.push(place);
        }
        result
    }

    fn random(seed: u64, len: usize, density: u64) -> Vec<u8> {
        let mut state = seed;
        let mut bit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed | 1);
            u8::from((state >> 40) % 100 < density)
        };
        (0..len).map(|_| (0..8).fold(0, |byte, at| byte | bit() << at)).collect()
    }

    #[test]
    fn ranks_agree_with_counting() {
        for (seed, bytes, cut, density) in
            [(1, 300, 0, 50), (2, 129, 3, 90), (3, 64, 7, 5), (4, 700, 1, 99), (5, 1, 5, 50)]
        {
            let mut file = vec![0xee; 0x38];
            file.extend(random(seed, bytes, density));
            let pages = 0x1000;
            file.resize(0x1000 + 900 * 0x1000 + 77, 0);
            let bits = bytes as u64 * 8 - cut;
            let bitmap = Bitmap::new(&file, 0x38, bits, pages);
            let expected = slowly(&file, 0x38, bits, pages);
            for (page, place) in expected.iter().enumerate() {
                assert_eq!(bitmap.offset_of(&file, page as u64), *place, "{seed} {page}");
            }
            assert_eq!(bitmap.offset_of(&file, bits), None);
            assert_eq!(bitmap.present(), expected.iter().flatten().count() as u64);
            // Runs give the same pages for any bounds.
            for (from, to) in [(0, u64::MAX), (3, bits - 2), (bits / 2, bits / 2 + 1), (bits, 0)] {
                let mut found = vec![None; expected.len()];
                let mut at = from;
                while let Some(run) = bitmap.next_run(&file, at, to) {
                    for i in 0..run.pages {
                        found[(run.first + i) as usize] = Some(run.offset + i * PAGE);
                    }
                    assert!(run.pages > 0 && run.first >= at);
                    at = run.end();
                }
                for (page, place) in expected.iter().enumerate() {
                    let is_asked = (from..to).contains(&(page as u64));
                    assert_eq!(found[page], place.filter(|_| is_asked), "{seed} {page}");
                }
            }
        }
    }

    #[test]
    fn pages_beyond_the_file_are_not_counted() {
        let file = vec![0xff; 0x3000];
        let absurd = Bitmap::new(&file, 0x1000, u64::MAX, 0x2000);
        assert_eq!((absurd.bits(), absurd.set(), absurd.present()), (0x8000, 0x8000, 1));
        assert_eq!(absurd.offset_of(&file, 0), Some(0x2000));
        assert_eq!(absurd.offset_of(&file, 1), None);
        for (start, bits, pages) in
            [(usize::MAX, 8, 0), (0x2fff, 64, u64::MAX), (0, 0, 0), (0x2000, 8, 0x1000)]
        {
            let bitmap = Bitmap::new(&file, start, bits, pages);
            assert_eq!(bitmap.next_run(&file, 0, u64::MAX), None);
        }
    }
}
