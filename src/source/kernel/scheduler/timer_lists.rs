//! The timer tables and their lists.
//!
//! Before Windows 7 all timers are in one table, which is found through symbols or by its contents.
//! Since Windows 7 each processor has its own table.

use crate::catalog::{Absent, Cell};
use crate::model::Unanswered;
use crate::source::kernel::core::Core;
use crate::source::kernel::scheduler::timer::{ENTRY, TIMER, Timers};
use crate::source::kernel::scheduler::{prcbs, timer, timer_table};

const TABLE: &str = "_KTIMER_TABLE";
/// Upper limit on the lists of a table and on the timers of a list.
pub(crate) const MAX_LISTS: u64 = 1024;
/// The largest number of lists of a table before Windows 7.
const EARLY_LISTS: u64 = 512;
/// How many entries must look like list heads before a table is accepted.
const PROBED: u64 = 16;

/// The lists of a table: its processor, the address of the first list head, the distance between
/// heads, and their number.
pub(crate) struct Lists {
    pub(crate) processor: Cell<i64>,
    pub(crate) first: u64,
    pub(crate) step: u64,
    pub(crate) count: u64,
}

/// The timer tables.
pub(crate) fn timer_lists(core: &Core, timers: &Timers) -> Result<Vec<Lists>, Unanswered> {
    let entry = core.field(ENTRY, "Entry").zip(core.size_of(ENTRY));
    let Some(entries) = core.field("_KPRCB", "TimerTable").and(timer_entries(core)) else {
        return Ok(vec![early_lists(
            core,
            timers,
            entry.map_or(0, |(field, _)| field.offset as u64),
        )?]);
    };
    let (Some((field, step)), true) = (entry, entry.is_some_and(|(_, size)| size > 0)) else {
        return Err(Unanswered::because("no layout of timer tables is known"));
    };
    let (offset, bytes) = entries;
    let lists = (0..).zip(prcbs::prcbs(core)).filter_map(|(number, prcb)| {
        let table = prcb?.at("TimerTable").ok()?;
        let first = table.checked_add(offset)?.checked_add(field.offset as u64)?;
        Some(Lists { processor: Ok(number), first, step, count: bytes / step })
    });
    Ok(lists.collect())
}

/// The only table before Windows 7; `offset` is the offset of the list head in an entry.
fn early_lists(core: &Core, timers: &Timers, offset: u64) -> Result<Lists, Unanswered> {
    let processor = Err(Absent::NotApplicable);
    let Some(at) = core.symbol_address("nt", "KiTimerTableListHead") else {
        let found = timer_table::found_timers(core, timers);
        let table = found.map_err(|why| why.because("the timer table"))?;
        let (first, step) = (table.first, table.step);
        return Ok(Lists { processor, first, step, count: table.count });
    };
    let first = at.checked_add(offset).unwrap_or(at);
    let is_head = |step: u64| {
        move |i: u64| first.checked_add(i * step).is_some_and(|head| core.is_list_head(head))
    };
    let mut steps = timer::early_steps(core).into_iter();
    let step = steps.find(|step| (0..PROBED).all(is_head(*step)));
    let no_lists = || Unanswered::because("the timer table does not consist of lists");
    Ok(Lists { processor, first, step: step.ok_or_else(no_lists)?, count: EARLY_LISTS })
}

/// Offset of the entries in a processor's table, and the size of an entry.
fn timer_entries(core: &Core) -> Option<(u64, u64)> {
    let field = core.field(TABLE, "TimerEntries")?;
    Some((field.offset as u64, field.size as u64))
}

/// Some timers that hold an encoded DPC pointer, each with that pointer.
pub(crate) fn some_timers(core: &Core, timers: &Timers, most: usize) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let links = core.field(TIMER, "TimerListEntry").map(|field| field.offset as u64);
    let (Some(links), Ok(tables)) = (links, timer_lists(core, timers)) else { return found };
    for lists in tables {
        for number in 0..lists.count.min(MAX_LISTS) {
            let head = lists.first.checked_add(number * lists.step).ok_or(Absent::Unreadable);
            let held = core.listed(head, links, most).into_iter().filter_map(|timer| {
                let held = core.structure(TIMER, timer).raw_pointer("Dpc").ok()?;
                (held != 0 && timer::is_timer(core, timer)).then_some((timer, held))
            });
            found.extend(held.take(most - found.len()));
            if found.len() == most {
                return found;
            }
        }
    }
    found
}
