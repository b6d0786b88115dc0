//! Tables of the MEX extension: `!mex.tl`, `!mex.lt` and its form of `!running`. Their headings are
//! above a rule of `=`, so each value is found by its position on the line.

mod columns;

use super::stack::{self, Owner};
use super::thread::state;
use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{ExtensionFact, Frame, Process, Processor, Thread};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, cid, dec, found, hex_int, pointer, text, word};
use crate::source::log::sink::Sink;
use crate::source::log::symbol::Symbol;
use columns::{Columns, Values, is_rule};

pub(super) static READER: Reader = Reader {
    name: "!mex.tl",
    is_named: |name| {
        matches!(
            name,
            "!tl"
                | "!lt"
                | "!tasklist"
                | "!listthreads"
                | "!standby"
                | "!runningthreads"
                | "!t"
                | "!us"
                | "!p"
        )
    },
    signatures: &[
        Signature { literal: "PID ", check: is_header },
        Signature { literal: " PID", check: is_header },
        Signature { literal: " CID ", check: is_detail_header },
        Signature { literal: "[stats]: ", check: |line| stack_of(line.trim_start()).is_some() },
    ],
    contains: &["k"],
    fills: &[
        Fills::rows::<Process>(),
        Fills::rows::<Thread>(),
        Fills::rows::<Processor>(),
        Fills::rows::<ExtensionFact>(),
        Fills::rows::<Frame>(),
    ],
    read,
};

/// Whether a line is the header of a table of threads or processes.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.trim();
    let has = |name: &str| line.split_whitespace().any(|word| word == name);
    let of_processes = has("PID") && has("Address") && has("Name");
    let of_threads =
        line.starts_with("Process ") && has("PID") && has("Thread") && (has("State") || has("Id"));
    of_processes || of_threads
}

/// Headings of more than one word, for headers whose spaces were collapsed.
const LONG: [&str; 14] = [
    "Obj Handles",
    "Obj Pointers",
    "Base Pri",
    "Next CPU",
    "Ideal CPU",
    "Wait Reason",
    "Create Time",
    "Handle Count",
    "Thread Count",
    "Thrd Count",
    "User Time",
    "Kernel Time",
    "Context Switches",
    "Elapsed Time",
];

/// `Process  Thread  CID  UserTime KernelTime ContextSwitches Wait Reason Time State`, above one thread.
fn is_detail_header(line: &str) -> bool {
    let has = |name: &str| line.split_whitespace().any(|word| word == name);
    line.trim_start().starts_with("Process") && has("Thread") && has("CID")
}

/// `relay.exe (ffffe00233456940)  ffffe00233a02080 (E|K|W|R|V)  c70.c74  1s.234  15ms  512 …` below it.
fn detail(line: &str) -> Option<Thread> {
    let (process, rest) = line.trim_start().split_once(" (")?;
    let (eprocess, rest) = rest.split_once(')')?;
    let eprocess = address(eprocess)?;
    let (ethread, rest) = word(rest)?;
    let ethread = address(ethread)?;
    // Links to other commands.
    let rest =
        rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    let mut words = rest.split_whitespace();
    let (pid, tid) = cid(words.next()?)?;
    // If a time is missing, the columns after it are unknown too.
    let user = words.next().and_then(time_ms);
    let kernel = words.next().and_then(time_ms).filter(|_| user.is_some());
    let switches = words.next().and_then(dec).filter(|_| kernel.is_some());
    let named = |word: &str| state(word).or((word == "Waiting").then_some("Waiting"));
    let state = words.find_map(named);
    Some(Thread {
        ethread: Ok(ethread),
        eprocess: Ok(eprocess),
        process: name(process).0,
        pid: Ok(pid),
        tid: Ok(tid),
        user_time_ms: found(user),
        kernel_time_ms: found(kernel),
        context_switches: found(switches),
        state: found(state.map(str::to_owned)),
        ..Thread::default()
    })
}

/// `2 threads [stats]: ffffe00233a02080 ffffe00233a04080`: threads that share the stack that
/// follows.
fn stack_of(line: &str) -> Option<Vec<u64>> {
    let (count, threads) = line.split_once(" [stats]: ")?;
    let is_count = count.ends_with(" thread") || count.ends_with(" threads");
    let threads: Option<Vec<u64>> = threads.split_whitespace().map(address).collect();
    threads.filter(|threads| is_count && !threads.is_empty())
}

/// `fffff8031e5fd8d6 nt!KiSwapContext+0x76`: a frame of that stack.
fn frame(line: &str, ethread: u64, number: i64) -> Option<Frame> {
    let (at, shown) = word(line)?;
    let symbol = Symbol::of(shown);
    Some(Frame {
        ethread: Ok(ethread),
        frame: Ok(number),
        ip: Ok(address(at)?),
        module: found(Some(symbol.module?)),
        symbol: found(symbol.name),
        offset: found(symbol.offset),
        ..Frame::default()
    })
}

/// Reads the stacks that several threads share; the rows belong to the first thread.
fn shared_stack(first: &Line<'_>, threads: &[u64], lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    for ethread in threads {
        sink.row(first, Thread { ethread: Ok(*ethread), ..Thread::default() });
    }
    let owner = threads.first().copied().unwrap_or_default();
    let mut number = 0;
    while let Some(line) = lines.next_if(|line| frame(line.trimmed(), owner, 0).is_some()) {
        if let Some(row) = frame(line.trimmed(), owner, number) {
            sink.row(&line, row);
        }
        number += 1;
    }
}

/// `12m:07.156`, `6s.718`, `15ms`, `0`, `1h:02:03.004`, `2d.03:04:05.006` in milliseconds.
fn time_ms(value: &str) -> Option<i64> {
    if let Some(ms) = value.strip_suffix("ms") {
        return dec(ms);
    }
    if let Some((seconds, ms)) = value.split_once("s.") {
        return dec(seconds)?.checked_mul(1000)?.checked_add(dec(ms)?);
    }
    if value == "0" {
        return Some(0);
    }
    let (days, rest) =
        value.split_once("d.").map_or((0, value), |(d, rest)| (dec(d).unwrap_or(-1), rest));
    let clock: String = rest.chars().filter(|c| !matches!(c, 'h' | 'm')).collect();
    let (clock, ms) = clock.split_once('.')?;
    let mut total = days;
    let parts: Vec<i64> = clock.split(':').map(dec).collect::<Option<_>>()?;
    if days < 0 || parts.len() > 3 {
        return None;
    }
    for (n, part) in (0..3).zip(std::iter::repeat_n(0, 3 - parts.len()).chain(parts)) {
        total = total.checked_mul(if n == 0 { 24 } else { 60 })?.checked_add(part)?;
    }
    total.checked_mul(1000)?.checked_add(dec(ms)?)
}

/// Columns that tables have.
const HELD: [&str; 30] = [
    "Address",
    "PID",
    "Name",
    "Ses",
    "Session",
    "PEB",
    "Thd",
    "Threads",
    "Thread Count",
    "Thrd Count",
    "Handle Count",
    "Hnd",
    "Thread",
    "Id",
    "TID",
    "Process",
    "State",
    "Reason",
    "Wait Reason",
    "Time",
    "Pri",
    "Base Pri",
    "Next CPU",
    "CSwitches",
    "Context Switches",
    "User",
    "User Time",
    "Kernel",
    "Kernel Time",
    "#",
];

/// The name without the marker of 32-bit processes, and whether it has the marker. Arguments of a
/// service follow in parentheses.
fn name(value: &str) -> (Cell<String>, Cell<bool>) {
    let bare = match value.split_once('(') {
        Some((name, rest)) if rest.ends_with(')') && !name.is_empty() => name.trim_end(),
        _ => value,
    };
    match bare.strip_suffix("*32") {
        Some(name) => (text(name), Ok(true)),
        None => (text(bare), Err(Absent::NotApplicable)),
    }
}

fn process(row: &Values<'_>) -> Option<Process> {
    let eprocess = address(word(row.get(&["Address"])?)?.0)?;
    let pid = word(row.get(&["PID"])?)?.0;
    // Thread counts follow the name.
    let (name, is_wow64) = name(row.get(&["Name"])?);
    let number = |names: &[&str]| found(row.get(names).and_then(dec));
    Some(Process {
        eprocess: Ok(eprocess),
        pid: Ok(hex_int(pid)?),
        name,
        is_wow64,
        session: number(&["Ses", "Session"]),
        peb: found(row.get(&["PEB"]).and_then(address)).and_then(pointer),
        thread_count: number(&["Thd", "Threads", "Thread Count", "Thrd Count"]),
        handle_count: number(&["Handle Count", "Hnd"]),
        ..Process::default()
    })
}

fn thread(row: &Values<'_>) -> Option<Thread> {
    let ethread = address(word(row.get(&["Thread"])?)?.0)?;
    let number = |name: &str| found(row.get(&[name]).and_then(dec));
    let time = |names: &[&str]| found(row.get(names).and_then(time_ms));
    let state = row
        .get(&["State"])
        .and_then(|word| state(word).or(Some("Waiting").filter(|_| word == "Waiting")));
    let is_waiting = state == Some("Waiting");
    let other = || Err(Absent::NotApplicable);
    Some(Thread {
        ethread: Ok(ethread),
        tid: found(row.get(&["Id", "TID"]).and_then(hex_int)),
        pid: found(row.get(&["PID"]).and_then(hex_int)),
        process: row.get(&["Process"]).map_or(other(), |value| name(value).0),
        state: found(state.map(str::to_owned)),
        // For other states this is the last wait reason.
        wait_reason: found(
            row.get(&["Reason", "Wait Reason"]).filter(|_| is_waiting).map(str::to_owned),
        ),
        wait_ms: if is_waiting { time(&["Time"]) } else { Err(Absent::NotApplicable) },
        priority: number("Pri"),
        base_priority: number("Base Pri"),
        processor: number("Next CPU"),
        context_switches: found(row.get(&["CSwitches", "Context Switches"]).and_then(dec)),
        user_time_ms: time(&["User", "User Time"]),
        kernel_time_ms: time(&["Kernel", "Kernel Time"]),
        ..Thread::default()
    })
}

/// Reads a table whose header was consumed.
pub(super) fn table(header: &Line<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let Some(rule) = lines.next_if(|line| is_rule(&line.text)) else {
        return sink.unread(header);
    };
    let columns = Columns::of(&header.text, &rule.text);
    let is_running = columns.has("Next CPU");
    while let Some(line) = lines.next_if(|line| !(line.is_blank() || is_rule(&line.text))) {
        let Some(values) = columns.values(&line.text) else {
            sink.unread(&line);
            continue;
        };
        values.others(&line, sink);
        if let Some(row) = process(&values) {
            sink.row(&line, row);
        } else if let Some(row) = thread(&values) {
            if is_running && row.state.as_deref() == Ok("Running") {
                let processor = Processor {
                    processor: row.processor,
                    current_ethread: row.ethread,
                    current_process: row.process.clone(),
                    ..Processor::default()
                };
                sink.row(&line, processor);
            }
            sink.row(&line, row);
        } else {
            sink.unread(&line);
        }
    }
    // The header may be repeated below the table.
    if lines.peek().is_some_and(|line| is_rule(&line.text))
        && lines.peek_at(1).is_some_and(|line| line.text == header.text)
    {
        lines.next();
        lines.next();
    }
}

/// Lines around the tables.
pub(super) fn is_known(line: &str) -> bool {
    is_rule(line)
        || line.starts_with("Warning! Zombie process")
        || line.starts_with("Count: ")
        || line.starts_with("Thread Count: ")
        || line.starts_with("Process Count: ")
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.next() {
        if is_header(&line.text) && lines.peek().is_some_and(|line| is_rule(&line.text)) {
            table(&line, lines, sink);
        } else if is_detail_header(&line.text) {
            while let Some(row) = lines.peek().and_then(|line| detail(line.trimmed())) {
                let Some(line) = lines.next() else { break };
                sink.row(&line, row);
            }
        } else if let Some(columns) = stack::shape(line.trimmed()) {
            stack::frames(columns, &Owner::default(), lines, sink);
        } else if let Some(threads) = stack_of(line.trimmed()) {
            shared_stack(&line, &threads, lines, sink);
        } else if !line.is_blank() && !is_known(line.trimmed()) {
            sink.unread(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(
            (time_ms("12m:07.156"), time_ms("6s.718"), time_ms("15ms"), time_ms("0")),
            (Some(727_156), Some(6718), Some(15), Some(0))
        );
        assert_eq!((time_ms("1h:02:03.004"), time_ms("x")), (Some(3_723_004), None));
    }

    #[test]
    fn threads_and_the_stacks_they_share() {
        let row = detail("relay.exe (ffffe00233456940) ffffe00233a02080 (E|K|W|R|V) c70.c74 1s.234 15ms 512 UserRequest 2s.015 Waiting").unwrap();
        assert_eq!(
            (row.tid, row.user_time_ms, row.context_switches),
            (Ok(0xc74), Ok(1234), Ok(512))
        );
        assert_eq!(
            stack_of("2 threads [stats]: ffffe00233a02080 ffffe00233a04080").map(|t| t.len()),
            Some(2)
        );
        assert_eq!(frame("fffff8031e5fd8d6 nt!KiSwapContext+0x76", 1, 0).unwrap().offset, Ok(0x76));
        assert!(stack_of("2 threads: x").is_none() && frame("some words", 1, 0).is_none());
    }

    #[test]
    fn rows_by_columns() {
        let header = "Process PID Thread             Id State        Time Reason";
        let rule = "======= === ================ ==== ======= ========= ===========";
        let line = "System    4 ffff95029da90200    c Waiting 1m:45.390 Executive";
        let row = thread(&Columns::of(header, rule).values(line).unwrap()).unwrap();
        assert_eq!(
            (row.pid, row.tid, row.wait_ms, row.wait_reason.as_deref()),
            (Ok(4), Ok(12), Ok(105_390), Ok("Executive"))
        );
    }
}
