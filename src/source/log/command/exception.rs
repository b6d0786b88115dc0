//! `.exr`, and the event line that a debugger prints whenever a target stops.

use super::banner::fact;
use super::{Context, Fills, Reader, Signature, bugcheck};
use crate::catalog::{Absent, Cell, names};
use crate::model::{Bugcheck, DumpInfo, Exception, Instruction};
use crate::source::log::code::{ListedAt, instruction, label, shown_symbol};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{self, between, cid, found, hex, hex_int, rest_after};
use crate::source::log::sink::Sink;

/// The reader of `.exr`.
pub(super) static RECORD: Reader = Reader {
    name: ".exr",
    is_named: |name| name == ".exr",
    signatures: &[Signature {
        literal: "ExceptionAddress:",
        check: |line| line.trim_start().starts_with("ExceptionAddress:"),
    }],
    contains: &[],
    fills: &[Fills::rows::<Exception>()],
    read: read_records,
};

/// The reader of events.
pub(super) static EVENT: Reader = Reader {
    name: ".lastevent",
    is_named: |name| name == ".lastevent",
    signatures: &[
        Signature { literal: " - code ", check: |line| event(line).is_some() },
        Signature { literal: "*** Fatal System Error: 0x", check: |_| true },
    ],
    contains: &["u"],
    fills: &[
        Fills::rows::<Exception>(),
        Fills::rows::<Instruction>(),
        Fills::rows::<DumpInfo>(),
        Fills::rows::<Bugcheck>(),
    ],
    read: read_events,
};

fn read_records(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while lines.peek().is_some() {
        if let Some((at, row)) = record(lines) {
            sink.row_at(at, row);
        } else if let Some(line) = lines.next()
            && !(line.is_blank() || line.trimmed().starts_with("Cannot read Exception record"))
        {
            sink.unread(&line);
        }
    }
}

/// Whether a line belongs to an exception record.
pub(super) fn is_record(text: &str) -> bool {
    ["ExceptionAddress:", "ExceptionCode:", "ExceptionFlags:", "NumberParameters:", "Parameter["]
        .iter()
        .any(|label| text.starts_with(label))
}

/// Reads the record that starts at the next line; returns its line number and the record.
pub(super) fn record(lines: &mut Lines<'_>) -> Option<(u64, Exception)> {
    let first = lines.next_if(|line| is_record(line.trimmed()))?;
    let mut row = Exception::default();
    let mut parameters: Vec<u64> = Vec::new();
    take(first.trimmed(), &mut row, &mut parameters);
    loop {
        // A record ends with the description of its parameters; blank lines may occur anywhere in
        // it.
        let blanks = (0..3).take_while(|&n| lines.peek_at(n).is_some_and(Line::is_blank)).count();
        let goes_on = lines.peek_at(blanks).is_some_and(|line| {
            let text = line.trimmed();
            (is_record(text) && !text.starts_with("ExceptionAddress:")) || is_remark(text)
        });
        if !goes_on {
            break;
        }
        for _ in 0..blanks {
            lines.next();
        }
        let Some(line) = lines.next() else { break };
        take(line.trimmed(), &mut row, &mut parameters);
    }
    if !parameters.is_empty() {
        let all: Vec<String> = parameters.iter().map(|p| format!("{p:#x}")).collect();
        row.parameters = Ok(all.join(" "));
    }
    Some((first.number, row))
}

fn is_remark(text: &str) -> bool {
    text.starts_with("Attempt to ")
        || text.starts_with("Subcode:")
        || text.starts_with("Inpage operation failed")
        || text.starts_with("Application passed ")
}

fn take(text: &str, row: &mut Exception, parameters: &mut Vec<u64>) {
    let value = text.split_once(':').map_or("", |(_, value)| value.trim());
    let first = value.split_whitespace().next().unwrap_or_default();
    if text.starts_with("ExceptionAddress:") {
        row.address = found(hex(first));
        if let Some(symbol) = between(value, "(", ")").filter(|_| value.ends_with(')')) {
            row.symbol = shown_symbol(symbol);
        }
    } else if text.starts_with("ExceptionCode:") {
        set_code(row, first, between(value, "(", ")"));
    } else if text.starts_with("ExceptionFlags:") {
        row.flags = found(hex_int(first));
        row.is_continuable = row.flags.map(|flags| flags & 1 == 0);
    } else if text.starts_with("Parameter[") && parameters.len() < 16 {
        parameters.extend(hex(first));
    } else if let Some(description) = access(text) {
        row.description = Ok(description);
    } else if text.starts_with("Subcode:") {
        row.description = scan::text(value);
    } else if text.starts_with("Inpage operation failed") {
        row.description = scan::text(text);
    }
}

fn set_code(row: &mut Exception, code: &str, words: Option<&str>) {
    let Some(code) = hex(code).and_then(|code| u32::try_from(code).ok()) else { return };
    row.code = Ok(code.into());
    row.name = name(code, words);
    row.is_clr = Ok(matches!(code, 0xe043_4352 | 0xe043_4f4d));
}

/// The name of a code: the one that other sources use, else the debugger's text.
fn name(code: u32, words: Option<&str>) -> Cell<String> {
    match (names::exception(code), words) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, Some(words)) => scan::text(words),
        (None, None) => Err(Absent::NotApplicable),
    }
}

/// `Attempt to write to address 000012d4` as the value that other sources use.
fn access(text: &str) -> Option<String> {
    let what = text.strip_prefix("Attempt to ")?;
    let (verb, address) = what.rsplit_once(" address ")?;
    let verb = match verb {
        "read from" => "read of",
        "write to" => "write to",
        "execute non-executable" => "execution at",
        other => other,
    };
    Some(format!("{verb} 0x{}", address.trim().trim_start_matches("0x").replace('`', "")))
}

/// `(1a4.1b8): Access violation - code c0000005 (first chance)`, with or without the IDs, and
/// `Last event: 1a4.1b8: Break instruction exception - code 80000003`.
pub(super) fn event(text: &str) -> Option<Exception> {
    let text = text.trim();
    let text = rest_after(text, "Last event:").unwrap_or(text);
    let (what, code) = text.split_once(" - code ")?;
    let code = code.split_whitespace().next()?;
    let code_is_whole = code.len() == 8;
    let (ids, words) = match what.rsplit_once(": ") {
        Some((ids, words)) => (Some(cid(ids.trim().trim_matches(['(', ')']))?), words),
        None => (None, what),
    };
    let is_sentence = words.starts_with(|c: char| c.is_ascii_uppercase()) && words.len() < 80;
    if !(code_is_whole && is_sentence) {
        return None;
    }
    let mut row = Exception { tid: found(ids.map(|(_, tid)| tid)), ..Exception::default() };
    set_code(&mut row, code, Some(words));
    row.code.is_ok().then_some(row)
}

fn read_events(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut place = ListedAt::default();
    while let Some(line) = lines.next() {
        let text = line.trimmed();
        let mut info = DumpInfo::default();
        if let Some(code) = fatal(text) {
            let mut row = bugcheck::of_code(code);
            if let Some(next) = lines.next_if(|next| parameters(next.trimmed()).is_some()) {
                bugcheck::set_parameters(&mut row, &parameters(next.trimmed()).unwrap_or_default());
            }
            while lines.next_if(Line::is_blank).is_some() {}
            if let Some(next) = lines.next_if(|next| next.trimmed().starts_with(AT_FAULT)) {
                let image =
                    next.trimmed().trim_start_matches(AT_FAULT).trim().trim_end_matches('.');
                let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
                row.module = scan::text(stem);
            }
            sink.row(&line, row);
        } else if let Some(row) = event(text) {
            sink.row(&line, row);
        } else if fact(text, &mut info) {
            sink.row(&line, info);
        } else if let Some(label) = label(text) {
            place.symbol = shown_symbol(label);
        } else if let Some(row) = instruction(text, &place).filter(|row| row.bytes.is_ok()) {
            sink.row(&line, row);
        } else if !(line.is_blank() || is_known(text)) {
            sink.unread(&line);
        }
    }
}

/// The text that the kernel prints if it identifies the driver.
const AT_FAULT: &str = "Driver at fault:";

/// The code of `*** Fatal System Error: 0x000000c2`, which the kernel prints when it breaks in.
fn fatal(text: &str) -> Option<u32> {
    let code = text.strip_prefix("*** Fatal System Error: ")?.trim();
    hex(code).and_then(|code| u32::try_from(code).ok())
}

/// `(0x0000000000000007,0x00000000000011C1,0x0000000004080003,0xFFFFC00112345010)` below it.
fn parameters(text: &str) -> Option<Vec<u64>> {
    let values = text.strip_prefix('(')?.strip_suffix(')')?;
    values.split(',').map(|value| hex(value.trim())).collect()
}

/// Lines that debuggers print around an event.
fn is_known(text: &str) -> bool {
    text.starts_with('*')
        || text.starts_with("A fatal system error has occurred")
        || text.starts_with("Debugger entered on first try")
        || text.starts_with("Run !sym noisy")
        || text.starts_with("First chance exceptions are reported")
        || text.starts_with("This exception may be expected")
        || text.starts_with("debugger time:")
        || text.starts_with("Hit breakpoint")
        || text.starts_with("Breakpoint ") && text.ends_with(" hit")
        || text.starts_with("Last event:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events() {
        let of = |text| event(text).map(|e| (e.code.unwrap(), e.tid.ok(), e.name.unwrap()));
        let av = "ACCESS_VIOLATION".to_owned();
        assert_eq!(
            of("(cb4.854): Access violation - code c0000005 (first chance)"),
            Some((0xc000_0005, Some(0x854), av.clone()))
        );
        assert_eq!(
            of("Last event: Access violation - code c0000005 (!!! second chance !!!)"),
            Some((0xc000_0005, None, av))
        );
        assert_eq!(
            of("Break instruction exception - code 80000003 (first chance)").map(|e| e.1),
            Some(None)
        );
        assert_eq!(of("the error - code 12345678"), None);
        assert_eq!(
            access("Attempt to write to address 000012d4").as_deref(),
            Some("write to 0x000012d4")
        );
    }
}
