//! Rounding.

use super::super::def::{Args as _, Fault};
use super::integer;
use crate::catalog::Value;

pub(super) fn round(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    let digits = if a.any(1).is_null() { 0 } else { a.int(1)? };
    let digits = i32::try_from(digits.clamp(-400, 400)).unwrap_or_default();
    match a.any(0) {
        Value::Int(v) => round_integer(*v, digits),
        _ => Ok(Value::Double(round_double(a.double(0)?, digits, false))),
    }
}

fn round_integer(value: i64, digits: i32) -> Result<Value<'static>, Fault> {
    if digits >= 0 {
        return Ok(Value::Int(value));
    }
    let Some(unit) = 10i128.checked_pow(digits.unsigned_abs()) else { return Ok(Value::Int(0)) };
    let value = i128::from(value);
    let half = if value < 0 { -(unit / 2) } else { unit / 2 };
    integer("round", value.checked_add(half).map(|v| v / unit * unit))
}

pub(super) fn round_double(value: f64, digits: i32, to_even: bool) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    // The shortest decimal representation is rounded, so that 1.005 is rounded up as a half
    // although the nearest double is smaller.
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value.abs());
    rounded(text, digits, to_even).map_or(value, |v| v.copysign(value))
}

/// Rounds a decimal number with an optional point and exponent; halves go up, or to the even digit.
/// `None` if it has no more digits than `places`.
fn rounded(text: &str, places: i32, to_even: bool) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().ok()?;
    // The value is `digits * 10^power`.
    let digits: u64 = format!("{whole}{fraction}").parse().ok()?;
    let power = exponent - i32::try_from(fraction.len()).ok()?;
    let drop = u32::try_from(-places - power).ok().filter(|&drop| drop > 0)?;
    let kept = match 10u64.checked_pow(drop) {
        Some(unit) => {
            let (kept, rest, half) = (digits / unit, digits % unit, unit / 2);
            let up = rest > half || (rest == half && !(to_even && kept.is_multiple_of(2)));
            kept + u64::from(up)
        }
        None => 0,
    };
    format!("{kept}e{}", -places).parse().ok()
}
