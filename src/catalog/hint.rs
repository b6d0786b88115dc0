//! Conditions that a query passes to a scan.

use super::Value;

/// A condition on one column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// Index into [`super::TableSpec::columns`].
    pub column: usize,
    /// The condition.
    pub op: HintOp,
}

/// The conditions that scans can use.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HintOp {
    /// The value is one of these (`=` has one).
    In(Vec<Value<'static>>),
    /// The value lies between two inclusive bounds; `None` is unbounded.
    Range(Option<Value<'static>>, Option<Value<'static>>),
    /// The text starts with this prefix.
    Prefix(String),
}
