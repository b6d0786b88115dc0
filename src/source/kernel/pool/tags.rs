//! Pool usage by tag, from the kernel's tracker tables.
//!
//! Each processor has its own counters. One processor may free what another allocated, so only the
//! sums are meaningful, and the sums wrap around like the counters.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{u32_at, unsigned_at};
use crate::model::{Emit, PoolTag, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::pool::session_tags::SessionTags;
use crate::source::kernel::pool::state::Pool;
use crate::source::kernel::pool::tag::tag_text;
use crate::source::kernel::pool::trackers::{OVERFLOW, Trackers};
use crate::source::kernel::pool::{session_tags, tag_owners, trackers};
use crate::symbol::Field;

const TRACKER: &str = "_POOL_TRACKER_TABLE";
/// The counters in the order of [`Sum::counts`], each with its names in different versions.
const COUNTERS: [&[&str]; 6] = [
    &["NonPagedAllocs"],
    &["NonPagedFrees"],
    &["NonPagedBytes", "NonPagedUsed"],
    &["PagedAllocs"],
    &["PagedFrees"],
    &["PagedBytes", "PagedUsed"],
];

/// Where the fields of an entry are.
struct Entry {
    size: u64,
    key: usize,
    counters: [Field; 6],
}

/// The sums of a tag.
#[derive(Debug, Clone, Default)]
struct Sum {
    counts: [u64; 6],
    /// Why a part of it is unknown.
    absent: Option<Absent>,
}

pub(crate) fn each_pool_tag(
    core: &Core,
    pool: &Pool,
    want: &Want<'_, PoolTag>,
    emit: Emit<'_, PoolTag>,
) -> Result<(), Unanswered> {
    let trackers = trackers::trackers(core)?;
    let unknown = || Unanswered::because("no layout of _POOL_TRACKER_TABLE is known");
    let entry = tracker_entry(core).ok_or_else(unknown)?;
    let sums = tag_sums(core, &trackers, &entry);
    let sessions: Vec<_> = session_tags::session_tags(core, pool, entry.size)
        .into_iter()
        .map(|tags| (tags.session, session_sums(&tags, &entry)))
        .collect();
    if sums.is_empty() {
        return Err(Unanswered::because("the table of pool tags is not in the dump"));
    }
    let all = std::iter::once(&sums).chain(sessions.iter().map(|(_, sums)| sums));
    let tags: Vec<[u8; 4]> = all.flat_map(|sums| sums.keys().copied()).collect();
    let is_wanted = want.has(|c| c.owner_modules);
    let owners = if is_wanted { tag_owners::tag_owners(core, &tags) } else { Vec::new() };
    let mut owners = owners.into_iter();
    let system = (Err(Absent::NotApplicable), sums);
    for (session, sums) in std::iter::once(system).chain(sessions) {
        for (tag, sum) in sums {
            let row = tag_row(core, tag, &sum, &entry);
            let owner_modules = owners.next().unwrap_or(Err(Absent::NotApplicable));
            if emit.row(PoolTag { owner_modules, session, ..row }).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn tracker_entry(core: &Core) -> Option<Entry> {
    let field = |path: &'static str| core.field(TRACKER, path);
    let find = |names: &[&'static str]| names.iter().find_map(|name| field(name));
    let counters: Vec<Field> = COUNTERS.iter().map_while(|names| find(names)).collect();
    let size = core.size_of(TRACKER).filter(|size| (1..=1024).contains(size))?;
    Some(Entry { size, key: field("Key")?.offset, counters: counters.try_into().ok()? })
}

/// The sums over all tables for each tag that was ever used.
fn tag_sums(core: &Core, trackers: &Trackers, entry: &Entry) -> BTreeMap<[u8; 4], Sum> {
    let mut sums: BTreeMap<[u8; 4], Sum> = BTreeMap::new();
    let last = trackers.entries - 1;
    let mut parts = Vec::with_capacity(trackers.tables.len());
    for index in 0..trackers.entries {
        parts.clear();
        let at = |table: &u64| entry_at(core.kernel_space(), *table, index, entry);
        parts.extend(trackers.tables.iter().map(at));
        let first = parts.first().and_then(|part| part.as_ref().ok());
        let first = first.and_then(|bytes| u32_at(bytes, entry.key)).unwrap_or(0);
        // A processor that has not counted a tag yet has no tag in its entry.
        let other = if first == 0 && index == last { OVERFLOW } else { first };
        let absent = parts.iter().find_map(|part| part.as_ref().err().copied());
        for bytes in parts.iter().filter_map(|part| part.as_ref().ok()) {
            let own = u32_at(bytes, entry.key).filter(|key| *key != 0).unwrap_or(other);
            add(&mut sums, own, bytes, entry, absent);
        }
    }
    if let Some(expansion) = trackers.expansion {
        add_table(&mut sums, core.kernel_space(), expansion, entry);
    }
    sums.retain(|_, sum| sum.counts != [0; 6]);
    sums
}

fn tag_row(core: &Core, tag: [u8; 4], sum: &Sum, entry: &Entry) -> PoolTag {
    let known = core.symbols.pool_tag(tag);
    let text = |text: Option<&str>| text.map(str::to_owned).ok_or(Absent::NotApplicable);
    let [allocs, frees, bytes, paged_allocs, paged_frees, paged_bytes] = sum.counts;
    let width = |counter: usize| entry.counters.get(counter).map_or(8, |field| field.size);
    let cell = |value: Cell<i64>| sum.absent.map_or(value, Err);
    let count = |value: u64| cell(i64::try_from(value).map_err(|_| Absent::Unreadable));
    let wrapped = |value: u64, counter: usize| cell(Ok(sign_extended(value, width(counter))));
    PoolTag {
        tag: Ok(tag_text(tag)),
        nonpaged_allocs: count(allocs),
        nonpaged_frees: count(frees),
        nonpaged_diff: wrapped(allocs.wrapping_sub(frees), 0),
        nonpaged_bytes: wrapped(bytes, 2),
        paged_allocs: count(paged_allocs),
        paged_frees: count(paged_frees),
        paged_diff: wrapped(paged_allocs.wrapping_sub(paged_frees), 3),
        paged_bytes: wrapped(paged_bytes, 5),
        description: text(known.map(|known| known.description)),
        binary: text(known.and_then(|known| known.binary)),
        ..PoolTag::default()
    }
}

/// What a session counted.
fn session_sums(tags: &SessionTags<'_>, entry: &Entry) -> BTreeMap<[u8; 4], Sum> {
    let mut sums = BTreeMap::new();
    for table in std::iter::once(tags.table).chain(tags.expansion) {
        add_table(&mut sums, tags.view, table, entry);
    }
    sums.retain(|_, sum: &mut Sum| sum.counts != [0; 6]);
    sums
}

fn entry_at<'d>(space: Space<'d>, table: u64, index: u64, entry: &Entry) -> Cell<Cow<'d, [u8]>> {
    let offset = index.checked_mul(entry.size);
    let at = offset.and_then(|offset| table.checked_add(offset)).ok_or(Absent::Unreadable)?;
    let size = usize::try_from(entry.size).map_err(|_| Absent::Unreadable)?;
    space.slice(at, size)
}

/// Adds the entries of a table that is counted on its own, as far as they can be read.
fn add_table(
    sums: &mut BTreeMap<[u8; 4], Sum>,
    space: Space<'_>,
    (table, entries): (u64, u64),
    entry: &Entry,
) {
    for index in 0..entries {
        let Ok(bytes) = entry_at(space, table, index, entry) else { continue };
        add(sums, u32_at(&bytes, entry.key).unwrap_or(0), &bytes, entry, None);
    }
}

fn add(
    sums: &mut BTreeMap<[u8; 4], Sum>,
    key: u32,
    bytes: &[u8],
    entry: &Entry,
    absent: Option<Absent>,
) {
    if key == 0 {
        return;
    }
    let sum = sums.entry(key.to_le_bytes()).or_default();
    sum.absent = sum.absent.or(absent);
    for (count, field) in sum.counts.iter_mut().zip(&entry.counters) {
        let part = unsigned_at(bytes, field.offset, field.size.min(8)).unwrap_or(0);
        *count = count.wrapping_add(part);
    }
}

/// A sum of counters of this many bytes, which may be negative.
fn sign_extended(value: u64, bytes: usize) -> i64 {
    let unused = 64 - 8 * bytes.clamp(1, 8);
    value.cast_signed() << unused >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_wrap_like_their_counters() {
        assert_eq!(sign_extended(0x1_0000_0005, 4), 5);
        assert_eq!(sign_extended(5u64.wrapping_sub(7), 4), -2);
        assert_eq!(sign_extended(5u64.wrapping_sub(7), 8), -2);
    }
}
