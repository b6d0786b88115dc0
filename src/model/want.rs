//! What a scan wants of a source: columns, rows, and whether somebody still waits for them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Progress;
use crate::catalog::{HintOp, Value};

/// A condition that every row of interest fulfils, on a column by its name in the table.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// The column.
    pub column: &'static str,
    /// The condition.
    pub op: &'a HintOp,
}

/// What a scan wants: columns, by their names in the table, and perhaps not all rows.
///
/// A source need not fill other columns. It may leave out rows that do not fulfil a condition and
/// is free to ignore all of them: the engine filters again. A scan that reads much between two rows
/// asks now and then whether it [is cancelled](Self::is_cancelled).
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    names: Option<&'a [&'static str]>,
    conditions: &'a [Condition<'a>],
    cancelled: Option<&'a AtomicBool>,
    progress: Option<&'a Progress>,
}

impl<'a> Want<'a> {
    /// Every column of every row.
    pub const ALL: Want<'static> =
        Want { names: None, conditions: &[], cancelled: None, progress: None };

    /// Only the columns of these names.
    pub const fn only(names: &'a [&'static str]) -> Self {
        Self { names: Some(names), conditions: &[], cancelled: None, progress: None }
    }

    /// Only rows that fulfil these conditions.
    #[must_use]
    pub const fn with(self, conditions: &'a [Condition<'a>]) -> Self {
        Self { conditions, ..self }
    }

    /// Until the flag is set.
    #[must_use]
    pub const fn until(self, cancelled: &'a AtomicBool) -> Self {
        Self { cancelled: Some(cancelled), ..self }
    }

    /// With somebody to tell how far a search is.
    #[must_use]
    pub const fn telling(self, progress: &'a Progress) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Whom to tell how far a search is.
    pub const fn progress(&self) -> Option<&'a Progress> {
        self.progress
    }

    /// Whether the column is wanted.
    pub fn has(&self, name: &str) -> bool {
        self.names.is_none_or(|names| names.contains(&name))
    }

    /// Whether any of the columns is wanted.
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// Whether nobody waits for the rows any more.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    fn conditions(&self, column: &str) -> impl Iterator<Item = &'a HintOp> {
        self.conditions.iter().filter(move |c| c.column == column).map(|c| c.op)
    }

    /// The texts that a column may have; `None` if it may have any.
    pub fn texts(&self, column: &str) -> Option<Vec<&'a str>> {
        let values = self.conditions(column).find_map(|op| match op {
            HintOp::In(values) => Some(values),
            _ => None,
        });
        values.map(|values| values.iter().filter_map(Value::as_text).collect())
    }

    /// The addresses that a column may have, the first and the last of them.
    pub fn addresses(&self, column: &str) -> (u64, u64) {
        let (mut first, mut last) = (0, u64::MAX);
        let number = |value: &Value<'_>| match value {
            Value::Addr(address) => Some(*address),
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        for op in self.conditions(column) {
            let (low, high) = match op {
                HintOp::In(values) => {
                    let numbers = || values.iter().filter_map(number);
                    if numbers().count() != values.len() {
                        continue;
                    }
                    // No value at all is an empty range.
                    (numbers().min().or(Some(u64::MAX)), numbers().max().or(Some(0)))
                }
                HintOp::Range(low, high) => {
                    (low.as_ref().and_then(number), high.as_ref().and_then(number))
                }
                HintOp::Prefix(_) => continue,
            };
            first = first.max(low.unwrap_or(0));
            last = last.min(high.unwrap_or(u64::MAX));
        }
        (first, last)
    }
}
