//! PIVOT, UNPIVOT and samples: operations on the rows of a table in FROM.

use super::{Expr, Ident, Query, SelectItem};
use crate::diag::Span;

/// An operation on the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// `PIVOT`: values become columns.
    Pivot(Pivot),
    /// `UNPIVOT`: columns become rows.
    Unpivot(Unpivot),
    /// `TABLESAMPLE`, `USING SAMPLE`: a sample of the rows.
    Sample(Sample),
}

/// `PIVOT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pivot {
    /// The expressions whose values become columns; with several, each combination of their values.
    pub on: Vec<PivotOn>,
    /// The aggregates of each column, with their names; if empty, `count(*)`.
    pub using: Vec<(Expr, Option<Ident>)>,
    /// `GROUP BY`; `None` means all other columns.
    pub keys: Option<Vec<Expr>>,
    /// The position in the text.
    pub span: Span,
}

/// An expression of `PIVOT … ON`.
#[derive(Debug, Clone, PartialEq)]
pub struct PivotOn {
    /// The expression; a row if the values are rows.
    pub expr: Expr,
    /// The values that become columns.
    pub values: PivotValues,
}

/// The values of a [`PivotOn`].
#[derive(Debug, Clone, PartialEq)]
pub enum PivotValues {
    /// All values that occur.
    All,
    /// The listed values, with optional names.
    Listed(Vec<(Expr, Option<Ident>)>),
    /// The values that a query returns.
    Queried(Box<Query>),
}

/// `UNPIVOT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpivot {
    /// The columns, or rows of columns, that become rows.
    pub items: Vec<SelectItem>,
    /// The column for their names.
    pub name: Ident,
    /// The columns for their values.
    pub values: Vec<Ident>,
    /// Whether NULL values become rows.
    pub nulls: bool,
    /// The position in the text.
    pub span: Span,
}

/// A sample of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The size.
    pub size: SampleSize,
    /// The method by which rows are selected.
    pub method: SampleMethod,
    /// `REPEATABLE (seed)`.
    pub seed: Option<u64>,
    /// The position in the text.
    pub span: Span,
}

/// The size of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SampleSize {
    /// A number of rows.
    Rows(u64),
    /// A percentage of the rows.
    Percent(f64),
}

/// The method by which rows are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleMethod {
    /// Each row independently; also used for `system`.
    Bernoulli,
    /// Exactly the given number of rows.
    Reservoir,
}
