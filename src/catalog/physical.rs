//! How columns keep the values of types.

use super::Ty;

/// How a column keeps the values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    /// Nothing but NULL.
    Null,
    /// Bits.
    Bool,
    /// Signed numbers of 64 bits: integers, microseconds, and the digits of decimals.
    Int,
    /// Floating-point numbers.
    Double,
    /// Unsigned numbers of 64 bits.
    Addr,
    /// Text, and what is kept as text whose order is that of the values.
    Text,
}

impl Ty {
    /// How a column keeps the values.
    pub(crate) const fn physical(self) -> Physical {
        match self {
            Self::Null => Physical::Null,
            Self::Bool => Physical::Bool,
            Self::Int
            | Self::Time
            | Self::Interval
            | Self::Decimal(_)
            | Self::Date
            | Self::TimeOfDay => Physical::Int,
            Self::Double => Physical::Double,
            Self::Addr => Physical::Addr,
            Self::Text
            | Self::Blob
            | Self::Uuid
            | Self::List(_)
            | Self::Struct(_)
            | Self::Map(_) => Physical::Text,
        }
    }
}
