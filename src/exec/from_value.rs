//! Values of results as Rust types.

use crate::catalog::Value;

/// Rust types as which values of columns can be read.
pub trait FromValue: Sized {
    /// The value; `None` if it is NULL or of another type.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        value.as_bool()
    }
}

/// Integers, and the microseconds of points in time and durations.
impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        value.as_number().filter(|_| value.as_decimal().is_none())
    }
}

/// Addresses.
impl FromValue for u64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        value.as_addr()
    }
}

/// Floating-point numbers and decimals.
impl FromValue for f64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        value.as_double().or_else(|| value.as_decimal().map(|(digits, of)| of.double(digits)))
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.into_owned()) } else { None }
    }
}
