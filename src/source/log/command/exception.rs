//! `.exr`: exception records, alone or as `!analyze` prints them, and the line by which a debugger
//! reports an exception.

use super::{Context, Reader, Signature};
use crate::catalog::Absent;
use crate::model::Exception;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{between, cid, found, hex, hex_int, text};
use crate::source::log::sink::Sink;

/// The reader.
pub(super) static READER: Reader = Reader {
    name: ".exr",
    is_named: |name| matches!(name, ".exr" | ".lastevent"),
    signatures: &[Signature {
        literal: "ExceptionAddress:",
        check: |line| line.trim_start().starts_with("ExceptionAddress:"),
    }],
    contains: &[],
    tables: &["exception"],
    read,
};

/// Reads the record that starts at the next line; `None` if none does.
pub(super) fn record(lines: &mut Lines<'_>) -> Option<(u64, Exception)> {
    let first = lines.next_if(|line| line.trimmed().starts_with("ExceptionAddress:"))?;
    let mut row = Exception::default();
    let value = first.trimmed().trim_start_matches("ExceptionAddress:").trim();
    let at = value.split_whitespace().next().and_then(hex);
    row.address = found(at);
    row.symbol = between(value, "(", ")").map_or(Err(Absent::NotApplicable), text);
    let mut parameters = Vec::new();
    while let Some(line) = lines.next_if(|line| is_part(line.trimmed())) {
        let (label, value) = line.trimmed().split_once(':').unwrap_or_default();
        let word = value.split_whitespace().next().unwrap_or_default();
        match label {
            "ExceptionCode" => {
                row.code = found(hex_int(word));
                row.name = between(value, "(", ")").map_or(Err(Absent::NotApplicable), text);
            }
            "ExceptionFlags" => {
                row.flags = found(hex_int(word));
                // EXCEPTION_NONCONTINUABLE is the lowest bit.
                row.is_continuable = found(hex_int(word).map(|flags| flags & 1 == 0));
            }
            _ if label.starts_with("Parameter[") => {
                parameters.extend(hex(word).map(|value| format!("{value:#x}")));
            }
            _ => {}
        }
    }
    row.parameters = text(&parameters.join(" "));
    if let Some(line) = lines.next_if(|line| line.trimmed().starts_with("Attempt to ")) {
        row.description = text(line.trimmed());
    } else if let Some(line) = lines.next_if(|line| line.trimmed().starts_with("Subcode: ")) {
        row.description = text(line.trimmed());
    }
    Some((first.number, row))
}

fn is_part(text: &str) -> bool {
    ["ExceptionCode:", "ExceptionFlags:", "NumberParameters:", "Parameter["]
        .iter()
        .any(|label| text.starts_with(label))
}

/// `(cb4.854): Access violation - code c0000005 (first chance)`, and the form of `.lastevent`.
pub(super) fn event(line: &Line<'_>) -> Option<Exception> {
    let line = line.trimmed();
    let rest = line.strip_prefix("Last event:").unwrap_or(line).trim_start();
    let (who, what) = match rest.split_once("): ") {
        Some((who, what)) if who.starts_with('(') => (cid(who.trim_start_matches('(')), what),
        _ => match rest.split_once(": ") {
            Some((who, what)) if cid(who).is_some() => (cid(who), what),
            _ => (None, rest),
        },
    };
    if who.is_none() && !line.starts_with("Last event:") {
        return None;
    }
    let (name, code) = what.split_once(" - code ")?;
    let code = code.split_whitespace().next().and_then(hex_int)?;
    let description = if what.contains("second chance") { "second chance" } else { "first chance" };
    Some(Exception {
        code: Ok(code),
        name: text(name),
        tid: found(who.map(|(_, tid)| tid)),
        description: Ok(description.to_owned()),
        ..Exception::default()
    })
}

fn read(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    while let Some(line) = lines.peek() {
        if let Some(row) = event(line) {
            sink.row_at(line.number, row);
            lines.next();
        } else if let Some((at, row)) = record(lines) {
            sink.row_at(at, row);
        } else if let Some(line) = lines.next()
            && !line.is_blank()
            && !line.trimmed().starts_with("debugger time:")
        {
            sink.unread(&line);
        }
    }
}
