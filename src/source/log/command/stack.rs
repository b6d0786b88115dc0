//! Stacks: the `k` family for one thread or all (`~*k`), `!uniqstack`, and stacks in the output of
//! other commands, whose readers call this module.

use super::{Context, Fills, Reader, Signature, registers};
use crate::catalog::Absent;
use crate::model::{Frame, Instruction, Register, Thread};
use crate::source::log::code::{ListedAt, instruction, label, shown_symbol};
use crate::source::log::context::{Holder, is_registers};
pub(super) use crate::source::log::frame::{Columns, is_frame, is_function, is_header};
pub(super) use crate::source::log::frames::Owner;
use crate::source::log::frames::Stack;
use crate::source::log::line::Lines;
use crate::source::log::scan::{address, after, between, cid, found, hex, hex_int, text};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "k",
    is_named,
    signatures: &[
        Signature { literal: "RetAddr", check: is_header },
        Signature { literal: " Return ", check: is_header },
        Signature { literal: "# Call Site", check: is_header },
        Signature { literal: "Suspend:", check: |line| thread_header(line).is_some() },
    ],
    contains: &["r", "u"],
    fills: &[
        Fills::rows::<Frame>(),
        Fills::rows::<Thread>(),
        Fills::rows::<Register>(),
        Fills::rows::<Instruction>(),
    ],
    read,
};

/// `k`, `kb`, `kvn`, `~*kp`, but not `kd`, which dumps the stack's memory.
fn is_named(name: &str) -> bool {
    if matches!(name, "!uniqstack" | "!findstack" | ".frame" | "!for_each_frame") {
        return true;
    }
    let Some(at) = name.find('k') else { return false };
    let (threads, flags) = name.split_at(at);
    let is_thread = |c: char| c.is_ascii_digit() || matches!(c, '*' | '.' | '#' | 'e');
    let names_threads =
        threads.is_empty() || threads.strip_prefix('~').is_some_and(|t| t.chars().all(is_thread));
    let flags = flags.get(1..).unwrap_or_default();
    names_threads
        && flags.chars().all(|c| {
            c.is_ascii_digit() || matches!(c, 'b' | 'c' | 'p' | 'v' | 'n' | 'f' | 'l' | 'm' | '=')
        })
}

/// The columns of a header; `None` if the line is not a header.
pub(super) fn shape(line: &str) -> Option<Columns> {
    is_header(line).then(|| Columns::named_by(line))
}

/// Reads the frames that follow, below a header or ([`Columns::PLAIN`]) without one. Returns their
/// number.
pub(super) fn frames(
    columns: Columns,
    owner: &Owner,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) -> i64 {
    Stack::below(columns, owner.clone()).frames(lines, sink)
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut stack = Stack::open(Owner::default());
    let mut place = ListedAt::default();
    let mut last = String::new();
    while let Some(line) = lines.next() {
        let shown = line.trimmed();
        // `!for_each_frame .frame` prints each frame twice.
        if !shown.is_empty() && shown == last && is_frame(shown) {
            continue;
        }
        shown.clone_into(&mut last);
        if is_registers(shown) {
            lines.push_front(line);
            registers::block(&Holder::default(), lines, sink);
            continue;
        }
        if stack.take(&line, lines, sink) {
            continue;
        }
        if let Some(label) = label(shown) {
            place.symbol = shown_symbol(label);
            continue;
        }
        if let Some(row) = instruction(shown, &place).filter(|row| row.bytes.is_ok()) {
            sink.row(&line, row);
            continue;
        }
        if let Some(mut thread) = thread_header(shown) {
            while let Some(detail) = lines.next_if(|detail| is_detail(detail.trimmed())) {
                add_detail(&mut thread, detail.trimmed());
            }
            stack = Stack::open(Owner::from(&thread));
            sink.row(&line, thread);
        } else if !is_known(shown) {
            sink.unread(&line);
        }
    }
}

/// The line of a thread, as `~`, `~*k` and `!uniqstack` print it:
/// `.  0  Id: 1a4.1b8 Suspend: 1 Teb: 7ffdf000 Unfrozen "name"`.
pub(super) fn thread_header(line: &str) -> Option<Thread> {
    let line = line.trim_start().trim_start_matches(['.', '#']).trim_start();
    let (number, rest) = line.split_once(char::is_whitespace)?;
    number.parse::<u32>().ok()?;
    let rest = rest.trim_start();
    let ids = rest.strip_prefix("Id:").or_else(|| rest.strip_prefix("id:"))?.trim_start();
    let (ids, rest) = ids.split_once(char::is_whitespace)?;
    let (pid, tid) = cid(ids)?;
    let suspend = after(rest, "Suspend:").and_then(hex_int);
    let teb = after(rest, "Teb:").or_else(|| after(rest, "Teb"))?;
    let name = between(rest, "\"", "\"");
    Some(Thread {
        pid: Ok(pid),
        tid: Ok(tid),
        teb: found(hex(teb)),
        suspend_count: found(suspend),
        name: name.map_or(Err(Absent::NotApplicable), text),
        ..Thread::default()
    })
}

/// Lines below the line of a thread.
pub(super) fn is_detail(text: &str) -> bool {
    text.starts_with("Start:") || text.starts_with("Priority:") || text.starts_with("Token:")
}

/// `Start: coreclr!Kick (7ff80f4644f0)`.
pub(super) fn add_detail(thread: &mut Thread, line: &str) {
    if let Some(start) = line.strip_prefix("Start:") {
        thread.start_address = found(between(start, "(", ")").and_then(address));
        let symbol = start.rsplit_once(" (").map_or(start, |(symbol, _)| symbol);
        thread.start_symbol = text(symbol);
    }
}

/// Lines that `!uniqstack` prints around the stacks.
fn is_known(text: &str) -> bool {
    text.starts_with("Processing ")
        || text.starts_with("Total threads:")
        || text.starts_with("Duplicate callstacks:")
        || text.split(',').all(|part| part.trim().parse::<u32>().is_ok())
        || text.starts_with("Thread ") && text.ends_with("frame(s) match")
        || text.starts_with("Call stack:")
        || text.starts_with("quit:")
        || text.starts_with("_ _ _")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["k", "kb", "kvn", "~*k", "~0kb", "knl", "k100", "!uniqstack", "~*kv"] {
            assert!(is_named(name), "{name}");
        }
        for name in ["kd", "ks", "lk", "!k", "~", "~*"] {
            assert!(!is_named(name), "{name}");
        }
    }

    #[test]
    fn threads() {
        let thread = thread_header(" 115  Id: 97bc.bbc0 Suspend: 0 Teb: 0000001a`7a81a000 Unfrozen \"D3D Background Thread 3\"").unwrap();
        assert_eq!((thread.pid, thread.tid, thread.suspend_count), (Ok(0x97bc), Ok(0xbbc0), Ok(0)));
        assert_eq!(thread.name.as_deref(), Ok("D3D Background Thread 3"));
        assert_eq!(
            thread_header(".  0  id: 16.15   Teb 7ffdd000 Unfrozen").unwrap().teb,
            Ok(0x7ffd_d000)
        );
        assert_eq!(thread_header("Id: 1.2 Suspend: 1"), None);
    }
}
