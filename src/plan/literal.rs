//! Text of literals and parameters as values of a type.

use crate::catalog::{Ty, Value, parse_interval, parse_timestamp};

/// The value that `text` stands for; `None` if it is no text of the type.
pub(super) fn parse_text(text: &str, ty: Ty) -> Option<Value<'static>> {
    let trimmed = text.trim();
    match ty {
        Ty::Null => None,
        Ty::Text => Some(Value::text(text.to_owned())),
        Ty::Bool => parse_bool(trimmed).map(Value::Bool),
        Ty::Int => trimmed.parse().ok().map(Value::Int),
        Ty::Double => parse_double(trimmed).map(Value::Double),
        Ty::Addr => parse_address(trimmed).map(Value::Addr),
        Ty::Time => parse_timestamp(trimmed).map(Value::Time),
        Ty::Interval => parse_interval(trimmed).map(Value::Interval),
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "1" => Some(true),
        "false" | "f" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn parse_double(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    // "1e999" parses as infinity; only the word itself may mean that.
    let named = text.trim_start_matches(['+', '-']).starts_with(['i', 'I', 'n', 'N']);
    (value.is_finite() || named).then_some(value)
}

/// `0x80478b00`, fffff801`a972c530, or decimal digits.
fn parse_address(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if hex.is_none() && !text.contains('`') {
        return if text.starts_with('+') { None } else { text.parse().ok() };
    }
    let digits: String = hex.unwrap_or(text).chars().filter(|c| *c != '`').collect();
    if digits.starts_with('+') { None } else { u64::from_str_radix(&digits, 16).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_type() {
        for (text, ty, value) in [
            ("0x80478b00", Ty::Addr, Value::Addr(0x8047_8b00)),
            ("fffff801`a972c530", Ty::Addr, Value::Addr(0xffff_f801_a972_c530)),
            ("4096", Ty::Addr, Value::Addr(4096)),
            (" -5 ", Ty::Int, Value::Int(-5)),
            ("1e3", Ty::Double, Value::Double(1000.0)),
            ("TRUE", Ty::Bool, Value::Bool(true)),
            ("1970-01-02", Ty::Time, Value::Time(86_400_000_000)),
            ("1 min", Ty::Interval, Value::Interval(60_000_000)),
        ] {
            assert_eq!(parse_text(text, ty), Some(value), "{text}");
        }
        for (text, ty) in [
            ("", Ty::Int),
            ("+", Ty::Addr),
            ("0x+1", Ty::Addr),
            ("0x", Ty::Addr),
            ("12x", Ty::Int),
            ("1e999", Ty::Double),
            ("maybe", Ty::Bool),
            ("yesterday", Ty::Time),
        ] {
            assert_eq!(parse_text(text, ty), None, "{text}");
        }
    }
}
