//! The pool tracker tables, in which the kernel counts pool usage by tag.
//!
//! The debugger data block gives only the first table. Symbols give its number of entries, the
//! tables of the other processors, and the expansion table for tags that did not fit. Without
//! symbols the tables are recognized by their contents: a tag is at its hash or behind it with
//! no free entry between, which holds for all tags only with the right table size; the tables of
//! other processors have the same tags in the same entries.

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::Unanswered;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::scheduler::prcbs;

/// Upper limit on the entries of a table.
const MAX_ENTRIES: u64 = 1 << 17;
/// Upper limit on the entries of all tables.
const MAX_ALL: u64 = 1 << 24;
/// Sizes to try for a table without symbols, as powers of two; the last entry of a table is
/// reserved.
const SIZES: std::ops::RangeInclusive<u32> = 7..=17;
/// Fewer tags in a table may be a coincidence.
const MIN_TAGS: usize = 16;
/// How far the pointers to the processors' tables may be from the pointer to the first.
const NEAR: u64 = 0x8000;
/// The multiplier of the kernel's tag hash.
const HASH: u64 = 40_543;

/// The tracker tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trackers {
    /// Entries of each.
    pub(crate) entries: u64,
    /// The table of each processor. The first table determines the entry of a tag.
    pub(crate) tables: Vec<u64>,
    /// Address and number of entries of the expansion table, for tags that did not fit in the
    /// first.
    pub(crate) expansion: Option<(u64, u64)>,
}

/// Sizes to try for session tables. Few tags are enough, as each is at its hash.
const SESSION_SIZES: std::ops::RangeInclusive<u32> = 6..=9;
const MIN_SESSION_TAGS: usize = 4;
/// The tag of the entry that counts all tags without an entry.
pub(crate) const OVERFLOW: u32 = u32::from_le_bytes(*b"Ovfl");

/// The index at which the search for a tag begins, in a table whose size is a power of two.
pub(crate) fn hash(tag: u32, mask: u64) -> u64 {
    let product = u64::from(tag) * HASH;
    ((product & 0xffff_ffff) ^ (product >> 32)) & mask
}

/// Finds the tables.
pub(crate) fn trackers(core: &Core) -> Result<Trackers, Unanswered> {
    let block = || Unanswered::because("the dump holds no debugger data block");
    let kdbg = core.kdbg().ok_or_else(block)?;
    let variable = kdbg
        .pointer(kdbg::POOL_TRACK_TABLE)
        .or_else(|| core.symbol_address("nt", "PoolTrackTable"))
        .ok_or_else(|| {
            Unanswered::because("the debugger data block does not give the table of pool tags")
        })?;
    let missing = || Unanswered::because("the table of pool tags is not in the dump");
    let first = core.pointer_at(variable).map_err(|_| missing())?;
    let size = core.size_of("_POOL_TRACKER_TABLE").filter(|size| *size > 0);
    let unknown = || Unanswered::because("no layout of _POOL_TRACKER_TABLE is known");
    let size = size.ok_or_else(unknown)?;
    let found = match core.symbol_address("nt", "PoolTrackTableSize") {
        Some(at) => named_trackers(core, first, at)?,
        None => guessed_trackers(core, variable, first, size)?,
    };
    let all = found.entries.saturating_mul(found.tables.len() as u64);
    if found.entries < 2 || found.entries > MAX_ENTRIES || all > MAX_ALL {
        return Err(Unanswered::because("the size of the table of pool tags is damaged"));
    }
    Ok(found)
}

/// The tables, from symbols.
fn named_trackers(core: &Core, first: u64, size: u64) -> Result<Trackers, Unanswered> {
    let damaged = |_| Unanswered::because("the size of the table of pool tags is not in the dump");
    let entries = core.pointer_at(size).map_err(damaged)?;
    let mut tables = vec![first];
    // Uniprocessor kernels and those before Windows Server 2003 have only the first table.
    if let Some(at) = core.symbol_address("nt", "ExPoolTagTables") {
        let missing =
            || Unanswered::because("the processors' tables of pool tags are not in the dump");
        for number in 0..prcbs::processor_count(core) {
            let table = element(core, at, number).map_err(|_| missing())?;
            if table != 0 && !tables.contains(&table) {
                tables.push(table);
            }
        }
    }
    let value = |name| core.symbol_address("nt", name).and_then(|at| core.pointer_at(at).ok());
    let expansion = value("PoolTrackTableExpansion")
        .zip(value("PoolTrackTableExpansionSize"))
        .filter(|(table, entries)| *table != 0 && *entries != 0)
        .map(|(table, entries)| (table, entries.min(MAX_ENTRIES)));
    Ok(Trackers { entries, tables, expansion })
}

/// The pointer at an index of an array.
fn element(core: &Core, array: u64, number: u64) -> Cell<u64> {
    let offset = number.checked_mul(core.header.width.bytes() as u64);
    let at = offset.and_then(|offset| array.checked_add(offset));
    core.pointer_at(at.ok_or(Absent::Unreadable)?)
}

/// The tables, from their contents.
fn guessed_trackers(
    core: &Core,
    variable: u64,
    first: u64,
    size: u64,
) -> Result<Trackers, Unanswered> {
    let unnamed =
        || Unanswered::because("the tables of pool tags cannot be found without kernel symbols");
    let keys = tracker_keys(core, core.kernel_space(), first, size, 1 << SIZES.end());
    let places = places_of(&keys).ok_or_else(unnamed)?;
    let keys = keys.get(..places).unwrap_or_default();
    // A full table has an expansion table, which cannot be found without symbols.
    if !keys.contains(&0) {
        return Err(unnamed());
    }
    let tables = match prcbs::processor_count(core) {
        1 => vec![first],
        count => tables_near(core, variable, first, size, count, keys).ok_or_else(unnamed)?,
    };
    Ok(Trackers { entries: places as u64 + 1, tables, expansion: None })
}

/// The number of entries of the session table at an address, derived from its tags; `None` if there
/// is none.
pub(crate) fn session_places(core: &Core, space: Space<'_>, table: u64, size: u64) -> Option<u64> {
    let keys = tracker_keys(core, space, table, size, 1 << SESSION_SIZES.end());
    let fits = |bits: &u32| tags_of(&keys, *bits, true) >= Some(MIN_SESSION_TAGS);
    SESSION_SIZES.rev().find(fits).map(|bits| 1 << bits)
}

/// The tags of a table, up to the first entry that cannot be read.
fn tracker_keys(core: &Core, space: Space<'_>, table: u64, size: u64, most: usize) -> Vec<u32> {
    let key = core.field("_POOL_TRACKER_TABLE", "Key");
    let key = key.map_or(0, |field| field.offset as u64);
    let entry = |i: u64| table.checked_add(key)?.checked_add(i.checked_mul(size)?);
    let read = |i| entry(i).and_then(|at| space.u32_at(at).ok());
    (0..most as u64).map_while(read).collect()
}

/// The tables of all processors, from the pointers next to a second pointer to the first.
fn tables_near(
    core: &Core,
    variable: u64,
    first: u64,
    size: u64,
    count: u64,
    keys: &[u32],
) -> Option<Vec<u64>> {
    let step = core.header.width.bytes() as u64;
    let start = variable.saturating_sub(NEAR) & !(step - 1);
    let end = variable.saturating_add(NEAR);
    let is_of_processor = |table: u64| {
        let own = tracker_keys(core, core.kernel_space(), table, size, keys.len());
        own.len() == keys.len()
            && own.iter().zip(keys).all(|(own, key)| *own == 0 || own == key)
            && own.iter().any(|own| *own != 0)
    };
    let array = |at: u64| {
        let mut tables = vec![first];
        for number in 1..count {
            let table = element(core, at, number).ok().filter(|table| *table != 0)?;
            if tables.contains(&table) {
                return None;
            }
            tables.push(table);
        }
        tables.iter().skip(1).all(|table| is_of_processor(*table)).then_some(tables)
    };
    let mut found = None;
    let mut at = start;
    while at < end {
        if at != variable
            && core.pointer_at(at) == Ok(first)
            && let Some(tables) = array(at)
        {
            // Two different arrays prove nothing.
            if found.as_ref().is_some_and(|known| *known != tables) {
                return None;
            }
            found = Some(tables);
        }
        at = at.checked_add(step)?;
    }
    found
}

/// The number of entries of a table, derived from its tags: each is at its hash, or behind it
/// with no free entry between. What holds for a table also holds for its first half, so the largest
/// size wins; twice the real size fits only if every tag happens to hash into the first half.
fn places_of(keys: &[u32]) -> Option<usize> {
    SIZES.rev().find(|bits| tags_of(keys, *bits, false) >= Some(MIN_TAGS)).map(|bits| 1 << bits)
}

/// The number of tags of a table of this size, if every tag is where the kernel would put it. The
/// last entry may be reserved for the tags that do not fit.
fn tags_of(keys: &[u32], bits: u32, keeps_last: bool) -> Option<usize> {
    let places = 1usize << bits;
    let keys = keys.get(..places)?;
    let mask = places as u64 - 1;
    let is_kept = |index: u64| keeps_last && index == mask;
    let mut tags = 0;
    for (index, key) in (0u64..).zip(keys).filter(|(_, key)| **key != 0) {
        if is_kept(index) {
            if *key != OVERFLOW {
                return None;
            }
            continue;
        }
        tags += 1;
        let mut at = hash(*key, mask);
        while at != index {
            let is_taken = keys.get(usize::try_from(at).ok()?).is_some_and(|key| *key != 0);
            if !is_taken && !is_kept(at) {
                return None;
            }
            at = (at + 1) & mask;
        }
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(places: usize, tags: u32) -> Vec<u32> {
        let mut keys = vec![0; places];
        for tag in 0..tags {
            let tag = u32::from_le_bytes(*b"Ta00") + (tag << 16);
            let mut at = usize::try_from(hash(tag, places as u64 - 1)).unwrap();
            while keys[at] != 0 {
                at = (at + 1) % places;
            }
            keys[at] = tag;
        }
        keys
    }

    #[test]
    fn the_tags_give_the_size_of_a_table() {
        for (places, tags) in [(256, 100), (1024, 60), (4096, 2000)] {
            let mut keys = table(places, tags);
            assert_eq!(places_of(&keys), Some(places));
            keys.extend(std::iter::repeat_n(0, 8192));
            assert_eq!(places_of(&keys), Some(places), "and zeros after it");
            keys.extend(std::iter::repeat_n(0x4141_4141, 8192));
            assert_eq!(places_of(&keys), Some(places), "and text after them");
        }
        assert_eq!(places_of(&table(1024, 5)), None, "too few tags");
        assert_eq!(places_of(&vec![0; 1 << 17]), None);
        assert_eq!(places_of(&[]), None);
        let scattered: Vec<u32> =
            (0..4096u32).map(|i| if i % 7 == 0 { i + 1 } else { 0 }).collect();
        assert_eq!(places_of(&scattered), None);
    }
}
