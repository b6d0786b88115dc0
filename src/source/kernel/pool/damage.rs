//! Segment heap pages with random damage: damage hides no block that it does not touch, no block is
//! listed twice, and the walk ends.

#![allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]

use crate::memory::{Fault, Gva};
use crate::source::kernel::pool::block::{Block, PoolKind, State};
use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::range::{Holds, PoolRange};
use crate::source::kernel::pool::segment::{Keys, Segments};
use crate::source::kernel::pool::state::Big;
use crate::source::kernel::pool::subsegments::{Heap, Held};
use crate::source::kernel::pool::tag::Tags;

const PAGE: u64 = 0x1000;
const START: u64 = 0xffff_c08b_d8c0_0000;
const HEAP_KEY: u64 = 0x9c1e_5ab4_33d7_f065;
const LFH_KEY: u64 = 0x47d2_0b6e_e18c_95a3;
const UNIT: u64 = 16;
const VARIANTS: usize = 10_000;
const RARE: [u8; 4] = *b"Rare";

/// A deterministic pseudorandom generator.
struct Random(u64);

/// A block that the test made: its address, and the bytes that are needed to recognize it.
struct Fact {
    at: u64,
    bytes: u64,
    is_free: bool,
    /// Its own headers.
    own: std::ops::Range<u64>,
    /// Other bytes that give its size or its presence. The test is lenient where these are damaged.
    other: Vec<std::ops::Range<u64>>,
}

/// Builds a part of a heap.
struct HeapPart<'r> {
    bytes: Vec<u8>,
    facts: Vec<Fact>,
    random: &'r mut Random,
}

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % end
    }
}

impl HeapPart<'_> {
    fn end(&self) -> u64 {
        START + self.bytes.len() as u64
    }

    fn grow(&mut self, pages: u64) {
        for _ in 0..pages * PAGE {
            // Like real memory, many of the bytes are zero.
            let byte = if self.random.below(2) == 0 { 0 } else { self.random.below(256) as u8 };
            self.bytes.push(byte);
        }
    }

    fn put(&mut self, at: u64, bytes: &[u8]) {
        let at = (at - START) as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn block(&mut self, at: u64, units: u64) {
        let tag = if self.random.below(8) == 0 { RARE } else { *b"Test" };
        self.put(at, &[0, 0, units as u8, 2]);
        self.put(at + 4, &tag);
    }

    /// A VS subsegment.
    fn chunks(&mut self, pages: u64) {
        let start = self.end();
        self.grow(pages);
        let size = (pages * PAGE - 0x30) / UNIT;
        self.put(start + 0x20, &(size as u16).to_le_bytes());
        self.put(start + 0x22, &((size as u16 ^ 0x2bed) & 0x7fff).to_le_bytes());
        let (mut at, mut before) = (start + 0x30, 0);
        while at < start + pages * PAGE {
            let left = (start + pages * PAGE - at) / UNIT;
            let units = (3 + self.random.below(40)).min(left);
            let units = if left - units < 3 { left } else { units };
            let is_free = self.random.below(5) == 0;
            let header = 1 | units << 16 | before << 32 | u64::from(!is_free) << 48;
            self.put(at, &(header ^ HEAP_KEY ^ at).to_le_bytes());
            let next = at + units * UNIT;
            let mut other = Vec::new();
            other.push(start + 0x20..start + 0x24);
            if next < start + pages * PAGE {
                other.push(next..next + 8);
            }
            if is_free {
                let fact = Fact { at, bytes: units * UNIT, is_free, own: at..at + 8, other };
                self.facts.push(fact);
            } else {
                self.block(at + 16, units - 1);
                let (bytes, own) = ((units - 1) * UNIT, at..at + 24);
                self.facts.push(Fact { at: at + 16, bytes, is_free, own, other });
            }
            (at, before) = (next, units);
        }
    }

    /// An LFH subsegment.
    fn blocks(&mut self, pages: u64) {
        let start = self.end();
        self.grow(pages);
        let units = 4 + self.random.below(20);
        let size = units * UNIT;
        let count = (pages * PAGE - 0xa0) / size;
        let first = (0x30 + count.div_ceil(32) * 8).next_multiple_of(UNIT);
        self.put(start, &[0; 0x30]);
        self.put(start + 0x30, &vec![0; (first - 0x30) as usize]);
        self.put(start + 0x22, &(count as u16).to_le_bytes());
        let hidden = (first << 16 | size) ^ LFH_KEY ^ (start / PAGE);
        self.put(start + 0x28, &(hidden as u32).to_le_bytes());
        let mut map = vec![0u64; count.div_ceil(32) as usize];
        for index in 0..count {
            let at = start + first + index * size;
            let is_free = self.random.below(4) == 0;
            let place = start + 0x30 + index / 4;
            let other = vec![start + 0x20..start + 0x2e, place..place + 1];
            let (own, bytes) = (at..at + 8, size);
            if is_free {
                self.put(at, &[0; 16]);
            } else {
                map[(index / 32) as usize] |= 1 << (2 * (index % 32));
                self.block(at, units);
            }
            self.facts.push(Fact { at, bytes, is_free, own, other });
        }
        for (index, word) in (0..).zip(map) {
            self.put(start + 0x30 + 8 * index, &word.to_le_bytes());
        }
    }
}

fn read(bytes: &[u8], missing: Option<u64>, big: &Big, blocks: &mut Vec<Block>) -> usize {
    blocks.clear();
    read_tags(&Tags::of(None), (bytes, missing), big, blocks)
}

/// The blocks with the rare tag, as a search for that tag finds them.
fn rare(bytes: &[u8], missing: Option<u64>, big: &Big) -> Vec<Block> {
    let mut blocks = Vec::new();
    read_tags(&Tags::of(Some(&[RARE])), (bytes, missing), big, &mut blocks);
    blocks.retain(|block| block.tag == RARE);
    blocks
}

fn read_tags(
    tags: &Tags,
    (bytes, missing): (&[u8], Option<u64>),
    big: &Big,
    blocks: &mut Vec<Block>,
) -> usize {
    let (headers, segments) = (Headers::for_tests(), Segments::for_tests());
    let kind = PoolKind { is_paged: Some(true), is_session: false };
    let end = START + bytes.len() as u64;
    let range = PoolRange {
        start: START,
        end,
        kind,
        holds: Holds::Pool,
        space: None,
        session: None,
        owner: None,
    };
    let keys = Keys::default().or(Some(HEAP_KEY), Some(LFH_KEY & 0xffff_ffff));
    let held: Vec<Held<'_>> = (START..end)
        .step_by(0x1000)
        .zip(bytes.chunks_exact(0x1000))
        .map(|(at, page)| {
            let is_there = missing != Some(at);
            (at, if is_there { Ok(page) } else { Err(Fault::NotPresent(Gva(at))) })
        })
        .collect();
    let (headers, segments, big) = (&headers, &segments, Some(big));
    let heap = Heap { headers, segments, keys, tags, big, range: &range };
    let mut said = 0;
    heap.walk(START, &held, blocks, &mut |_, _| said += 1);
    said
}

/// The number of blocks that are not listed correctly though none of their own bytes is damaged.
fn hidden(
    facts: &[Fact],
    blocks: &[Block],
    damage: &dyn Fn(&std::ops::Range<u64>) -> bool,
) -> usize {
    let is_hidden = |fact: &&Fact| {
        if damage(&fact.own) {
            return false;
        }
        let is_whole = !fact.other.iter().any(damage);
        let listed = blocks.iter().find(|block| block.address == fact.at);
        match listed {
            // Only its neighbours identify a free block.
            _ if fact.is_free && !is_whole => false,
            Some(block) if fact.is_free => block.state != State::Free || block.bytes != fact.bytes,
            // Only the bitmap says whether it is in use.
            Some(block) => is_whole && (!block.is_in_use() || block.bytes != fact.bytes),
            None => true,
        }
    };
    facts.iter().filter(is_hidden).count()
}

#[test]
fn undamaged_heaps_are_read_exactly() {
    let mut random = Random(1);
    let mut blocks = Vec::new();
    for _ in 0..50 {
        let mut part = HeapPart { bytes: Vec::new(), facts: Vec::new(), random: &mut random };
        part.chunks(4);
        part.blocks(2);
        part.chunks(1);
        part.blocks(3);
        let said = read(&part.bytes, None, &Big::default(), &mut blocks);
        assert_eq!(said, 10);
        let made: Vec<_> = part.facts.iter().map(|f| (f.at, f.bytes, f.is_free)).collect();
        let found: Vec<_> =
            blocks.iter().map(|b| (b.address, b.bytes, b.state == State::Free)).collect();
        assert_eq!(found, made);
    }
}

#[test]
fn the_lfh_key_is_derived_from_blocks() {
    let mut random = Random(2);
    let (headers, segments) = (Headers::for_tests(), Segments::for_tests());
    let mut found = 0;
    for _ in 0..200 {
        let mut part = HeapPart { bytes: Vec::new(), facts: Vec::new(), random: &mut random };
        part.chunks(1);
        let start = part.end();
        part.blocks(2);
        let pages: Vec<Option<&[u8]>> = part.bytes.chunks_exact(0x1000).map(Some).collect();
        let pages = super::part::Pages { start: START, pages };
        assert_eq!(segments.lfh.derive(segments.unit, &headers, &pages, START), None);
        let key = segments.lfh.derive(segments.unit, &headers, &pages, start);
        assert!(key.is_none_or(|key| key == LFH_KEY & 0xffff_ffff), "{key:x?}");
        found += usize::from(key.is_some());
    }
    assert!(found > 190, "{found}");
}

#[test]
fn damage_hides_no_neighbour() {
    let mut random = Random(3);
    let mut blocks = Vec::new();
    let mut lost = 0;
    for variant in 0..VARIANTS {
        let mut part = HeapPart { bytes: Vec::new(), facts: Vec::new(), random: &mut random };
        part.chunks(3);
        part.blocks(2);
        // Pages of a big allocation that only the table names, with bytes at the start that look
        // like a header.
        let large = part.end();
        part.grow(2);
        part.block(large, 200);
        part.blocks(1);
        part.chunks(2);
        let HeapPart { mut bytes, facts, .. } = part;
        let big = Big::for_tests(large, 2 * PAGE);
        let end = START + bytes.len() as u64;
        let (from, to);
        let mut missing = None;
        if variant % 8 == 0 {
            from = START + random.below(bytes.len() as u64 / PAGE) * PAGE;
            to = from + PAGE;
            missing = Some(from);
        } else {
            // Half of the damage is put into subsegment headers, where it has the most effect.
            from = if variant % 2 == 0 {
                START + random.below(bytes.len() as u64 / PAGE) * PAGE + random.below(0x30)
            } else {
                START + random.below(bytes.len() as u64)
            };
            to = (from + 1 + random.below(64)).min(end);
            for byte in &mut bytes[(from - START) as usize..(to - START) as usize] {
                *byte = random.below(256) as u8;
            }
        }
        let said = read(&bytes, missing, &big, &mut blocks);
        assert_eq!(said, 10, "variant {variant}");
        let asked = rare(&bytes, missing, &big);
        let named = blocks.iter().filter(|block| block.tag == RARE);
        assert!(named.eq(&asked), "variant {variant}");
        let mut next = START;
        for block in &blocks {
            assert!(block.address >= next, "variant {variant}: {block:x?} before {next:x}");
            next = block.address + block.bytes;
            let is_inside = block.address < large + 2 * PAGE && next > large;
            assert!(!is_inside, "variant {variant}: {block:x?} inside the big allocation");
        }
        let damage = |own: &std::ops::Range<u64>| own.start < to && own.end > from;
        lost += hidden(&facts, &blocks, &damage);
    }
    // In a few variants random noise happens to look like a header.
    assert!(lost <= 20, "damage to other blocks hides {lost} blocks");
}
