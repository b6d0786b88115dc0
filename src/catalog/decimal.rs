//! Exact numbers with a fixed number of digits behind the point.
//!
//! A value is kept as a whole number of its last digit: 1.50 of type `DECIMAL(5, 2)` is 150.

use std::fmt::Write as _;

use super::{Ty, Value};

/// The type of exact numbers. There is one for each width and scale, see [`Ty::decimal`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DecimalTy {
    pub(super) width: u8,
    pub(super) scale: u8,
    pub(super) name: &'static str,
}

impl DecimalTy {
    /// The maximum number of digits.
    pub const MAX_WIDTH: u8 = 18;

    /// The maximum number of digits of a value.
    pub const fn width(&self) -> u8 {
        self.width
    }

    /// The number of digits behind the point.
    pub const fn scale(&self) -> u8 {
        self.scale
    }

    /// The number, if it has no more digits than the type; the widest type takes every one.
    fn checked(&self, digits: i128) -> Option<i64> {
        let digits = i64::try_from(digits).ok()?;
        let fits =
            self.width >= Self::MAX_WIDTH || digits.unsigned_abs() < 10u64.pow(self.width.into());
        fits.then_some(digits)
    }

    /// A number with another number of digits behind the point, rounded half away from zero.
    fn scaled(&self, digits: i64, scale: u8) -> Option<i64> {
        let digits = i128::from(digits);
        if scale <= self.scale {
            return self.checked(digits * power(self.scale - scale));
        }
        self.checked(rounded(digits, scale - self.scale))
    }

    /// The value as this type, rounded half away from zero; `None` if it is out of range or of a type
    /// that is not converted.
    pub(crate) fn convert(&'static self, value: &Value<'_>) -> Option<Value<'static>> {
        let digits = match value {
            Value::Null => return Some(Value::Null),
            Value::Decimal(digits, of) => self.scaled(*digits, of.scale)?,
            Value::Int(v) => self.scaled(*v, 0)?,
            Value::Bool(v) => self.scaled(i64::from(*v), 0)?,
            Value::Addr(v) => self.scaled(i64::try_from(*v).ok()?, 0)?,
            Value::Double(v) => self.of_double(*v)?,
            Value::Text(text) => self.parse(text)?,
            _ => return None,
        };
        Some(Value::Decimal(digits, self))
    }

    #[allow(clippy::cast_possible_truncation, reason = "the range is checked and the number whole")]
    fn of_double(&self, v: f64) -> Option<i64> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let digits = (v * 10f64.powi(self.scale.into())).round();
        (-LIMIT..LIMIT)
            .contains(&digits)
            .then_some(digits as i64)
            .and_then(|v| self.checked(v.into()))
    }

    /// The number that text such as `-12.5` or `1.2e3` stands for.
    pub(super) fn parse(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        let (negative, number) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
            None => (number, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (digits_of(whole)?, digits_of(fraction)?);
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        // The digits before the last one that is kept, and the one behind it.
        let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
        let kept = point + i64::from(self.scale);
        let all = whole + &fraction;
        let digit = |at: i64| {
            let digit = usize::try_from(at).ok().and_then(|at| all.as_bytes().get(at));
            digit.map_or(0, |digit| i128::from(digit - b'0'))
        };
        let first = all.bytes().position(|digit| digit != b'0').unwrap_or(all.len());
        let first = i64::try_from(first).ok()?;
        if kept - first > 20 && first < i64::try_from(all.len()).ok()? {
            return None;
        }
        let number = (first..kept)
            .try_fold(0i128, |number, at| number.checked_mul(10)?.checked_add(digit(at)))?;
        let number = number + i128::from(kept >= 0 && digit(kept) >= 5);
        self.checked(if negative { -number } else { number })
    }

    /// Appends the text of a number.
    pub(super) fn append(&self, into: &mut String, digits: i64) {
        let scale = usize::from(self.scale);
        let text = format!("{:0>1$}", digits.unsigned_abs(), scale + 1);
        let (whole, fraction) = text.split_at(text.len() - scale);
        // Writing into a `String` cannot fail.
        let _ = write!(into, "{}{whole}", if digits < 0 { "-" } else { "" });
        if scale > 0 {
            let _ = write!(into, ".{fraction}");
        }
    }

    /// The number as floating point.
    #[allow(clippy::cast_precision_loss, reason = "what a cast to DOUBLE means")]
    pub(crate) fn double(&self, digits: i64) -> f64 {
        digits as f64 / 10f64.powi(self.scale.into())
    }

    /// The number rounded to a whole one, half away from zero.
    pub(crate) fn whole(&self, digits: i64) -> i64 {
        // It is no larger than `digits`.
        i64::try_from(rounded(digits.into(), self.scale)).unwrap_or(digits)
    }
}

/// The digits of a text, which may have `_` between them.
fn digits_of(text: &str) -> Option<String> {
    let well_placed = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    (well_placed && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(digits)
}

/// A number without its last digits, rounded half away from zero.
fn rounded(digits: i128, dropped: u8) -> i128 {
    let unit = power(dropped);
    let half = if digits < 0 { -unit / 2 } else { unit / 2 };
    (digits + half) / unit
}

fn power(exponent: u8) -> i128 {
    10i128.pow(exponent.into())
}

impl Value<'static> {
    /// A floating-point number as the decimal with the digits that it is written with; `None` for
    /// numbers with more digits than a `DOUBLE` has for certain.
    pub(crate) fn decimal_of_double(v: f64) -> Option<Self> {
        const EXACT: usize = 15;
        if !v.is_finite() {
            return None;
        }
        let text = format!("{v}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.trim_start_matches(['-', '0']).len();
        let (width, scale) = (whole + fraction.len(), fraction.len());
        if width > EXACT {
            return None;
        }
        let ty = Ty::decimal(u8::try_from(width.max(1)).ok()?, u8::try_from(scale).ok()?)?;
        Value::parse(&text, ty)
    }

    /// An integer as a decimal without digits behind the point.
    pub(crate) fn decimal_of_int(v: i64) -> Option<Self> {
        let width = v.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        let width = u8::try_from(width).ok()?.min(DecimalTy::MAX_WIDTH);
        let Ty::Decimal(of) = Ty::decimal(width, 0)? else { return None };
        Some(Value::Decimal(v, of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(width: u8, scale: u8) -> &'static DecimalTy {
        match Ty::decimal(width, scale) {
            Some(Ty::Decimal(of)) => of,
            other => panic!("{other:?}"),
        }
    }

    fn shown(of: &DecimalTy, digits: i64) -> String {
        let mut text = String::new();
        of.append(&mut text, digits);
        text
    }

    #[test]
    fn texts_are_read_and_rounded_half_away_from_zero() {
        for (text, expected) in [
            ("1.005", Some(101)),
            ("-1.005", Some(-101)),
            ("1.00499", Some(100)),
            (" 12 ", Some(1200)),
            ("+.5", Some(50)),
            ("5.", Some(500)),
            ("1e2", Some(10000)),
            ("1.25E-1", Some(13)),
            ("0.004", Some(0)),
            ("0.005", Some(1)),
            ("1e-400", Some(0)),
            ("1e-40", Some(0)),
            ("1_000.5", Some(100_050)),
            ("000000000000000000000000000000001", Some(100)),
            ("999999999999999999999999999", None),
            ("99999999.995", None),
            ("1__0", None),
            (".", None),
            ("", None),
            ("1,5", None),
            ("nan", None),
            ("1e", None),
        ] {
            assert_eq!(of(10, 2).parse(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for digits in [0, 5, -5, 150, -150, 99, 1_234_567, i64::MAX, i64::MIN] {
            for scale in [0, 1, 2, 6, 18] {
                let of = of(18, scale);
                assert_eq!(of.parse(&shown(of, digits)), Some(digits), "{digits} {scale}");
            }
        }
        assert_eq!(shown(of(5, 2), -5), "-0.05");
        assert_eq!(shown(of(5, 0), -5), "-5");
    }

    #[test]
    fn conversions_round_and_check_the_range() {
        assert_eq!(of(5, 1).scaled(125, 2), Some(13));
        assert_eq!(of(5, 1).scaled(-125, 2), Some(-13));
        assert_eq!(of(5, 2).scaled(1000, 0), None);
        assert_eq!(of(10, 2).of_double(1.005), Some(100));
        assert_eq!(of(10, 0).of_double(2.5), Some(3));
        assert_eq!(of(10, 0).of_double(f64::NAN), None);
        assert_eq!(of(18, 18).of_double(1e18), None);
        assert_eq!(of(5, 1).whole(-25), -3);
        let half = Value::decimal_of_double(-0.05).map(|v| v.ty().name().to_owned());
        assert_eq!(half.as_deref(), Some("DECIMAL(2,2)"));
        assert_eq!(Value::decimal_of_double(0.099_999_999_999_999_98), None);
    }
}
