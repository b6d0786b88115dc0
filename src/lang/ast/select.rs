//! SELECT: its list, its groups, and DISTINCT.

use super::expr::{Expr, MatchOp, Window};
use super::{Ident, Name, TableRef};
use crate::diag::Span;

/// `SELECT …` (or `FROM …` first).
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// `DISTINCT`.
    pub distinct: Distinct,
    /// The list; `FROM t` alone has one `*`.
    pub items: Vec<SelectItem>,
    /// The `FROM` clause; commas are cross joins. `None` gives one row without columns.
    pub from: Option<TableRef>,
    /// `WHERE`.
    pub filter: Option<Expr>,
    /// `GROUP BY`.
    pub group_by: GroupBy,
    /// `HAVING`.
    pub having: Option<Expr>,
    /// `WINDOW name AS (…), …`.
    pub windows: Vec<(Ident, Window)>,
    /// `QUALIFY`.
    pub qualify: Option<Expr>,
    /// The position in the text.
    pub span: Span,
}

impl Select {
    /// A select without a list and without clauses.
    pub const fn blank(span: Span) -> Self {
        Self {
            distinct: Distinct::No,
            items: Vec::new(),
            from: None,
            filter: None,
            group_by: GroupBy::None,
            having: None,
            windows: Vec::new(),
            qualify: None,
            span,
        }
    }
}

/// `DISTINCT` of a select.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// Keep every row.
    No,
    /// `DISTINCT`.
    Rows,
    /// `DISTINCT ON (…)`.
    On(Vec<Expr>),
}

/// `GROUP BY` of a select.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupBy {
    /// No grouping.
    None,
    /// `GROUP BY ALL`: every item of the list that contains no aggregate.
    All(Span),
    /// Expressions, names of items, or ordinals.
    Keys(Vec<Expr>),
    /// With `GROUPING SETS`, `ROLLUP`, `CUBE` or `()` among the items.
    Sets(Vec<GroupItem>),
}

/// An item of `GROUP BY`.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupItem {
    /// Keys of one set: an expression, several in parentheses, or none.
    Keys(Vec<Expr>),
    /// `ROLLUP (…)`.
    Rollup(Vec<Vec<Expr>>),
    /// `CUBE (…)`.
    Cube(Vec<Vec<Expr>>),
    /// `GROUPING SETS (…)`.
    Sets(Vec<GroupItem>),
}

/// One item of a select list.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*` or `t.*`, with `LIKE` or with `EXCLUDE (a, b)`, `REPLACE (e AS a)`, `RENAME (a AS b)`.
    Star {
        /// The table before the dot.
        qualifier: Option<Name>,
        /// Excluded columns.
        exclude: Vec<Ident>,
        /// Columns with another expression.
        replace: Vec<(Expr, Ident)>,
        /// Renamed columns: the column, and the new name.
        rename: Vec<(Ident, Ident)>,
        /// A pattern that the names of the columns have to match.
        like: Option<NamePattern>,
        /// The position in the text.
        span: Span,
    },
    /// An expression with an optional name.
    Expr {
        /// The expression.
        expr: Expr,
        /// `AS name`.
        alias: Option<Ident>,
    },
}

impl SelectItem {
    /// `*`.
    pub const fn all(span: Span) -> Self {
        Self::Star {
            qualifier: None,
            exclude: Vec::new(),
            replace: Vec::new(),
            rename: Vec::new(),
            like: None,
            span,
        }
    }
}

/// A condition on column names.
#[derive(Debug, Clone, PartialEq)]
pub struct NamePattern {
    /// The kind of pattern.
    pub op: MatchOp,
    /// The pattern.
    pub pattern: Ident,
    /// Whether `NOT` was given.
    pub negated: bool,
}
