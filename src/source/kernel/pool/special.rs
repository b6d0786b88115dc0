//! Special pool blocks, which Driver Verifier and `MmSpecialPoolTag` request: each has a page to
//! itself, so that an overrun is detected.
//!
//! The block is at the end of its page with the header at the start, or the other way round.
//! The header holds the requested size instead of block sizes, flags, and the byte that fills the
//! rest of the page; a fill that long is not a coincidence. Kernels before Vista give the range of
//! special pool in symbols, Windows 10 1607 to 1809 in the table of regions; since 1903 special
//! pool pages lie among the other pool pages. Where no range is known and special pool was used,
//! all of kernel space is searched.

use crate::dump::bytes::u32_at;
use crate::memory::Fault;
use crate::source::kernel::pool::block::{Block, FoundBy, PoolKind, State};
use crate::source::kernel::pool::chain::PAGE;
use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::range::PoolRange;
use crate::source::kernel::pool::tag::is_tag;

/// In the first word of a header: the requested size, and the flags for session pool and paged
/// pool.
const BYTES: u32 = 0x1fff;
const SESSION: u32 = 0x2000;
const PAGED: u32 = 0x8000;
/// A shorter fill is no proof.
const LEAST_FILL: usize = 32;

/// A special pool block on its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alone {
    /// Its offset in the page, and its size.
    at: usize,
    bytes: usize,
    tag: [u8; 4],
    is_paged: bool,
    is_session: bool,
    /// The fill byte of the rest of the page.
    fill: u8,
    /// Whether the fill was overwritten.
    is_damaged: bool,
}

/// The block of a page, if it is a special pool page.
fn alone(headers: &Headers, page: &[u8]) -> Option<Alone> {
    [0, PAGE.checked_sub(headers.unit)?].into_iter().find_map(|place| {
        let word = u32_at(page, place)?;
        let bytes = usize::try_from(word & BYTES).ok()?;
        let [_, _, fill, top] = word.to_le_bytes();
        let [a, b, c, d] = headers.at(page, place)?.raw_tag;
        let tag = [a, b, c, d & 0x7f];
        if top != 0 || bytes == 0 || bytes > PAGE - headers.unit || !is_tag(tag) {
            return None;
        }
        let at = if place == 0 { (PAGE - bytes) & !(headers.unit - 1) } else { 0 };
        let end = if place == 0 { PAGE } else { place };
        let left = [page.get(headers.unit..at), page.get(at + bytes..end)];
        let left = left.into_iter().flatten().flatten();
        let (alike, all) =
            left.fold((0, 0), |(alike, all), byte| (alike + usize::from(*byte == fill), all + 1));
        let is_one = alike >= LEAST_FILL && 8 * alike >= 7 * all;
        is_one.then_some(Alone {
            at,
            bytes,
            tag,
            is_paged: word & PAGED != 0,
            is_session: word & SESSION != 0,
            fill,
            is_damaged: alike != all,
        })
    })
}

/// The block of a special pool page, or `None` if the page is not one.
pub(crate) fn block(
    headers: &Headers,
    range: &PoolRange,
    page: u64,
    bytes: &[u8],
) -> Option<Block> {
    alone(headers, bytes).map(|found| found.block(range, page))
}

impl Alone {
    fn block(self, range: &PoolRange, page: u64) -> Block {
        let stated = PoolKind { is_paged: Some(self.is_paged), is_session: self.is_session };
        Block {
            address: page.saturating_add(self.at as u64),
            bytes: self.bytes as u64,
            header: 0,
            previous: None,
            tag: self.tag,
            kind: if range.kind.is_paged.is_some() { range.kind } else { stated },
            state: if self.is_damaged { State::Damaged } else { State::Allocated },
            is_charged: false,
            found: FoundBy::Special,
            session: range.session,
        }
    }
}

/// The special pool blocks among other pages: such a page has a fill, and the page behind it is not
/// mapped, so that an overrun faults.
pub(crate) fn guarded<'a>(
    headers: &'a Headers,
    range: &'a PoolRange,
    pages: &'a [(u64, Result<&[u8], Fault>)],
) -> impl Iterator<Item = Block> + 'a {
    let behind = |index: usize, at: u64| {
        let next = pages.get(index + 1).filter(|(next, _)| at.checked_add(0x1000) == Some(*next));
        next.is_some_and(|(_, held)| held.is_ok())
    };
    pages.iter().enumerate().filter_map(move |(index, (at, held))| {
        let found = alone(headers, held.ok()?).filter(|found| found.fill != 0)?;
        (!behind(index, *at)).then(|| found.block(range, *at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: usize, is_first: bool) -> Vec<u8> {
        let mut page = vec![0x5b; PAGE];
        let place = if is_first { PAGE - 16 } else { 0 };
        let at = if is_first { 0 } else { (PAGE - bytes) & !15 };
        page[at..at + bytes].fill(0x11);
        page[place..place + 16].fill(0);
        page[place..place + 2].copy_from_slice(&u16::try_from(bytes).unwrap().to_le_bytes());
        page[place + 2] = 0x5b;
        page[place + 4..place + 8].copy_from_slice(b"Test");
        page
    }

    #[test]
    fn a_special_pool_page_gives_its_block() {
        let headers = Headers::for_tests();
        for bytes in [1, 16, 17, 0x1e4, 0xf00] {
            for is_first in [false, true] {
                let found = alone(&headers, &page(bytes, is_first)).expect("it is one");
                let at = if is_first { 0 } else { (PAGE - bytes) & !15 };
                assert_eq!((found.at, found.bytes, found.tag), (at, bytes, *b"Test"));
                assert!(!found.is_damaged);
            }
        }
        let mut overrun = page(0x101, false);
        overrun[PAGE - 1] = 0;
        assert!(alone(&headers, &overrun).is_some_and(|found| found.is_damaged));
    }

    #[test]
    fn among_pool_pages_special_pool_needs_a_fill_and_a_guard_page() {
        let headers = Headers::for_tests();
        let range = PoolRange::for_tests(0x10_0000, 0x20_0000, false);
        let (made, mut bare) = (page(0x40, false), page(0x40, false));
        bare.iter_mut().filter(|byte| **byte == 0x5b).for_each(|byte| *byte = 0);
        assert!(alone(&headers, &bare).is_some());
        let none = || Err(Fault::NotPresent(crate::memory::Gva(0)));
        let pages = [
            (0x10_0000, Ok(&made[..])),
            (0x10_1000, none()),
            (0x10_2000, Ok(&made[..])),
            (0x10_4000, Ok(&made[..])),
            (0x10_5000, Ok(&bare[..])),
            (0x10_6000, none()),
        ];
        let found: Vec<u64> =
            guarded(&headers, &range, &pages).map(|block| block.address & !0xfff).collect();
        assert_eq!(found, [0x10_0000, 0x10_2000]);
    }

    #[test]
    fn other_pages_are_not_special_pool() {
        let headers = Headers::for_tests();
        for byte in 0..=255 {
            assert_eq!(alone(&headers, &vec![byte; PAGE]), None, "{byte}");
        }
        let mut other = page(0x40, false);
        other[0x20..0x800].fill(0x77);
        assert_eq!(alone(&headers, &other), None);
        assert_eq!(alone(&headers, &[]), None);
    }
}
