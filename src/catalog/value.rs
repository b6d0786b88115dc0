//! One SQL value.

use std::borrow::Cow;

use super::{Blob, DecimalTy, Nested, Ty};

/// One value. Text borrows from its column if possible.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// UTF-8 text.
    Text(Cow<'a, str>),
    /// An address, or another unsigned 64-bit number that is shown in hex.
    Addr(u64),
    /// Microseconds since 1970-01-01 UTC.
    Time(i64),
    /// A duration in microseconds.
    Interval(i64),
    /// A number of type `DECIMAL`, as a whole number of its last digit.
    Decimal(i64, &'static DecimalTy),
    /// A day: the microseconds since 1970-01-01 UTC of its midnight.
    Date(i64),
    /// A time of day: microseconds since midnight.
    TimeOfDay(i64),
    /// Bytes.
    Blob(Blob<'a>),
    /// A UUID: 32 lower-case hex digits in five groups with hyphens between them.
    Uuid(Cow<'a, str>),
    /// A list.
    List(Nested<'a>),
    /// A structure.
    Struct(Nested<'a>),
    /// A map: a list of structures of a key and a value.
    Map(Nested<'a>),
}

impl<'a> Value<'a> {
    /// The value's type; [`Ty::Null`] for NULL.
    pub const fn ty(&self) -> Ty {
        match self {
            Self::Null => Ty::Null,
            Self::Bool(_) => Ty::Bool,
            Self::Int(_) => Ty::Int,
            Self::Double(_) => Ty::Double,
            Self::Text(_) => Ty::Text,
            Self::Addr(_) => Ty::Addr,
            Self::Time(_) => Ty::Time,
            Self::Interval(_) => Ty::Interval,
            Self::Decimal(_, of) => Ty::Decimal(of),
            Self::Date(_) => Ty::Date,
            Self::TimeOfDay(_) => Ty::TimeOfDay,
            Self::Blob(_) => Ty::Blob,
            Self::Uuid(_) => Ty::Uuid,
            Self::List(v) | Self::Struct(v) | Self::Map(v) => v.ty(),
        }
    }

    /// The value of a type that columns keep as signed numbers; an integer for every other type.
    pub(crate) const fn of_number(number: i64, ty: Ty) -> Self {
        match ty {
            Ty::Time => Self::Time(number),
            Ty::Interval => Self::Interval(number),
            Ty::Decimal(of) => Self::Decimal(number, of),
            Ty::Date => Self::Date(number),
            Ty::TimeOfDay => Self::TimeOfDay(number),
            _ => Self::Int(number),
        }
    }

    /// The number that a column keeps for an integer, a point in time or a duration.
    pub(crate) const fn as_number(&self) -> Option<i64> {
        match self {
            Self::Int(v)
            | Self::Time(v)
            | Self::Interval(v)
            | Self::Decimal(v, _)
            | Self::Date(v)
            | Self::TimeOfDay(v) => Some(*v),
            _ => None,
        }
    }

    /// The value of a type that columns keep as text; text for every other type.
    pub(crate) fn of_code(code: Cow<'a, str>, ty: Ty) -> Self {
        match ty {
            Ty::Blob => Self::Blob(Blob::of_code(code)),
            Ty::Uuid => Self::Uuid(code),
            Ty::List(_) | Ty::Struct(_) | Ty::Map(_) => Self::of_nested(Nested::of_code(ty, code)),
            _ => Self::Text(code),
        }
    }

    /// The text that a column keeps for text, bytes, a UUID, a list, a structure or a map.
    pub(crate) fn as_code(&self) -> Option<&str> {
        match self {
            Self::Text(v) | Self::Uuid(v) => Some(v),
            Self::Blob(v) => Some(v.code()),
            Self::List(v) | Self::Struct(v) | Self::Map(v) => Some(v.code()),
            _ => None,
        }
    }

    /// The list, the structure or the map.
    pub(crate) const fn of_nested(nested: Nested<'a>) -> Self {
        match nested.ty() {
            Ty::List(_) => Self::List(nested),
            Ty::Map(_) => Self::Map(nested),
            _ => Self::Struct(nested),
        }
    }

    /// Text, owned or borrowed.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether this is NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A copy that owns its text.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::Double(v) => Value::Double(v),
            Self::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Self::Addr(v) => Value::Addr(v),
            Self::Time(v) => Value::Time(v),
            Self::Interval(v) => Value::Interval(v),
            Self::Decimal(v, of) => Value::Decimal(v, of),
            Self::Date(v) => Value::Date(v),
            Self::TimeOfDay(v) => Value::TimeOfDay(v),
            Self::Blob(v) => Value::Blob(v.into_owned()),
            Self::Uuid(v) => Value::Uuid(Cow::Owned(v.into_owned())),
            Self::List(v) => Value::List(v.into_owned()),
            Self::Struct(v) => Value::Struct(v.into_owned()),
            Self::Map(v) => Value::Map(v.into_owned()),
        }
    }

    /// The list, the structure or the map, if it is one.
    pub const fn as_nested(&self) -> Option<&Nested<'a>> {
        if let Self::List(v) | Self::Struct(v) | Self::Map(v) = self { Some(v) } else { None }
    }

    /// A borrowed copy.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Text(v) => Value::Text(Cow::Borrowed(v)),
            Self::List(v) => Value::List(v.borrowed()),
            Self::Struct(v) => Value::Struct(v.borrowed()),
            Self::Map(v) => Value::Map(v.borrowed()),
            Self::Blob(v) => Value::Blob(v.borrowed()),
            Self::Uuid(v) => Value::Uuid(Cow::Borrowed(v)),
            other => other.clone(),
        }
    }

    /// The truth value, if it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(v) = self { Some(*v) } else { None }
    }

    /// The integer, if it is one.
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(v) = self { Some(*v) } else { None }
    }

    /// The number as floating point, if it is a `DOUBLE`.
    pub const fn as_double(&self) -> Option<f64> {
        if let Self::Double(v) = self { Some(*v) } else { None }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(v) = self { Some(v) } else { None }
    }

    /// The address, if it is one.
    pub const fn as_addr(&self) -> Option<u64> {
        if let Self::Addr(v) = self { Some(*v) } else { None }
    }

    /// The number of its last digit, and the type, if it is a `DECIMAL`.
    pub const fn as_decimal(&self) -> Option<(i64, &'static DecimalTy)> {
        if let Self::Decimal(v, of) = self { Some((*v, of)) } else { None }
    }

    /// Microseconds since 1970-01-01 UTC, if it is a `TIMESTAMP`.
    pub const fn as_time(&self) -> Option<i64> {
        if let Self::Time(v) = self { Some(*v) } else { None }
    }

    /// Microseconds, if it is an `INTERVAL`.
    pub const fn as_interval(&self) -> Option<i64> {
        if let Self::Interval(v) = self { Some(*v) } else { None }
    }

    /// The microseconds since 1970-01-01 UTC of the day's midnight, if it is a `DATE`.
    pub const fn as_date(&self) -> Option<i64> {
        if let Self::Date(v) = self { Some(*v) } else { None }
    }

    /// Microseconds since midnight, if it is a `TIME`.
    pub const fn as_time_of_day(&self) -> Option<i64> {
        if let Self::TimeOfDay(v) = self { Some(*v) } else { None }
    }

    /// The bytes, if it is a `BLOB`.
    pub const fn as_blob(&self) -> Option<&Blob<'a>> {
        if let Self::Blob(v) = self { Some(v) } else { None }
    }

    /// The digits, if it is a `UUID`.
    pub fn as_uuid(&self) -> Option<&str> {
        if let Self::Uuid(v) = self { Some(v) } else { None }
    }
}
