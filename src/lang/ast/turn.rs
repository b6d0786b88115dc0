//! PIVOT, UNPIVOT and samples: rows of FROM made into others.

use super::{Expr, Ident, Query, SelectItem};
use crate::diag::Span;

/// What becomes of the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// `PIVOT`: columns are made of values.
    Pivot(Pivot),
    /// `UNPIVOT`: rows are made of columns.
    Unpivot(Unpivot),
    /// `TABLESAMPLE`, `USING SAMPLE`: some of the rows.
    Sample(Sample),
}

/// `PIVOT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pivot {
    /// What the values of are columns; each combination, if there are several.
    pub on: Vec<PivotOn>,
    /// The aggregates of each column, with their names; none is `count(*)`.
    pub using: Vec<(Expr, Option<Ident>)>,
    /// `GROUP BY`; `None` is every other column.
    pub keys: Option<Vec<Expr>>,
    /// Where it stands.
    pub span: Span,
}

/// An expression of `PIVOT … ON`.
#[derive(Debug, Clone, PartialEq)]
pub struct PivotOn {
    /// The expression; a row of several for values that are rows.
    pub expr: Expr,
    /// Which of its values are columns.
    pub values: PivotValues,
}

/// The values of a [`PivotOn`].
#[derive(Debug, Clone, PartialEq)]
pub enum PivotValues {
    /// All that there are.
    All,
    /// Those of a list, maybe with names.
    Listed(Vec<(Expr, Option<Ident>)>),
    /// Those that a query gives.
    Queried(Box<Query>),
}

/// `UNPIVOT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpivot {
    /// The columns, or rows of them, that become rows.
    pub items: Vec<SelectItem>,
    /// The column for their names.
    pub name: Ident,
    /// The columns for their values.
    pub values: Vec<Ident>,
    /// Whether values that are NULL become rows.
    pub nulls: bool,
    /// Where it stands.
    pub span: Span,
}

/// A sample of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many.
    pub size: SampleSize,
    /// How they are chosen.
    pub method: SampleMethod,
    /// `REPEATABLE (seed)`.
    pub seed: Option<u64>,
    /// Where it stands.
    pub span: Span,
}

/// How large a sample is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SampleSize {
    /// So many rows.
    Rows(u64),
    /// Hundredths of the rows.
    Percent(f64),
}

/// How rows are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleMethod {
    /// Each row by itself; `system` as well.
    Bernoulli,
    /// Exactly so many.
    Reservoir,
}
