//! A quick check before the full read: it prefetches headers, and recognizes pages and subsegments
//! that are undamaged.
//!
//! Each header gives the address of the next, so a reader that follows one chain waits for memory
//! at every step. Here several chains are followed at once, so their waits overlap. For pages of
//! classic pool this only prefetches: the full read checks them again. VS subsegments are checked
//! here.

use std::hint::black_box;

use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::part::Pages;
use crate::source::kernel::pool::segment::{Segments, Span};
use crate::source::kernel::pool::tag::Tags;

const PAGE: usize = 0x1000;
/// The offset of the last word of a page, where a chain ends.
const LAST: usize = PAGE - 8;
/// How many chains are followed at once.
pub(crate) const LANES: usize = 16;
/// After this many steps of all chains the reader checks whether any is unfinished, and it stops
/// after this many checks: the remaining blocks are small, and one cache line holds several.
const STEPS: usize = 4;
const MOST: usize = 4;
/// Fewer chunks may be a coincidence.
const LEAST_CHUNKS: usize = 3;

/// A subsegment whose chunks are followed.
struct Lane {
    /// Its index in the spans.
    number: usize,
    span: Span,
    at: u64,
    before: u64,
    count: usize,
    has_tag: bool,
    is_stuck: bool,
}

/// The result of the quick check of a VS subsegment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Followed {
    pub(crate) span: Span,
    pub(crate) look: Look,
    /// The end of the last chunk that agrees with the one before.
    pub(crate) end: u64,
}

/// What is needed to follow chunks.
#[derive(Clone, Copy)]
pub(crate) struct Chains<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) segments: &'a Segments,
    pub(crate) tags: &'a Tags,
}

/// The result of the quick check of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// Whether all headers agree, from the first to the end.
    pub(crate) is_sound: bool,
    /// Whether a tag may be one that the query asks for.
    pub(crate) has_tag: bool,
}

/// Follows the headers of at most [`LANES`] pages.
pub(crate) fn bring_pages<'a>(headers: &Headers, pages: impl Iterator<Item = &'a [u8]>) {
    let mut near: [&[u8; PAGE]; LANES] = [&[0; PAGE]; LANES];
    let held = pages.filter_map(|page| page.first_chunk());
    near.iter_mut().zip(held).for_each(|(lane, page)| *lane = page);
    let mut at = [0; LANES];
    let mut gone = 0;
    for _ in 0..MOST {
        for _ in 0..STEPS {
            for (at, page) in at.iter_mut().zip(near) {
                let end = *at + headers.bytes_in(word(page, *at));
                *at = end.min(LAST);
            }
        }
        // Without a use of the result the compiler would remove all of this.
        let now = black_box(at.iter().sum());
        if std::mem::replace(&mut gone, now) == now {
            break;
        }
    }
}

impl Lane {
    const fn new(number: usize, span: Span) -> Self {
        let at = span.first;
        Self { number, span, at, before: 0, count: 0, has_tag: false, is_stuck: false }
    }
}

impl Chains<'_> {
    /// Checks the chunks of subsegments, several subsegments at once.
    pub(crate) fn looks(self, pages: &Pages<'_>, spans: &[Span]) -> Vec<Followed> {
        let held: Vec<Option<&[u8; PAGE]>> =
            pages.pages.iter().map(|page| page.and_then(|page| page.first_chunk())).collect();
        let unseen = |span: &Span| Followed { span: *span, look: Look::default(), end: span.first };
        let mut looks: Vec<Followed> = spans.iter().map(unseen).collect();
        let mut waiting = (0..).zip(spans).map(|(number, span)| Lane::new(number, *span));
        let mut lanes: Vec<Lane> = waiting.by_ref().take(LANES).collect();
        let mut words = [None; LANES];
        while !lanes.is_empty() {
            for _ in 0..STEPS {
                // All words are read before any is examined, so that the waits overlap.
                for (words, lane) in words.iter_mut().zip(&lanes) {
                    *words = self.words(lane, &held, pages.start);
                }
                for (words, lane) in words.iter().zip(&mut lanes) {
                    lane.is_stuck = words.and_then(|words| self.step(lane, words)).is_none();
                }
            }
            lanes.retain_mut(|lane| {
                if !lane.is_stuck {
                    return true;
                }
                if let Some(followed) = looks.get_mut(lane.number) {
                    (followed.look, followed.end) = (self.look(lane), lane.at);
                }
                waiting.next().map(|next| *lane = next).is_some()
            });
        }
        looks
    }

    /// The header of the next chunk, and the pool header in it.
    #[inline]
    fn words(self, lane: &Lane, pages: &[Option<&[u8; PAGE]>], start: u64) -> Option<(u64, u64)> {
        let offset = usize::try_from(lane.at.wrapping_sub(start)).ok()?;
        let page = (*pages.get(offset / PAGE)?)?;
        let block = offset + self.segments.in_chunk();
        // It may be on a page that the dump does not hold.
        let block = pages.get(block / PAGE).copied().flatten().map_or(0, |page| word(page, block));
        Some((word(page, offset), block))
    }

    /// Advances to the chunk after the next, if the next agrees with the one before.
    #[inline]
    fn step(self, lane: &mut Lane, (chunk, block): (u64, u64)) -> Option<()> {
        let header = self.segments.header(lane.span.bare(chunk, lane.at));
        let next = lane.at.wrapping_add(header.bytes);
        if header.previous != lane.before || !header.is_sound() || next > lane.span.end {
            return None;
        }
        lane.has_tag |= self.tags.may_take(self.headers.in_word(block).raw_tag);
        (lane.at, lane.before) = (next, header.bytes);
        lane.count += 1;
        Some(())
    }

    /// The result for a subsegment that was followed to its end. Versions differ in whether its
    /// size includes its own header, so the chunks may end before `end` by that amount.
    fn look(self, lane: &Lane) -> Look {
        let is_whole = lane.at == lane.span.end || self.segments.ends_before(lane.span, lane.at);
        Look { is_sound: is_whole && lane.count >= LEAST_CHUNKS, has_tag: lane.has_tag }
    }
}

/// The word at an offset of a page.
pub(crate) fn word(page: &[u8; PAGE], offset: usize) -> u64 {
    let held = page.get(offset & LAST..).and_then(|rest| rest.first_chunk::<8>());
    u64::from_le_bytes(held.copied().unwrap_or_default())
}

/// Checks the headers of a page of classic pool.
pub(crate) fn page(headers: &Headers, tags: &Tags, page: &[u8]) -> Look {
    let Some(page) = page.first_chunk() else { return Look::default() };
    let (mut at, mut before, mut has_tag) = (0, 0, false);
    while at < PAGE {
        let header = headers.in_word(word(page, at));
        let end = at + header.size as usize * headers.unit;
        if header.previous != before || header.size == 0 || end > PAGE {
            return Look::default();
        }
        has_tag |= tags.may_take(header.raw_tag);
        (at, before) = (end, header.size);
    }
    Look { is_sound: true, has_tag }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Control;
    use crate::source::kernel::pool::block::PoolHint;

    #[test]
    fn the_tag_filter_accepts_every_requested_tag() {
        let asked = [["Irp "], ["Driv"], ["a.b."], ["...."], ["Fil\u{e9}"], ["long tag"]];
        let raw =
            [*b"Irp ", *b"Irp\xa0", *b"Driv", *b"Dri\xf6", *b"a\x01b\x02", *b"a.b\xae", [0; 4]];
        let mut taken = 0;
        for asked in asked {
            let hint = PoolHint::tags(&asked, Control::NONE);
            for raw in raw {
                let [a, b, c, d] = raw;
                let takes = hint.takes_tag([a, b, c, d & 0x7f]);
                assert!(!takes || hint.words().may_take(raw), "{asked:?} {raw:x?}");
                taken += usize::from(takes);
            }
            assert!(hint.words().may_take(*b"none") == (asked == ["...."]));
        }
        assert_eq!(taken, 7);
        assert!(Tags::of(None).may_take(*b"none"));
        assert!(!Tags::of(Some(&[])).may_take(*b"none"));
    }

    #[test]
    fn pages_of_any_content_are_followed() {
        let headers = Headers::for_tests();
        let mut page = [0u8; PAGE];
        for fill in [0, 1, 0x7f, 0xff] {
            page.fill(fill);
            bring_pages(&headers, std::iter::repeat_n(&page[..], LANES + 3));
            bring_pages(&headers, [&page[..PAGE - 1], &page[..], &[]].into_iter());
            assert!(!super::page(&headers, &Tags::of(None), &page).is_sound);
        }
    }
}
