//! Timers that are set, in the tables that the clock looks at.
//!
//! Before Windows 7 all are in one table, which symbols name or which is found by its content; since
//! then each processor has its own. A 64-bit kernel hides the call that a timer makes behind two secrets, which are variables
//! without an export; without symbols the timers themselves give them away.

use std::collections::HashSet;

use super::KernelDump;
use super::dpcs::DPC;
use super::overview::unix_micros;
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::{Emit, Timer, Unanswered, Want};

pub(super) const TIMER: &str = "_KTIMER";
const TABLE: &str = "_KTIMER_TABLE";
const ENTRY: &str = "_KTIMER_TABLE_ENTRY";
const SHARED: &str = "_KUSER_SHARED_DATA";
/// No table has more lists, no list more timers.
const MAX_LISTS: u64 = 1024;
const MAX_TIMERS: usize = 1 << 20;
/// `_DISPATCHER_HEADER.Type` of the two kinds of timers, and of threads.
const TIMERS: [u64; 2] = [8, 9];
const THREAD: u64 = 6;
/// Kinds of kernel objects that calls are, normal ones and those that a thread makes.
const DPCS: [u64; 2] = [19, 26];
/// The largest number of lists that a table of Windows before 7 has.
const EARLY_LISTS: u64 = 512;
/// Lists that must look like lists before a table is believed.
const PROBED: u64 = 16;

/// The lists of a table: its processor, where the first head is, how far apart they are, and how
/// many there are.
struct Lists {
    processor: Cell<i64>,
    first: u64,
    step: u64,
    count: u64,
}

/// The two secrets of a 64-bit kernel: variables that symbols name, or that timers give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Secrets {
    pub(super) never: u64,
    pub(super) always: u64,
}

impl Secrets {
    /// The pointer that a timer at an address holds.
    pub(super) fn reveal(self, timer: u64, hidden: u64) -> u64 {
        let turns = u32::from(self.never.to_le_bytes()[0]);
        ((hidden ^ self.never).rotate_left(turns) ^ timer).swap_bytes() ^ self.always
    }
}

/// How a kernel's timers hold their calls.
enum Calls {
    Plain,
    Hidden(Cell<Secrets>),
    /// As 64-bit kernels before Windows 7: since 2007 updates hide them.
    Either(Cell<Secrets>),
}

impl KernelDump {
    pub(super) fn each_timer(
        &self,
        want: &Want<'_, Timer>,
        emit: Emit<'_, Timer>,
    ) -> Result<(), Unanswered> {
        let links = self.field(TIMER, "TimerListEntry").map(|field| field.offset as u64);
        let links = links.ok_or_else(|| Unanswered::because("no layout of _KTIMER is known"))?;
        let calls = self.timer_calls();
        let clock = self.clock_offset();
        let mut seen = HashSet::new();
        for lists in self.timer_lists()? {
            for number in 0..lists.count.min(MAX_LISTS) {
                let head = lists.first.checked_add(number * lists.step).ok_or(Absent::Unreadable);
                // An early table may have fewer lists than there can be.
                if lists.processor.is_err() && !head.is_ok_and(|head| self.is_list_head(head)) {
                    break;
                }
                for timer in self.listed(head, links, MAX_TIMERS) {
                    if !self.is_timer(timer) || seen.len() >= MAX_TIMERS || !seen.insert(timer) {
                        continue;
                    }
                    let row = Timer {
                        processor: lists.processor,
                        list: i64::try_from(number).map_err(|_| Absent::Unreadable),
                        ..self.timer_row(want, timer, &calls, clock)
                    };
                    if emit.row(row).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The tables of timers.
    fn timer_lists(&self) -> Result<Vec<Lists>, Unanswered> {
        let entry = self.field(ENTRY, "Entry").zip(self.types().size_of(ENTRY));
        let Some(entries) = self.field("_KPRCB", "TimerTable").and(self.timer_entries()) else {
            return Ok(vec![self.early_lists(entry.map_or(0, |(field, _)| field.offset as u64))?]);
        };
        let (Some((field, step)), true) = (entry, entry.is_some_and(|(_, size)| size > 0)) else {
            return Err(Unanswered::because("no layout of tables of timers is known"));
        };
        let (offset, bytes) = entries;
        let lists = (0..).zip(self.prcbs()).filter_map(|(number, prcb)| {
            let table = prcb?.address_of("TimerTable").ok()?;
            let first = table.checked_add(offset)?.checked_add(field.offset as u64)?;
            Some(Lists { processor: Ok(number), first, step, count: bytes / step })
        });
        Ok(lists.collect())
    }

    /// The one table of Windows before 7, whose entries have their head at an offset.
    fn early_lists(&self, offset: u64) -> Result<Lists, Unanswered> {
        let processor = Err(Absent::NotApplicable);
        let Some(at) = self.symbol_address("nt", "KiTimerTableListHead") else {
            let found = self.found_timers();
            let table = found.map_err(|why| why.because("where the table of timers is"))?;
            let (first, step) = (table.first, table.step);
            return Ok(Lists { processor, first, step, count: table.count });
        };
        let first = at.checked_add(offset).unwrap_or(at);
        let is_head = |step: u64| {
            move |i: u64| first.checked_add(i * step).is_some_and(|head| self.is_list_head(head))
        };
        let mut steps = self.early_steps().into_iter();
        let step = steps.find(|step| (0..PROBED).all(is_head(*step)));
        let no_lists = || Unanswered::because("the table of timers does not consist of lists");
        Ok(Lists { processor, first, step: step.ok_or_else(no_lists)?, count: EARLY_LISTS })
    }

    /// How far apart the lists of an early table may be. Where no layout says, they are heads of
    /// lists, or heads with a time behind them.
    pub(super) fn early_steps(&self) -> Vec<u64> {
        let plain = 2 * self.header.width.bytes() as u64;
        let known = self.types().size_of(ENTRY).filter(|size| *size > 0);
        known.map_or_else(|| vec![plain, plain + 8], |step| vec![step])
    }

    /// Where a processor's table has its entries, and how many bytes they take.
    fn timer_entries(&self) -> Option<(u64, u64)> {
        let field = self.field(TABLE, "TimerEntries")?;
        Some((field.offset as u64, field.size as u64))
    }

    /// Whether an address is the head of a doubly linked list.
    pub(super) fn is_list_head(&self, head: u64) -> bool {
        let step = self.header.width.bytes() as u64;
        let next = self.pointer_at(head).ok().and_then(|next| next.checked_add(step));
        next.is_some_and(|back| self.pointer_at(back) == Ok(head))
    }

    fn header_type(&self, object: u64) -> Cell<u64> {
        // Bits above the seventh are flags.
        self.structure("_DISPATCHER_HEADER", object).unsigned("Type").map(|kind| kind & 0x7f)
    }

    fn is_dpc(&self, address: u64) -> bool {
        self.structure(DPC, address).unsigned("Type").is_ok_and(|kind| DPCS.contains(&kind))
    }

    pub(super) fn is_timer(&self, timer: u64) -> bool {
        self.header_type(timer).is_ok_and(|kind| TIMERS.contains(&kind))
    }

    fn timer_calls(&self) -> Calls {
        let is_early = !self.knows("_KPRCB", "TimerTable");
        if self.header.width == Width::W32 {
            return Calls::Plain;
        }
        let named = |name| self.symbol_address("nt", name);
        let secrets = match named("KiWaitNever").zip(named("KiWaitAlways")) {
            Some((never, always)) => self
                .pointer_at(never)
                .and_then(|never| Ok(Secrets { never, always: self.pointer_at(always)? })),
            None => self.found_secrets().map_err(|_| Absent::NoSymbols),
        };
        if is_early { Calls::Either(secrets) } else { Calls::Hidden(secrets) }
    }

    /// Some of the timers that hold something, each with what it holds instead of its call.
    pub(super) fn some_timers(&self, most: usize) -> Vec<(u64, u64)> {
        let mut timers = Vec::new();
        let links = self.field(TIMER, "TimerListEntry").map(|field| field.offset as u64);
        let (Some(links), Ok(tables)) = (links, self.timer_lists()) else { return timers };
        for lists in tables {
            for number in 0..lists.count.min(MAX_LISTS) {
                let head = lists.first.checked_add(number * lists.step).ok_or(Absent::Unreadable);
                let held = self.listed(head, links, most).into_iter().filter_map(|timer| {
                    let held = self.structure(TIMER, timer).raw_pointer("Dpc").ok()?;
                    (held != 0 && self.is_timer(timer)).then_some((timer, held))
                });
                timers.extend(held.take(most - timers.len()));
                if timers.len() == most {
                    return timers;
                }
            }
        }
        timers
    }

    /// What has to be added to a time since the start of the system for the time of day, both in
    /// units of 100 ns.
    fn clock_offset(&self) -> Cell<u64> {
        let time = |low, high| -> Cell<u64> {
            let shared = self.structure(SHARED, self.shared_data());
            Ok(shared.unsigned(high)? << 32 | shared.unsigned(low)? & 0xffff_ffff)
        };
        let now = time("SystemTime.LowPart", "SystemTime.High1Time")?;
        let since = time("InterruptTime.LowPart", "InterruptTime.High1Time")?;
        now.checked_sub(since).ok_or(Absent::Unreadable)
    }

    fn timer_row(
        &self,
        want: &Want<'_, Timer>,
        timer: u64,
        calls: &Calls,
        clock: Cell<u64>,
    ) -> Timer {
        let object = self.structure(TIMER, timer);
        let due = object.unsigned("DueTime");
        let period = object.int("Period");
        let dpc = object.raw_pointer("Dpc").and_then(|held| match calls {
            Calls::Plain => Ok(held),
            Calls::Either(_) if held == 0 || self.is_dpc(held) => Ok(held),
            Calls::Hidden(secrets) | Calls::Either(secrets) => {
                secrets.map(|secrets| secrets.reveal(timer, held))
            }
        });
        let dpc = dpc.and_then(|dpc| if dpc == 0 { Err(Absent::NotApplicable) } else { Ok(dpc) });
        let routine = dpc.and_then(|dpc| self.structure(DPC, dpc).pointer("DeferredRoutine"));
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
                self.symbol_text(routine)
            } else {
                Err(Absent::NotApplicable)
            },
            ethread: self.timer_thread(timer),
            ..Timer::default()
        }
    }

    /// The thread that a timer is part of.
    fn timer_thread(&self, timer: u64) -> Cell<u64> {
        let field = self.types().field(self, Ty::Thread, "Tcb.Timer")?;
        let thread = timer.checked_sub(field.offset as u64).ok_or(Absent::NotApplicable)?;
        let is_thread = self.header_type(thread) == Ok(THREAD)
            && self
                .object(Ty::Thread, thread)
                .is_some_and(|t| t.pointer("Cid.UniqueThread").is_ok());
        if is_thread { Ok(thread) } else { Err(Absent::NotApplicable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revealing_undoes_what_the_kernel_does() {
        let secrets = Secrets { never: 0x37a1_9c04_e5d2_8b66, always: 0xfe12_4d90_7b3a_c58f };
        let (timer, dpc) = (0xffff_fa80_0180_1230, 0xffff_fa80_0180_4560);
        // What the kernel does, in its order.
        let hidden =
            ((dpc ^ secrets.always).swap_bytes() ^ timer).rotate_right(0x66) ^ secrets.never;
        assert_eq!(secrets.reveal(timer, hidden), dpc);
        assert_ne!(secrets.reveal(timer + 0x10, hidden), dpc);
    }
}
