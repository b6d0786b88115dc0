//! The blocks of a page of classic pool. Each header gives the size of its own block and of the
//! block before it.
//!
//! Where a header does not agree with its neighbours, the walk searches for the next header that
//! does, so damage hides only the damaged block.

use crate::source::kernel::pool::block::{Block, FoundBy, State};
use crate::source::kernel::pool::header::{Header, Headers};
use crate::source::kernel::pool::range::PoolRange;
use crate::source::kernel::pool::tag::is_tag;

/// The size of a page.
pub(crate) const PAGE: usize = 0x1000;
/// After this many contradictions the rest of the page is given up.
const MAX_BREAKS: usize = 16;
/// This many consistent blocks in a row are not a coincidence.
const SURE_RUN: usize = 3;

/// A block within a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Offset of its header in the page.
    pub(crate) at: usize,
    /// Its size in bytes.
    pub(crate) bytes: usize,
    pub(crate) header: Header,
    /// Whether its header contradicts its neighbours.
    pub(crate) is_damaged: bool,
}

struct Walk<'a> {
    headers: &'a Headers,
    page: &'a [u8],
    pieces: &'a mut Vec<Piece>,
    breaks: usize,
}

/// Puts the blocks of a page into `pieces`, in address order; none if the page is not a pool page.
pub(crate) fn pieces(headers: &Headers, page: &[u8], pieces: &mut Vec<Piece>) {
    pieces.clear();
    Walk { headers, page, pieces, breaks: 0 }.run();
    let first_is_sound = pieces.first().is_some_and(|first| first.at == 0 && !first.is_damaged);
    let sound = || pieces.iter().filter(|piece| !piece.is_damaged);
    let is_mostly = sound().map(|piece| piece.bytes).sum::<usize>() >= PAGE / 2;
    let is_pool = first_is_sound || is_mostly && sound().count() > SURE_RUN;
    if !is_pool {
        pieces.clear();
    }
}

/// The blocks of a page whose headers all agree.
pub(crate) fn sound(headers: &Headers, page: &[u8]) -> impl Iterator<Item = Piece> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let header = headers.at(page, at).filter(|header| header.size != 0)?;
        let bytes = usize::try_from(header.size).ok()?.checked_mul(headers.unit)?;
        let piece = Piece { at, bytes, header, is_damaged: false };
        at = at.checked_add(bytes)?;
        (at <= PAGE).then_some(piece)
    })
}

/// Whether a page on which some headers disagree may still be a pool page without damage;
/// [`pieces`] decides whether it is. This check is cheaper for pages that are not pool.
pub(crate) fn may_be_whole(headers: &Headers, page: &[u8]) -> bool {
    let walk = Walk { headers, page, pieces: &mut Vec::new(), breaks: 0 };
    let (mut at, mut before) = (0, 0);
    while at < PAGE {
        let Some(header) = headers.at(page, at) else { return false };
        let Some(end) = walk.end(at, header.size) else { return false };
        if header.previous != before {
            let stands = if at == 0 { walk.is_sure(at) } else { walk.is_trusted(at) };
            if !stands {
                return false;
            }
        }
        if !walk.follows(end, header.size) {
            // Any other way to resolve a contradiction produces a damaged block.
            return walk.is_sure(end);
        }
        (at, before) = (end, header.size);
    }
    true
}

impl Walk<'_> {
    fn run(&mut self) {
        let (mut at, mut before) = (0, 0);
        while at < PAGE {
            let Some(header) = self.headers.at(self.page, at) else { return };
            let end = self.end(at, header.size);
            let links = end.is_some_and(|end| self.follows(end, header.size));
            let stands = || if at == 0 { self.is_sure(at) } else { self.is_trusted(at) };
            if links && (header.previous == before || stands()) {
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
            // Either the next header is damaged, or the size in this one is.
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
            // The header here gives the size of the gap, or it was found through the blocks behind
            // it.
            before = self.headers.sizes_at(self.page, at).map_or(0, |(previous, _)| previous);
        }
    }

    /// The end of a block of this many units, or `None` if it lies beyond the page.
    fn end(&self, at: usize, units: u32) -> Option<usize> {
        let bytes = usize::try_from(units).ok()?.checked_mul(self.headers.unit)?;
        at.checked_add(bytes).filter(|end| *end <= PAGE && bytes != 0)
    }

    /// Whether a block of this size can end there: at the end of the page, or where the next header
    /// agrees.
    fn follows(&self, end: usize, units: u32) -> bool {
        if end == PAGE {
            return true;
        }
        let next = self.headers.sizes_at(self.page, end);
        next.is_some_and(|(previous, size)| previous == units && self.end(end, size).is_some())
    }

    /// Whether the bytes there look like a header and agree with the next header.
    fn is_trusted(&self, at: usize) -> bool {
        let Some(header) = self.headers.at(self.page, at) else { return false };
        let agrees = self.end(at, header.size).is_some_and(|end| self.follows(end, header.size));
        agrees && is_tag(header.tag())
    }

    /// The nearest header whose previous size reaches back to `at`.
    fn named_from(&self, at: usize) -> Option<usize> {
        let unit = self.headers.unit;
        (at + unit..PAGE).step_by(unit).find(|next| {
            let named = self.headers.sizes_at(self.page, *next).map_or(0, |(previous, _)| previous);
            self.end(at, named) == Some(*next) && self.is_trusted(*next)
        })
    }

    /// The nearest header that begins a run of blocks too long to be a coincidence.
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

    /// Whether the page has zeros at both ends, as pages without pool often do.
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

    /// Reports the rest of the page as one damaged block.
    fn give_up(&mut self, at: usize) {
        if at < PAGE && !self.pieces.is_empty() {
            self.damaged(at, PAGE);
        }
    }
}

/// Makes a block from a piece of a classic pool page.
pub(crate) fn block(headers: &Headers, range: &PoolRange, page: u64, piece: &Piece) -> Block {
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
        found: FoundBy::Headers,
        session: range.session,
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod tests {
    use super::*;
    use crate::source::kernel::pool::look;
    use crate::source::kernel::pool::tag::Tags;

    /// A deterministic pseudorandom generator.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (self.0 >> 33) as usize % end
        }
    }

    fn put(page: &mut [u8], at: usize, previous: usize, size: usize, tag: [u8; 4]) {
        page[at..at + 4].copy_from_slice(&[previous as u8, 0, size as u8, 2]);
        page[at + 4..at + 8].copy_from_slice(&tag);
    }

    /// A page of 64-bit pool blocks with noise as contents, and the offset and size of each block.
    fn page(random: &mut Random) -> (Vec<u8>, Vec<(usize, usize)>) {
        let mut page: Vec<u8> = (0..PAGE).map(|_| random.below(256) as u8).collect();
        let mut blocks = Vec::new();
        let (mut at, mut previous) = (0, 0);
        while at < PAGE {
            let left = (PAGE - at) / 16;
            let size = (2 + random.below(30)).min(left);
            let size = if left - size < 2 { left } else { size };
            put(&mut page, at, previous, size, *b"Test");
            blocks.push((at, size * 16));
            (at, previous) = (at + size * 16, size);
        }
        (page, blocks)
    }

    #[test]
    fn undamaged_pages_are_read_exactly() {
        let headers = Headers::for_tests();
        let mut random = Random(1);
        let mut found = Vec::new();
        for _ in 0..200 {
            let (page, blocks) = page(&mut random);
            pieces(&headers, &page, &mut found);
            let listed: Vec<_> = found.iter().map(|piece| (piece.at, piece.bytes)).collect();
            assert_eq!(listed, blocks);
            assert!(look::page(&headers, &Tags::of(None), &page).is_sound);
            agrees_with_a_look(&headers, &page, &found);
            assert!(found.iter().all(|piece| !piece.is_damaged));
        }
    }

    /// The quick check agrees with the walk: pages that it accepts are sound, and pages that it
    /// rejects are damaged.
    fn agrees_with_a_look(headers: &Headers, page: &[u8], found: &[Piece]) {
        let is_whole = !found.is_empty() && found.iter().all(|piece| !piece.is_damaged);
        let look = look::page(headers, &Tags::of(Some(&[*b"Test"])), page);
        if look.is_sound {
            assert!(is_whole);
            assert_eq!(sound(headers, page).collect::<Vec<_>>(), found);
            let has_tag = found.iter().any(|piece| piece.header.tag() == *b"Test");
            assert_eq!(look.has_tag, has_tag);
        } else if is_whole {
            assert!(may_be_whole(headers, page));
        }
    }

    #[test]
    fn damage_hides_no_neighbour() {
        let headers = Headers::for_tests();
        let mut random = Random(2);
        let (mut found, mut hidden) = (Vec::new(), 0);
        for variant in 0..10_000 {
            let (mut page, blocks) = page(&mut random);
            let start = random.below(PAGE);
            let end = (start + 1 + random.below(64)).min(PAGE);
            for byte in &mut page[start..end] {
                *byte = random.below(256) as u8;
            }
            pieces(&headers, &page, &mut found);
            agrees_with_a_look(&headers, &page, &found);
            // Blocks follow one another and none is reported twice.
            let mut next = 0;
            for piece in &found {
                assert_eq!(piece.at, next, "variant {variant}");
                next = piece.at + piece.bytes;
            }
            let touches = |at: usize| at < end && at + 8 > start;
            for (index, (at, bytes)) in blocks.iter().enumerate() {
                let next_is_touched = blocks.get(index + 1).is_some_and(|next| touches(next.0));
                if touches(*at) {
                    continue;
                }
                let listed = found.iter().find(|piece| piece.at == *at);
                let is_right = listed.is_some_and(|p| p.bytes == *bytes && !p.is_damaged);
                // Only its own header gives the size of a block in front of a damaged header.
                let is_there = next_is_touched && listed.is_some();
                if !is_right && !is_there {
                    hidden += 1;
                }
            }
        }
        // In a few variants random noise happens to look like a header.
        assert!(hidden <= 20, "damage to other blocks hides {hidden} blocks");
    }

    #[test]
    fn noise_and_zeros_are_not_pool() {
        let headers = Headers::for_tests();
        let mut random = Random(3);
        let mut found = Vec::new();
        let mut taken = 0;
        for _ in 0..2_000 {
            let noise: Vec<u8> = (0..PAGE).map(|_| random.below(256) as u8).collect();
            pieces(&headers, &noise, &mut found);
            agrees_with_a_look(&headers, &noise, &found);
            taken += usize::from(!found.is_empty());
            let text: Vec<u8> = (0..PAGE).map(|_| 0x61 + random.below(26) as u8).collect();
            pieces(&headers, &text, &mut found);
            agrees_with_a_look(&headers, &text, &found);
            taken += usize::from(!found.is_empty());
        }
        assert!(taken <= 2, "{taken} pages are taken for pool");
        pieces(&headers, &[0; PAGE], &mut found);
        assert!(found.is_empty());
    }
}
