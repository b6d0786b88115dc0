//! Conditions that a query passes down to a scan.

use super::Value;

/// A condition on one column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// Index into [`super::TableSpec::columns`].
    pub column: usize,
    /// The condition.
    pub op: HintOp,
}

/// The conditions that scans understand.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HintOp {
    /// The value is one of these (`=` gives one).
    In(Vec<Value<'static>>),
    /// The value lies between the ends, both included; `None` is open.
    Range(Option<Value<'static>>, Option<Value<'static>>),
    /// The text begins so.
    Prefix(String),
}
