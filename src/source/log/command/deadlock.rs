//! `!deadlock`: the locks that threads acquired in conflicting orders, in full (`!deadlock 1`) or
//! as letters with a legend below.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{DeadlockStep, VerifierFrame};
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, between, dec, found, hex, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!deadlock`.
pub(super) static READER: Reader = Reader {
    name: "!deadlock",
    is_named: |name| name == "!deadlock",
    signatures: &[Signature { literal: "Deadlock detected (", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<DeadlockStep>(), Fills::rows::<VerifierFrame>()],
    read,
};

/// `Thread 0: A B`: a thread and the letters of its locks, in the order of acquisition.
struct Brief {
    line: u64,
    thread: i64,
    labels: Vec<String>,
}

impl Brief {
    fn of(line: u64, rest: &str) -> Option<Self> {
        let (number, labels) = rest.split_once(':')?;
        let labels = labels.trim().trim_end_matches('.');
        let labels: Vec<String> = labels.split_whitespace().map(str::to_owned).collect();
        let is_letter =
            |label: &String| label.len() <= 2 && label.bytes().all(|b| b.is_ascii_uppercase());
        let is_brief = !labels.is_empty() && labels.iter().all(is_letter);
        is_brief.then_some(Self { line, thread: dec(number.trim())?, labels })
    }
}

/// `0 = 8d3ba030` or `0 = TERMINATED`: the thread with a number.
fn thread_legend(rest: &str) -> Option<(i64, Option<u64>)> {
    let (number, at) = rest.split_once('=')?;
    let at = at.trim().trim_end_matches('.');
    let is_known = at == "TERMINATED" || address(at).is_some();
    Some((dec(number.trim())?, address(at))).filter(|_| is_known)
}

/// `1: c1ae2040 (ThreadEntry = 8b833a08) took locks in the following order:`, before `!deadlock 3`
/// `1 (8d3ba030)`: the thread whose locks follow.
fn holder(rest: &str) -> (Cell<i64>, Cell<u64>) {
    let number = word(rest).and_then(|(n, _)| dec(n.trim_end_matches(':')));
    let said =
        rest.split_once(':').and_then(|(_, rest)| word(rest)).and_then(|(at, _)| address(at));
    let ethread = said.or_else(|| between(rest, "(", ")").and_then(hex));
    (found(number), found(ethread))
}

/// `Lock A =   bba2af30 Type 'Spinlock'`: the lock with a letter.
fn lock_legend(line: &str) -> Option<DeadlockStep> {
    let (label, rest) = line.strip_prefix("Lock ")?.split_once(" =")?;
    let (name, rest) = word(rest)?;
    let symbol = between(rest, "(", ")").filter(|_| rest.starts_with('('));
    Some(DeadlockStep {
        label: text(label),
        lock: found(address(name)),
        lock_name: match symbol {
            Some(symbol) => text(named(symbol)),
            None if address(name).is_some() => Err(Absent::NotApplicable),
            None => text(name),
        },
        kind: found(between(rest, "'", "'").map(str::to_owned)),
        ..DeadlockStep::default()
    })
}

/// A symbol without a zero offset: `sigma!FirstLock+0x00000000`.
fn named(symbol: &str) -> &str {
    let zero = symbol.rsplit_once("+0x").filter(|(_, digits)| hex(digits) == Some(0));
    zero.map_or(symbol, |(name, _)| name)
}

/// `9a1065b7 sigma!TakeBoth+0x00000027`: a frame of the stack that acquired a lock.
fn frame(line: &str) -> Option<(u64, &str)> {
    let (at, symbol) = word(line.strip_prefix("Stack:").unwrap_or(line))?;
    let symbol = symbol.trim();
    let is_symbol = symbol.contains(['!', '+']) && !symbol.contains(' ');
    Some((address(at)?, symbol)).filter(|_| is_symbol)
}

/// `A -- b7906f30 (Spinlock)`, below the thread that acquired it.
fn taken(rest: &str) -> Option<DeadlockStep> {
    let (label, what) = rest.split_once("--")?;
    let what = what.trim();
    let name = what.split(" (").next().unwrap_or(what);
    Some(DeadlockStep {
        label: text(label),
        lock: found(address(name)),
        lock_name: if address(name).is_some() { Err(Absent::NotApplicable) } else { text(name) },
        kind: found(between(what, "(", ")").map(str::to_owned)),
        ..DeadlockStep::default()
    })
}

/// The stacks that acquired the locks are printed as symbols only.
fn is_known(line: &str) -> bool {
    line.is_empty()
        || line.starts_with("Stack:")
        || line.starts_with("Node:")
        || line.starts_with("issue:")
        || (line.contains('!') && !line.contains(' '))
        || line.starts_with("<<")
        || line.starts_with("Deadlock detected")
        || line.starts_with("Where:")
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let none = Absent::NotApplicable;
    let mut thread: (Cell<i64>, Cell<u64>) = (Err(none), Err(none));
    let mut position = 0;
    let mut briefs: Vec<Brief> = Vec::new();
    let mut threads: Vec<(i64, Option<u64>)> = Vec::new();
    let mut locks: Vec<(u64, DeadlockStep)> = Vec::new();
    let mut frames = 0;
    for line in lines {
        let trimmed = line.trimmed();
        if let Some(rest) = trimmed.strip_prefix("Thread ") {
            if let Some(brief) = Brief::of(line.number, rest) {
                briefs.push(brief);
            } else if let Some(legend) = thread_legend(rest) {
                threads.push(legend);
            } else {
                thread = holder(rest);
                position = 0;
            }
        } else if let Some(lock) = lock_legend(trimmed) {
            frames = 0;
            // Below the thread that acquired it, or in a legend of all locks.
            let (thread_number, ethread) = thread;
            let place = if thread_number.is_ok() { Ok(position) } else { Err(none) };
            let lock = DeadlockStep { thread_number, ethread, position: place, ..lock };
            locks.push((line.number, lock));
            position += i64::from(thread_number.is_ok());
        } else if let Some(lock) = trimmed.strip_prefix("Lock ").and_then(taken) {
            let (thread_number, ethread) = thread;
            let row = DeadlockStep { thread_number, ethread, position: Ok(position), ..lock };
            sink.row(&line, row);
            position += 1;
        } else if let Some((at, symbol)) = frame(trimmed) {
            let row = VerifierFrame {
                kind: Ok("lock taken".to_owned()),
                object: locks.last().map_or(Err(none), |(_, lock)| lock.lock),
                frame: Ok(frames),
                address: Ok(at),
                symbol: text(symbol),
                ..VerifierFrame::default()
            };
            frames += 1;
            sink.row(&line, row);
        } else if !is_known(trimmed) {
            sink.unread(&line);
        }
    }
    if briefs.is_empty() {
        for (line, lock) in locks {
            sink.row_at(line, lock);
        }
        return;
    }
    for Brief { line, thread, labels } in briefs {
        let ethread = threads.iter().find(|(number, _)| *number == thread).and_then(|(_, at)| *at);
        for (position, label) in (0..).zip(labels) {
            let is_it = |lock: &DeadlockStep| lock.label.as_ref() == Ok(&label);
            let known = locks.iter().map(|(_, lock)| lock).find(|lock| is_it(lock)).cloned();
            let row = DeadlockStep {
                thread_number: Ok(thread),
                ethread: found(ethread),
                position: Ok(position),
                label: Ok(label),
                ..known.unwrap_or_default()
            };
            sink.row_at(line, row);
        }
    }
}
