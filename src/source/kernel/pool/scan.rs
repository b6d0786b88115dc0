//! One pass over the pages of the pools, on all cores, in the order of their addresses.
//!
//! Ranges are cut into parts that one table of pages maps each. Threads read some parts at a time
//! and the blocks found are handed over in order, so that memory stays small however large the
//! pools are, and a reader who has enough ends the pass.

use rayon::prelude::*;

use super::big::Big;
use super::block::{Block, Found, Kind, PoolHint, State};
use super::chain::{self, Piece};
use super::frames::{Frames, Mark};
use super::header::Headers;
use super::index;
use super::ranges::PoolRange;
use super::segment::{Keys, Segments};
use super::special;
use crate::catalog::Absent;
use crate::dump::cache::Writer;
use crate::memory::{Fault, Gva, Machine, Part};
use crate::model::{Flow, Unanswered};
use crate::source::kernel::KernelDump;
use crate::source::kernel::memory::{Memory, reason};

/// How many parts are read before their blocks are handed over.
const BATCH: usize = 32;
/// No range has more parts: 2 TiB of pool. All pools of sessions together have fewer.
const MAX_PARTS: usize = 1 << 20;
const MAX_SESSION_PARTS: usize = 1 << 18;
/// Damaged tables can map one page many times over. So many pages are read of every dump, and this
/// many times those that it holds.
const LEAST_PAGES: u64 = 1 << 17;
const TIMES_HELD: u64 = 4;

/// What a page of a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageUse {
    /// It holds blocks.
    Blocks,
    /// It is part of a big allocation, which has these first and last addresses.
    Big {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// It is mapped and neither.
    Other,
    /// The dump does not hold it.
    Missing(Absent),
}

/// A page of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSeen {
    /// Its address.
    pub(super) address: u64,
    /// What it is.
    pub(super) page_use: PageUse,
    /// Whether it is in a page file.
    pub(super) is_paged_out: bool,
    /// Of which pool.
    pub(super) kind: Kind,
    /// The range that it is in: the first address and the one after the last.
    pub(super) range: (u64, u64),
    /// The session whose pool it is in.
    pub(super) session: Option<u32>,
    /// Whether the table of big allocations is known in which it would be.
    pub(super) has_table: bool,
    /// What the database of page frames says of it.
    pub(super) mark: Option<Mark>,
}

/// What a pass hands over.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    /// A block.
    Block(&'a Block),
    /// A page, before the blocks that begin in it.
    Page(PageSeen),
}

/// What was found in a part.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) blocks: Vec<Block>,
    pages: Vec<PageSeen>,
    /// How many pages were read.
    read: u64,
}

/// What threads need to read a part.
pub(super) struct Reader<'a> {
    pub(super) dump: &'a KernelDump,
    pub(super) machine: &'a Machine,
    pub(super) headers: Headers,
    hint: &'a PoolHint<'a>,
    /// Whether blocks are taken whether they are asked for or not.
    takes_all: bool,
    wants_pages: bool,
    /// The database of page frames, if pages are wanted.
    pub(super) frames: Option<Frames>,
    /// The subsegments of a pool that is a segment heap.
    heap: Option<(Segments, Keys)>,
}

impl KernelDump {
    /// Visits the blocks of all pools that a hint asks for, in the order of their addresses.
    ///
    /// # Errors
    /// If nothing is known of the pools of this dump.
    pub(in crate::source::kernel) fn pool_blocks(
        &self,
        hint: &PoolHint<'_>,
        visit: &mut dyn FnMut(&Block) -> Flow,
    ) -> Result<(), Unanswered> {
        self.whole_memory()?;
        if self.indexed_blocks(hint, visit).is_some() {
            return Ok(());
        }
        self.pool_pass(hint, false, &mut |seen| match seen {
            Seen::Block(block) => visit(block),
            Seen::Page(_) => Flow::Continue(()),
        })
    }

    /// One pass over the pools: blocks that a hint asks for, and if wanted all pages.
    pub(super) fn pool_pass(
        &self,
        hint: &PoolHint<'_>,
        wants_pages: bool,
        visit: &mut dyn FnMut(Seen<'_>) -> Flow,
    ) -> Result<(), Unanswered> {
        self.whole_memory()?;
        let Memory::Pages(machine) = &self.memory else { return Ok(()) };
        let headers = Headers::of(self);
        let headers =
            headers.ok_or_else(|| Unanswered::because("no layout of _POOL_HEADER is known"))?;
        let heap =
            Segments::of(self).map(|segments| (segments, self.heap_keys(&headers, &segments)));
        let frames = if wants_pages { self.pool_frames() } else { None };
        let is_whole = !wants_pages && hint.is_everywhere();
        let index = if is_whole { self.new_index() } else { None };
        let takes_all = index.is_some();
        let reader =
            Reader { dump: self, machine, headers, hint, takes_all, wants_pages, frames, heap };
        let big = reader.big_of(None).map_or(&[][..], |big| &big.blocks);
        let mut merge = Merge { big, owner: None, hint, index, visit };
        let held = machine.map().present();
        let mut left = held.saturating_mul(TIMES_HELD).max(LEAST_PAGES);
        let mut session_parts = MAX_SESSION_PARTS;
        for range in self.pool_ranges_known() {
            let big = reader.big_of(range.owner).map_or(&[][..], |big| &big.blocks);
            if merge.owned_by(range.owner, big).is_break() {
                return Ok(());
            }
            let most = if range.owner.is_some() { session_parts } else { MAX_PARTS };
            let parts = reader.parts(range, most);
            if range.owner.is_some() {
                session_parts = session_parts.saturating_sub(parts.len());
            }
            for batch in parts.chunks(BATCH) {
                if hint.is_cancelled() || left == 0 {
                    return Ok(());
                }
                let found: Vec<Harvest> =
                    batch.par_iter().map(|part| reader.read(range, *part)).collect();
                for harvest in found {
                    left = left.saturating_sub(harvest.read);
                    if merge.take(&harvest).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        let is_over = merge.big_before(u64::MAX).is_break();
        if let Some(index) = merge.index.filter(|_| !is_over && !hint.is_cancelled()) {
            // What cannot be kept is found again.
            let _ = index.finish();
        }
        Ok(())
    }

    /// The ranges of the pools, found when first asked for.
    pub(super) fn pool_ranges_known(&self) -> &[PoolRange] {
        self.pool.ranges.get_or_init(|| self.pool_ranges())
    }
}

/// Puts blocks of pages and big ones into one order.
struct Merge<'a, 'v> {
    /// Big blocks that were not handed over yet.
    big: &'a [Block],
    /// The session whose they are.
    owner: Option<usize>,
    hint: &'a PoolHint<'a>,
    /// Gets every block, if there is one.
    index: Option<Writer>,
    visit: &'v mut dyn FnMut(Seen<'_>) -> Flow,
}

impl<'a> Merge<'a, '_> {
    /// Goes on to the blocks of an owner, once those of the one before are handed over.
    fn owned_by(&mut self, owner: Option<usize>, big: &'a [Block]) -> Flow {
        if owner != self.owner {
            self.big_before(u64::MAX)?;
            (self.owner, self.big) = (owner, big);
        }
        Flow::Continue(())
    }

    fn take(&mut self, harvest: &Harvest) -> Flow {
        let mut pages = harvest.pages.iter().peekable();
        for block in &harvest.blocks {
            while let Some(page) = pages.next_if(|page| page.address <= block.address) {
                (self.visit)(Seen::Page(*page))?;
            }
            self.big_before(block.address)?;
            self.give(block)?;
        }
        pages.try_for_each(|page| (self.visit)(Seen::Page(*page)))
    }

    /// Hands over the big blocks before an address.
    fn big_before(&mut self, address: u64) -> Flow {
        while let Some((block, rest)) = self.big.split_first() {
            if block.address >= address {
                break;
            }
            self.big = rest;
            self.give(block)?;
        }
        Flow::Continue(())
    }

    fn give(&mut self, block: &Block) -> Flow {
        if let Some(index) = &mut self.index {
            index.add(&index::encode(block));
        }
        if self.hint.takes(block) { (self.visit)(Seen::Block(block)) } else { Flow::Continue(()) }
    }
}

impl<'a> Reader<'a> {
    /// Whether a block is handed over.
    pub(super) fn takes(&self, block: &Block) -> bool {
        self.takes_all || self.hint.takes(block)
    }

    /// Whether blocks of a tag may be handed over.
    fn takes_tag(&self, tag: [u8; 4]) -> bool {
        self.takes_all || self.hint.takes_tag(tag)
    }

    /// The big allocations of a session, or of the system.
    pub(super) fn big_of(&self, owner: Option<usize>) -> Option<&'a Big> {
        let Some(owner) = owner else { return self.dump.big_pool() };
        self.dump.session_big(self.dump.pool_sessions().get(owner)?)
    }

    /// First and last address of the big allocation of a range that an address lies in.
    fn big_around(&self, range: &PoolRange, at: u64) -> Option<(u64, u64)> {
        self.big_of(range.owner)?.around(at)
    }

    /// The parts of a range that may hold what is asked for, at most so many.
    fn parts(&self, range: &PoolRange, most: usize) -> Vec<Part> {
        let (first, last) = self.hint.range;
        let start = range.start.max(first & !0xfff);
        let end = range.end.min(last.saturating_add(1));
        if start >= end {
            return Vec::new();
        }
        let root = range.space.map_or(self.machine.kernel(), |base| self.machine.root(base));
        self.machine.parts(&self.dump.image, root, Gva(start), Gva(end), most)
    }

    fn read(&self, range: &PoolRange, part: Part) -> Harvest {
        let mut harvest = Harvest::default();
        if self.hint.is_cancelled() {
            return harvest;
        }
        let bounds = (Gva(range.start), Gva(range.end));
        let mut pages = Vec::new();
        self.machine
            .pages(&self.dump.image, part, bounds, &mut |at, held| pages.push((at.0, held)));
        harvest.read = pages.len() as u64;
        if let Some(heap) = &self.heap {
            self.subsegments(heap, range, part.start.0, &pages, &mut harvest);
            return harvest;
        }
        let mut pieces = Vec::new();
        for (at, held) in pages {
            let page_use = self.page(range, at, held, &mut pieces, &mut harvest.blocks);
            self.note(range, (at, held), page_use, part.is_large(), &mut harvest);
        }
        harvest
    }

    /// Notes what a page is, if somebody wants to know.
    pub(super) fn note(
        &self,
        range: &PoolRange,
        (address, held): (u64, Result<&[u8], Fault>),
        page_use: PageUse,
        is_large: bool,
        harvest: &mut Harvest,
    ) {
        let is_known = range.is_exact || matches!(page_use, PageUse::Blocks | PageUse::Big { .. });
        if self.wants_pages && is_known {
            harvest.pages.push(PageSeen {
                address,
                page_use,
                is_paged_out: matches!(held, Err(Fault::PagedOut { .. })),
                kind: range.kind,
                range: (range.start, range.end),
                session: range.session,
                has_table: self.big_of(range.owner).is_some(),
                mark: self.mark(range, address, is_large),
            });
        }
    }

    /// Reads a page; its blocks that are asked for go into `blocks`.
    fn page(
        &self,
        range: &PoolRange,
        at: u64,
        held: Result<&[u8], Fault>,
        pieces: &mut Vec<Piece>,
        blocks: &mut Vec<Block>,
    ) -> PageUse {
        if let Some((first, last)) = self.big_around(range, at) {
            return PageUse::Big { first, last };
        }
        let page = match held {
            Ok(page) => page,
            Err(fault) => return PageUse::Missing(reason(fault)),
        };
        if let Some(block) = special::block(&self.headers, range, at, page) {
            blocks.extend(Some(block).filter(|block| self.takes(block)));
            return if range.is_exact { PageUse::Blocks } else { PageUse::Other };
        }
        chain::pieces(&self.headers, page, pieces);
        let is_whole = || pieces.iter().all(|piece| !piece.is_damaged);
        if pieces.is_empty() || (!range.is_exact && !is_whole()) {
            return PageUse::Other;
        }
        let named = pieces.iter().filter(|piece| self.takes_tag(piece.header.tag()));
        let found = named.map(|piece| block(&self.headers, range, at, piece));
        blocks.extend(found.filter(|block| self.takes(block)));
        PageUse::Blocks
    }
}

/// A block of a page of classic pool.
pub(super) fn block(headers: &Headers, range: &PoolRange, page: u64, piece: &Piece) -> Block {
    let unit = headers.unit;
    let stated = headers.kind(piece.header);
    let bytes_before = usize::try_from(piece.header.previous).unwrap_or(0) * unit;
    let state = if piece.is_damaged { State::Damaged } else { headers.state(piece.header) };
    let kind = match stated.is_paged {
        Some(_) if !piece.is_damaged => stated,
        _ => range.kind,
    };
    Block {
        address: page.saturating_add(piece.at as u64),
        bytes: piece.bytes as u64,
        header: u8::try_from(unit).unwrap_or(u8::MAX),
        previous: u16::try_from(bytes_before).ok(),
        tag: piece.header.tag(),
        kind,
        state,
        is_charged: !piece.is_damaged && headers.is_charged(piece.header),
        found: Found::Headers,
        session: range.session,
    }
}
