//! Conversions. A value that cannot be converted is an error, or NULL if the cast is lenient.

use super::{Eval, Vector};
use crate::catalog::{Format, PointerWidth, Ty, Value, parse_interval, parse_timestamp};
use crate::diag::{Code, Diagnostic, Span};
use crate::exec::col::Col;
use crate::plan::Expr;

/// The first double beyond the integers.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

impl Eval<'_> {
    pub(super) fn cast(
        &self,
        operand: &Expr,
        to: Ty,
        lenient: bool,
        span: Span,
    ) -> Result<Vector, Diagnostic> {
        let vector = self.eval(operand)?;
        if vector.is_all_null() || operand.ty == to {
            return Ok(vector);
        }
        if let Some(quick) = quick(&vector, operand.ty, to) {
            return Ok(quick);
        }
        let width = self.engine.cx.functions.width;
        let convert = |value: &Value<'_>| match convert(value, to, width) {
            Some(value) => Ok(value),
            None if lenient => Ok(Value::Null),
            None => Err(failure(value, to, span, width)),
        };
        Ok(match &vector {
            Vector::Const(value) => Vector::Const(convert(value)?),
            Vector::Col(col) => {
                let values = (0..col.len()).map(|row| convert(&col.get(row, operand.ty)));
                Vector::Col(Col::from_values(&values.collect::<Result<Vec<_>, _>>()?, to))
            }
        })
    }
}

/// Conversions that cannot fail, whole columns at once.
fn quick(vector: &Vector, from: Ty, to: Ty) -> Option<Vector> {
    let Vector::Col(col) = vector else { return None };
    Some(Vector::Col(match (col, from, to) {
        (Col::Int(a), Ty::Int, Ty::Double) => {
            #[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
            let values = a.values().iter().map(|&v| v as f64).collect();
            Col::double(values, a.validity().cloned())
        }
        (Col::Addr(a), Ty::Addr, Ty::Double) => {
            #[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
            let values = a.values().iter().map(|&v| v as f64).collect();
            Col::double(values, a.validity().cloned())
        }
        _ => return None,
    }))
}

fn failure(value: &Value<'_>, to: Ty, span: Span, width: PointerWidth) -> Diagnostic {
    let shown = Format::Plain.render(value, width);
    let error = if matches!(value, Value::Text(_)) {
        let short: String = shown.chars().take(60).collect();
        let mark = if short.len() < shown.len() { "…" } else { "" };
        Diagnostic::at(Code::Conversion, span, format!("`{short}{mark}` is not of type {to}"))
    } else {
        Diagnostic::at(Code::Conversion, span, format!("{shown} is outside the range of {to}"))
    };
    error.help("TRY_CAST gives NULL for a value that cannot be converted")
}

/// The value as the other type; `None` if it has no equivalent there.
#[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
fn convert(value: &Value<'_>, to: Ty, width: PointerWidth) -> Option<Value<'static>> {
    Some(match (value, to) {
        (Value::Null, _) | (_, Ty::Null) => Value::Null,
        (_, Ty::Text) => Value::text(Format::Plain.render(value, width)),
        (Value::Text(text), _) => from_text(text, to)?,
        (Value::Bool(v), Ty::Int) => Value::Int(i64::from(*v)),
        (Value::Bool(v), Ty::Double) => Value::Double(f64::from(u8::from(*v))),
        (Value::Bool(v), Ty::Addr) => Value::Addr(u64::from(*v)),
        (Value::Int(v), Ty::Bool) => Value::Bool(*v != 0),
        (Value::Int(v), Ty::Double) => Value::Double(*v as f64),
        (Value::Int(v), Ty::Addr) => Value::Addr(u64::try_from(*v).ok()?),
        (Value::Double(v), Ty::Bool) => Value::Bool(*v != 0.0),
        (Value::Double(v), Ty::Int) => Value::Int(double_to_int(v.round_ties_even())?),
        (Value::Double(v), Ty::Addr) => Value::Addr(double_to_addr(v.round_ties_even())?),
        (Value::Addr(v), Ty::Bool) => Value::Bool(*v != 0),
        (Value::Addr(v), Ty::Int) => Value::Int(i64::try_from(*v).ok()?),
        (Value::Addr(v), Ty::Double) => Value::Double(*v as f64),
        (same, _) if same.ty() == to => same.clone().into_owned(),
        _ => return None,
    })
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked and the number whole")]
fn double_to_int(v: f64) -> Option<i64> {
    (-TWO_63..TWO_63).contains(&v).then_some(v as i64)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked and the number whole"
)]
fn double_to_addr(v: f64) -> Option<u64> {
    (0.0..TWO_64).contains(&v).then_some(v as u64)
}

fn from_text(text: &str, to: Ty) -> Option<Value<'static>> {
    Some(match to {
        Ty::Bool => Value::Bool(match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => true,
            "false" | "f" | "no" | "n" | "0" => false,
            _ => return None,
        }),
        Ty::Int => Value::Int(int(text)?),
        Ty::Double => Value::Double(double(text)?),
        Ty::Addr => Value::Addr(address(text)?),
        Ty::Time => Value::Time(parse_timestamp(text)?),
        Ty::Interval => Value::Interval(parse_interval(text)?),
        Ty::Text | Ty::Null => return None,
    })
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
        // Doubles cannot hold every whole number, so the fraction is rounded by its first digit.
        let are_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if are_digits(whole) && are_digits(fraction) && !(whole.is_empty() && fraction.is_empty()) {
            let up = fraction.as_bytes().first().is_some_and(|&b| b >= b'5');
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            let value = whole + i128::from(up);
            return i64::try_from(if negative { -value } else { value }).ok();
        }
    }
    let has_digit = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    double(text).filter(|_| has_digit).and_then(|v| double_to_int(v.round()))
}

fn double(text: &str) -> Option<f64> {
    let text = text.trim();
    // What Rust reads beside numbers is `inf`, `infinity` and `nan`, as DuckDB does.
    text.parse().ok()
}

/// `0x…`, with a back-tick before the last eight digits or without, and decimal.
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

    #[test]
    fn doubles_round_to_even() {
        let width = PointerWidth::Bits64;
        for (from, to) in
            [(2.5, Some(2)), (3.5, Some(4)), (-2.5, Some(-2)), (9.3e18, None), (f64::NAN, None)]
        {
            assert_eq!(convert(&Value::Double(from), Ty::Int, width), to.map(Value::Int), "{from}");
        }
    }
}
