//! `KiTimerTableListHead`, the only timer table before Windows 7.

use std::collections::{BTreeMap, HashSet};

use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::{Missing, Sought, only};
use crate::source::kernel::scheduler::timer;
use crate::source::kernel::scheduler::timer::{TIMER, TimerTable, Timers};

/// The number of lists that tables have had.
const LARGE: u64 = 512;
const SMALL: u64 = 256;
/// Upper limit on the timers of a list, and on the steps of the search.
const MAX_IN_LIST: usize = 1024;
const MAX_STEPS: usize = 1 << 22;

/// A timer: the index of its list in the row of lists, and its due time in clock ticks.
type Placed = (u64, u64);

/// Finds the timer table of Windows before 7.
///
/// # Errors
/// Why it was not found.
pub(crate) fn found_timers(core: &Core, timers: &Timers) -> Sought<TimerTable> {
    *timers.table.get_or_init(|| {
        let links = core.field(TIMER, "TimerListEntry").ok_or(Missing::NoData)?.offset as u64;
        let mut left = MAX_STEPS;
        let heads: HashSet<u64> = core
            .pointer_slots()?
            .map(|(at, _)| at)
            .filter(|at| is_head_of_timers(core, *at, links, &mut left))
            .collect();
        let steps = timer::early_steps(core);
        let rows = steps.into_iter().map(|step| table_among(core, &heads, links, step));
        // With one distance between heads, every second list of the table fits the other distance
        // too.
        rows.into_iter().find(|row| *row != Err(Missing::Nowhere)).unwrap_or(Err(Missing::Nowhere))
    })
}

/// Whether a list returns to its head and contains only timers.
fn is_head_of_timers(core: &Core, head: u64, links: u64, left: &mut usize) -> bool {
    if !core.is_list_head(head) {
        return false;
    }
    let Ok(next) = core.pointer_at(head) else { return false };
    let is_timer =
        |entry: u64| entry.checked_sub(links).is_some_and(|at| timer::is_timer(core, at));
    if next == head {
        return true;
    }
    if *left == 0 || !is_timer(next) {
        return false;
    }
    let list = core.kernel_space().list(head, MAX_IN_LIST.min(*left));
    *left -= list.entries.len().min(*left);
    list.is_whole && list.entries.into_iter().all(is_timer)
}

fn table_among(core: &Core, heads: &HashSet<u64>, links: u64, step: u64) -> Sought<TimerTable> {
    let has = |at: Option<u64>| at.is_some_and(|at| heads.contains(&at));
    let is_start = |head: &&u64| !has(head.checked_sub(step));
    let mut starts: Vec<u64> = heads.iter().filter(is_start).copied().collect();
    starts.sort_unstable();
    only(starts.into_iter().filter_map(|first| {
        let place = |i: u64| first.checked_add(i.checked_mul(step)?);
        let most = heads.len() as u64;
        let count = (0..most).take_while(|i| has(place(*i))).count() as u64;
        table_in(core, TimerTable { first, step, count }, links)
    }))
}

/// The table within a row of lists. Other list heads may be adjacent to it. Then the due times of
/// its timers give its start, because the due time in clock ticks modulo the table's size is the
/// index of the timer's list.
fn table_in(core: &Core, row: TimerTable, links: u64) -> Option<TimerTable> {
    if row.count < SMALL {
        return None;
    }
    let timers = timers_in(core, row, links);
    if timers.is_empty() || row.count == LARGE {
        return (!timers.is_empty()).then_some(row);
    }
    let tick = core.tick().unwrap_or(0);
    let table = |start: i64, count: u64| {
        let start = u64::try_from(start).ok().filter(|start| start + count <= row.count)?;
        Some(TimerTable { first: row.first.checked_add(start * row.step)?, count, ..row })
    };
    if let Some(start) = start_of(&timers, LARGE, tick) {
        // The remainder of a larger table is not a table.
        return table(start, LARGE);
    }
    if row.count == SMALL {
        return Some(row);
    }
    start_of(&timers, SMALL, tick).and_then(|start| table(start, SMALL))
}

fn timers_in(core: &Core, row: TimerTable, links: u64) -> Vec<Placed> {
    let mut timers = Vec::new();
    for position in 0..row.count {
        let head = row.first + position * row.step;
        for timer in core.listed(Ok(head), links, MAX_IN_LIST) {
            let due = core.structure(TIMER, timer).unsigned("DueTime");
            timers.extend(due.ok().map(|due| (position, due)));
        }
    }
    timers
}

/// The index of the first list of a table of this size, if at least nine of ten timers agree;
/// negative where the start of the table is missing.
fn start_of(timers: &[Placed], size: u64, tick: u64) -> Option<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for (position, due) in timers {
        let number = due.checked_div(tick)? % size;
        let start = i64::try_from(*position).ok()?.checked_sub(i64::try_from(number).ok()?)?;
        *counts.entry(start).or_default() += 1;
    }
    let (start, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 10 >= timers.len() * 9).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_give_the_start_of_the_table() {
        let tick = 156_250;
        let at = |ticks: u64| (3 + ticks % 256, ticks * tick + 17);
        let timers: Vec<Placed> = [1_000, 70_001, 70_002, 123_456].map(at).to_vec();
        assert_eq!(start_of(&timers, 256, tick), Some(3));
        // The timers of a table whose first lists are missing.
        let cut = |(position, due): &Placed| Some((position.checked_sub(100)?, *due));
        let cut: Vec<Placed> = timers.iter().filter_map(cut).collect();
        assert_eq!(start_of(&cut, 256, tick), Some(-97));
        // With another size, or with timers in random lists, they do not agree.
        assert_eq!(start_of(&timers, 512, tick), None);
        let strewn: Vec<Placed> = (0..40).map(|i| (i * i % 97, i * 1_000_003)).collect();
        assert_eq!(start_of(&strewn, 256, tick), None);
        assert_eq!(start_of(&[], 256, tick), None);
        assert_eq!(start_of(&timers, 256, 0), None);
    }
}
