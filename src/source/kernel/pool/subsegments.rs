//! The pass over a pool that is a segment heap: finds the subsegments, and searches the other
//! pages.

use crate::memory::{Fault, Gva, Part};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::{Memory, reason};
use crate::source::kernel::pool::block::{Block, FoundBy, PoolKind, State};
use crate::source::kernel::pool::chain::Piece;
use crate::source::kernel::pool::header::{Header, Headers};
use crate::source::kernel::pool::look::{Chains, Followed, LANES};
use crate::source::kernel::pool::part::is_block;
use crate::source::kernel::pool::part::{Chunk, Pages};
use crate::source::kernel::pool::range::PoolRange;
use crate::source::kernel::pool::seen::PageUse;
use crate::source::kernel::pool::segment::{Keys, Segments};
use crate::source::kernel::pool::state::{Big, Pool};
use crate::source::kernel::pool::tag::Tags;
use crate::source::kernel::pool::{chain, look};
use crate::source::kernel::pool::{ranges, special};
use rayon::prelude::*;

const PAGE: u64 = 0x1000;
/// How many pages are searched for the heap key.
const MAX_SEARCHED: u64 = 1 << 16;
/// How many parts are read before the search checks whether the key was found.
const BATCH: usize = 8;
/// Upper limit on the parts of a range in that search.
const MAX_PARTS: usize = 1 << 16;

/// A page of a part, or the reason why it is missing.
pub(crate) type Held<'f> = (u64, Result<&'f [u8], Fault>);

/// A part of a segment heap, and what is needed to read it.
pub(crate) struct Heap<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) segments: &'a Segments,
    pub(crate) keys: Keys,
    /// The tags to collect; some blocks with other tags may be returned too.
    pub(crate) tags: &'a Tags,
    /// The big allocations of the range.
    pub(crate) big: Option<&'a Big>,
    pub(crate) range: &'a PoolRange,
}

/// The pages of a part by their position in it.
fn by_place<'f>(start: u64, held: &[Held<'f>]) -> Pages<'f> {
    let mut pages = Vec::new();
    for (at, page) in held {
        let Ok(index) = usize::try_from(at.saturating_sub(start) / PAGE) else { continue };
        if index >= pages.len() {
            pages.resize(index + 1, None);
        }
        if let (Some(slot), Ok(page)) = (pages.get_mut(index), page) {
            *slot = Some(*page);
        }
    }
    Pages { start, pages }
}

/// The encoding keys of the heap, from symbols or derived from the first subsegments found.
pub(crate) fn heap_keys(core: &Core, pool: &Pool, headers: &Headers, segments: &Segments) -> Keys {
    *pool.keys.get_or_init(|| {
        let stated = Segments::stated_keys(core);
        if stated.heap().is_some() && stated.lfh().is_some() {
            return stated;
        }
        derived_keys(core, pool, headers, segments, stated)
    })
}

fn derived_keys(
    core: &Core,
    pool: &Pool,
    headers: &Headers,
    segments: &Segments,
    stated: Keys,
) -> Keys {
    let Memory::Pages(machine) = &core.memory else { return stated };
    let (mut keys, mut left) = (stated, MAX_SEARCHED);
    for range in ranges::pool_ranges_known(core, pool).iter().filter(|range| range.space.is_none())
    {
        let (start, end) = (Gva(range.start), Gva(range.end));
        let derive = |part: &Part, known: Keys| {
            let mut held = Vec::new();
            machine.pages(&core.image, *part, (start, end), &mut |at, page| {
                held.push((at.0, page));
            });
            (keys_in(headers, segments, known, part.start.0, &held), held.len() as u64)
        };
        let parts = machine.parts(&core.image, machine.kernel(), start, end, MAX_PARTS);
        for batch in parts.chunks(BATCH) {
            let found: Vec<(Keys, u64)> = batch.par_iter().map(|part| derive(part, keys)).collect();
            for (found, searched) in found {
                keys = keys.or(found.heap(), found.lfh());
                left = left.saturating_sub(searched);
            }
            if (keys.heap().is_some() && keys.lfh().is_some()) || left == 0 {
                return keys;
            }
        }
    }
    keys
}

/// The keys that the first subsegments of a part give, as far as they are unknown.
fn keys_in(
    headers: &Headers,
    segments: &Segments,
    known: Keys,
    start: u64,
    held: &[Held<'_>],
) -> Keys {
    let pages = by_place(start, held);
    let mut keys = known;
    for (at, _) in held {
        if keys.heap().is_none() {
            keys = keys.or(segments.derive(headers, &pages, *at), None);
        }
        if keys.lfh().is_none() {
            keys = keys.or(None, segments.lfh.derive(segments.unit, headers, &pages, *at));
        }
    }
    keys
}

impl Heap<'_> {
    /// Puts the matching blocks of the pages into `blocks` in address order, and records the use of
    /// each page.
    pub(crate) fn walk<'p, 'f>(
        &self,
        start: u64,
        held: &'p [Held<'f>],
        blocks: &mut Vec<Block>,
        say: &mut dyn FnMut(&'p Held<'f>, PageUse),
    ) {
        let pages = by_place(start, held);
        let mut looks = self.looks(&pages, held).into_iter().peekable();
        // The end of the blocks that begin on earlier pages.
        let mut covered = 0;
        let mut pieces = Vec::new();
        for page in held {
            let at = page.0;
            let page_use = match (self.big.and_then(|big| big.around(at)), page.1) {
                (Some((first, last)), _) => PageUse::Big { first, last },
                (None, Err(fault)) => PageUse::Missing(reason(fault)),
                (None, Ok(_)) if covered >= at + PAGE => PageUse::Blocks,
                (None, Ok(bytes)) => {
                    let had_rest = covered > at;
                    // A VS chain is stronger evidence than anything on pages of other kinds.
                    while looks.next_if(|seen| seen.span.first < at).is_some() {}
                    let seen = looks.next_if(|seen| seen.span.first < at + PAGE && !had_rest);
                    let mut is_used = had_rest;
                    if let Some(seen) = seen.filter(|seen| seen.look.is_sound) {
                        (is_used, covered) = (true, seen.end);
                        self.sound(&pages, seen, blocks);
                    } else if let Some(end) = self.begins(&pages, at, had_rest, blocks) {
                        (is_used, covered) = (true, end);
                    } else if !had_rest && self.stands_alone(at, bytes, &mut pieces, blocks) {
                        (is_used, covered) = (true, at + PAGE);
                    }
                    if covered < at + PAGE {
                        let end = self.search(&pages, covered.max(at), at + PAGE, blocks);
                        is_used |= end.is_some();
                        covered = covered.max(end.unwrap_or(0));
                    }
                    if is_used { PageUse::Blocks } else { PageUse::Other }
                }
            };
            say(page, page_use);
        }
    }

    /// Runs the quick check on VS subsegments, and prefetches headers of other pages.
    fn looks(&self, pages: &Pages<'_>, held: &[Held<'_>]) -> Vec<Followed> {
        let (mut spans, mut classic) = (Vec::new(), Vec::new());
        let mut covered = 0;
        for (at, page) in held {
            if *at < covered {
                continue;
            }
            if let Some(span) = self.keys.heap().and_then(|key| self.segments.span(pages, *at, key))
            {
                // The end may lie behind the last chunk by the size of the subsegment header.
                covered = span.end.saturating_sub(PAGE / 2);
                spans.push(span);
            } else {
                classic.extend(page.ok());
            }
        }
        let (headers, segments, tags) = (self.headers, self.segments, self.tags);
        let looks = Chains { headers, segments, tags }.looks(pages, &spans);
        for pages in classic.chunks(LANES) {
            look::bring_pages(self.headers, pages.iter().copied());
        }
        looks
    }

    /// Collects the blocks of an undamaged VS subsegment.
    fn sound(&self, pages: &Pages<'_>, seen: Followed, blocks: &mut Vec<Block>) {
        if seen.look.has_tag {
            let chunks = self.segments.sound_chunks(pages, seen.span, seen.end);
            self.take(pages, &chunks, FoundBy::Chunks, blocks);
        }
    }

    /// Collects the matching blocks.
    fn take(&self, pages: &Pages<'_>, chunks: &[Chunk], found: FoundBy, blocks: &mut Vec<Block>) {
        for chunk in chunks {
            let has_tag = !chunk.is_free || found != FoundBy::Chunks;
            let header = if has_tag { pages.header(self.headers, chunk.at) } else { None };
            if self.tags.may_take(header.map_or([0; 4], |header| header.raw_tag)) {
                blocks.push(self.chunk(pages, *chunk, found));
            }
        }
    }

    /// Reads a page of special pool or of undamaged classic pool; returns whether the page is one.
    fn stands_alone(
        &self,
        at: u64,
        page: &[u8],
        pieces: &mut Vec<Piece>,
        blocks: &mut Vec<Block>,
    ) -> bool {
        if let Some(block) = special::block(self.headers, self.range, at, page) {
            blocks.push(block);
            return true;
        }
        if !chain::may_be_whole(self.headers, page) {
            return false;
        }
        chain::pieces(self.headers, page, pieces);
        if pieces.is_empty() || pieces.iter().any(|piece| piece.is_damaged) {
            return false;
        }
        blocks.extend(pieces.iter().map(|piece| chain::block(self.headers, self.range, at, piece)));
        true
    }

    /// Collects the blocks of the subsegment that begins at a page and returns its end, or `None`
    /// if no subsegment begins there.
    fn begins(
        &self,
        pages: &Pages<'_>,
        at: u64,
        had_rest: bool,
        blocks: &mut Vec<Block>,
    ) -> Option<u64> {
        if had_rest {
            return None;
        }
        let chunks = self.keys.heap().and_then(|key| self.segments.chunks(pages, at, key));
        if let Some((chunks, end)) = chunks {
            self.take(pages, &chunks, FoundBy::Chunks, blocks);
            return Some(end);
        }
        let key = self.keys.lfh()?;
        let (mut chunks, mut end) =
            self.segments.lfh.blocks(self.segments.unit, self.headers, pages, at, key)?;
        // A subsegment ends at the latest where the next one begins, whatever its block count says.
        if let Some(next) = self.next_subsegment(pages, at + PAGE, end) {
            chunks.retain(|block| block.at + block.bytes <= next);
            end = next;
        }
        self.take(pages, &chunks, FoundBy::Lfh, blocks);
        Some(end)
    }

    /// The first page of a range at which a subsegment or a big allocation begins.
    fn next_subsegment(&self, pages: &Pages<'_>, from: u64, end: u64) -> Option<u64> {
        let begins = |at: &u64| {
            self.big.is_some_and(|big| big.around(*at).is_some())
                || self.keys.heap().is_some_and(|key| self.segments.is_chain(pages, *at, key))
                || self.keys.lfh().is_some_and(|key| {
                    self.segments
                        .lfh
                        .blocks(self.segments.unit, self.headers, pages, *at, key)
                        .is_some()
                })
        };
        (from..end).step_by(0x1000).find(begins)
    }

    /// Searches for pool headers; returns the address behind the last block.
    fn search(
        &self,
        pages: &Pages<'_>,
        from: u64,
        end: u64,
        blocks: &mut Vec<Block>,
    ) -> Option<u64> {
        let unit = self.headers.unit as u64;
        let mut last = None;
        let mut at = from.next_multiple_of(unit);
        while at < end {
            let header = pages.header(self.headers, at);
            let header = header.filter(|header| is_block(self.headers, *header));
            let Some(header) = header else {
                at += unit;
                continue;
            };
            let bytes = u64::from(header.size) * unit;
            if at + bytes > self.range.end || self.is_chance(pages, at, at + bytes, end) {
                at += unit;
                continue;
            }
            let chunk = Chunk { at, bytes, is_free: false };
            self.take(pages, &[chunk], FoundBy::Search, blocks);
            at += bytes;
            last = Some(at);
        }
        last
    }

    /// Whether bytes that look like a header are not one, because the block would reach into a
    /// block that other headers confirm, or on one of the following pages into a subsegment or a
    /// big allocation.
    fn is_chance(&self, pages: &Pages<'_>, at: u64, end: u64, page_end: u64) -> bool {
        let begins = |place: &u64| self.is_agreed(pages, *place);
        let unit = self.headers.unit;
        let mut inside = (at + unit as u64..end).step_by(unit);
        (!begins(&at) && inside.any(|place| begins(&place)))
            || self.next_subsegment(pages, page_end, end).is_some()
    }

    /// Whether more than its own bytes confirms a header: a chunk header in front of it, or another
    /// header of the same size directly behind its block.
    fn is_agreed(&self, pages: &Pages<'_>, at: u64) -> bool {
        const NEAR: u64 = 4;
        let sound = |place| {
            let header = pages.header(self.headers, place);
            header.filter(|header| is_block(self.headers, *header))
        };
        let Some(header) = sound(at) else { return false };
        let bytes = u64::from(header.size) * self.headers.unit as u64;
        let is_chunk = |key| self.segments.is_used_chunk(self.headers, pages, at, key);
        let mut others = (1..=NEAR).filter_map(|far| sound(at + far * bytes));
        self.keys.heap().is_some_and(is_chunk) || others.any(|other| other.size == header.size)
    }

    fn chunk(&self, pages: &Pages<'_>, chunk: Chunk, found: FoundBy) -> Block {
        let header = pages.header(self.headers, chunk.at);
        let sound = header.filter(|header| is_block(self.headers, *header));
        let state = match (chunk.is_free, sound) {
            (true, _) => State::Free,
            (false, Some(header)) => self.headers.state(header),
            (false, None) => State::Damaged,
        };
        let stated = sound.filter(|_| !chunk.is_free).map(|header| self.headers.kind(header));
        let kind: PoolKind =
            stated.filter(|kind| kind.is_paged.is_some()).unwrap_or(self.range.kind);
        let tag = if chunk.is_free && found == FoundBy::Chunks { None } else { header };
        let unit = u8::try_from(self.headers.unit).unwrap_or(u8::MAX);
        Block {
            address: chunk.at,
            bytes: chunk.bytes,
            header: if chunk.is_free { 0 } else { unit },
            previous: None,
            tag: tag.map_or([0; 4], Header::tag),
            kind,
            state,
            is_charged: state != State::Damaged
                && sound.is_some_and(|header| !chunk.is_free && self.headers.is_charged(header)),
            found,
            session: self.range.session,
        }
    }
}
