//! `!running`: the threads that processors run.

use super::stack::{self, Owner};
use super::{Context, Fills, Reader, Signature, mex};
use crate::model::{ExtensionFact, Frame, Processor, Thread};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{found, hex, hex_int, pointer};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!running",
    is_named: |name| name == "!running",
    signatures: &[
        Signature {
            literal: "System Processors",
            check: |l| l.trim_start().starts_with("System Processors"),
        },
        Signature { literal: "Prcb", check: is_header },
    ],
    contains: &["k"],
    fills: &[
        Fills::rows::<Processor>(),
        Fills::rows::<Frame>(),
        Fills::rows::<Thread>(),
        Fills::rows::<ExtensionFact>(),
    ],
    read,
};

fn is_header(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("Prcb") && line.contains("Current") && line.contains("Next")
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut has_idle = false;
    let mut owner = Owner::default();
    while let Some(line) = lines.peek() {
        if let Some(shape) = stack::shape(line.trimmed()) {
            lines.next();
            stack::frames(shape, &owner, lines, sink);
            continue;
        }
        let Some(line) = lines.next() else { break };
        let text = line.trimmed();
        if mex::is_header(text) {
            mex::table(&line, lines, sink);
        } else if is_header(text) {
            has_idle = text.contains("Idle");
        } else if text.starts_with("System Processors")
            || text.starts_with("Idle Processors")
            || text.starts_with("All processors idle")
            || mex::is_known(text)
            || line.is_blank()
        {
            // Masks, which the rows repeat.
        } else if let Some(row) = row(&line, has_idle) {
            owner.ethread = row.current_ethread;
            sink.row(&line, row);
        } else if let Some((row, thread)) = table_row(text) {
            sink.row(&line, row);
            sink.row(&line, thread);
        } else if !is_of_table(text) {
            sink.unread(&line);
        }
    }
}

/// The heading and the end of that table.
fn is_of_table(text: &str) -> bool {
    text.starts_with("Process ")
        || text.starts_with("Count:")
        || text.chars().all(|c| matches!(c, '=' | ' '))
}

/// A row of the extension that replaces the command: process, process ID, thread, thread ID, two
/// priorities, the priority of the next thread, processor, context switches, times, state.
fn table_row(line: &str) -> Option<(Processor, Thread)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| word.len() == 16 && hex(word).is_some())?;
    let number = |index: usize| words.get(at + index).and_then(|word| word.parse::<i64>().ok());
    let state = words.get(at + 8).and_then(|word| super::thread::state(word))?;
    let process = words.get(..at.checked_sub(1)?)?.join(" ");
    let ethread = hex(words.get(at)?)?;
    let processor = number(5)?;
    let thread = Thread {
        ethread: Ok(ethread),
        process: Ok(process.clone()),
        pid: Ok(hex_int(words.get(at - 1)?)?),
        tid: Ok(hex_int(words.get(at + 1)?)?),
        priority: found(number(2)),
        base_priority: found(number(3)),
        processor: Ok(processor),
        context_switches: found(number(6)),
        state: Ok(state.to_owned()),
        ..Thread::default()
    };
    let row = Processor {
        processor: Ok(processor),
        current_ethread: Ok(ethread),
        current_process: Ok(process),
        ..Processor::default()
    };
    Some((row, thread))
}

/// `1  f7737120  8a3da020            ................`; newer systems print priorities in
/// parentheses and the idle thread.
fn row(line: &Line<'_>, has_idle: bool) -> Option<Processor> {
    // Priorities are in parentheses, padded.
    let plain = without_parentheses(line.trimmed());
    let mut words = plain.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let prcb = hex(words.next()?)?;
    let mut threads = Vec::new();
    let mut locks = None;
    for word in words {
        if let Some(address) = hex(word).filter(|_| word.len() >= 8) {
            threads.push(address);
        } else if word.len() == 16 && word.bytes().all(|b| matches!(b, b'.' | b'O' | b'0'..=b'9')) {
            locks = Some(word.to_owned());
        } else {
            return None;
        }
    }
    let mut threads = threads.into_iter();
    let current = threads.next()?;
    let mut next = threads.next();
    let mut idle = threads.next();
    if has_idle && idle.is_none() {
        // The column of the next thread is blank if there is none.
        (next, idle) = (None, next);
    }
    Some(Processor {
        processor: Ok(number),
        prcb: Ok(prcb),
        current_ethread: pointer(current),
        next_ethread: next.map_or(Err(crate::catalog::Absent::NotApplicable), pointer),
        idle_ethread: idle.map_or(Err(crate::catalog::Absent::NotApplicable), pointer),
        is_idle: idle.map(|idle| idle == current).ok_or(crate::catalog::Absent::NotApplicable),
        queued_locks: locks.ok_or(crate::catalog::Absent::NotApplicable),
        ..Processor::default()
    })
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0u32;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}
