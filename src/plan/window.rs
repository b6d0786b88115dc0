//! Window functions of a plan: their kinds and frames.

use super::{AggregateCall, Expr};
use crate::lang::ast::{Exclude, FrameUnit};

/// One call of a [`super::Rel::Window`].
#[derive(Debug, Clone, PartialEq)]
pub struct WindowCall {
    /// The kind of window function.
    pub kind: WindowKind,
    /// Function, arguments, DISTINCT, FILTER and ORDER BY within the parentheses; type and format.
    pub call: AggregateCall,
    /// Whether rows in which the first argument is NULL are skipped.
    pub ignore_nulls: bool,
    /// The rows of the partition that aggregates and frame values read.
    pub frame: Frame,
}

/// The kinds of window function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// An aggregate over the rows of the frame.
    Aggregate,
    /// `row_number()`.
    RowNumber,
    /// `rank()`.
    Rank,
    /// `dense_rank()`.
    DenseRank,
    /// `percent_rank()`.
    PercentRank,
    /// `cume_dist()`.
    CumeDist,
    /// `ntile(n)`.
    Ntile,
    /// `lag(value, rows, default)`.
    Lag,
    /// `lead(value, rows, default)`.
    Lead,
    /// `first_value(value)`.
    FirstValue,
    /// `last_value(value)`.
    LastValue,
    /// `nth_value(value, n)`.
    NthValue,
}

/// The rows around a row that a call reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The unit of offsets.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends.
    pub end: FrameBound,
    /// The rows that are excluded.
    pub exclude: Exclude,
}

/// One bound of a frame. Offsets are INTEGER for ROWS and GROUPS; for RANGE they have the type of
/// differences of the only sort key.
#[derive(Debug, Clone, PartialEq)]
pub enum FrameBound {
    /// The start of the partition.
    UnboundedPreceding,
    /// This number of rows, groups or units before the current row.
    Preceding(Expr),
    /// The current row; for RANGE and GROUPS including the rows with equal keys.
    CurrentRow,
    /// This number of rows, groups or units after the current row.
    Following(Expr),
    /// The end of the partition.
    UnboundedFollowing,
}

impl Frame {
    /// All rows of the partition up to and including those with keys equal to the current row's:
    /// the default frame. Without an order all rows have equal keys.
    pub(super) const UP_TO_CURRENT: Self = Self {
        unit: FrameUnit::Range,
        start: FrameBound::UnboundedPreceding,
        end: FrameBound::CurrentRow,
        exclude: Exclude::NoOthers,
    };

    /// The offsets.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        [&self.start, &self.end].into_iter().filter_map(FrameBound::offset)
    }

    /// The offsets.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        [&mut self.start, &mut self.end].into_iter().filter_map(|bound| match bound {
            FrameBound::Preceding(offset) | FrameBound::Following(offset) => Some(offset),
            _ => None,
        })
    }

    fn same(&self, other: &Self) -> bool {
        let kind = std::mem::discriminant::<FrameBound>;
        self.unit == other.unit
            && self.exclude == other.exclude
            && kind(&self.start) == kind(&other.start)
            && kind(&self.end) == kind(&other.end)
            && self.exprs().zip(other.exprs()).all(|(a, b)| a.same(b))
    }
}

impl FrameBound {
    /// The offset, if the bound has one.
    pub const fn offset(&self) -> Option<&Expr> {
        match self {
            Self::Preceding(offset) | Self::Following(offset) => Some(offset),
            _ => None,
        }
    }
}

impl WindowCall {
    /// The expressions over the input.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.call.exprs().chain(self.frame.exprs())
    }

    /// The expressions over the input.
    pub(super) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.call.exprs_mut().chain(self.frame.exprs_mut())
    }

    /// Whether two calls over one window compute the same value.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.call.same(&other.call)
            && self.ignore_nulls == other.ignore_nulls
            && self.frame.same(&other.frame)
    }
}
