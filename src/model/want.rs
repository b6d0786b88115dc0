//! What a scan needs from a source: columns, rows, and whether the query is still running.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ColumnId, Progress, Row};
use crate::catalog::{HintOp, Value};

/// A condition on a column that every wanted row satisfies.
pub struct Condition<'a, R> {
    /// The column.
    pub column: ColumnId<R>,
    /// The condition.
    pub op: &'a HintOp,
}

impl<R> Clone for Condition<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Condition<'_, R> {}

impl<R> fmt::Debug for Condition<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.column.name()).field(&self.op).finish()
    }
}

/// The control of a scan: cancellation and progress. It says nothing about rows, so a search that
/// serves several tables needs only this.
#[derive(Debug, Clone, Copy, Default)]
pub struct Control<'a> {
    cancelled: Option<&'a AtomicBool>,
    progress: Option<&'a Progress>,
}

impl<'a> Control<'a> {
    /// A scan that is neither cancelled nor watched.
    pub const NONE: Control<'static> = Control { cancelled: None, progress: None };

    /// Cancels when the flag is set.
    #[must_use]
    pub const fn until(self, cancelled: &'a AtomicBool) -> Self {
        Self { cancelled: Some(cancelled), ..self }
    }

    /// Reports progress.
    #[must_use]
    pub const fn telling(self, progress: &'a Progress) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Where a search reports its progress.
    pub const fn progress(&self) -> Option<&'a Progress> {
        self.progress
    }

    /// Whether the query was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

/// What a scan needs of rows `R`: some of their columns, and perhaps not all rows.
///
/// A source need not fill other columns. It may leave out rows that do not satisfy a condition and
/// may ignore all conditions, because the engine filters again. A scan that reads much between two
/// rows checks from time to time whether it [is cancelled](Self::is_cancelled).
pub struct Want<'a, R: Row> {
    columns: u128,
    conditions: &'a [Condition<'a, R>],
    control: Control<'a>,
}

impl<R: Row> Clone for Want<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Row> Copy for Want<'_, R> {}

impl<R: Row> fmt::Debug for Want<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Want")
            .field("table", &R::TABLE)
            .field("columns", &format_args!("{:#b}", self.columns))
            .field("conditions", &self.conditions)
            .finish_non_exhaustive()
    }
}

impl<'a, R: Row> Want<'a, R> {
    /// Every column of every row.
    pub const ALL: Want<'static, R> =
        Want { columns: u128::MAX, conditions: &[], control: Control::NONE };

    /// Only these columns.
    pub fn only<const N: usize>(columns: impl FnOnce(&R::Columns) -> [ColumnId<R>; N]) -> Self {
        Self::of(columns(R::COLUMNS))
    }

    /// Only these columns.
    pub fn of(columns: impl IntoIterator<Item = ColumnId<R>>) -> Self {
        let columns = columns.into_iter().fold(0, |all, column| all | column.bit());
        Self { columns, conditions: &[], control: Control::NONE }
    }

    /// Only rows that satisfy these conditions.
    #[must_use]
    pub const fn with(self, conditions: &'a [Condition<'a, R>]) -> Self {
        Self { conditions, ..self }
    }

    /// With cancellation and progress.
    #[must_use]
    pub const fn by(self, control: Control<'a>) -> Self {
        Self { control, ..self }
    }

    /// The cancellation and progress of the scan.
    pub const fn control(&self) -> Control<'a> {
        self.control
    }

    /// Where a search reports its progress.
    pub const fn progress(&self) -> Option<&'a Progress> {
        self.control.progress()
    }

    /// Whether the query was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }

    /// Whether the column is wanted.
    pub fn has(&self, column: impl FnOnce(&R::Columns) -> ColumnId<R>) -> bool {
        self.columns & column(R::COLUMNS).bit() != 0
    }

    /// Whether any of the columns is wanted.
    pub fn has_any<const N: usize>(
        &self,
        columns: impl FnOnce(&R::Columns) -> [ColumnId<R>; N],
    ) -> bool {
        columns(R::COLUMNS).iter().any(|column| self.columns & column.bit() != 0)
    }

    /// The conditions on a column; a row must satisfy all of them.
    pub fn conditions<F: FnOnce(&R::Columns) -> ColumnId<R>>(
        &self,
        column: F,
    ) -> impl Iterator<Item = &'a HintOp> + use<'a, R, F> {
        let column = column(R::COLUMNS);
        self.conditions.iter().filter(move |c| c.column == column).map(|c| c.op)
    }

    /// The texts that a column may have; `None` if it may have any.
    pub fn texts(&self, column: impl FnOnce(&R::Columns) -> ColumnId<R>) -> Option<Vec<&'a str>> {
        let values = self.conditions(column).find_map(|op| match op {
            HintOp::In(values) => Some(values),
            _ => None,
        });
        values.map(|values| values.iter().filter_map(Value::as_text).collect())
    }

    /// The first and the last address that a column may have.
    pub fn addresses(&self, column: impl FnOnce(&R::Columns) -> ColumnId<R>) -> (u64, u64) {
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
                    // If no value is possible the range is empty.
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
