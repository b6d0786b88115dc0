//! The types of the language.

use std::fmt;

/// A type of the language. Every expression has exactly one before a query runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ty {
    /// The type of a bare `NULL`, which converts to every other type.
    Null,
    /// `BOOLEAN`.
    Bool,
    /// `INTEGER`: 64 bits, signed.
    Int,
    /// `DOUBLE`: IEEE 754, 64 bits.
    Double,
    /// `VARCHAR`: UTF-8 text.
    Text,
    /// `ADDRESS`: 64 bits, unsigned, shown in hex at the dump's pointer width.
    Addr,
    /// `TIMESTAMP`: microseconds since 1970-01-01 UTC.
    Time,
    /// `INTERVAL`: a duration of microseconds.
    Interval,
}

impl Ty {
    /// The name as written in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool => "BOOLEAN",
            Self::Int => "INTEGER",
            Self::Double => "DOUBLE",
            Self::Text => "VARCHAR",
            Self::Addr => "ADDRESS",
            Self::Time => "TIMESTAMP",
            Self::Interval => "INTERVAL",
        }
    }

    /// The type behind a name or a usual synonym, in any case; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "BOOLEAN" | "BOOL" | "LOGICAL" => Self::Bool,
            "INTEGER" | "INT" | "BIGINT" | "SMALLINT" | "TINYINT" | "INT8" | "INT4" | "INT2"
            | "INT1" | "LONG" | "SIGNED" | "SHORT" | "INT64" | "UTINYINT" | "UINT8"
            | "USMALLINT" | "UINT16" | "UINTEGER" | "UINT32" => Self::Int,
            "DOUBLE" | "FLOAT" | "FLOAT8" | "FLOAT4" | "REAL" | "DOUBLE PRECISION" => Self::Double,
            "VARCHAR" | "TEXT" | "STRING" | "CHAR" | "BPCHAR" => Self::Text,
            "ADDRESS" | "POINTER" | "UBIGINT" | "UINT64" => Self::Addr,
            "TIMESTAMP" | "DATETIME" | "TIMESTAMPTZ" => Self::Time,
            "INTERVAL" => Self::Interval,
            _ => return None,
        })
    }

    /// Whether arithmetic is defined on the type.
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Addr)
    }
}

/// The values of an integer type of another width, as casts to it allow them. They are INTEGER all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntRange {
    /// The type's name.
    pub name: &'static str,
    /// The least value.
    pub low: i64,
    /// The largest value.
    pub high: i64,
}

impl IntRange {
    /// The range behind the name of a type, in any case; `None` for those that have all 64 bits, and for
    /// names of other types.
    pub fn of_name(name: &str) -> Option<Self> {
        let of = |name, low: i64, high: i64| Some(Self { name, low, high });
        match name.to_ascii_uppercase().as_str() {
            "TINYINT" | "INT1" => of("TINYINT", i8::MIN.into(), i8::MAX.into()),
            "SMALLINT" | "INT2" | "SHORT" => of("SMALLINT", i16::MIN.into(), i16::MAX.into()),
            "INTEGER" | "INT" | "INT4" | "SIGNED" => {
                of("INTEGER", i32::MIN.into(), i32::MAX.into())
            }
            "UTINYINT" | "UINT8" => of("UTINYINT", 0, u8::MAX.into()),
            "USMALLINT" | "UINT16" => of("USMALLINT", 0, u16::MAX.into()),
            "UINTEGER" | "UINT32" => of("UINTEGER", 0, u32::MAX.into()),
            _ => None,
        }
    }

    /// Whether a value lies in the range.
    pub const fn holds(self, value: i64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
