//! `!cs`, `!critsec` and `!locks` of the user-mode debugger: critical sections.

use super::{Context, Fills, Reader, Signature};
use crate::model::{CriticalSection, VerifierFrame};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, between, found, hex, hex_int, number, text, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "!cs",
    is_named: |name| matches!(name, "!cs" | "!critsec"),
    signatures: &[
        Signature { literal: "CritSec ", check: is_start },
        Signature { literal: "Critical section ", check: |l| l.contains(" = 0x") },
        Signature { literal: "InitThr EnterThr", check: |_| true },
    ],
    contains: &[],
    fills: &[Fills::rows::<CriticalSection>(), Fills::rows::<VerifierFrame>()],
    read,
};

/// `CritSec Wait2!critSection+0 at 00007ff605dd5af8`.
fn old_start(line: &str) -> Option<CriticalSection> {
    let (symbol, at) = line.strip_prefix("CritSec ")?.split_once(" at ")?;
    let at = hex(word(at)?.0)?;
    let symbol = symbol.trim();
    Some(CriticalSection {
        address: Ok(at),
        symbol: text(named(symbol)),
        ..CriticalSection::default()
    })
}

/// The symbol, if there is one: an offset alone is not a symbol.
fn named(symbol: &str) -> &str {
    let symbol =
        symbol.strip_suffix("+0x0").or_else(|| symbol.strip_suffix("+0")).unwrap_or(symbol);
    if symbol.starts_with('+') { "" } else { symbol }
}

/// Takes a line of the old form, `EntryCount         472`.
fn old_detail(line: &str, row: &mut CriticalSection) -> bool {
    let Some((label, value)) = word(line) else { return false };
    match label {
        "LockCount" => row.lock_count = found(number(value)),
        "RecursionCount" => row.recursion_count = found(number(value)),
        "OwningThread" => row.owner_tid = found(hex_int(value)),
        "EntryCount" => row.entry_count = found(hex_int(value)),
        "ContentionCount" => row.contention_count = found(hex_int(value)),
        "***" => row.is_locked = Ok(value.starts_with("Locked")),
        _ => return label == "WaiterWoken",
    }
    true
}

/// Whether a line starts a section of the old form.
pub(super) fn is_start(line: &str) -> bool {
    old_start(line.trim_start()).is_some()
}

/// Reads a section of the old form whose first line was taken.
pub(super) fn block(first: &Line<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let Some(mut row) = old_start(first.trimmed()) else { return sink.unread(first) };
    loop {
        // Published logs may have a blank line between any two lines.
        let at = usize::from(lines.peek().is_some_and(Line::is_blank));
        if !lines.peek_at(at).is_some_and(|next| old_detail(next.trimmed(), &mut row)) {
            break;
        }
        for _ in 0..=at {
            lines.next();
        }
    }
    // If no fields are printed, the state of the section is unknown.
    if row.is_locked.is_err() && (row.lock_count.is_ok() || row.owner_tid.is_ok()) {
        row.is_locked = Ok(false);
    }
    sink.row(first, row);
}

/// Takes a line of the new form, `LockCount          = 0x0`; `false` if it is not one.
fn detail(line: &str, row: &mut CriticalSection) -> bool {
    if line == "LOCKED" || line == "NOT LOCKED" {
        row.is_locked = Ok(line == "LOCKED");
        return true;
    }
    let Some((label, value)) = line.split_once('=') else { return false };
    let (at, symbol) = word(value).unwrap_or_default();
    let value = at;
    match label.trim() {
        "Critical section" => {
            row.address = found(hex(at));
            let symbol = between(symbol, "(", ")").unwrap_or_default();
            row.symbol = text(named(symbol));
        }
        "DebugInfo" => row.debug_info = found(hex(value)),
        "LockCount" => row.lock_count = found(signed(value)),
        "RecursionCount" => row.recursion_count = found(signed(value)),
        "OwningThread" => row.owner_tid = found(hex_int(value)),
        "EntryCount" => row.entry_count = found(hex_int(value)),
        "ContentionCount" => row.contention_count = found(hex_int(value)),
        "LockSemaphore" => row.lock_semaphore = found(hex(value)),
        "SpinCount" => row.spin_count = found(hex_int(value)),
        "WaiterWoken" => {}
        _ => return false,
    }
    true
}

/// Counts that start at -1 are printed as unsigned numbers.
fn signed(value: &str) -> Option<i64> {
    let n = hex(value)?;
    Some(u32::try_from(n).map_or(n.cast_signed(), |n| i64::from(n.cast_signed())))
}

/// `    5 00bb0a10 008e8824 77fbcbc0      4c8        0 …` of `!cs -t`: level, node, section, debug
/// information, five threads and two counts.
fn node(line: &str) -> Option<CriticalSection> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, node, section, debug, _, _, _, _, _, entries, waits] = *words.as_slice() else {
        return None;
    };
    address(node)?;
    Some(CriticalSection {
        address: Ok(address(section)?),
        debug_info: Ok(address(debug)?),
        entry_count: Ok(hex_int(entries)?),
        contention_count: Ok(hex_int(waits)?),
        ..CriticalSection::default()
    })
}

/// A line of a recorded stack: `0x6A2137BD: ntdll!RtlInitializeCriticalSection+0x9B`.
pub(super) fn traced(line: &str) -> Option<(u64, &str)> {
    let (at, symbol) = line.split_once(": ")?;
    let at = at.strip_prefix("0x").and_then(address)?;
    symbol.contains(['!', '+']).then(|| (at, symbol.trim()))
}

/// The critical section that is being read, in either form, and where its recorded stack is.
#[derive(Default)]
struct Open {
    section: Option<(u64, CriticalSection)>,
    frame: i64,
}

impl Open {
    fn close(&mut self, sink: &mut Sink<'_>) {
        self.frame = 0;
        if let Some((line, row)) = self.section.take()
            && row.address.is_ok()
        {
            sink.row_at(line, row);
        }
    }

    fn row(&mut self, line: &Line<'_>) -> &mut CriticalSection {
        &mut self.section.get_or_insert_with(|| (line.number, CriticalSection::default())).1
    }
}

/// Whether a line starts another section: its address, or its debug information before it.
fn starts(line: &str, open: &Open) -> bool {
    let has = |of: fn(&CriticalSection) -> bool| open.section.as_ref().is_some_and(|(_, r)| of(r));
    line.starts_with("Critical section") && has(|r| r.address.is_ok())
        || line.starts_with("DebugInfo") && has(|r| r.debug_info.is_ok())
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut open = Open::default();
    while let Some(line) = lines.next() {
        let shown = line.trimmed();
        if is_start(shown) {
            open.close(sink);
            block(&line, lines, sink);
        } else if let Some(row) = node(shown) {
            open.close(sink);
            sink.row(&line, row);
        } else if let Some((at, symbol)) = traced(shown) {
            let object = open.section.as_ref().map(|(_, row)| row.address);
            let frame = VerifierFrame {
                kind: Ok("critical section".to_owned()),
                object: object.unwrap_or(found(None)),
                frame: Ok(open.frame),
                address: Ok(at),
                symbol: text(symbol),
                ..VerifierFrame::default()
            };
            open.frame += 1;
            sink.row(&line, frame);
        } else if shown.starts_with("-----") {
            open.close(sink);
        } else {
            if starts(shown, &open) {
                open.close(sink);
            }
            let mut row = CriticalSection::default();
            if detail(shown, &mut row) {
                let _ = detail(shown, open.row(&line));
            } else if !line.is_blank() && !is_known(shown) {
                sink.unread(&line);
            }
        }
    }
    open.close(sink);
}

fn is_known(text: &str) -> bool {
    text.starts_with("Scanned ")
        || text.starts_with("Stack trace for ")
        || text.starts_with("No stack trace saved")
        || text.starts_with("Tree root ")
        || text.starts_with("Level ")
        || text == "##"
        || text.starts_with("Cannot read structure")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_every_form() {
        let mut row = old_start("CritSec +3a8c0e9c at 3A8C0E9C").unwrap();
        assert!(old_detail("OwningThread       99", &mut row));
        assert!(old_detail("*** Locked", &mut row));
        assert_eq!(
            (row.address, row.owner_tid, row.is_locked),
            (Ok(0x3a8c_0e9c), Ok(0x99), Ok(true))
        );
        assert!(row.symbol.is_err());
        let mut row = CriticalSection::default();
        assert!(detail("Critical section   = 0x77fc49e0 (ntdll!FastPebLock+0x0)", &mut row));
        assert!(detail("LockCount          = 0xFFFFFFFE", &mut row));
        assert_eq!((row.symbol.as_deref(), row.lock_count), (Ok("ntdll!FastPebLock"), Ok(-2)));
        let row = node("0 00bb08c0 77c7e020 77fbcae0      4c8      4c8        0        0      4c8        c        0").unwrap();
        assert_eq!((row.address, row.entry_count), (Ok(0x77c7_e020), Ok(12)));
        assert_eq!(traced("0x6A2137BD: ntdll!A+0x9B"), Some((0x6a21_37bd, "ntdll!A+0x9B")));
    }
}
