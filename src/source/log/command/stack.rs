//! Stacks: the output of the `k` commands, and the stacks inside of other commands' output.
//!
//! The header of a stack says which columns its rows have. Rows were published in every width, so
//! columns are told by what stands in them: addresses, colons, and the symbol at the end.

use super::{Context, Reader, Signature};
use crate::catalog::{Absent, Cell};
use crate::model::{Frame, Thread};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, between, found, hex, hex_int, module_of, offset_of, text};
use crate::source::log::sink::Sink;

/// The reader of `k` and its variants, alone or for all threads (`~*k`).
pub(super) static READER: Reader = Reader {
    name: "k",
    is_named,
    signatures: &[
        Signature { literal: "ChildEBP", check: is_header },
        Signature { literal: "Child-SP", check: is_header },
        Signature { literal: "RetAddr", check: is_header },
        Signature { literal: "Suspend:", check: |line| thread_header(line).is_some() },
    ],
    contains: &[],
    tables: &["stacks", "threads"],
    read,
};

/// `k`, `kb`, `kvn`, `~*kv`, `~2kb`, `!uniqstack`, `!mex.us`.
fn is_named(name: &str) -> bool {
    if matches!(name, "!uniqstack" | "!findstack" | "!for_each_thread") {
        return true;
    }
    let name =
        name.trim_start_matches(|c: char| matches!(c, '~' | '*' | '#' | '.') || c.is_ascii_digit());
    let name = name.strip_suffix("=").unwrap_or(name);
    let flags = name.strip_prefix('k');
    flags.is_some_and(|flags| {
        flags.len() <= 6 && flags.bytes().all(|b| b"bpvfnlcmdw0123456789".contains(&b))
    })
}

/// Whose stack it is.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) ethread: Cell<u64>,
    pub(super) tid: Cell<i64>,
    pub(super) pid: Cell<i64>,
    pub(super) process: Cell<String>,
}

impl Default for Owner {
    fn default() -> Self {
        let none = Absent::NotApplicable;
        Self { ethread: Err(none), tid: Err(none), pid: Err(none), process: Err(none) }
    }
}

/// Which columns the rows have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    has_sp: bool,
    has_return: bool,
    /// A backing store pointer follows the stack pointer, on Itanium.
    has_store: bool,
}

impl Shape {
    /// Rows as `kb` prints them, where no header says otherwise.
    pub(super) const PLAIN: Self = Self { has_sp: true, has_return: true, has_store: false };
}

/// Whether a line is the header of a stack.
pub(super) fn is_header(line: &str) -> bool {
    shape(line).is_some()
}

/// The columns that a header names.
pub(super) fn shape(line: &str) -> Option<Shape> {
    let line = line.trim();
    let line = line.strip_prefix("Call stack:").unwrap_or(line).trim_start();
    let line = line.strip_prefix('#').unwrap_or(line).trim_start();
    let line = line.strip_prefix("Memory").unwrap_or(line).trim_start();
    let has_sp =
        ["ChildEBP", "Child-SP", "FramePtr", "Child-FP"].iter().any(|name| line.starts_with(name));
    let has_return = line.contains("RetAddr");
    let is_header = (has_sp && has_return) || line.starts_with("RetAddr") || line == "Call Site";
    is_header.then(|| Shape { has_sp, has_return, has_store: line.contains("Child-BSP") })
}

/// What stands among frames and is none.
fn is_remark(text: &str) -> bool {
    text.starts_with("WARNING: ")
        || text.starts_with("*** Stack trace for last set context")
        || text.starts_with("*** ERROR")
        || text.starts_with("*** WARNING")
}

/// Reads the frames that follow a header, up to a line that is none. Returns how many there were.
pub(super) fn frames(
    shape: Shape,
    owner: &Owner,
    lines: &mut Lines<'_>,
    sink: &mut Sink<'_>,
) -> i64 {
    let mut count = 0;
    while let Some(line) = lines.peek() {
        let trimmed = line.trimmed();
        if is_remark(trimmed) {
            lines.next();
            // A warning may be wrapped.
            while lines
                .next_if(|l| l.trimmed().starts_with("be wrong") || l.trimmed() == "wrong.")
                .is_some()
            {}
            continue;
        }
        if line.is_blank() {
            break;
        }
        let Some(mut row) = row(line, shape, count) else { break };
        let Some(line) = lines.next() else { break };
        if row.symbol.is_err() && shape.has_return {
            // The row may be wrapped before its symbol.
            if let Some(rest) = lines.next_if(|l| is_symbol(l.trimmed())) {
                set_symbol(&mut row, rest.trimmed());
            }
        } else if ends_in_offset(&row)
            && let Some(rest) = lines.next_if(|l| is_rest_of_offset(l.trimmed()))
            && let Ok(symbol) = row.symbol.clone()
        {
            set_symbol(&mut row, &format!("{symbol}{}", rest.trimmed()));
        }
        row.ethread = owner.ethread;
        row.tid = owner.tid;
        row.pid = owner.pid;
        row.process.clone_from(&owner.process);
        sink.row(&line, row);
        count += 1;
    }
    count
}

fn ends_in_offset(row: &Frame) -> bool {
    row.symbol
        .as_ref()
        .is_ok_and(|symbol| symbol.rsplit_once("+0x").is_some_and(|(_, o)| o.len() < 3))
}

fn is_rest_of_offset(text: &str) -> bool {
    text.len() <= 2 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a line is a symbol and nothing else.
fn is_symbol(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_one = text.len() == first.len() || text.contains(" (") || text.contains(" [");
    is_one && (first.contains('!') || first.contains("+0x")) && !first.ends_with(':')
}

/// One frame; `position` is its number where the row does not say.
pub(super) fn row(line: &Line<'_>, shape: Shape, position: i64) -> Option<Frame> {
    let mut frame = Frame { frame: Ok(position), ..Frame::default() };
    let mut rest = line.trimmed();
    if let Some((number, after)) = number(rest) {
        frame.frame = Ok(number);
        rest = after;
    }
    if !shape.has_return {
        let is_site = rest.contains('!') || rest.contains("+0x") || rest.starts_with("0x");
        if !is_site {
            return None;
        }
        set_symbol(&mut frame, rest);
        return Some(frame);
    }
    if let Some(after) = rest.strip_prefix("(Inline") {
        frame.is_inline = Ok(true);
        let symbol = after.rsplit(" : ").next().filter(|_| after.contains(" : "));
        let symbol = symbol.or_else(|| {
            after
                .split_whitespace()
                .find(|w| w.contains('!') || w.contains("+0x"))
                .and_then(|word| after.find(word).and_then(|at| after.get(at..)))
        });
        set_symbol(&mut frame, symbol.map_or("", str::trim));
        return frame.symbol.is_ok().then_some(frame);
    }
    frame.is_inline = Ok(false);
    let mut groups = colon_groups(rest);
    let mut heads = Vec::new();
    let mut arguments = Vec::new();
    let first = groups.next()?;
    let after_heads = addresses(first, &mut heads);
    let symbol = match groups.next() {
        Some(middle) => {
            if !after_heads.trim().is_empty() {
                return None;
            }
            addresses(middle, &mut arguments);
            groups.next().unwrap_or_default()
        }
        None => after_heads,
    };
    let mut heads = heads.into_iter();
    if shape.has_sp {
        frame.sp = Ok(heads.next()?);
    }
    if shape.has_store {
        heads.next();
    }
    frame.return_address = Ok(heads.next()?);
    let mut arguments = heads.chain(arguments);
    frame.arg1 = found(arguments.next());
    frame.arg2 = found(arguments.next());
    frame.arg3 = found(arguments.next());
    frame.arg4 = found(arguments.next());
    set_symbol(&mut frame, symbol);
    Some(frame)
}

/// The number at the start of a row: up to three hexadecimal digits.
fn number(text: &str) -> Option<(i64, &str)> {
    let (word, rest) = text.split_once(char::is_whitespace)?;
    let is_number = word.len() <= 3 && word.bytes().all(|b| b.is_ascii_hexdigit());
    is_number.then(|| Some((hex_int(word)?, rest.trim_start())))?
}

/// The parts between colons that stand alone: ` : `.
fn colon_groups(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    let mut left = 2;
    std::iter::from_fn(move || {
        let text = rest?;
        if left > 0
            && let Some((group, after)) = text.split_once(" : ")
        {
            left -= 1;
            rest = Some(after);
            return Some(group);
        }
        rest = None;
        Some(text)
    })
}

/// Takes the addresses off the start of a text, and returns what follows them.
fn addresses<'a>(text: &'a str, into: &mut Vec<u64>) -> &'a str {
    let mut rest = text.trim_start();
    while into.len() < 6 {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // Symbols of unknown places start with 0x; columns do not.
        if word.starts_with("0x") {
            break;
        }
        // Old debuggers print a 64-bit argument as two words with a dot.
        let value = match word.split_once('.') {
            Some((high, low)) if high.len() == 8 && low.len() == 8 => {
                hex(high).zip(hex(low)).map(|(high, low)| high << 32 | low)
            }
            _ => address(word),
        };
        let Some(value) = value else { break };
        into.push(value);
        rest = after.trim_start();
    }
    rest
}

/// Takes the symbol apart: `module!function+0x1f [file @ line] (FPO: …)`.
fn set_symbol(frame: &mut Frame, raw: &str) {
    let raw = raw.trim();
    if let Some(source) = between(raw, " [", "]").filter(|s| s.contains(" @ "))
        && let Some((file, line)) = source.rsplit_once(" @ ")
    {
        frame.source_file = text(file);
        frame.line = line.trim().parse().map_err(|_| Absent::NotApplicable);
    }
    let mut symbol = raw;
    for mark in [" (FPO", " (TrapFrame", " (CONV", " (Inline", " [Uses", " <<", " //"] {
        symbol = symbol.split(mark).next().unwrap_or(symbol);
    }
    if frame.source_file.is_ok() {
        symbol = symbol.split(" [").next().unwrap_or(symbol);
    }
    let symbol = symbol.trim();
    frame.module =
        found(module_of(symbol).filter(|_| symbol.contains(['!', '+'])).map(str::to_owned));
    frame.offset = found(offset_of(symbol));
    frame.symbol = text(symbol);
}

/// The header of a thread in a process: `. 0  Id: cb4.854 Suspend: 1 Teb: 7ffdf000 Unfrozen "name"`.
pub(super) fn thread_header(line: &str) -> Option<(Owner, Thread)> {
    let line = line.trim();
    let rest = line.split_once("Id: ")?.1;
    if !line.contains("Suspend:") {
        return None;
    }
    let cid = rest.split_whitespace().next()?;
    let (pid, tid) = crate::source::log::scan::cid(cid)?;
    let teb = crate::source::log::scan::after(rest, "Teb: ").and_then(hex);
    let suspend = crate::source::log::scan::after(rest, "Suspend: ").and_then(|n| n.parse().ok());
    let name = between(rest, "\"", "\"").map(str::to_owned);
    let owner = Owner { tid: Ok(tid), pid: Ok(pid), ..Owner::default() };
    let thread = Thread {
        tid: Ok(tid),
        pid: Ok(pid),
        teb: found(teb),
        suspend_count: found(suspend),
        name: found(name),
        ..Thread::default()
    };
    Some((owner, thread))
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut owner = Owner::default();
    let mut shape = None;
    while let Some(line) = lines.peek() {
        let trimmed = line.trimmed();
        if line.is_blank() || is_remark(trimmed) || is_summary(trimmed) {
            lines.next();
        } else if let Some((next, thread)) = thread_header(trimmed) {
            let Some(line) = lines.next() else { break };
            sink.row(&line, thread);
            (owner, shape) = (next, None);
        } else if let Some(columns) = self::shape(trimmed) {
            lines.next();
            shape = Some(columns);
            frames(columns, &owner, lines, sink);
        } else if row(line, shape.unwrap_or(Shape::PLAIN), 0).is_some_and(|row| row.symbol.is_ok())
        {
            // A stack without a header, or one that goes on after an elision.
            frames(shape.unwrap_or(Shape::PLAIN), &owner, lines, sink);
        } else if let Some(line) = lines.next() {
            sink.unread(&line);
        }
    }
}

/// What `!uniqstack` says of its own.
fn is_summary(text: &str) -> bool {
    text.starts_with("Processing ") && text.contains("threads")
        || text.starts_with("Total threads:")
        || text.starts_with("Duplicate callstacks:")
        || text.starts_with("unique stacks")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn of(header: &str, text: &str) -> Frame {
        let line = Line { number: 1, text: Cow::Borrowed(text) };
        row(&line, shape(header).unwrap_or(Shape::PLAIN), 7).unwrap()
    }

    #[test]
    fn rows_of_every_form() {
        let x86 = of(
            "ChildEBP RetAddr  Args to Child",
            "f552bbec f79e1743 000000e2 cccccccc 858a0470 nt!KeBugCheckEx+0x1b",
        );
        assert_eq!(
            (x86.sp, x86.return_address, x86.arg3),
            (Ok(0xf552_bbec), Ok(0xf79e_1743), Ok(0x858a_0470))
        );
        assert_eq!((x86.module.as_deref(), x86.offset, x86.frame), (Ok("nt"), Ok(0x1b), Ok(7)));
        let x64 = of(
            " # Child-SP          RetAddr               : Args to Child : Call Site",
            "0a 00000000`00c8fcd0 00000000`00c9de27     : 00000000`0000002c 00000000`007ad000 00001000`00000001 00000000`00000000 : dnsapi!DnsQuery_A+0x46 [d:\\a b\\c.cpp @ 597]",
        );
        assert_eq!((x64.frame, x64.sp, x64.arg1), (Ok(10), Ok(0xc8_fcd0), Ok(0x2c)));
        assert_eq!(
            (x64.symbol.as_deref(), x64.source_file.as_deref(), x64.line),
            (Ok("dnsapi!DnsQuery_A+0x46"), Ok("d:\\a b\\c.cpp"), Ok(597))
        );
        let bare = of(
            "# RetAddr           : Args to Child : Call Site",
            "0e 00007fff`487484e6 : 0000029b`00000003 00000000`0000012e 00000000`00000000 00000000`00000000 : 0x00007fff`69805b74",
        );
        assert_eq!(
            (bare.sp, bare.return_address),
            (Err(Absent::NotApplicable), Ok(0x7fff_4874_84e6))
        );
        assert_eq!(
            (bare.symbol.as_deref(), bare.module),
            (Ok("0x00007fff`69805b74"), Err(Absent::NotApplicable))
        );
        let unknown = of("ChildEBP RetAddr", "0012f154 00420047 0x48004a");
        assert_eq!(
            (unknown.symbol.as_deref(), unknown.arg1),
            (Ok("0x48004a"), Err(Absent::NotApplicable))
        );
        let inline = of(
            " # Child-SP RetAddr Call Site",
            "03 (Inline Function) --------`--------     : --------`-------- : a!b+0x1",
        );
        assert_eq!((inline.is_inline, inline.symbol.as_deref()), (Ok(true), Ok("a!b+0x1")));
        let fpo = of(
            "ChildEBP RetAddr  Args to Child",
            "981915f4 92b8d4d4 f10105c8 00000002 0000008c win32k!xxxRealDrawMenuItem+0x130 (FPO: [6,47,4])",
        );
        assert_eq!(fpo.symbol.as_deref(), Ok("win32k!xxxRealDrawMenuItem+0x130"));
        assert_eq!(of(" # Call Site", "00 ntdll!NtWaitForAlertByThreadId").frame, Ok(0));
    }

    #[test]
    fn headers_of_threads() {
        let (owner, thread) = thread_header(
            " 115  Id: 97bc.bbc0 Suspend: 0 Teb: 0000001a`7a81a000 Unfrozen \"D3D Thread 3\"",
        )
        .unwrap();
        assert_eq!(
            (owner.tid, thread.suspend_count, thread.name.as_deref()),
            (Ok(0xbbc0), Ok(0), Ok("D3D Thread 3"))
        );
        assert!(thread_header("Id: 5").is_none());
    }

    #[test]
    fn names() {
        for name in ["k", "kb", "~*kv", "~2kb", "kvn", "k=", "kl", "~6"] {
            assert_eq!(is_named(name), name != "~6", "{name}");
        }
        assert!(!is_named("kernel"));
    }
}
