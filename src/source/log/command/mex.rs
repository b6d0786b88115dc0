//! Tables of the MEX extension: `!mex.tl`, `!mex.lt` and its form of `!running`. Their columns stand
//! above a rule of `=`, so that each value is found by its place on the line.

use super::thread::state;
use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Process, Processor, Thread};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, dec, found, hex_int, text};
use crate::source::log::sink::Sink;

/// The reader.
pub(super) static READER: Reader = Reader {
    name: "!mex.tl",
    is_named: |name| {
        matches!(name, "!tl" | "!lt" | "!mex.tl" | "!mex.lt" | "!tasklist" | "!listthreads")
    },
    signatures: &[Signature { literal: "PID ", check: is_header }],
    contains: &[],
    fills: &[Fills::rows::<Process>(), Fills::rows::<Thread>(), Fills::rows::<Processor>()],
    read,
};

/// Whether a line names the columns of a table of threads or processes.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.trim();
    let of_processes =
        line.starts_with("PID ") && line.contains(" Address ") && line.contains(" Name ");
    let of_threads =
        line.starts_with("Process ") && line.contains(" PID Thread ") && line.contains("State");
    of_processes || of_threads
}

/// Names of columns and where they stand.
#[derive(Debug, Default)]
struct Columns {
    found: Vec<(String, usize, usize)>,
}

impl Columns {
    /// Those of a header and the rule below it.
    fn of(header: &str, rule: &str) -> Self {
        let mut found: Vec<(String, usize, usize)> = Vec::new();
        let mut at = 0;
        for run in rule.split(' ') {
            let end = at + run.len();
            if !run.is_empty() {
                found.push((String::new(), at, end));
            }
            at = end + 1;
        }
        let count = found.len();
        for (n, (name, start, end)) in found.iter_mut().enumerate() {
            let end = if n + 1 == count { header.len() } else { *end };
            header.get(*start..end.min(header.len())).unwrap_or_default().trim().clone_into(name);
        }
        Self { found }
    }

    /// The value of a column on a line; the last column goes on to the end.
    fn value<'t>(&self, line: &'t str, name: &str) -> Option<&'t str> {
        let at = self.found.iter().position(|(column, ..)| column == name)?;
        let (_, start, end) = self.found.get(at)?;
        let end = if at + 1 == self.found.len() { line.len() } else { (*end).min(line.len()) };
        let value = line.get(*start..end)?.trim();
        (!value.is_empty()).then_some(value)
    }
}

fn is_rule(line: &str) -> bool {
    line.len() > 3 && line.bytes().all(|b| b == b'=' || b == b' ')
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

/// The name without the mark of 32-bit processes, and whether it has it.
fn name(value: &str) -> (Cell<String>, Cell<bool>) {
    match value.strip_suffix("*32") {
        Some(name) => (text(name), Ok(true)),
        None => (text(value), Err(Absent::NotApplicable)),
    }
}

fn process(columns: &Columns, line: &str) -> Option<Process> {
    let eprocess = address(columns.value(line, "Address")?)?;
    let pid = columns.value(line, "PID")?.split_whitespace().next()?;
    // Counts of threads stand behind the name.
    let (name, is_wow64) = name(columns.value(line, "Name")?);
    Some(Process {
        eprocess: Ok(eprocess),
        pid: Ok(hex_int(pid)?),
        name,
        is_wow64,
        ..Process::default()
    })
}

fn thread(columns: &Columns, line: &str) -> Option<Thread> {
    let ethread = address(columns.value(line, "Thread")?)?;
    let value = |name: &str| columns.value(line, name);
    let number = |name: &str| found(value(name).and_then(dec));
    let time = |name: &str| found(value(name).and_then(time_ms));
    let state = value("State")
        .and_then(|word| state(word).or(Some("Waiting").filter(|_| word == "Waiting")));
    let is_waiting = state == Some("Waiting");
    let other = || Err(Absent::NotApplicable);
    Some(Thread {
        ethread: Ok(ethread),
        tid: Ok(hex_int(value("Id")?)?),
        pid: Ok(hex_int(value("PID")?)?),
        process: value("Process").map_or(other(), |value| name(value).0),
        state: found(state.map(str::to_owned)),
        // What is shown for others is why they waited last.
        wait_reason: found(value("Reason").filter(|_| is_waiting).map(str::to_owned)),
        wait_ms: if is_waiting { time("Time") } else { Err(Absent::NotApplicable) },
        priority: number("Pri"),
        base_priority: number("Base Pri"),
        processor: number("Next CPU"),
        context_switches: number("CSwitches"),
        user_time_ms: time("User"),
        kernel_time_ms: time("Kernel"),
        ..Thread::default()
    })
}

/// Reads a table whose header was taken.
pub(super) fn table(header: &Line<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let Some(rule) = lines.next_if(|line| is_rule(&line.text)) else { return };
    let columns = Columns::of(&header.text, &rule.text);
    let is_running = columns.found.iter().any(|(name, ..)| name == "Next CPU");
    while let Some(line) = lines.peek() {
        if line.is_blank() || is_rule(&line.text) {
            break;
        }
        let Some(line) = lines.next() else { break };
        if let Some(row) = process(&columns, &line.text) {
            sink.row(&line, row);
        } else if let Some(row) = thread(&columns, &line.text) {
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
        if is_header(&line.text) {
            table(&line, lines, sink);
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
    fn rows_by_columns() {
        let header = "Process PID Thread             Id State        Time Reason";
        let rule = "======= === ================ ==== ======= ========= ===========";
        let line = "System    4 ffff95029da90200    c Waiting 1m:45.390 Executive";
        let row = thread(&Columns::of(header, rule), line).unwrap();
        assert_eq!(
            (row.pid, row.tid, row.wait_ms, row.wait_reason.as_deref()),
            (Ok(4), Ok(12), Ok(105_390), Ok("Executive"))
        );
    }
}
