//! Critical sections of a process: `!locks` and `!cs`.

use super::{Context, Reader, Signature};
use crate::catalog::Absent;
use crate::model::CriticalSection;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, after, between, found, hex, hex_int, number, text, word};
use crate::source::log::sink::Sink;

/// The reader of `!cs`; `!locks` is that of the kernel's resources too.
pub(super) static READER: Reader = Reader {
    name: "!cs",
    is_named: |name| matches!(name, "!cs" | "!critsec"),
    signatures: &[
        Signature { literal: "Critical section   =", check: |_| true },
        Signature {
            literal: "DebugInfo ",
            check: |line| line.trim_start().starts_with("DebugInfo ") && line.contains('='),
        },
    ],
    contains: &[],
    tables: &["critical_sections"],
    read,
};

/// `CritSec Wait2!critSection+0 at 00007ff605dd5af8`.
pub(super) fn is_start(line: &str) -> bool {
    line.trim_start().starts_with("CritSec ") && line.contains(" at ")
}

/// Reads a section as `!locks` prints it, of which the first line was taken.
pub(super) fn block(_: &Context<'_>, first: &Line<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row = CriticalSection::default();
    let head = first.trimmed().trim_start_matches("CritSec ");
    if let Some((symbol, at)) = head.rsplit_once(" at ") {
        row.symbol = text(symbol.trim_end_matches("+0"));
        row.address = found(word(at).and_then(|(at, _)| hex(at)));
    }
    while let Some(line) = lines.next_if(|line| is_detail(line.trimmed())) {
        let line = line.trimmed();
        let Some((label, rest)) = word(line) else { continue };
        let value = word(rest).map_or("", |(value, _)| value);
        match label {
            "LockCount" => row.lock_count = found(number(value)),
            "RecursionCount" => row.recursion_count = found(number(value)),
            "OwningThread" => row.owner_tid = found(hex_int(value)),
            "EntryCount" => row.entry_count = found(hex_int(value)),
            "ContentionCount" => row.contention_count = found(hex_int(value)),
            _ if line.starts_with("*** Locked") => row.is_locked = Ok(true),
            _ => {}
        }
    }
    sink.row(first, row);
}

fn is_detail(line: &str) -> bool {
    const LABELS: [&str; 7] = [
        "WaiterWoken",
        "LockCount",
        "RecursionCount",
        "OwningThread",
        "EntryCount",
        "ContentionCount",
        "*** Locked",
    ];
    LABELS.iter().any(|label| line.starts_with(label))
}

/// `LockCount          = 0x0`; returns whether the line was of a section.
fn detail(line: &str, row: &mut CriticalSection) -> bool {
    let trimmed = line.trim();
    if trimmed == "NOT LOCKED" || trimmed == "LOCKED" {
        row.is_locked = Ok(trimmed == "LOCKED");
        return true;
    }
    let Some((label, value)) = trimmed.split_once('=') else { return false };
    let value = value.trim();
    let first = word(value).map_or("", |(first, _)| first);
    match label.trim() {
        "LockCount" => row.lock_count = found(number(first)),
        "RecursionCount" => row.recursion_count = found(number(first)),
        "OwningThread" => {
            // Newer debuggers print the address of the thread's block beside its id.
            row.owner_tid = found(hex_int(first));
        }
        "LockSemaphore" => row.lock_semaphore = found(hex(first)),
        "SpinCount" => row.spin_count = found(hex(first).and_then(|n| i64::try_from(n).ok())),
        "EntryCount" => row.entry_count = found(number(first)),
        "ContentionCount" => row.contention_count = found(number(first)),
        "WaiterWoken" => {}
        _ => return false,
    }
    true
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut current: Option<(u64, CriticalSection)> = None;
    let mut debug_info = None;
    while let Some(line) = lines.next() {
        let trimmed = line.trimmed();
        if is_start(trimmed) {
            block(cx, &line, lines, sink);
        } else if let Some(rest) =
            trimmed.strip_prefix("Critical section").and_then(|r| r.trim_start().strip_prefix('='))
        {
            emit(current.take(), sink);
            let at = word(rest).map_or("", |(at, _)| at);
            let mut row = CriticalSection { address: found(hex(at)), ..CriticalSection::default() };
            row.symbol = between(rest, "(", ")")
                .map_or(Err(Absent::NotApplicable), |s| text(s.trim_end_matches("+0x0")));
            row.debug_info = found(debug_info.take());
            current = Some((line.number, row));
        } else if let Some(row) = tree_row(trimmed) {
            sink.row(&line, row);
        } else if trimmed.starts_with("DebugInfo") {
            debug_info = after(trimmed, "=").and_then(hex);
        } else if !current.as_mut().is_some_and(|(_, row)| detail(trimmed, row)) && !is_known(&line)
        {
            sink.unread(&line);
        }
    }
    emit(current, sink);
}

fn emit(row: Option<(u64, CriticalSection)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

/// A row of the tree that `!cs -t` prints: level, node, section, debug information, the threads that
/// initialised, entered, waited, tried and left, and the counts of entries and waits.
fn tree_row(line: &str) -> Option<CriticalSection> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [level, _, section, debug, _, _, _, _, _, entries, waits] = words.as_slice() else {
        return None;
    };
    level.parse::<u32>().ok()?;
    Some(CriticalSection {
        address: Ok(address(section)?),
        debug_info: Ok(address(debug)?),
        entry_count: found(hex_int(entries)),
        contention_count: found(hex_int(waits)),
        ..CriticalSection::default()
    })
}

fn is_known(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    let is_stack = text.split(": ").next().and_then(hex).is_some() && text.starts_with("0x");
    if is_stack
        || text == "##"
        || text.starts_with("No stack trace saved")
        || text.starts_with("Tree root")
        || text.starts_with("Level ")
    {
        return true;
    }
    line.is_blank()
        || text.starts_with("-----")
        || text.starts_with("Scanned ")
        || text.starts_with("Stack trace for")
        || text.starts_with("ntdll!RtlpStackTraceDataBase")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_of_cs() {
        let mut row = CriticalSection::default();
        assert!(detail("LockCount          = 0x0", &mut row));
        assert!(detail("OwningThread       = 0x00001b04", &mut row));
        assert!(detail("SpinCount          = 0x00000fa0", &mut row));
        assert!(detail("LOCKED", &mut row));
        assert_eq!(
            (row.lock_count, row.owner_tid, row.spin_count, row.is_locked),
            (Ok(0), Ok(0x1b04), Ok(0xfa0), Ok(true))
        );
        assert!(!detail("prose = 1", &mut row));
        assert!(is_start("CritSec Wait2!critSection+0 at 00007ff605dd5af8"));
    }
}
