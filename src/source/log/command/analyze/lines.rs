//! The lines of `!analyze`: keys with values, arguments, the title of a bug check.

use super::super::facts;
use crate::model::AnalysisKey;
use crate::source::log::frame::is_header;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{between, hex, text as cell};
use crate::source::log::sink::Sink;

/// A longer value is a separate block.
pub(super) const MAX_VALUE: usize = 8;

/// `BugCheck 8E, {c0000005, ac08f2fa, 93df4a50, 0}`.
pub(super) fn short(text: &str) -> Option<(u32, Vec<u64>)> {
    let (code, rest) = text.strip_prefix("BugCheck ")?.split_once(',')?;
    let values = between(rest, "{", "}")?;
    let code = hex(code.trim()).and_then(|code| u32::try_from(code).ok())?;
    let values: Vec<u64> = values.split(',').map(|v| hex(v.trim())).collect::<Option<_>>()?;
    Some((code, values))
}

/// `DRIVER_IRQL_NOT_LESS_OR_EQUAL (d1)`.
pub(super) fn title(text: &str) -> Option<(&str, u32)> {
    let (name, code) = text.strip_suffix(')')?.rsplit_once(" (")?;
    let is_name = name.len() > 3
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        || name == "Unknown bugcheck code"
        // A few names contain lower case letters.
        || (name.contains('_') && !name.contains(' ') && name.starts_with(|c: char| c.is_ascii_uppercase()));
    let code = hex(code).filter(|_| is_name).and_then(|code| u32::try_from(code).ok())?;
    Some((name, code))
}

/// `Arg1: fffff803712e5000, memory referenced`.
pub(super) fn argument(text: &str) -> Option<(usize, u64, &str)> {
    let rest = text.strip_prefix("Arg")?;
    let (n, rest) = rest.split_once(':')?;
    let n = n.trim().parse().ok().filter(|n| (1..=4).contains(n))?;
    let (value, description) = rest.split_once(',').unwrap_or((rest, ""));
    Some((n, hex(value.trim())?, description.trim()))
}

/// `PROCESS_NAME:  System`: a key in capitals, and its value.
pub(super) fn key(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let is_key = key.len() > 3
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && key.starts_with(|c: char| c.is_ascii_uppercase());
    let is_remark = matches!(key, "WARNING" | "NOTE" | "ERROR");
    ((is_key && !is_remark) || key == "Followup").then(|| (key, value.trim()))
}

/// `Arg1: 0000000000000002, memory referenced`, or with newer debuggers `Key  : Analysis.CPU.mSec`
/// with its value on the next line. Returns whether the line is one of these.
pub(super) fn fact_of(line: &Line<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) -> bool {
    let text = line.trimmed();
    let Some((name, value)) =
        facts::pair(text).filter(|(name, _)| name.split_whitespace().count() < 5)
    else {
        return false;
    };
    let mut row = AnalysisKey { key: cell(name), value: cell(value), ..AnalysisKey::default() };
    if name == "Key"
        && let Some(next) = lines.next_if(|next| next.trimmed().starts_with("Value:"))
    {
        row.key = cell(value);
        row.value = cell(next.trimmed().trim_start_matches("Value:"));
    }
    sink.row(line, row);
    true
}

/// The fixed lines of the report.
pub(super) fn is_known(text: &str) -> bool {
    text.is_empty()
        || text.starts_with('*')
        || text.starts_with("---")
        || text.starts_with("Use !analyze -v")
        || text.starts_with("Arguments:")
        || text.starts_with("Debugging Details")
        || text.starts_with("KD: Scanning for held locks")
        || is_header(text)
}
