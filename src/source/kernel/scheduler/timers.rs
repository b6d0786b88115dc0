//! Active timers, from the timer tables of the clock interrupt.
//!
//! Before Windows 7 all timers are in one table, which is found through symbols or by its contents.
//! Since Windows 7 each processor has its own table. 64-bit kernels encode the DPC pointer of a
//! timer with two keys, `KiWaitNever` and `KiWaitAlways`, which are not exported; without symbols
//! the keys are derived from the timers (see `timer_keys`).

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Timer, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::time::unix_micros;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::scheduler::timer::{DPC, TIMER, Timers};
use crate::source::kernel::scheduler::timer_keys::Calls;
use crate::source::kernel::scheduler::timer_lists::MAX_LISTS;
use crate::source::kernel::scheduler::{timer, timer_keys, timer_lists};

const SHARED: &str = "_KUSER_SHARED_DATA";
const MAX_TIMERS: usize = 1 << 20;
const THREAD_KIND: u64 = 6;
/// Kernel object types of normal and threaded DPCs.
const DPCS: [u64; 2] = [19, 26];

pub(crate) fn each_timer(
    core: &Core,
    timers: &Timers,
    want: &Want<'_, Timer>,
    emit: Emit<'_, Timer>,
) -> Result<(), Unanswered> {
    let links = core.field(TIMER, "TimerListEntry").map(|field| field.offset as u64);
    let links = links.ok_or_else(|| Unanswered::because("no layout of _KTIMER is known"))?;
    let calls = timer_keys::timer_calls(core, timers);
    let clock = clock_offset(core);
    let mut seen = HashSet::new();
    for lists in timer_lists::timer_lists(core, timers)? {
        for number in 0..lists.count.min(MAX_LISTS) {
            let head = lists.first.checked_add(number * lists.step).ok_or(Absent::Unreadable);
            // An early table may have fewer lists than the maximum.
            if lists.processor.is_err() && !head.is_ok_and(|head| core.is_list_head(head)) {
                break;
            }
            for timer in core.listed(head, links, MAX_TIMERS) {
                if !timer::is_timer(core, timer) || seen.len() >= MAX_TIMERS || !seen.insert(timer)
                {
                    continue;
                }
                let row = Timer {
                    processor: lists.processor,
                    list: i64::try_from(number).map_err(|_| Absent::Unreadable),
                    ..timer_row(core, want, timer, &calls, clock)
                };
                if emit.row(row).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn is_dpc(core: &Core, address: u64) -> bool {
    core.structure(DPC, address).unsigned("Type").is_ok_and(|kind| DPCS.contains(&kind))
}

/// The difference between system time and interrupt time, in units of 100 ns.
fn clock_offset(core: &Core) -> Cell<u64> {
    let time = |low, high| -> Cell<u64> {
        let shared = core.structure(SHARED, core.shared_data());
        Ok(shared.unsigned(high)? << 32 | shared.unsigned(low)? & 0xffff_ffff)
    };
    let now = time("SystemTime.LowPart", "SystemTime.High1Time")?;
    let since = time("InterruptTime.LowPart", "InterruptTime.High1Time")?;
    now.checked_sub(since).ok_or(Absent::Unreadable)
}

fn timer_row(
    core: &Core,
    want: &Want<'_, Timer>,
    timer: u64,
    calls: &Calls,
    clock: Cell<u64>,
) -> Timer {
    let object = core.structure(TIMER, timer);
    let due = object.unsigned("DueTime");
    let period = object.int("Period");
    let dpc = object.raw_pointer("Dpc").and_then(|held| match calls {
        Calls::Plain => Ok(held),
        Calls::Either(_) if held == 0 || is_dpc(core, held) => Ok(held),
        Calls::Encoded(keys) | Calls::Either(keys) => keys.map(|keys| keys.decode(timer, held)),
    });
    let dpc = dpc.and_then(|dpc| if dpc == 0 { Err(Absent::NotApplicable) } else { Ok(dpc) });
    let routine = dpc.and_then(|dpc| core.structure(DPC, dpc).pointer("DeferredRoutine"));
    Timer {
        timer: Ok(timer),
        due,
        due_time: due
            .and_then(|due| unix_micros(due.checked_add(clock?).ok_or(Absent::Unreadable)?)),
        is_periodic: period.map(|period| period != 0),
        period_ms: period,
        dpc,
        routine,
        routine_symbol: if want.has(|c| c.routine_symbol) {
            core.symbol_text(routine)
        } else {
            Err(Absent::NotApplicable)
        },
        ethread: timer_thread(core, timer),
        ..Timer::default()
    }
}

/// The thread that contains a timer.
fn timer_thread(core: &Core, timer: u64) -> Cell<u64> {
    let field = core.known_field(THREAD, "Tcb.Timer")?;
    let thread = timer.checked_sub(field.offset as u64).ok_or(Absent::NotApplicable)?;
    let is_thread = timer::header_type(core, thread) == Ok(THREAD_KIND)
        && core.object(THREAD, thread).is_some_and(|t| t.pointer("Cid.UniqueThread").is_ok());
    if is_thread { Ok(thread) } else { Err(Absent::NotApplicable) }
}
