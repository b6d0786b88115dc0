//! The pass over a pool that is a segment heap: which pages are subsegments, and what is on others.

use super::block::{Block, Found, Kind, State};
use super::chain::{self, Piece};
use super::header::{Header, Headers};
use super::ranges::PoolRange;
use super::scan::{Harvest, PageUse, Reader};
use super::segment::{self, Chunk, Keys, Pages, Segments};
use crate::memory::{Fault, Gva};
use crate::source::kernel::KernelDump;
use crate::source::kernel::memory::{Memory, reason};

const PAGE: u64 = 0x1000;
/// Among so many pages the secret of the heap is looked for.
const MAX_SEARCHED: u64 = 1 << 16;
/// No range has more parts that are looked at for it.
const MAX_PARTS: usize = 1 << 16;

/// A page of a part, or why there is none.
type Held<'f> = (u64, Result<&'f [u8], Fault>);

/// The pages of a part by their places in it.
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

impl KernelDump {
    /// The secrets of the heap: as symbols say, or as the first subsegments found have them.
    pub(super) fn heap_keys(&self, headers: &Headers, segments: &Segments) -> Keys {
        *self.pool.keys.get_or_init(|| {
            let stated = Segments::stated_keys(self);
            if stated.heap().is_some() && stated.lfh().is_some() {
                return stated;
            }
            self.derived_keys(headers, segments, stated)
        })
    }

    fn derived_keys(&self, headers: &Headers, segments: &Segments, stated: Keys) -> Keys {
        let Memory::Pages(machine) = &self.memory else { return stated };
        let (mut keys, mut left) = (stated, MAX_SEARCHED);
        for range in self.pool_ranges_known().iter().filter(|range| range.space.is_none()) {
            let (start, end) = (Gva(range.start), Gva(range.end));
            for part in machine.parts(&self.image, machine.kernel(), start, end, MAX_PARTS) {
                let mut held = Vec::new();
                machine.pages(&self.image, part, (start, end), &mut |at, page| {
                    held.push((at.0, page));
                });
                let pages = by_place(part.start.0, &held);
                for (at, _) in &held {
                    if keys.heap().is_none() {
                        keys = keys.or(segments.derive(headers, &pages, *at), None);
                    }
                    if keys.lfh().is_none() {
                        keys = keys.or(None, segments.derive_one_size(headers, &pages, *at));
                    }
                }
                left = left.saturating_sub(held.len() as u64);
                if (keys.heap().is_some() && keys.lfh().is_some()) || left == 0 {
                    return keys;
                }
            }
        }
        keys
    }
}

impl Reader<'_> {
    /// Reads a part of a segment heap.
    pub(super) fn subsegments(
        &self,
        (segments, keys): &(Segments, Keys),
        range: &PoolRange,
        start: u64,
        held: &[Held<'_>],
        harvest: &mut Harvest,
    ) {
        let pages = by_place(start, held);
        // Up to where blocks that begin on earlier pages reach.
        let mut covered = 0;
        let mut pieces = Vec::new();
        for page in held {
            let at = page.0;
            if let Some((first, last)) = self.big_around(range, at) {
                self.note(range, *page, PageUse::Big { first, last }, false, harvest);
                continue;
            }
            let page_use = match page.1 {
                Err(fault) => PageUse::Missing(reason(fault)),
                Ok(_) if covered >= at + PAGE => PageUse::Blocks,
                Ok(bytes)
                    if covered <= at && self.special(range, at, bytes, &mut harvest.blocks) =>
                {
                    PageUse::Blocks
                }
                Ok(bytes)
                    if covered <= at && self.classic(range, at, bytes, &mut pieces, harvest) =>
                {
                    PageUse::Blocks
                }
                Ok(_) => {
                    let mut blocks = covered > at;
                    if !blocks
                        && let Some((found, end)) = self.subsegment(segments, *keys, &pages, at)
                    {
                        covered = end;
                        blocks = true;
                        let blocks =
                            found.0.iter().map(|chunk| self.chunk(range, &pages, *chunk, found.1));
                        harvest.blocks.extend(blocks.filter(|block| self.takes(block)));
                    }
                    if covered < at + PAGE {
                        let end = self.search(range, &pages, covered.max(at), at + PAGE, harvest);
                        blocks |= end.is_some();
                        covered = covered.max(end.unwrap_or(0));
                    }
                    if blocks { PageUse::Blocks } else { PageUse::Other }
                }
            };
            self.note(range, *page, page_use, false, harvest);
        }
    }

    /// Reads a page of classic blocks; says whether it is one, without any flaw.
    fn classic(
        &self,
        range: &PoolRange,
        at: u64,
        page: &[u8],
        pieces: &mut Vec<Piece>,
        harvest: &mut Harvest,
    ) -> bool {
        chain::pieces(&self.headers, page, pieces);
        if pieces.is_empty() || pieces.iter().any(|piece| piece.is_damaged) {
            return false;
        }
        let found = pieces.iter().map(|piece| self.block(range, at, piece));
        harvest.blocks.extend(found.filter(|block| self.takes(block)));
        true
    }

    /// The blocks of the subsegment that begins at a page, and the address behind the last.
    fn subsegment(
        &self,
        segments: &Segments,
        keys: Keys,
        pages: &Pages<'_>,
        at: u64,
    ) -> Option<((Vec<Chunk>, Found), u64)> {
        if segments.chunks_bytes(pages, at).is_some()
            && let Some(key) = keys.heap()
        {
            let (chunks, end) = segments.chunks(pages, at, key);
            return (!chunks.is_empty()).then_some(((chunks, Found::Chunks), end));
        }
        let (blocks, end) = segments.blocks(&self.headers, pages, at, keys.lfh()?)?;
        Some(((blocks, Found::OneSize), end))
    }

    /// Looks for headers of blocks; returns the address behind the last block.
    fn search(
        &self,
        range: &PoolRange,
        pages: &Pages<'_>,
        from: u64,
        end: u64,
        harvest: &mut Harvest,
    ) -> Option<u64> {
        let unit = self.headers.unit as u64;
        let mut last = None;
        let mut at = from.next_multiple_of(unit);
        while at < end {
            let header = pages.header(&self.headers, at);
            let header = header.filter(|header| segment::is_block(&self.headers, *header));
            let Some(header) = header else {
                at += unit;
                continue;
            };
            let bytes = u64::from(header.size) * unit;
            let chunk = Chunk { at, bytes, is_free: false };
            let block = self.chunk(range, pages, chunk, Found::Search);
            if self.takes(&block) {
                harvest.blocks.push(block);
            }
            at += bytes;
            last = Some(at);
        }
        last
    }

    fn chunk(&self, range: &PoolRange, pages: &Pages<'_>, chunk: Chunk, found: Found) -> Block {
        let header = pages.header(&self.headers, chunk.at);
        let sound = header.filter(|header| segment::is_block(&self.headers, *header));
        let state = match (chunk.is_free, sound) {
            (true, _) => State::Free,
            (false, Some(header)) => self.headers.state(header),
            (false, None) => State::Damaged,
        };
        let stated = sound.filter(|_| !chunk.is_free).map(|header| self.headers.kind(header));
        let kind: Kind = stated.filter(|kind| kind.is_paged.is_some()).unwrap_or(range.kind);
        let tag = if chunk.is_free && found == Found::Chunks { None } else { header };
        Block {
            address: chunk.at,
            bytes: chunk.bytes,
            header: if chunk.is_free {
                0
            } else {
                u8::try_from(self.headers.unit).unwrap_or(u8::MAX)
            },
            previous: None,
            tag: tag.map_or([0; 4], Header::tag),
            kind,
            state,
            is_charged: state != State::Damaged
                && sound.is_some_and(|header| !chunk.is_free && self.headers.is_charged(header)),
            found,
            session: range.session,
        }
    }
}
