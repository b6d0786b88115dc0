//! Parses text as values, for literals, casts and parameters.

use super::{Blob, Ty, Value, blob};
use crate::time::{midnight, parse_clock, parse_interval, parse_timestamp};

impl Value<'static> {
    /// The value of `text` as type `ty`; `None` if the text is invalid for the type. Literals,
    /// casts and query parameters use the same syntax.
    pub fn parse(text: &str, ty: Ty) -> Option<Self> {
        Some(match ty {
            Ty::Bool => Value::Bool(match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "1" => true,
                "false" | "f" | "no" | "n" | "0" => false,
                _ => return None,
            }),
            Ty::Int => Value::Int(int(text)?),
            Ty::Double => Value::Double(double(text)?),
            Ty::Addr => Value::Addr(address(text)?),
            Ty::Time => Value::Time(parse_timestamp(text)?),
            Ty::Interval => Value::Interval(parse_interval(text).ok()?),
            Ty::Decimal(of) => Value::Decimal(of.parse(text)?, of),
            Ty::Date => Value::Date(midnight(parse_timestamp(text)?)),
            Ty::TimeOfDay => Value::TimeOfDay(parse_clock(text)?),
            Ty::Blob => Value::Blob(Blob::parse(text)?),
            Ty::Uuid => Value::Uuid(blob::parse_uuid(text)?.into()),
            Ty::Text => Value::text(text.to_owned()),
            Ty::List(_) | Ty::Struct(_) | Ty::Map(_) => {
                return super::parse_nested::parse(text, ty);
            }
            Ty::Null => return None,
        })
    }
}

/// A whole number in decimal or hex; a fraction or an exponent is rounded, halves away from zero.
fn int(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let value = i128::from(hex_digits(hex)?);
        return i64::try_from(if negative { -value } else { value }).ok();
    }
    if digits.contains('_') {
        let well_placed =
            !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
        let plain: String = text.chars().filter(|&c| c != '_').collect();
        return if well_placed { int(&plain) } else { None };
    }
    if let Some((whole, fraction)) = digits.split_once('.') {
        // Doubles cannot represent all 64-bit integers, so the fraction is rounded by its first
        // digit.
        let are_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty()) {
            let up = fraction.as_bytes().first().is_some_and(|&b| b >= b'5');
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            let value = whole + i128::from(up);
            return i64::try_from(if negative { -value } else { value }).ok();
        }
    }
    let has_digit = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    double(text).filter(|_| has_digit).and_then(|v| whole(v.round()))
}

fn double(text: &str) -> Option<f64> {
    let text = text.trim();
    // Besides numbers, Rust parses `inf`, `infinity` and `nan`, like DuckDB.
    text.parse().ok()
}

/// `0x…`, with or without a back-tick before the last eight digits, or decimal.
fn address(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return hex_digits(hex);
    }
    if text.contains('`') {
        return hex_digits(text);
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

fn hex_digits(text: &str) -> Option<u64> {
    let digits = match text.split_once('`') {
        Some((high, low)) if low.len() == 8 && !high.is_empty() => format!("{high}{low}"),
        Some(_) => return None,
        None => text.to_owned(),
    };
    let are_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if are_hex { u64::from_str_radix(&digits, 16).ok() } else { None }
}

/// A double without a fraction as an integer, if it is in range.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked and the number whole")]
fn whole(v: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&v).then_some(v as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_numbers_as_in_duckdb() {
        for (text, expected) in [
            ("12", Some(12)),
            (" 12 ", Some(12)),
            ("+5", Some(5)),
            ("12.5", Some(13)),
            ("-12.5", Some(-13)),
            ("1e3", Some(1000)),
            ("0x1f", Some(31)),
            ("1_000", Some(1000)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("", None),
            ("12abc", None),
            ("nan", None),
            (".", None),
        ] {
            assert_eq!(int(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_read_as_debuggers_print_them() {
        for (text, expected) in [
            ("0x80478b00", Some(0x8047_8b00)),
            ("fffff801`a972c530", Some(0xffff_f801_a972_c530)),
            ("0xfffff801`a972c530", Some(0xffff_f801_a972_c530)),
            ("4096", Some(4096)),
            ("ffff", None),
            ("0x", None),
            ("1`2", None),
            ("0x10000000000000000", None),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
    }
}
