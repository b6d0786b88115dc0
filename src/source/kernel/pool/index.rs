//! The pool blocks and pages of a dump as one pass found them, kept on disk for the next query.
//!
//! One index holds all blocks in address order, 32 bytes each; another holds all pages. An index is
//! valid for one dump file, one structure layout and one version of this program. The first pass
//! that reads all pools writes it, whatever the query asked for.

use rayon::prelude::*;
use std::sync::OnceLock;

use crate::catalog::Absent;
use crate::dump::bytes::{u16_at, u32_at, u64_at};
use crate::dump::cache::{Entry, Kept, Writer};
use crate::model::Flow;
use crate::source::kernel::core::Core;
use crate::source::kernel::pool::block::{Block, FoundBy, PoolHint, PoolKind, State};
use crate::source::kernel::pool::frames::Mark;
use crate::source::kernel::pool::range::PoolRange;
use crate::source::kernel::pool::ranges;
use crate::source::kernel::pool::seen::{PageSeen, PageUse};
use crate::source::kernel::pool::state::Pool;

const RECORD: usize = 32;
/// The kinds of index.
const BLOCKS: &str = "pool";
const PAGES: &str = "poolpages";
/// Version of the record format; a different number invalidates old indexes.
const VERSION: &str = "2";
/// After this many records a pass checks for cancellation.
const PATIENCE: usize = 1 << 16;
/// This many records are read in parallel, and this many of them by each thread.
const AT_ONCE: usize = 1 << 18;
const EACH: usize = 1 << 13;
const NO_SESSION: u32 = u32::MAX;
const NO_PREVIOUS: u16 = u16::MAX;
const FOUND: [FoundBy; 6] = [
    FoundBy::Headers,
    FoundBy::BigTable,
    FoundBy::Chunks,
    FoundBy::Lfh,
    FoundBy::Search,
    FoundBy::Special,
];
/// Why pages are missing.
const WHY: [Absent; 4] =
    [Absent::NotInDump, Absent::PagedOut, Absent::DemandZero, Absent::Unreadable];
const STATES: [State; 4] = [State::Allocated, State::Protected, State::Free, State::Damaged];

/// Indexes that are being written.
pub(crate) struct Index {
    blocks: Writer,
    pages: Writer,
}

fn pool_entry(core: &Core, kind: &str) -> Option<Entry> {
    let (layout, label) = core.types().source()?;
    let names = if core.types().names().is_some() { "names" } else { "" };
    let pdb = layout.pdb().map(|(guid, age)| format!("{guid}{age}")).unwrap_or_default();
    let about = [VERSION, env!("CARGO_PKG_VERSION"), label, names, &pdb];
    Entry::of(&core.image, kind, &about)
}

/// Visits the blocks of the index that match a hint; `None` if there is no index.
pub(crate) fn indexed_blocks(
    core: &Core,
    pool: &Pool,
    hint: &PoolHint<'_>,
    visit: &mut dyn FnMut(&Block) -> Flow,
) -> Option<Flow> {
    let kept = kept(core, BLOCKS, &pool.index)?;
    let tags = hint.words();
    let asked = |records: &[u8]| -> Vec<Block> {
        let records = records.as_chunks::<RECORD>().0.iter();
        let named = records.filter(|record| tags.may_take(tag_in(record)));
        named.filter_map(decode).filter(|block| hint.takes(block)).collect()
    };
    for records in kept.chunks(RECORD * AT_ONCE) {
        if hint.is_cancelled() {
            return Some(Flow::Break(()));
        }
        let found: Vec<_> = records.par_chunks(RECORD * EACH).map(asked).collect();
        if found.iter().flatten().try_for_each(&mut *visit).is_break() {
            return Some(Flow::Break(()));
        }
    }
    Some(Flow::Continue(()))
}

/// Visits all pages of the index; `None` if there is no index.
pub(crate) fn indexed_pages(
    core: &Core,
    pool: &Pool,
    hint: &PoolHint<'_>,
    visit: &mut dyn FnMut(PageSeen) -> Flow,
) -> Option<Flow> {
    let kept = kept(core, PAGES, &pool.pages)?;
    let ranges = ranges::pool_ranges_known(core, pool);
    Some(each_record(kept, hint, &mut |record| match decode_page(record, ranges) {
        Some(page) => visit(page),
        None => Flow::Continue(()),
    }))
}

/// An index, opened on first use after it was written.
fn kept<'a>(core: &Core, kind: &str, place: &'a OnceLock<Kept>) -> Option<&'a Kept> {
    if let Some(kept) = place.get() {
        return Some(kept);
    }
    let kept = pool_entry(core, kind)?.open().filter(|kept| kept.len().is_multiple_of(RECORD))?;
    Some(place.get_or_init(|| kept))
}

/// Begins an index, if there is a cache directory for it.
pub(crate) fn new_index(core: &Core) -> Option<Index> {
    let blocks = pool_entry(core, BLOCKS)?.write()?;
    Some(Index { blocks, pages: pool_entry(core, PAGES)?.write()? })
}

/// Passes on the records of an index until the query has enough.
fn each_record(kept: &Kept, hint: &PoolHint<'_>, visit: &mut dyn FnMut(&[u8]) -> Flow) -> Flow {
    for (index, record) in kept.chunks_exact(RECORD).enumerate() {
        if index % PATIENCE == 0 && hint.is_cancelled() {
            return Flow::Break(());
        }
        visit(record)?;
    }
    Flow::Continue(())
}

impl Index {
    pub(crate) fn add(&mut self, block: &Block) {
        self.blocks.add(&encode(block));
    }

    /// Adds a page of the range with this number.
    pub(crate) fn add_page(&mut self, page: &PageSeen, range: u16) {
        self.pages.add(&encode_page(page, range));
    }

    /// Moves the finished indexes into place. If that fails, the next query scans again.
    pub(crate) fn finish(self) {
        let _ = self.blocks.finish();
        let _ = self.pages.finish();
    }
}

/// The record of a page: its address, the first and last address of its big allocation, its use,
/// and the number of its range.
fn encode_page(page: &PageSeen, range: u16) -> [u8; RECORD] {
    let (kind, first, last, why) = match page.page_use {
        PageUse::Blocks => (0, 0, 0, 0),
        PageUse::Big { first, last } => (1, first, last, 0),
        PageUse::Other => (2, 0, 0, 0),
        PageUse::Missing(why) => {
            (3, 0, 0, WHY.iter().position(|known| *known == why).unwrap_or(WHY.len()))
        }
    };
    let [r0, r1] = range.to_le_bytes();
    let why = u8::try_from(why).unwrap_or(u8::MAX);
    let bits = |all: &[bool]| all.iter().rev().fold(0, |bits, bit| bits << 1 | u8::from(*bit));
    let mark =
        page.mark.map_or(0, |mark| bits(&[true, mark.is_first, mark.is_last, mark.is_large]));
    let flags = bits(&[page.is_paged_out, page.has_table]);
    let last_word = [kind, flags, why, mark, r0, r1, 0, 0];
    let words = [page.address, first, last, u64::from_le_bytes(last_word)];
    let mut record = [0; RECORD];
    for (bytes, word) in record.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    record
}

fn decode_page(record: &[u8], ranges: &[PoolRange]) -> Option<PageSeen> {
    let page_use = match record.get(24)? {
        0 => PageUse::Blocks,
        1 => PageUse::Big { first: u64_at(record, 8)?, last: u64_at(record, 16)? },
        2 => PageUse::Other,
        3 => PageUse::Missing(*WHY.get(usize::from(*record.get(26)?))?),
        _ => return None,
    };
    let range = ranges.get(usize::from(u16_at(record, 28)?))?;
    let (flags, mark) = (*record.get(25)?, *record.get(27)?);
    let bit = |bits: u8, bit: u32| bits >> bit & 1 == 1;
    let of_frame = Mark { is_first: bit(mark, 1), is_last: bit(mark, 2), is_large: bit(mark, 3) };
    Some(PageSeen {
        address: u64_at(record, 0)?,
        page_use,
        is_paged_out: bit(flags, 0),
        kind: range.kind,
        range: (range.start, range.end),
        session: range.session,
        has_table: bit(flags, 1),
        mark: bit(mark, 0).then_some(of_frame),
    })
}

/// The record of a block.
pub(crate) fn encode(block: &Block) -> [u8; RECORD] {
    let place = |found: bool, bit: u32| u16::from(found) << bit;
    let state = STATES.iter().position(|state| *state == block.state).unwrap_or(0);
    let found = FOUND.iter().position(|found| *found == block.found).unwrap_or(0);
    let flags = place(block.kind.is_paged == Some(true), 0)
        | place(block.kind.is_paged.is_none(), 1)
        | place(block.kind.is_session, 2)
        | place(block.is_charged, 3)
        | u16::try_from(state << 4 | found << 8).unwrap_or(0);
    let [a0, a1, a2, a3, a4, a5, a6, a7] = block.address.to_le_bytes();
    let [b0, b1, b2, b3, b4, b5, b6, b7] = block.bytes.to_le_bytes();
    let [t0, t1, t2, t3] = block.tag;
    let [s0, s1, s2, s3] = block.session.unwrap_or(NO_SESSION).to_le_bytes();
    let [p0, p1] = block.previous.unwrap_or(NO_PREVIOUS).to_le_bytes();
    let [f0, f1] = flags.to_le_bytes();
    [
        a0,
        a1,
        a2,
        a3,
        a4,
        a5,
        a6,
        a7,
        b0,
        b1,
        b2,
        b3,
        b4,
        b5,
        b6,
        b7,
        t0,
        t1,
        t2,
        t3,
        s0,
        s1,
        s2,
        s3,
        p0,
        p1,
        f0,
        f1,
        block.header,
        0,
        0,
        0,
    ]
}

/// The tag of the block in a record.
const fn tag_in(record: &[u8; RECORD]) -> [u8; 4] {
    [record[16], record[17], record[18], record[19]]
}

fn decode(record: &[u8; RECORD]) -> Option<Block> {
    let flags = u16_at(record, 26)?;
    let has = |bit: u32| flags >> bit & 1 == 1;
    let is_paged = if has(1) { None } else { Some(has(0)) };
    Some(Block {
        address: u64_at(record, 0)?,
        bytes: u64_at(record, 8)?,
        header: *record.get(28)?,
        previous: Some(u16_at(record, 24)?).filter(|bytes| *bytes != NO_PREVIOUS),
        tag: tag_in(record),
        kind: PoolKind { is_paged, is_session: has(2) },
        state: *STATES.get(usize::from(flags >> 4 & 0xf))?,
        is_charged: has(3),
        found: *FOUND.get(usize::from(flags >> 8))?,
        session: Some(u32_at(record, 20)?).filter(|session| *session != NO_SESSION),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_records_round_trip() {
        let range = |is_paged| PoolRange::for_tests(0x1000, 0x9000, is_paged);
        let ranges = [range(false), range(true)];
        let uses = [
            PageUse::Blocks,
            PageUse::Big { first: 0x2000, last: 0x4fff },
            PageUse::Other,
            PageUse::Missing(Absent::NotInDump),
            PageUse::Missing(Absent::PagedOut),
            PageUse::Missing(Absent::DemandZero),
            PageUse::Missing(Absent::Unreadable),
        ];
        for page_use in uses {
            let mark = Mark { is_first: false, is_last: true, is_large: true };
            for (bit, mark) in [(true, None), (false, Some(mark))] {
                let page = PageSeen {
                    address: 0x3000,
                    page_use,
                    is_paged_out: bit,
                    kind: ranges[1].kind,
                    range: (0x1000, 0x9000),
                    session: None,
                    has_table: !bit,
                    mark,
                };
                assert_eq!(decode_page(&encode_page(&page, 1), &ranges), Some(page));
                assert_eq!(decode_page(&encode_page(&page, 2), &ranges), None);
            }
        }
        assert_eq!(decode_page(&[0xff; RECORD], &ranges), None);
    }

    #[test]
    fn block_records_round_trip() {
        let block = Block {
            address: 0xffff_c08b_d8c0_0010,
            bytes: 0x1_2345_6780,
            header: 16,
            previous: Some(0xff0),
            tag: *b"Irp ",
            kind: PoolKind { is_paged: Some(true), is_session: true },
            state: State::Damaged,
            is_charged: true,
            found: FoundBy::Search,
            session: Some(9),
        };
        assert_eq!(decode(&encode(&block)), Some(block));
        let plain = Block {
            previous: None,
            session: None,
            kind: PoolKind::default(),
            state: State::Free,
            is_charged: false,
            found: FoundBy::BigTable,
            ..block
        };
        assert_eq!(decode(&encode(&plain)), Some(plain));
        assert_eq!(decode(&[0xff; RECORD]), None);
    }
}
