//! Infers the common type of the values of a column.

use crate::catalog::{Ty, Value};
use crate::time::{parse_clock, parse_date, parse_timestamp};

/// The types that all values of a column so far have.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each flag is a type that is still possible")]
pub(super) struct Guess {
    any: bool,
    bool: bool,
    int: bool,
    double: bool,
    time: bool,
    date: bool,
    clock: bool,
    /// Decimal integers, and hexadecimal numbers with `0x` or a back-tick.
    addr: bool,
    /// Whether one of them was hexadecimal.
    hex: bool,
    /// The number of digits, if all values are hexadecimal without a prefix and have as many digits
    /// as a pointer.
    bare: Option<usize>,
    /// One of those cannot be decimal.
    letters: bool,
}

impl Guess {
    pub(super) const fn new() -> Self {
        Self {
            any: false,
            bool: true,
            int: true,
            double: true,
            time: true,
            date: true,
            clock: true,
            addr: true,
            hex: false,
            bare: None,
            letters: false,
        }
    }

    /// Takes a value into account; empty values are ignored.
    pub(super) fn see(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let first = !self.any;
        self.any = true;
        self.bool = self.bool && boolean(text).is_some();
        let int = integer(text).is_some();
        self.int = self.int && int;
        self.double = self.double && (int || double(text).is_some());
        self.time = self.time && time(text).is_some();
        self.date = self.date && date(text).is_some();
        self.clock = self.clock && clock(text).is_some();
        let marked = marked_address(text).is_some();
        self.hex |= marked;
        self.addr = self.addr && (marked || (int && !text.starts_with('-')));
        let digits = (is_pointer(text)).then_some(text.len());
        self.bare = if first || self.bare == digits { digits } else { None };
        self.letters |= text.bytes().any(|b| b.is_ascii_alphabetic()) || text.starts_with("000");
    }

    /// The type; text if the values have no other common type, or there are no values.
    pub(super) const fn ty(&self) -> Ty {
        if !self.any {
            Ty::Text
        } else if self.bool {
            Ty::Bool
        } else if self.int {
            Ty::Int
        } else if (self.addr && self.hex) || (self.bare.is_some() && self.letters) {
            Ty::Addr
        } else if self.double {
            Ty::Double
        } else if self.date {
            Ty::Date
        } else if self.time {
            Ty::Time
        } else if self.clock {
            Ty::TimeOfDay
        } else {
            Ty::Text
        }
    }
}

/// The value of a field in a column of that type; `None` if it is empty or invalid.
pub(super) fn value(text: &str, ty: Ty) -> Option<Value<'_>> {
    if text.is_empty() {
        return None;
    }
    Some(match ty {
        Ty::Bool => Value::Bool(boolean(text)?),
        Ty::Int => Value::Int(integer(text)?),
        Ty::Double => Value::Double(double(text)?),
        Ty::Time => Value::Time(time(text)?),
        Ty::Date => Value::Date(date(text)?),
        Ty::TimeOfDay => Value::TimeOfDay(clock(text)?),
        Ty::Addr => Value::Addr(address(text)?),
        Ty::Text => Value::Text(text.into()),
        _ => Value::parse(text, ty)?,
    })
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

/// A decimal integer without leading zeros, which only names and codes have.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    (plain && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// A number with a point or an exponent, or an integer that a double holds exactly.
fn double(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let zeros = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let shape = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let fraction = digits.bytes().any(|b| !b.is_ascii_digit());
    if zeros || !shape || (!fraction && integer(text).is_none()) {
        return None;
    }
    text.parse().ok().filter(|v: &f64| v.is_finite())
}

fn time(text: &str) -> Option<i64> {
    // The year must have four digits; `10-11-12` is more likely an identifier.
    let year = text.as_bytes().first_chunk::<4>()?;
    year.iter().all(u8::is_ascii_digit).then(|| parse_timestamp(text)).flatten()
}

/// A day alone.
fn date(text: &str) -> Option<i64> {
    time(text).filter(|_| !text.contains(':')).and_then(|_| parse_date(text))
}

/// A time of day with seconds.
fn clock(text: &str) -> Option<i64> {
    let colons = text.bytes().filter(|&b| b == b':').count();
    (colons == 2).then(|| parse_clock(text)).flatten()
}

fn is_pointer(text: &str) -> bool {
    matches!(text.len(), 8 | 16) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A hexadecimal number with `0x`, or with a back-tick in the middle.
fn marked_address(text: &str) -> Option<u64> {
    let body = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if body.is_none() && !text.contains('`') {
        return None;
    }
    let digits: String = body.unwrap_or(text).chars().filter(|c| *c != '`').collect();
    let fits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| u64::from_str_radix(&digits, 16).ok()).flatten()
}

fn address(text: &str) -> Option<u64> {
    if let Some(address) = marked_address(text) {
        return Some(address);
    }
    if is_pointer(text) && (text.len() == 16 || integer(text).is_none()) {
        return u64::from_str_radix(text, 16).ok();
    }
    integer(text).and_then(|v| u64::try_from(v).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(values: &[&str]) -> Ty {
        let mut guess = Guess::new();
        for value in values {
            guess.see(value);
        }
        guess.ty()
    }

    #[test]
    fn a_column_has_the_narrowest_type_of_its_values() {
        assert_eq!(guess(&["1", "", "-20"]), Ty::Int);
        assert_eq!(guess(&["1", "2.5", "1e3"]), Ty::Double);
        assert_eq!(guess(&["0x80478b00", "12"]), Ty::Addr);
        assert_eq!(guess(&["fffff801`a972c530"]), Ty::Addr);
        assert_eq!(guess(&["fffff801a972c530", "0000000000000010"]), Ty::Addr);
        assert_eq!(guess(&["80478b00", "80480000"]), Ty::Addr);
        assert_eq!(guess(&["20240501", "20240502"]), Ty::Int);
        assert_eq!(guess(&["2024-05-01 10:00:00", "2024-05-02"]), Ty::Time);
        assert_eq!(guess(&["10-11-12", "2024-05-02"]), Ty::Text);
        assert_eq!(guess(&["2024-05-01 10:00:00+02:00", "2024/05/02"]), Ty::Time);
        assert_eq!(guess(&["TRUE", "false"]), Ty::Bool);
        assert_eq!(guess(&["007", "12"]), Ty::Text);
        assert_eq!(guess(&["99999999999999999999", "1"]), Ty::Text);
        assert_eq!(guess(&["", ""]), Ty::Text);
        assert_eq!(guess(&["nan", "1"]), Ty::Text);
        assert_eq!(guess(&["nt", "1"]), Ty::Text);
    }

    #[test]
    fn every_value_of_a_column_is_of_its_type() {
        let columns: [&[&str]; 4] = [
            &["0x10", "12", "fffff801`a972c530"],
            &["80478b00", "80480000"],
            &["0000000000000010", "fffff801a972c530"],
            &["1", "2.5"],
        ];
        for column in columns {
            let ty = guess(column);
            assert!(column.iter().all(|text| value(text, ty).is_some()), "{column:?} {ty}");
        }
        assert_eq!(value("80480000", Ty::Addr), Some(Value::Addr(80_480_000)));
    }
}
