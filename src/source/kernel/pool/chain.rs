//! The blocks of a page of classic pool: headers that each lead to the next and name the size of the
//! one before.
//!
//! Where a header does not agree with its neighbours, the walk looks for the next one that does,
//! so that damage hides the damaged block and no other.

use super::block::is_tag;
use super::header::{Header, Headers};

/// The size of a page.
pub(super) const PAGE: usize = 0x1000;
/// After so many contradictions the rest of a page is given up.
const MAX_BREAKS: usize = 16;
/// So many blocks in a row that agree are no chance.
const SURE_RUN: usize = 3;

/// A block within a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins, in bytes from the start of the page.
    pub(super) at: usize,
    /// Its size in bytes.
    pub(super) bytes: usize,
    pub(super) header: Header,
    /// Whether its header contradicts its neighbours.
    pub(super) is_damaged: bool,
}

/// Puts the blocks of a page into `pieces`, in their order; none if it is no page of pool.
pub(super) fn pieces(headers: &Headers, page: &[u8], pieces: &mut Vec<Piece>) {
    pieces.clear();
    Walk { headers, page, pieces, breaks: 0 }.run();
    let first_is_sound = pieces.first().is_some_and(|first| first.at == 0 && !first.is_damaged);
    let sound: usize = pieces.iter().filter(|p| !p.is_damaged).map(|p| p.bytes).sum();
    if !first_is_sound && sound < PAGE / 2 {
        pieces.clear();
    }
}

struct Walk<'a> {
    headers: &'a Headers,
    page: &'a [u8],
    pieces: &'a mut Vec<Piece>,
    breaks: usize,
}

impl Walk<'_> {
    fn run(&mut self) {
        let (mut at, mut before) = (0, 0);
        while at < PAGE {
            let Some(header) = self.headers.at(self.page, at) else { return };
            let end = self.end(at, header.size);
            let links = end.is_some_and(|end| self.follows(end, header.size));
            if links && (header.previous == before || self.is_trusted(at)) {
                at = self.take(at, end.unwrap_or(PAGE), header, false);
                before = header.size;
                continue;
            }
            self.breaks += 1;
            if self.breaks > MAX_BREAKS || (at == 0 && self.is_empty()) {
                self.give_up(at);
                return;
            }
            let is_known = header.previous == before;
            let own_end = end.filter(|_| is_known && header.size != 0);
            // Either the next header is damaged, or the size in this one.
            let by_next = own_end.filter(|end| *end < PAGE).and_then(|end| self.named_from(end));
            let by_own = self.named_from(at);
            match (own_end.zip(by_next), by_own) {
                (Some((end, next)), own) if own.is_none_or(|own| own >= next) => {
                    at = self.take(at, end, header, false);
                    at = self.damaged(at, next);
                }
                (_, Some(next)) => at = self.damaged(at, next),
                (_, None) => match (self.resync(at), own_end) {
                    (Some(next), Some(end)) if end <= next => {
                        at = self.take(at, end, header, false);
                        if at < next {
                            at = self.damaged(at, next);
                        }
                    }
                    (Some(next), _) => at = self.damaged(at, next),
                    (None, Some(end)) if !self.pieces.is_empty() => {
                        let end = self.take(at, end, header, false);
                        self.give_up(end);
                        return;
                    }
                    (None, _) => {
                        self.give_up(at);
                        return;
                    }
                },
            }
            // What stands here names the size of the gap, or was found by its own successors.
            before = self.headers.sizes_at(self.page, at).map_or(0, |(previous, _)| previous);
        }
    }

    /// Where a block of so many units ends; `None` beyond the page.
    fn end(&self, at: usize, units: u32) -> Option<usize> {
        let bytes = usize::try_from(units).ok()?.checked_mul(self.headers.unit)?;
        at.checked_add(bytes).filter(|end| *end <= PAGE && bytes != 0)
    }

    /// Whether a block of so many units can end there: the page does, or the next header says so.
    fn follows(&self, end: usize, units: u32) -> bool {
        if end == PAGE {
            return true;
        }
        let next = self.headers.sizes_at(self.page, end);
        next.is_some_and(|(previous, size)| previous == units && self.end(end, size).is_some())
    }

    /// Whether the header there looks like one and agrees with the next.
    fn is_trusted(&self, at: usize) -> bool {
        let Some(header) = self.headers.at(self.page, at) else { return false };
        let agrees = self.end(at, header.size).is_some_and(|end| self.follows(end, header.size));
        agrees && is_tag(header.tag())
    }

    /// The nearest header that names a block from `at` to itself as the one before it.
    fn named_from(&self, at: usize) -> Option<usize> {
        let unit = self.headers.unit;
        (at + unit..PAGE).step_by(unit).find(|next| {
            let named = self.headers.sizes_at(self.page, *next).map_or(0, |(previous, _)| previous);
            self.end(at, named) == Some(*next) && self.is_trusted(*next)
        })
    }

    /// The nearest header that begins a run of blocks that is no chance.
    fn resync(&self, at: usize) -> Option<usize> {
        let unit = self.headers.unit;
        (at + unit..PAGE).step_by(unit).find(|next| self.is_sure(*next))
    }

    fn is_sure(&self, mut at: usize) -> bool {
        for _ in 0..SURE_RUN {
            if !self.is_trusted(at) {
                return false;
            }
            let size = self.headers.sizes_at(self.page, at).map_or(0, |(_, size)| size);
            let Some(end) = self.end(at, size) else { return false };
            if end == PAGE {
                return true;
            }
            at = end;
        }
        true
    }

    /// Whether the page holds zeros at both ends, as pages without pool often do.
    fn is_empty(&self) -> bool {
        let is_zero = |part: Option<&[u8]>| part.is_some_and(|p| p.iter().all(|byte| *byte == 0));
        is_zero(self.page.get(..0x200)) && is_zero(self.page.get(PAGE - 0x200..))
    }

    fn take(&mut self, at: usize, end: usize, header: Header, is_damaged: bool) -> usize {
        self.pieces.push(Piece { at, bytes: end - at, header, is_damaged });
        end
    }

    fn damaged(&mut self, at: usize, end: usize) -> usize {
        if let Some(header) = self.headers.at(self.page, at) {
            self.take(at, end, header, true);
        }
        end
    }

    /// Leaves the rest of the page as one damaged block.
    fn give_up(&mut self, at: usize) {
        if at < PAGE && !self.pieces.is_empty() {
            self.damaged(at, PAGE);
        }
    }
}
