//! `!timer` and `!exqueue`: timers, and the queues of worker threads.

use super::stack::Owner;
use super::{Context, Fills, Reader, Signature, thread};
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Irp, Thread, Timer, WaitObject, WorkItem, WorkQueue};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, after, between, dec, found, hex, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!timer`.
pub(super) static TIMER: Reader = Reader {
    name: "!timer",
    is_named: |name| name == "!timer",
    signatures: &[
        Signature { literal: "Dump system timers", check: |_| true },
        Signature { literal: "Interrupt Low/High", check: |_| true },
    ],
    contains: &[],
    fills: &[Fills::rows::<Timer>()],
    read: read_timers,
};

/// The reader of `!exqueue`.
pub(super) static EXQUEUE: Reader = Reader {
    name: "!exqueue",
    is_named: |name| name == "!exqueue",
    signatures: &[
        Signature { literal: "Dumping ExWorkerQueue", check: |_| true },
        Signature { literal: " WorkQueue", check: |line| queue(line.trim()).is_some() },
    ],
    contains: &["!thread", "k"],
    fills: &[
        Fills::rows::<WorkQueue>(),
        Fills::rows::<WorkItem>(),
        Fills::rows::<Thread>(),
        Fills::rows::<WaitObject>(),
        Fills::rows::<Irp>(),
        Fills::rows::<Frame>(),
    ],
    read: read_queues,
};

/// ` 0 8016aea0 P 9fbd8e00 00000000 [12/ 8/2000 10:59:23.154]  ntoskrnl!PopScanIdleList`; only the
/// first timer of a list has the list's number.
fn timer(line: &str) -> Option<(Option<i64>, Timer)> {
    let (first, rest) = word(line)?;
    let (list, at, rest) = if let Some(at) = address(first) {
        (None, at, rest)
    } else {
        let (at, after) = word(rest)?;
        (Some(dec(first)?), address(at)?, after)
    };
    let (is_periodic, rest) = match rest.strip_prefix("P ") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest),
    };
    let (low, rest) = word(rest)?;
    let (high, rest) = word(rest)?;
    let due = u64::from(u32::try_from(hex(high)?).ok()?) << 32 | hex(low)?;
    let target = rest.split_once(']').map_or("", |(_, target)| target.trim());
    let mut row =
        Timer { timer: Ok(at), due: Ok(due), is_periodic: Ok(is_periodic), ..Timer::default() };
    if target == "thread" {
        // The thread's address was cut off.
    } else if let Some(thread) = target.strip_prefix("thread ") {
        row.ethread = found(word(thread).and_then(|(t, _)| hex(t)));
    } else {
        // Newer debuggers print the address of the DPC before the routine in parentheses.
        let symbol = target.split(" (").next().unwrap_or(target);
        row.routine_symbol = text(symbol);
        row.dpc = found(after(target, "(DPC @ ").and_then(|dpc| hex(dpc.trim_end_matches(')'))));
    }
    Some((list, row))
}

fn read_timers(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut processor: Cell<i64> = Err(Absent::NotApplicable);
    let mut list: Cell<i64> = Err(Absent::NotApplicable);
    while let Some(line) = lines.next() {
        let whole = joined(&line, lines);
        let trimmed = whole.as_str();
        if let Some((number, mut row)) = timer(trimmed) {
            if let Some(number) = number {
                list = Ok(number);
            }
            (row.list, row.processor) = (list, processor);
            sink.row(&line, row);
        } else if let Some(rest) = trimmed.strip_prefix("PROCESSOR ") {
            processor = found(word(rest).and_then(|(n, _)| dec(n)));
        } else if !is_of_timers(trimmed) {
            sink.unread(&line);
        }
    }
}

/// The line of a timer; mail programs may put its last column on the next line.
fn joined(line: &Line<'_>, lines: &mut Lines<'_>) -> String {
    let mut text = line.trimmed().to_owned();
    let Some(target) = text.split_once(']').map(|(_, target)| target.trim().to_owned()) else {
        return text;
    };
    let rest = lines.next_if(|next| {
        let next = next.trimmed();
        let is_thread = target == "thread" && address(next).is_some();
        let is_call = !target.contains("DPC @") && next.starts_with("(DPC @ ");
        let is_routine = target.is_empty() && next.contains(['!', '+']) && timer(next).is_none();
        is_thread || (is_call && target.contains(['!', '+'])) || is_routine
    });
    if let Some(rest) = rest {
        text.push(' ');
        text.push_str(rest.trimmed());
    }
    text
}

fn is_of_timers(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "Dump system timers",
        "Interrupt time:",
        "List Timer",
        "Total Timers",
        "Current Hand",
        "Wakeup timers",
        "Wakeable timers",
    ];
    text.is_empty() || STARTS.iter().any(|start| text.starts_with(start))
}

/// `**** Critical WorkQueue( current = 0 maximum = 1 )`, later
/// `**** Critical WorkQueue ( Threads: 6/512, Concurrency: 0/1 )`.
fn queue(line: &str) -> Option<WorkQueue> {
    let rest = line.strip_prefix("****")?.trim();
    let (name, rest) = rest.split_once("WorkQueue")?;
    let mut row = WorkQueue { name: text(name), ..WorkQueue::default() };
    let pair = |label: &str| {
        let value = after(rest, label)?;
        let (now, most) = value.trim_end_matches(',').split_once('/')?;
        Some((dec(now)?, dec(most)?))
    };
    if let Some((threads, most)) = pair("Threads:") {
        (row.thread_count, row.maximum_thread_count) = (Ok(threads), Ok(most));
    }
    if let Some((now, most)) = pair("Concurrency:") {
        (row.current_count, row.maximum_count) = (Ok(now), Ok(most));
    } else {
        row.current_count = found(after(rest, "current =").and_then(dec));
        row.maximum_count = found(after(rest, "maximum =").and_then(dec));
    }
    Some(row)
}

/// `PENDING: WorkerRoutine nt!X (…) Parameter 8a…` and lines like it.
fn item(line: &str, queue_name: &Cell<String>, position: i64) -> Option<WorkItem> {
    let rest = line.strip_prefix("PENDING:")?.trim();
    let routine = rest
        .strip_prefix("WorkerRoutine")
        .or_else(|| rest.strip_prefix("IoWorkItem"))
        .unwrap_or(rest)
        .trim();
    let symbol = word(routine).map_or("", |(symbol, _)| symbol);
    Some(WorkItem {
        queue_name: queue_name.clone(),
        position: Ok(position),
        routine: found(between(routine, "(", ")").and_then(hex).or_else(|| hex(symbol))),
        routine_symbol: if symbol.contains('!') {
            text(symbol)
        } else {
            Err(Absent::NotApplicable)
        },
        parameter: found(after(rest, "Parameter").and_then(hex)),
        ..WorkItem::default()
    })
}

fn read_queues(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut name: Cell<String> = Err(Absent::NotApplicable);
    let mut position = 0;
    while let Some(line) = lines.next() {
        let trimmed = line.trimmed();
        if let Some(row) = queue(trimmed) {
            name.clone_from(&row.name);
            position = 0;
            sink.row(&line, row);
        } else if thread::is_start(trimmed) {
            thread::block(&line, &Owner::default(), Err(Absent::NotApplicable), lines, sink);
        } else if let Some(row) = item(trimmed, &name, position) {
            position += 1;
            sink.row(&line, row);
        } else if !(line.is_blank() || trimmed.starts_with("Dumping ") || trimmed.starts_with("->"))
        {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_every_version() {
        let (list, row) = timer(
            " 0 8016aea0 P 9fbd8e00 00000000 [12/ 8/2000 10:59:23.154]  ntoskrnl!PopScanIdleList",
        )
        .unwrap();
        assert_eq!(
            (list, row.is_periodic, row.due, row.routine_symbol.as_deref()),
            (Some(0), Ok(true), Ok(0x9fbd_8e00), Ok("ntoskrnl!PopScanIdleList"))
        );
        let (list, row) = timer("    ffff9b0f602af180    85159b8a 0000045d [ 1/11/2023 11:39:28.033]  thread ffff9b0f602af080").unwrap();
        assert_eq!(
            (list, row.ethread, row.due),
            (None, Ok(0xffff_9b0f_602a_f080), Ok(0x45d_8515_9b8a))
        );
        assert!(timer("List Timer    Interrupt Low/High").is_none());
    }

    #[test]
    fn queues_of_both_versions() {
        let old = queue("**** Critical WorkQueue( current = 0 maximum = 1 )").unwrap();
        assert_eq!(
            (old.name.as_deref(), old.maximum_count, old.thread_count),
            (Ok("Critical"), Ok(1), Err(Absent::NotApplicable))
        );
        let new = queue("**** Critical WorkQueue ( Threads: 6/512, Concurrency: 0/1 )").unwrap();
        assert_eq!(
            (new.thread_count, new.maximum_thread_count, new.current_count),
            (Ok(6), Ok(512), Ok(0))
        );
    }
}
