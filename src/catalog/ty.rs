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
            | "INT1" | "LONG" | "SIGNED" | "SHORT" => Self::Int,
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

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
