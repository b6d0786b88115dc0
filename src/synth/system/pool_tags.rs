//! Pool usage by tag: one hash table per processor, with each tag in the same entry of all of them;
//! an expansion table for tags that do not fit; and an entry that counts all tags without an entry.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Builder;
use super::spec::{PoolBlock, PoolState, Session, SystemSpec};
use crate::synth::layout::Object;

/// Pool usage of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TagUse {
    /// The tag.
    pub tag: [u8; 4],
    /// Allocations, frees and bytes in use of nonpaged pool.
    pub nonpaged: (u64, u64, u64),
    /// The same of paged pool.
    pub paged: (u64, u64, u64),
}

impl TagUse {
    /// Usage of a tag in nonpaged pool only.
    pub const fn nonpaged(tag: [u8; 4], allocs: u64, frees: u64, bytes: u64) -> Self {
        Self { tag, nonpaged: (allocs, frees, bytes), paged: (0, 0, 0) }
    }

    /// Usage of a tag in paged pool only.
    pub const fn paged(tag: [u8; 4], allocs: u64, frees: u64, bytes: u64) -> Self {
        Self { tag, nonpaged: (0, 0, 0), paged: (allocs, frees, bytes) }
    }

    /// The same with usage in nonpaged pool too.
    #[must_use]
    pub const fn and_nonpaged(self, allocs: u64, frees: u64, bytes: u64) -> Self {
        Self { nonpaged: (allocs, frees, bytes), ..self }
    }

    const fn numbers(&self) -> [u64; 6] {
        let (nonpaged, paged) = (self.nonpaged, self.paged);
        [nonpaged.0, nonpaged.1, nonpaged.2, paged.0, paged.1, paged.2]
    }
}

/// The tag of the entry that counts all tags without an entry.
const OVERFLOW: [u8; 4] = *b"Ovfl";
/// The number of entries of the expansion table; the last one counts all other tags.
const EXPANSION: u64 = 5;
const FIELDS: [&str; 6] =
    ["NonPagedAllocs", "NonPagedFrees", "NonPagedBytes", "PagedAllocs", "PagedFrees", "PagedBytes"];

/// The entry of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagPlace {
    Table(u64),
    Expansion(u64),
    /// The last entry of the first table, which counts all other tags.
    Overflow,
}

/// The index at which the search for a tag begins.
fn hash(tag: [u8; 4], mask: u64) -> u64 {
    let product = u64::from(u32::from_le_bytes(tag)) * 40_543;
    ((product & 0xffff_ffff) ^ (product >> 32)) & mask
}

/// Assigns entries to all tags; `kept` is the entry that counts all other tags.
fn places(tags: &[TagUse], mask: u64, kept: Option<u64>, room: u64) -> Vec<(TagUse, TagPlace)> {
    let mut taken: BTreeSet<u64> = kept.into_iter().collect();
    let mut expanded = 0;
    let mut placed = Vec::new();
    for tag in tags {
        let first = hash(tag.tag, mask);
        let free = (0..=mask).map(|i| (first + i) & mask).find(|i| !taken.contains(i));
        let place = match free {
            Some(index) => TagPlace::Table(index),
            None if expanded < room => TagPlace::Expansion(expanded),
            None => TagPlace::Overflow,
        };
        match place {
            TagPlace::Table(index) => drop(taken.insert(index)),
            TagPlace::Expansion(_) => expanded += 1,
            TagPlace::Overflow => {}
        }
        placed.push((*tag, place));
    }
    placed
}

/// The specified usage, and the usage of other tags by blocks that the builder allocated.
fn merged<'b>(given: &[TagUse], blocks: impl Iterator<Item = &'b PoolBlock>) -> Vec<TagUse> {
    let mut all: BTreeMap<[u8; 4], TagUse> = BTreeMap::new();
    for block in blocks.filter(|block| block.state != PoolState::Free) {
        let use_of = all.entry(block.tag).or_default();
        use_of.tag = block.tag;
        let pool = if block.is_paged { &mut use_of.paged } else { &mut use_of.nonpaged };
        *pool = (pool.0 + 1, 0, pool.2 + block.bytes);
    }
    all.extend(given.iter().map(|tag| (tag.tag, *tag)));
    // The specified tags come first, as if used since boot.
    let is_given = |tag: &TagUse| given.iter().any(|given| given.tag == tag.tag);
    let others = all.into_values().filter(|tag| !is_given(tag));
    given.iter().copied().chain(others).collect()
}

/// The tag usage of a session.
pub(super) fn of_session(builder: &Builder<'_>, session: &Session) -> Vec<TagUse> {
    let is_own = |block: &&PoolBlock| block.session == Some(session.id);
    merged(&session.pool_tags, builder.pools.blocks.iter().filter(is_own))
}

/// The usage as it is reported: tags without an entry are combined into one.
fn facts(placed: Vec<(TagUse, TagPlace)>, overflow: TagUse) -> Vec<TagUse> {
    let mut facts: Vec<TagUse> =
        placed.into_iter().filter(|row| row.1 != TagPlace::Overflow).map(|row| row.0).collect();
    if overflow.numbers() != [0; 6] {
        facts.push(overflow);
    }
    facts.sort_unstable_by_key(|tag| tag.tag);
    facts
}

/// Writes the table of a session, whose last entry counts the tags without an entry. Returns the
/// reported usage, and the tags that go into the expansion table.
pub(super) fn table(
    builder: &mut Builder<'_>,
    tags: &[TagUse],
    (at, count): (u64, u64),
    expands: bool,
) -> (Vec<TagUse>, Vec<TagUse>) {
    let size = builder.layout.size("_POOL_TRACKER_TABLE") as u64;
    builder.put(at, &vec![0; usize::try_from(count * size).unwrap_or(0)]);
    let room = if expands { EXPANSION - 1 } else { 0 };
    let placed = places(tags, count - 1, Some(count - 1), room);
    let mut others = Vec::new();
    let mut overflow = TagUse { tag: OVERFLOW, ..TagUse::default() };
    for (tag, place) in &placed {
        match place {
            TagPlace::Table(index) => entry(builder, at + index * size, tag.tag, tag.numbers()),
            TagPlace::Expansion(_) => others.push(*tag),
            TagPlace::Overflow => add(&mut overflow, tag),
        }
    }
    if overflow.numbers() != [0; 6] {
        entry(builder, at + (count - 1) * size, OVERFLOW, overflow.numbers());
    }
    (facts(placed, overflow), others)
}

/// Writes an expansion table of one page; returns 0 if there are no tags for it.
pub(super) fn expansion(builder: &mut Builder<'_>, tags: &[TagUse]) -> u64 {
    if tags.is_empty() {
        return 0;
    }
    let size = builder.layout.size("_POOL_TRACKER_TABLE") as u64;
    let at = builder.pages(1);
    builder.put(at, &[0; 0x1000]);
    for (index, tag) in (0..).zip(tags) {
        entry(builder, at + index * size, tag.tag, tag.numbers());
    }
    at
}

/// Writes the tables; the specification then lists every tag, with those without an entry combined
/// into one.
pub(super) fn write(builder: &mut Builder<'_>, spec: &mut SystemSpec) {
    let entry_size = builder.layout.size("_POOL_TRACKER_TABLE") as u64;
    if entry_size == 0 {
        return;
    }
    let default = if builder.version.is_64_bit() { 2048 } else { 1024 };
    let count = if spec.tracker_entries == 0 { default } else { spec.tracker_entries };
    let count = count.next_power_of_two();
    let blocks = builder.pools.blocks.iter().filter(|block| block.session.is_none());
    let tags = merged(&spec.pool_tags, blocks);
    let placed = places(&tags, count - 1, None, EXPANSION - 1);
    let processors = spec.processors.len().max(1) as u64;
    let pages = ((count + 1) * entry_size).div_ceil(0x1000);
    let tables: Vec<u64> = (0..processors).map(|_| builder.pages(pages)).collect();
    for table in &tables {
        // The kernel zeroes whole tables.
        builder.put(*table, &vec![0; usize::try_from((count + 1) * entry_size).unwrap_or(0)]);
    }
    let mut expansion = 0;
    let mut overflow = TagUse { tag: OVERFLOW, ..TagUse::default() };
    for (tag, place) in &placed {
        match place {
            TagPlace::Table(index) => spread(builder, tag, &tables, index * entry_size),
            TagPlace::Expansion(index) => {
                if expansion == 0 {
                    expansion = builder.pages(1);
                    builder.put(expansion, &[0; 0x1000]);
                }
                entry(builder, expansion + index * entry_size, tag.tag, tag.numbers());
            }
            TagPlace::Overflow => add(&mut overflow, tag),
        }
    }
    if overflow.numbers() != [0; 6] {
        spread(builder, &overflow, &tables, count * entry_size);
    }
    variables(builder, &tables, count, (expansion, entry_size));
    spec.pool_tags = facts(placed, overflow);
}

fn add(to: &mut TagUse, tag: &TagUse) {
    for (to, from) in [(&mut to.nonpaged, tag.nonpaged), (&mut to.paged, tag.paged)] {
        *to = (to.0 + from.0, to.1 + from.1, to.2 + from.2);
    }
}

/// Distributes the counters of a tag over the processors. One processor may free what another
/// allocated, so a processor may have more frees than allocations, and a negative number of bytes.
fn spread(builder: &mut Builder<'_>, tag: &TagUse, tables: &[u64], offset: u64) {
    let count = tables.len() as u64;
    let numbers = tag.numbers();
    let mut first = numbers;
    for (i, table) in (1u64..).zip(tables.iter().skip(1)) {
        let part: [u64; 6] = std::array::from_fn(|field| match field {
            1 | 4 => numbers[field] / count * i.min(2) / 2,
            2 | 5 if i == 1 && numbers[field] > 0 => {
                (numbers[field] / count).wrapping_sub(numbers[field] / 2 + 1)
            }
            _ => numbers[field] / count,
        });
        for (rest, part) in first.iter_mut().zip(part) {
            *rest = rest.wrapping_sub(part);
        }
        if part != [0; 6] {
            entry(builder, table + offset, tag.tag, part);
        }
    }
    entry(builder, tables[0] + offset, tag.tag, first);
}

fn entry(builder: &mut Builder<'_>, at: u64, tag: [u8; 4], numbers: [u64; 6]) {
    let mut entry: Object<'_> = builder.new_object("_POOL_TRACKER_TABLE");
    entry.put("Key", &tag);
    for (field, number) in FIELDS.into_iter().zip(numbers) {
        entry.set(field, number);
    }
    builder.place(at, entry);
}

fn variables(
    builder: &mut Builder<'_>,
    tables: &[u64],
    count: u64,
    (expansion, entry_size): (u64, u64),
) {
    let width = builder.width();
    let at = builder.variable("PoolTrackTable", 8);
    builder.put_pointer(at, tables[0]);
    builder.number("PoolTrackTableSize", width, count + 1);
    builder.number("PoolTrackTableMask", width, count - 1);
    let at = builder.variable("PoolTrackTableExpansion", 8);
    builder.put_pointer(at, expansion);
    // The table has one page; its entries in use are those that were assigned.
    let expanded = if expansion == 0 { 0 } else { 0x1000 / entry_size };
    builder.number("PoolTrackTableExpansionSize", width, expanded);
    let at = builder.variable("ExPoolTagTables", 64 * 8);
    for (i, table) in (0..).zip(tables) {
        builder.put_pointer(at + i * width, *table);
    }
}
