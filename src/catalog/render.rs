//! Values as text: addresses in hex at the pointer width, times in UTC, durations. The terminal,
//! CSV, `CAST(… AS VARCHAR)` and all other outputs use the same text.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Nested, Ty, Value};
use crate::time::{append_day, append_interval, append_time_of_day, append_timestamp};

/// How a number is shown. References to a column keep its format through a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// The default format of the type.
    #[default]
    Plain,
    /// An integer shown as `0x…` without leading zeros (bug check codes, flags, checksums).
    Hex,
}

/// The pointer width of a dump, to which addresses are padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PointerWidth {
    /// 8 hex digits.
    Bits32,
    /// 16 hex digits.
    #[default]
    Bits64,
}

impl Format {
    /// The text of `value`; empty for NULL.
    pub fn render(self, value: &Value<'_>, width: PointerWidth) -> String {
        let mut text = String::new();
        self.append(&mut text, value, width);
        text
    }

    /// Appends the text of `value`, without allocating a `String` per cell.
    pub fn append(self, into: &mut String, value: &Value<'_>, width: PointerWidth) {
        match value {
            Value::Null => {}
            Value::Bool(v) => into.push_str(if *v { "true" } else { "false" }),
            Value::Int(v) if self == Self::Hex => append_hex(into, v.cast_unsigned(), 1),
            Value::Int(v) => append_int(into, *v),
            Value::Double(v) => append_double(into, *v),
            Value::Text(v) | Value::Uuid(v) => into.push_str(v),
            Value::Addr(v) => width.append(into, *v),
            Value::Time(v) => append_timestamp(into, *v, ' '),
            Value::Interval(v) => append_interval(into, *v),
            Value::Decimal(v, of) => of.append(into, *v),
            Value::Date(v) => append_day(into, *v),
            Value::TimeOfDay(v) => append_time_of_day(into, *v),
            Value::Blob(v) => v.append(into),
            Value::List(v) => self.append_list(into, v, width),
            Value::Struct(v) => self.append_struct(into, v, width),
            Value::Map(v) => self.append_map(into, v, width),
        }
    }
}

impl Format {
    /// The text of a value that contains text of a dump or a query and has to be escaped: of text,
    /// bytes, lists, structures and maps.
    pub fn free_text<'v>(self, value: &'v Value<'_>, width: PointerWidth) -> Option<Cow<'v, str>> {
        match value {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::List(_) | Value::Struct(_) | Value::Map(_) | Value::Blob(_) => {
                Some(Cow::Owned(self.render(value, width)))
            }
            _ => None,
        }
    }

    fn append_list(self, into: &mut String, list: &Nested<'_>, width: PointerWidth) {
        into.push('[');
        for (at, value) in list.values().enumerate() {
            if at > 0 {
                into.push_str(", ");
            }
            self.append_within(into, &value, width);
        }
        into.push(']');
    }

    /// `{'a': 1, 'b': x}`, or `(1, x)` if the fields have no names.
    fn append_struct(self, into: &mut String, of: &Nested<'_>, width: PointerWidth) {
        let fields = if let Ty::Struct(of) = of.ty() { of.fields() } else { &[] };
        let named = fields.iter().any(|(name, _)| !name.is_empty());
        into.push(if named { '{' } else { '(' });
        for (at, ((name, _), value)) in fields.iter().zip(of.values()).enumerate() {
            if at > 0 {
                into.push_str(", ");
            }
            if named {
                append_quoted(into, name);
                into.push_str(": ");
            }
            self.append_within(into, &value, width);
        }
        into.push(if named { '}' } else { ')' });
    }

    /// `{a=1, b=2}`.
    fn append_map(self, into: &mut String, of: &Nested<'_>, width: PointerWidth) {
        into.push('{');
        for (at, (key, value)) in of.entries().enumerate() {
            if at > 0 {
                into.push_str(", ");
            }
            self.append_within(into, &key, width);
            into.push('=');
            self.append_within(into, &value, width);
        }
        into.push('}');
    }

    /// A value in a list or a structure: NULL is written as a word, and text that could be misread
    /// is quoted.
    fn append_within(self, into: &mut String, value: &Value<'_>, width: PointerWidth) {
        match value {
            Value::Null => into.push_str("NULL"),
            Value::Text(text) if is_misread(text) => append_quoted(into, text),
            Value::Blob(_) if is_misread(&self.render(value, width)) => {
                append_quoted(into, &self.render(value, width));
            }
            other => self.append(into, other, width),
        }
    }
}

/// Whether text within a list or a structure would be parsed as something else.
fn is_misread(text: &str) -> bool {
    text.is_empty()
        || text.eq_ignore_ascii_case("null")
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace)
        || text.contains(['[', ']', '{', '}', '(', ')', ',', ':', '\'', '"', '\\', '='])
}

fn append_quoted(into: &mut String, text: &str) {
    into.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            into.push('\\');
        }
        into.push(c);
    }
    into.push('\'');
}

impl PointerWidth {
    /// The number of hex digits of a pointer.
    pub const fn digits(self) -> usize {
        match self {
            Self::Bits32 => 8,
            Self::Bits64 => 16,
        }
    }

    /// The address as `0x` and as many digits as a pointer of the dump has, or more if needed.
    pub fn render(self, address: u64) -> String {
        let mut text = String::new();
        self.append(&mut text, address);
        text
    }

    fn append(self, into: &mut String, address: u64) {
        append_hex(into, address, self.digits());
    }
}

fn append_hex(into: &mut String, value: u64, at_least: usize) {
    let significant = (64 - value.leading_zeros() as usize).div_ceil(4);
    into.push_str("0x");
    for place in (0..significant.max(at_least)).rev() {
        let nibble = u32::try_from(value >> (4 * place) & 0xf).unwrap_or(0);
        into.push(char::from_digit(nibble, 16).unwrap_or('0'));
    }
}

/// An integer in decimal.
fn append_int(into: &mut String, value: i64) {
    into.push_str(itoa::Buffer::new().format(value));
}

/// The shortest text that parses as the same number, always with a point or an exponent.
fn append_double(into: &mut String, v: f64) {
    if v.is_nan() {
        into.push_str("nan");
    } else if v.is_infinite() {
        into.push_str(if v > 0.0 { "inf" } else { "-inf" });
    } else if v != 0.0 && (v.abs() >= 1e16 || v.abs() < 1e-4) {
        // Writing to a `String` cannot fail.
        let _ = write!(into, "{v:e}");
    } else {
        into.push_str(ryu::Buffer::new().format_finite(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for v in [0, 1, -1, 9, 10, 1234, i64::MAX, i64::MIN] {
            assert_eq!(Format::Plain.render(&Value::Int(v), PointerWidth::Bits64), v.to_string());
            assert_eq!(Format::Hex.render(&Value::Int(v), PointerWidth::Bits64), format!("{v:#x}"));
        }
        for v in [0.0, -0.0, 1.0, 0.1, -1.5e-4, 9.9e-5, 1.5e-5, 1e15, 1.234e16, 5e-324, f64::MAX] {
            let expected = if v.abs() < 1e16 { format!("{v:?}") } else { format!("{v:e}") };
            assert_eq!(Format::Plain.render(&Value::Double(v), PointerWidth::Bits64), expected);
        }
    }

    #[test]
    fn addresses_take_the_pointer_width() {
        assert_eq!(PointerWidth::Bits32.render(0x8047_8b00), "0x80478b00");
        assert_eq!(PointerWidth::Bits64.render(0x8047_8b00), "0x0000000080478b00");
    }
}
