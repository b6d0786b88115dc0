//! One pass over the pages of the pools, on all cores, in address order.
//!
//! Ranges are cut into parts, each mapped by one page table. Threads read a batch of parts at a
//! time, and the blocks found are passed on in order. Memory use stays small however large the
//! pools are, and a reader that has enough ends the pass.

use crate::dump::bytes::unsigned_at;
use crate::memory::{Fault, Gva, Machine, Part};
use crate::model::{Flow, Searching, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::{Memory, reason};
use crate::source::kernel::pool::block::{Block, PoolHint};
use crate::source::kernel::pool::chain::{Piece, block};
use crate::source::kernel::pool::frames::{ACTIVE, Frames, Mark, PAGE};
use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::look::LANES;
use crate::source::kernel::pool::merge::{Merge, Reported};
use crate::source::kernel::pool::range::{Holds, PoolRange};
use crate::source::kernel::pool::seen::{Harvest, PageSeen, PageUse};
use crate::source::kernel::pool::segment::{Keys, Segments};
use crate::source::kernel::pool::state::{Big, Pool};
use crate::source::kernel::pool::subsegments::{Heap, Held};
use crate::source::kernel::pool::tag::Tags;
use crate::source::kernel::pool::{
    big, frames, index, ranges, session_big, sessions, special, subsegments,
};
use crate::source::kernel::pool::{chain, look};
use crate::symbol::Field;
use rayon::prelude::*;

/// How many parts are read before their blocks are passed on.
const BATCH: usize = 32;
/// Upper limit on parts: 2 TiB of pool. All session pools together have fewer.
const MAX_PARTS: usize = 1 << 20;
const MAX_SESSION_PARTS: usize = 1 << 18;
/// At most this many blocks that object tables want are kept in memory.
const MAX_KEPT: usize = 1 << 19;
/// Damaged page tables can map one page many times. The scan reads this many pages of every dump,
/// and beyond them at most this many times the pages that the dump holds.
const LEAST_PAGES: u64 = 1 << 17;
const TIMES_HELD: u64 = 4;

/// How many pages may be read of ranges of each kind, so that one kind does not exhaust the budget
/// of the others.
struct Room {
    parts: usize,
    pages: u64,
}

/// What threads need to read a part.
pub(crate) struct Reader<'a> {
    pub(crate) core: &'a Core,
    pool: &'a Pool,
    pub(crate) machine: &'a Machine,
    pub(crate) headers: Headers,
    hint: &'a PoolHint<'a>,
    /// The tags of the blocks to collect.
    pub(crate) tags: Tags,
    /// Whether to collect all blocks, whether or not the reader asked for them.
    takes_all: bool,
    notes_pages: bool,
    /// The PFN database, if pages are wanted.
    pub(crate) frames: Option<Frames>,
    /// The subsegment layouts of a pool that is a segment heap.
    heap: Option<(Segments, Keys)>,
}

impl Reader<'_> {
    /// The PFN database's mark for a page; `None` for pools and kernels without such marks.
    pub(crate) fn mark(&self, range: &PoolRange, at: u64, is_large: bool) -> Option<Mark> {
        let frames = self.frames.filter(|_| range.kind.is_paged == Some(false))?;
        let place =
            self.machine.translate(&self.core.image, self.machine.kernel(), Gva(at)).ok()?;
        let skip = (place.address.0 / PAGE).checked_mul(frames.entry)?;
        let at = frames.database.checked_add(skip)?;
        let entry = self.core.kernel_space().slice(at, usize::try_from(frames.entry).ok()?).ok()?;
        let bits = |field: Field| {
            let word = unsigned_at(&entry, field.offset, field.size.min(8))?;
            let (start, len) = field.bits?;
            Some(word.checked_shr(start.into())? & 1u64.checked_shl(len.into())?.wrapping_sub(1))
        };
        let bit = |field: Field| Some(bits(field)? == 1);
        let mark = Mark { is_first: bit(frames.first)?, is_last: bit(frames.last)?, is_large };
        (bits(frames.location)? == ACTIVE).then_some(mark)
    }
}

impl Room {
    /// The kind of a range: system pool, session pool, or a range that can hold only special pool.
    const fn of(range: &PoolRange) -> usize {
        match (range.owner, range.holds) {
            (Some(_), _) => 1,
            (None, Holds::Special) => 2,
            (None, _) => 0,
        }
    }
}

/// Visits the blocks of all pools that match a hint, in address order. Breaks unless all were
/// visited.
///
/// # Errors
/// If nothing is known about the pools of this dump.
pub(crate) fn pool_blocks(
    core: &Core,
    pool: &Pool,
    hint: &PoolHint<'_>,
    visit: &mut dyn FnMut(&Block) -> Flow,
) -> Result<Flow, Unanswered> {
    core.whole_memory()?;
    let Some(wider) = hint.for_all_tables() else { return blocks_found(core, pool, hint, visit) };
    if let Some(kept) = pool.objects.get() {
        return Ok(kept.iter().filter(|block| hint.takes(block)).try_for_each(visit));
    }
    let mut kept = Vec::new();
    let flow = blocks_found(core, pool, &wider, &mut |block| {
        if kept.len() < MAX_KEPT {
            kept.push(*block);
        }
        if hint.takes(block) { visit(block) } else { Flow::Continue(()) }
    })?;
    if flow.is_continue() && kept.len() < MAX_KEPT {
        let _ = pool.objects.set(kept);
    }
    Ok(flow)
}

/// Visits the blocks of the index, or those that a pass finds.
fn blocks_found(
    core: &Core,
    pool: &Pool,
    hint: &PoolHint<'_>,
    visit: &mut dyn FnMut(&Block) -> Flow,
) -> Result<Flow, Unanswered> {
    if let Some(flow) = index::indexed_blocks(core, pool, hint, visit) {
        return Ok(flow);
    }
    pool_pass(core, pool, hint, false, &mut |seen| match seen {
        Reported::Block(block) => visit(block),
        Reported::Page(_) => Flow::Continue(()),
    })
}

/// One pass over the pools: the blocks that match a hint and, if wanted, all pages. Breaks unless
/// all were visited.
pub(crate) fn pool_pass(
    core: &Core,
    pool: &Pool,
    hint: &PoolHint<'_>,
    wants_pages: bool,
    visit: &mut dyn FnMut(Reported<'_>) -> Flow,
) -> Result<Flow, Unanswered> {
    core.whole_memory()?;
    let Memory::Pages(machine) = &core.memory else {
        return Ok(Flow::Continue(()));
    };
    let headers = Headers::of(core);
    let headers =
        headers.ok_or_else(|| Unanswered::because("no layout of _POOL_HEADER is known"))?;
    let heap = Segments::of(core)
        .map(|segments| (segments, subsegments::heap_keys(core, pool, &headers, &segments)));
    let index = if hint.is_everywhere() { index::new_index(core) } else { None };
    let takes_all = index.is_some();
    let notes_pages = wants_pages || takes_all;
    let reader = Reader {
        core,
        pool,
        machine,
        headers,
        hint,
        tags: if takes_all { Tags::of(None) } else { hint.words() },
        takes_all,
        notes_pages,
        frames: if notes_pages { frames::pool_frames(core) } else { None },
        heap,
    };
    let big = reader.big_of(None).map_or(&[][..], |big| &big.blocks);
    let mut merge = Merge { big, owner: None, hint, index, wants_pages, visit };
    let mut flow = reader.read_all(&mut merge);
    if flow.is_continue() {
        flow = merge.big_before(u64::MAX);
    }
    if let Some(index) = merge.index.filter(|_| flow.is_continue()) {
        index.finish();
    }
    Ok(flow)
}

impl<'a> Reader<'a> {
    /// Whether a block is passed on.
    pub(crate) fn takes(&self, block: &Block) -> bool {
        self.takes_all || self.hint.takes(block)
    }

    /// The big allocations of a session, or of the system.
    pub(crate) fn big_of(&self, owner: Option<usize>) -> Option<&'a Big> {
        let Some(owner) = owner else { return big::big_pool(self.core, self.pool) };
        session_big::session_big(
            self.core,
            self.pool,
            sessions::pool_sessions(self.core, self.pool).get(owner)?,
        )
    }

    /// First and last address of the big allocation of a range that contains an address.
    fn big_around(&self, range: &PoolRange, at: u64) -> Option<(u64, u64)> {
        self.big_of(range.owner)?.around(at)
    }

    /// Reads all ranges; breaks if the reader has enough or the limit is reached.
    fn read_all(&self, merge: &mut Merge<'a, '_>) -> Flow {
        let held = self.machine.map().present();
        let pages = held.saturating_mul(TIMES_HELD).max(LEAST_PAGES);
        let mut rooms =
            [MAX_PARTS, MAX_SESSION_PARTS, MAX_PARTS].map(|parts| Room { parts, pages });
        let mut ranges = Vec::new();
        for (number, range) in (0..).zip(ranges::pool_ranges_known(self.core, self.pool)) {
            let room = &mut rooms[Room::of(range)];
            let parts = self.parts(range, room.parts);
            room.parts -= parts.len().min(room.parts);
            ranges.push((number, range, parts));
        }
        let bytes = |part: &Part| part.end.0 - part.start.0;
        let all = ranges.iter().flat_map(|(_, _, parts)| parts).map(bytes).sum();
        let mut searching = Searching::begin(self.hint.progress(), all);
        let mut flow = Flow::Continue(());
        for (number, range, parts) in &ranges {
            let big = self.big_of(range.owner).map_or(&[][..], |big| &big.blocks);
            merge.owned_by(range.owner, big)?;
            let room = &mut rooms[Room::of(range)];
            for batch in parts.chunks(BATCH) {
                if self.hint.is_cancelled() {
                    return Flow::Break(());
                }
                if room.pages == 0 {
                    // Later ranges may still be complete.
                    flow = Flow::Break(());
                    break;
                }
                let found: Vec<Harvest> =
                    batch.par_iter().map(|part| self.read(range, *part)).collect();
                searching.add(batch.iter().map(bytes).sum());
                for harvest in found {
                    merge.take(&harvest, *number)?;
                    room.pages = room.pages.saturating_sub(harvest.read);
                    if harvest.is_cut {
                        return Flow::Break(());
                    }
                }
            }
        }
        flow
    }

    /// The parts of a range that may hold matching blocks, at most this many.
    fn parts(&self, range: &PoolRange, most: usize) -> Vec<Part> {
        let (first, last) = self.hint.range;
        let start = range.start.max(first & !0xfff);
        let end = range.end.min(last.saturating_add(1));
        if start >= end {
            return Vec::new();
        }
        let root = range.space.map_or(self.machine.kernel(), |base| self.machine.root(base));
        let mut parts = self.machine.parts(&self.core.image, root, Gva(start), Gva(end), most);
        if range.holds == Holds::Special {
            // Special pool pages are always small pages.
            parts.retain(|part| !part.is_large());
        }
        parts
    }

    fn read(&self, range: &PoolRange, part: Part) -> Harvest {
        let mut harvest = Harvest::default();
        if self.hint.is_cancelled() {
            return Harvest { is_cut: true, ..harvest };
        }
        let bounds = (Gva(range.start), Gva(range.end));
        let mut pages = Vec::new();
        self.machine
            .pages(&self.core.image, part, bounds, &mut |at, held| pages.push((at.0, held)));
        harvest.read = pages.len() as u64;
        if range.holds == Holds::Special {
            // A dump may lack most of the pages that the system had mapped.
            harvest.read = pages.iter().filter(|(_, held)| held.is_ok()).count() as u64;
            let alone = special::guarded(&self.headers, range, &pages);
            harvest.blocks.extend(alone.filter(|block| self.takes(block)));
            return harvest;
        }
        if let Some(heap) = &self.heap {
            self.subsegments(heap, range, part.start.0, &pages, &mut harvest);
            return harvest;
        }
        let mut pieces = Vec::new();
        for pages in pages.chunks(LANES) {
            look::bring_pages(&self.headers, pages.iter().filter_map(|(_, held)| held.ok()));
            for (at, held) in pages.iter().copied() {
                let page_use = self.page(range, at, held, &mut pieces, &mut harvest.blocks);
                self.note(range, (at, held), page_use, part.is_large(), &mut harvest);
            }
        }
        harvest
    }

    /// Records the use of a page, if pages are wanted.
    pub(crate) fn note(
        &self,
        range: &PoolRange,
        (address, held): (u64, Result<&[u8], Fault>),
        page_use: PageUse,
        is_large: bool,
        harvest: &mut Harvest,
    ) {
        let is_known =
            range.holds == Holds::Pool || matches!(page_use, PageUse::Blocks | PageUse::Big { .. });
        if self.notes_pages && is_known {
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

    /// Reads a page and puts its matching blocks into `blocks`.
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
            return if range.holds == Holds::Pool { PageUse::Blocks } else { PageUse::Other };
        }
        let look = look::page(&self.headers, &self.tags, page);
        if look.is_sound {
            if look.has_tag {
                let asked = chain::sound(&self.headers, page)
                    .filter(|piece| self.tags.may_take(piece.header.raw_tag));
                let found = asked.map(|piece| block(&self.headers, range, at, &piece));
                blocks.extend(found.filter(|block| self.takes(block)));
            }
            return PageUse::Blocks;
        }
        chain::pieces(&self.headers, page, pieces);
        let is_whole = || pieces.iter().all(|piece| !piece.is_damaged);
        if pieces.is_empty() || (range.holds != Holds::Pool && !is_whole()) {
            return PageUse::Other;
        }
        let named = pieces.iter().filter(|piece| self.tags.may_take(piece.header.raw_tag));
        let found = named.map(|piece| block(&self.headers, range, at, piece));
        blocks.extend(found.filter(|block| self.takes(block)));
        PageUse::Blocks
    }
}

impl Reader<'_> {
    /// Reads a part of a segment heap.
    pub(crate) fn subsegments(
        &self,
        (segments, keys): &(Segments, Keys),
        range: &PoolRange,
        start: u64,
        held: &[Held<'_>],
        harvest: &mut Harvest,
    ) {
        let big = self.big_of(range.owner);
        let (headers, tags) = (&self.headers, &self.tags);
        let heap = Heap { headers, segments, keys: *keys, tags, big, range };
        let mut blocks = Vec::new();
        heap.walk(start, held, &mut blocks, &mut |page, page_use| {
            self.note(range, *page, page_use, false, harvest);
        });
        harvest.blocks.extend(blocks.into_iter().filter(|block| self.takes(block)));
    }
}
