//! One SQL value.

use std::borrow::Cow;

use super::{Nested, Ty};

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
    /// A list.
    List(Nested<'a>),
    /// A structure.
    Struct(Nested<'a>),
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
            Self::List(v) | Self::Struct(v) => v.ty(),
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
            Self::List(v) => Value::List(v.into_owned()),
            Self::Struct(v) => Value::Struct(v.into_owned()),
        }
    }

    /// The list or the structure, if it is one.
    pub const fn as_nested(&self) -> Option<&Nested<'a>> {
        if let Self::List(v) | Self::Struct(v) = self { Some(v) } else { None }
    }

    /// A borrowed copy.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Text(v) => Value::Text(Cow::Borrowed(v)),
            Self::List(v) => Value::List(v.borrowed()),
            Self::Struct(v) => Value::Struct(v.borrowed()),
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

    /// Microseconds since 1970-01-01 UTC, if it is a `TIMESTAMP`.
    pub const fn as_time(&self) -> Option<i64> {
        if let Self::Time(v) = self { Some(*v) } else { None }
    }

    /// Microseconds, if it is an `INTERVAL`.
    pub const fn as_interval(&self) -> Option<i64> {
        if let Self::Interval(v) = self { Some(*v) } else { None }
    }
}
