//! Values as JSON.

use super::{Format, Nested, PointerWidth, Ty, Value};
use crate::time::append_timestamp;

impl Format {
    /// Appends a value as JSON. Addresses, integers shown in hex, intervals, and numbers that JSON
    /// cannot express are written as text; lists as arrays, structures as objects.
    pub fn append_json(self, text: &mut String, value: &Value<'_>, width: PointerWidth) {
        let plain = Self::Plain;
        match value {
            // Codes are written in hex, as tables show them and queries search for them.
            Value::Int(_) if self == Self::Hex => {
                text.push('"');
                self.append(text, value, width);
                text.push('"');
            }
            Value::Null => text.push_str("null"),
            Value::Text(cell) => append_json_text(text, cell),
            Value::Bool(_) | Value::Int(_) | Value::Decimal(..) => plain.append(text, value, width),
            Value::Double(v) if v.is_finite() => plain.append(text, value, width),
            Value::Time(micros) => {
                text.push('"');
                append_timestamp(text, *micros, 'T');
                text.push_str("Z\"");
            }
            Value::List(list) => {
                text.push('[');
                for (at, value) in list.values().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    self.append_json(text, &value, width);
                }
                text.push(']');
            }
            Value::Struct(of) => self.append_object(text, of, width),
            Value::Map(of) => self.append_map_object(text, of, width),
            Value::Blob(_) => append_json_text(text, &plain.render(value, width)),
            Value::Addr(_)
            | Value::Double(_)
            | Value::Interval(_)
            | Value::Date(_)
            | Value::TimeOfDay(_)
            | Value::Uuid(_) => {
                text.push('"');
                plain.append(text, value, width);
                text.push('"');
            }
        }
    }

    /// An object whose names are the texts of the keys.
    fn append_map_object(self, text: &mut String, of: &Nested<'_>, width: PointerWidth) {
        text.push('{');
        for (at, (key, value)) in of.entries().enumerate() {
            if at > 0 {
                text.push(',');
            }
            append_json_text(text, &self.render(&key, width));
            text.push(':');
            self.append_json(text, &value, width);
        }
        text.push('}');
    }

    /// A structure as an object, or as an array if its fields have no names.
    fn append_object(self, text: &mut String, of: &Nested<'_>, width: PointerWidth) {
        let fields = if let Ty::Struct(of) = of.ty() { of.fields() } else { &[] };
        let named = fields.iter().any(|(name, _)| !name.is_empty());
        text.push(if named { '{' } else { '[' });
        for (at, ((name, _), value)) in fields.iter().zip(of.values()).enumerate() {
            if at > 0 {
                text.push(',');
            }
            if named {
                append_json_text(text, name);
                text.push(':');
            }
            self.append_json(text, &value, width);
        }
        text.push(if named { '}' } else { ']' });
    }
}

/// Appends text in quotes, escaped as JSON requires.
pub fn append_json_text(text: &mut String, cell: &str) {
    text.push('"');
    for c in cell.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    text.push_str("\\u");
                    let digit = |shift: u32| char::from_digit(u32::from(*unit) >> shift & 0xf, 16);
                    text.extend([12, 8, 4, 0].into_iter().filter_map(digit));
                }
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
