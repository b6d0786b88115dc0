//! Parts of a line: numbers in the debugger's formats, words, and values after labels.

use crate::catalog::{Absent, Cell};

/// A hexadecimal number, with or without `0x` and the backtick of 64-bit numbers.
pub(super) fn hex(text: &str) -> Option<u64> {
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if text.is_empty() || text.len() > 17 {
        return None;
    }
    let mut value = 0u64;
    let mut digits = 0;
    for &byte in text.as_bytes() {
        let digit = DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
        if digit < 16 {
            value = value << 4 | u64::from(digit);
            digits += 1;
        } else if byte != b'`' || digits == 0 {
            return None;
        }
    }
    (digits <= 16).then_some(value)
}

const NO_DIGIT: u8 = 0xff;

/// The value of each byte as a hexadecimal digit; stacks consist mostly of them.
static DIGITS: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0u8;
    while digit < 16 {
        table[b"0123456789abcdef"[digit as usize] as usize] = digit;
        table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    table
};

/// A hexadecimal number of the full width of an address: eight digits, sixteen, or sixteen with a
/// backtick. Only some commands, which have their own readers, print fewer digits.
pub(super) fn address(text: &str) -> Option<u64> {
    let bare = match text.as_bytes() {
        [b'0', b'x', bare @ ..] | bare => bare,
    };
    let (high, rest) = bare.split_first_chunk::<8>()?;
    let low = match (bare.len(), rest) {
        (8, _) => return eight(*high),
        (16, low) | (17, [b'`', low @ ..]) => low.first_chunk::<8>()?,
        _ => return None,
    };
    Some(eight(*high)? << 32 | eight(*low)?)
}

/// Converts eight digits at once, for speed.
fn eight(digits: [u8; 8]) -> Option<u64> {
    let (mut value, mut all) = (0u64, 0u8);
    for byte in digits {
        let digit = DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
        all |= digit;
        value = value << 4 | u64::from(digit & 15);
    }
    (all < 16).then_some(value)
}

/// A decimal number, with or without thousands separators or the debugger's `0n`.
pub(super) fn dec(text: &str) -> Option<i64> {
    let text = text.strip_prefix("0n").unwrap_or(text);
    if text.contains(',') {
        return text.replace(',', "").parse().ok();
    }
    text.parse().ok()
}

/// A hexadecimal number for a signed column.
pub(super) fn hex_int(text: &str) -> Option<i64> {
    i64::try_from(hex(text)?).ok()
}

/// A number after `0x`, or else a decimal one.
pub(super) fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => hex_int(digits),
        None => dec(text),
    }
}

/// A pair `pid.tid` in hex, as in `Cid 0ebc.0dec`.
pub(super) fn cid(text: &str) -> Option<(i64, i64)> {
    let (pid, tid) = text.split_once('.')?;
    Some((hex_int(pid)?, hex_int(tid)?))
}

/// The word after a label: `after("Cid 4.8  Teb: 0", "Cid ")` is `4.8`.
pub(super) fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let at = text.find(label)?;
    text.get(at + label.len()..)?.split_whitespace().next()
}

/// The rest of the line after a label, without surrounding spaces.
pub(super) fn rest_after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let at = text.find(label)?;
    Some(text.get(at + label.len()..)?.trim())
}

/// The word and what follows it.
pub(super) fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let end = text.bytes().position(|b| b.is_ascii_whitespace()).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    (!word.is_empty()).then(|| (word, rest.trim_ascii_start()))
}

/// The text between two marks.
pub(super) fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)? + open.len();
    let rest = text.get(start..)?;
    rest.get(..rest.find(close)?)
}

/// A pointer column: a null pointer has no value.
pub(super) fn pointer(value: u64) -> Cell<u64> {
    if value == 0 { Err(Absent::NotApplicable) } else { Ok(value) }
}

/// A cell from an optional value.
pub(super) fn found<T>(value: Option<T>) -> Cell<T> {
    value.ok_or(Absent::NotApplicable)
}

/// A text column: an empty text has no value.
pub(super) fn text(value: &str) -> Cell<String> {
    let value = value.trim();
    if value.is_empty() { Err(Absent::NotApplicable) } else { Ok(value.to_owned()) }
}

/// A duration in milliseconds: `0:00:04:28.031`, `00:03:23.328`, `0:00:00.0093`, with days before
/// the hours or as `0 days 0:00:07.000`.
pub(super) fn duration_ms(text: &str) -> Option<i64> {
    let text = text.trim().trim_matches(['(', ')']);
    let (days, clock) = match text.split_once(" day") {
        Some((days, rest)) => {
            (days.trim().parse::<i64>().ok()?, rest.trim_start_matches('s').trim())
        }
        None => (0, text),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<i64> = clock.split(':').map(|p| p.trim().parse().ok()).collect::<Option<_>>()?;
    let (more_days, hours, minutes, seconds) = match *parts.as_slice() {
        [d, h, m, s] => (d, h, m, s),
        [h, m, s] => (0, h, m, s),
        _ => return None,
    };
    // Before Windows XP, four digits are whole milliseconds: `16.0312` is 16 s 312 ms.
    let fraction = match fraction.strip_prefix('0') {
        Some(ms) if fraction.len() == 4 => ms.to_owned(),
        _ => fraction.chars().chain("000".chars()).take(3).collect(),
    };
    let total = days
        .checked_add(more_days)?
        .checked_mul(24)?
        .checked_add(hours)?
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?
        .checked_add(seconds)?
        .checked_mul(1000)?;
    total.checked_add(fraction.parse().ok()?)
}

/// The module of a symbol: `nt` of `nt!KiIdleLoop+0xa`, `AFD` of `AFD+0x12`.
pub(super) fn module_of(symbol: &str) -> Option<&str> {
    let end = symbol.find(['!', '+']).unwrap_or(symbol.len());
    let name = symbol.get(..end)?.trim();
    let is_number = name.starts_with("0x") || name.is_empty() || address(name).is_some();
    (!is_number).then_some(name)
}

/// The offset at the end of a symbol's text.
pub(super) fn offset_of(symbol: &str) -> Option<i64> {
    let (name, offset) = symbol.rsplit_once("+0x")?;
    (!name.is_empty()).then(|| hex_int(offset)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(hex("fffff801`a972c530"), Some(0xffff_f801_a972_c530));
        assert_eq!(hex("0x1F"), Some(0x1f));
        assert_eq!(
            (hex(""), hex("xyz"), hex("`1"), hex("11111111111111111")),
            (None, None, None, None)
        );
        assert_eq!(address("8713a5a0"), Some(0x8713_a5a0));
        assert_eq!((address("12"), address("nt")), (None, None));
        assert_eq!(
            (dec("9149810"), dec("1,024"), dec("0n30")),
            (Some(9_149_810), Some(1024), Some(30))
        );
        assert_eq!(cid("0ebc.0dec"), Some((0xebc, 0xdec)));
    }

    #[test]
    fn durations() {
        assert_eq!(duration_ms("00:03:23.328"), Some(203_328));
        assert_eq!(duration_ms("(0:00:04:28.031)"), Some(268_031));
        assert_eq!(duration_ms("0 days 0:00:07.000"), Some(7000));
        assert_eq!(duration_ms("0:00:00.0093"), Some(93));
        assert_eq!(duration_ms("2 Days 1:00:00.000"), None);
        assert_eq!(duration_ms("x"), None);
    }

    #[test]
    fn symbols() {
        assert_eq!(module_of("nt!KiIdleLoop+0xa"), Some("nt"));
        assert_eq!(module_of("SystemDump+0x743"), Some("SystemDump"));
        assert_eq!((module_of("0x48004a"), module_of("+0xfe0343a5")), (None, None));
        assert_eq!((offset_of("nt!A+0xa"), offset_of("nt!A")), (Some(10), None));
        assert_eq!(between("File: \\a (b)", "(", ")"), Some("b"));
    }
}
