//! `!stacks 0`, `1` and `2`: every thread with the function that it waits in.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Thread};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, cid, found, hex, module_of, offset_of, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!stacks",
    is_named: |name| name == "!stacks",
    signatures: &[
        Signature {
            literal: "Proc.Thread",
            check: |line| line.contains(".Thread") && line.contains("Blocker"),
        },
        Signature { literal: " Blocked ", check: |line| parts(line).is_some() },
        Signature { literal: " BLOCKED ", check: |line| parts(line).is_some() },
        Signature { literal: " RUNNING ", check: |line| parts(line).is_some() },
        Signature { literal: "Stack paged out", check: |line| parts(line).is_some() },
    ],
    contains: &[],
    fills: &[Fills::rows::<Thread>(), Fills::rows::<Frame>()],
    read,
};

/// The states that the command prints: in capitals, or with a capital first letter.
fn is_state(word: &str) -> bool {
    let is_named = word.len() >= 5 && word.bytes().all(|b| b.is_ascii_alphabetic());
    is_named
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && super::thread::state(word).is_some()
}

const PAGED_OUT: &str = "Stack paged out";
const NO_DATA: &str = "NO ETHREAD DATA";

struct StackRow<'a> {
    pid: i64,
    tid: i64,
    ethread: u64,
    ticks: Option<i64>,
    state: &'a str,
    blocker: &'a str,
}

/// `4.0000cc  ffffe00001019880 fffffee1 Blocked    nt!KiSwapContext+0x76`; Windows 2000 prints no
/// ticks.
fn parts(line: &str) -> Option<StackRow<'_>> {
    let (ids, rest) = word(line)?;
    let (pid, tid) =
        cid(ids).filter(|_| ids.split('.').nth(1).is_some_and(|tid| tid.len() >= 4))?;
    let (ethread, rest) = word(rest)?;
    let ethread = address(ethread)?;
    let (next, after) = word(rest)?;
    let (ticks, rest) = if (7..=8).contains(&next.len()) && hex(next).is_some() {
        (hex(next), after)
    } else {
        (None, rest)
    };
    if rest.starts_with(NO_DATA) {
        return Some(StackRow { pid, tid, ethread, ticks: None, state: "", blocker: "" });
    }
    let (state, blocker) = word(rest)?;
    // Ticks are the difference of two 32-bit counters.
    let ticks =
        ticks.map(|ticks| i64::from(u32::try_from(ticks).unwrap_or(u32::MAX).cast_signed()));
    is_state(state).then_some(StackRow { pid, tid, ethread, ticks, state, blocker })
}

/// `[fffff8013ed5d3c0 Idle]`, on Windows 2000 `[smss.exe]`.
fn process(line: &str) -> Option<(Option<u64>, &str)> {
    let inner = line.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    match word(inner) {
        Some((first, name)) if address(first).is_some() => Some((address(first), name)),
        _ => Some((None, inner)),
    }
}

/// Whether a line is a frame of detail 2: only a symbol.
fn is_symbol(line: &str) -> bool {
    let line = line.trim();
    let is_one = !line.contains(char::is_whitespace) || line.contains('`') || line.contains('<');
    is_one && (line.contains('!') || line.contains("+0x")) && !line.starts_with('[')
}

fn frame(thread: &Thread, number: i64, raw: &str) -> Frame {
    let symbol = raw.split(" [").next().unwrap_or(raw).trim();
    let offset = offset_of(symbol);
    // The offset has a column of its own.
    let name = symbol.rsplit_once("+0x").filter(|(name, _)| offset.is_some() && name.contains('!'));
    Frame {
        ethread: thread.ethread,
        tid: thread.tid,
        pid: thread.pid,
        process: thread.process.clone(),
        frame: Ok(number),
        module: found(module_of(symbol).map(str::to_owned)),
        symbol: text(name.map_or(symbol, |(name, _)| name)),
        offset: found(offset),
        ..Frame::default()
    }
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let (mut eprocess, mut name): (Cell<u64>, Cell<String>) =
        (Err(Absent::NotApplicable), Err(Absent::NotApplicable));
    while let Some(line) = lines.next() {
        let trimmed = line.trimmed();
        if let Some(row) = parts(trimmed) {
            let thread = thread(&row, eprocess, name.clone());
            frames(&line, &thread, row.blocker, lines, sink);
            sink.row(&line, thread);
        } else if let Some((address, image)) = process(trimmed) {
            (eprocess, name) = (found(address), text(image));
        } else if !is_known(&line) {
            sink.unread(&line);
        }
    }
}

fn thread(row: &StackRow<'_>, eprocess: Cell<u64>, process: Cell<String>) -> Thread {
    Thread {
        ethread: Ok(row.ethread),
        tid: Ok(row.tid),
        pid: Ok(row.pid),
        eprocess,
        process,
        state: found(super::thread::state(row.state).map(str::to_owned)),
        wait_ticks: found(row.ticks),
        blocker: text(row.blocker),
        is_stack_resident: if row.blocker.starts_with(PAGED_OUT) {
            Ok(false)
        } else {
            Err(Absent::NotApplicable)
        },
        ..Thread::default()
    }
}

/// With detail 2, more frames follow the one on the thread's line.
fn frames(
    line: &Line<'_>,
    thread: &Thread,
    first: &str,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) {
    let mut number = 0;
    while let Some(more) =
        lines.next_if(|next| is_symbol(next.trimmed()) && parts(next.trimmed()).is_none())
    {
        if number == 0 && !first.is_empty() {
            sink.row(line, frame(thread, 0, first));
        }
        number += 1;
        sink.row(&more, frame(thread, number, more.trimmed()));
    }
}

fn is_known(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.starts_with("Proc.Thread")
        || text.starts_with("Threads Processed:")
        || text.starts_with("counts:")
        || text.starts_with("bytes :")
        || text.starts_with("*** CacheSize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_version() {
        let old =
            parts("   4.000008  827d0030  Blocked    ntoskrnl!MmZeroPageThread+0x66").unwrap();
        assert_eq!(
            (old.pid, old.tid, old.ticks, old.blocker),
            (4, 8, None, "ntoskrnl!MmZeroPageThread+0x66")
        );
        let new =
            parts("4.0000cc  ffffe00001019880 fffffee1 Blocked    nt!KiSwapContext+0x76").unwrap();
        assert_eq!(
            (new.ethread, new.ticks, new.state),
            (0xffff_e000_0101_9880, Some(-287), "Blocked")
        );
        let short = parts("4.0000ec 85d8dc58 000068c Blocked ModuleA!FuncA+0x9b").unwrap();
        assert_eq!(short.ticks, Some(0x68c));
        assert_eq!(
            parts("b0.0000bc  826d0030  Blocked    Stack paged out").unwrap().blocker,
            PAGED_OUT
        );
        assert!(parts("4.8 is a number").is_none());
        assert_eq!(
            process("   [fffff8013ed5d3c0 Idle]"),
            Some((Some(0xffff_f801_3ed5_d3c0), "Idle"))
        );
        assert_eq!(process("[smss.exe]"), Some((None, "smss.exe")));
    }
}
