//! `db`, `dc`, `dw`, `da`, `du` and their like: bytes and characters of memory.

use std::fmt::Write as _;

use super::{Context, Fills, Reader};
use crate::model::MemoryBytes;
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{address, found, word};
use crate::source::log::sink::Sink;

pub(super) static READER: Reader = Reader {
    name: "db",
    is_named: |name| matches!(name, "db" | "dc" | "dw" | "da" | "du" | "ds"),
    signatures: &[],
    contains: &[],
    fills: &[Fills::rows::<MemoryBytes>()],
    read,
};

/// ``fffff801`a972c530  4d 5a 90 00-03 00 00 00  MZ......``: units of one size, and their
/// characters.
fn units(line: &str, size: usize, most: usize) -> Option<MemoryBytes> {
    let (first, rest) = word(line)?;
    let start = address(first)?;
    let (mut bytes, mut rest, mut count) = (String::new(), rest, 0);
    while count < most {
        // A hyphen separates the eighth and the ninth byte.
        let end = rest.find([' ', '\t', '-']).unwrap_or(rest.len());
        let (unit, more) = rest.split_at_checked(end)?;
        if unit.len() != size * 2 || !unit.bytes().all(|b| b.is_ascii_hexdigit()) {
            break;
        }
        let value = u64::from_str_radix(unit, 16).ok()?;
        for byte in value.to_le_bytes().iter().take(size) {
            let _ = write!(bytes, "{byte:02x}");
        }
        count += 1;
        let at_gap = more.starts_with("  ") || more.starts_with('\t');
        // Two spaces precede the characters, the first of which may be a space too.
        if at_gap {
            rest = more.strip_prefix("  ").unwrap_or(more.trim_start());
            break;
        }
        rest = more.trim_start_matches(['-', ' ', '\t']);
    }
    (count > 0).then(|| MemoryBytes {
        address: Ok(start),
        size_bytes: found(i64::try_from(count * size).ok()),
        hex: Ok(bytes),
        text: found(Some(rest).filter(|rest| !rest.is_empty()).map(str::to_owned)),
        ..MemoryBytes::default()
    })
}

/// `00a3f708  "C:\Windows"`: characters, of which a line holds up to 32 or so.
fn characters(line: &str, width: usize) -> Option<MemoryBytes> {
    let (first, rest) = word(line)?;
    let start = address(first)?;
    let inside = rest.trim_end().strip_prefix('"')?.strip_suffix('"')?;
    Some(MemoryBytes {
        address: Ok(start),
        size_bytes: found(i64::try_from(inside.chars().count() * width).ok()),
        text: found(Some(inside.to_owned())),
        ..MemoryBytes::default()
    })
}

fn row(name: &str, line: &Line<'_>) -> Option<MemoryBytes> {
    let shown = line.trimmed();
    match name {
        "db" => units(shown, 1, 16),
        "dw" => units(shown, 2, 8),
        "dc" => units(shown, 4, 4),
        "du" => characters(shown, 2),
        _ => characters(shown, 1),
    }
}

fn read(cx: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let typed = cx.command.split_whitespace().next().unwrap_or_default();
    // `dW` prints characters next to its words, like `dc`.
    let name = typed.to_ascii_lowercase();
    for line in lines {
        match row(&name, &line) {
            Some(row) => sink.row(&line, row),
            None if is_unreadable(line.trimmed()) || line.is_blank() => {}
            None => sink.unread(&line),
        }
    }
}

/// ``fffff801`a972c530  ?? ?? ??``: not in the dump.
fn is_unreadable(line: &str) -> bool {
    let rest = word(line).filter(|(first, _)| address(first).is_some()).map(|(_, rest)| rest);
    rest.is_some_and(|rest| {
        rest.contains('?') && rest.chars().all(|c| matches!(c, '?' | ' ' | '-' | '`'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_form() {
        let row = units(
            "fffff801`a972c530  4d 5a 90 00 03 00 00 00-04 00 00 00 ff ff 00 00  MZ..............",
            1,
            16,
        )
        .unwrap();
        assert_eq!(
            (row.size_bytes, row.hex.as_deref()),
            (Ok(16), Ok("4d5a90000300000004000000ffff0000"))
        );
        assert_eq!(row.text.as_deref(), Ok("MZ.............."));
        let row =
            units("00a3f708  43002a00 44004b00 33322e00 00000000  .*.C.K.D..23....", 4, 4).unwrap();
        assert_eq!(row.hex.as_deref(), Ok("002a0043004b0044002e323300000000"));
        let row = units("00a3f708  41 42 43-44  ABCD", 1, 16).unwrap();
        assert_eq!((row.size_bytes, row.text.as_deref()), (Ok(4), Ok("ABCD")));
        let row = characters("00a3f708  \"C:\\Windows\"", 2).unwrap();
        assert_eq!((row.size_bytes, row.text.as_deref()), (Ok(20), Ok("C:\\Windows")));
        assert!(units("prose 41 42", 1, 16).is_none());
    }
}
