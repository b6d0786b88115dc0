//! The steps of the pipe syntax.

use super::{
    Expr, GroupItem, Ident, JoinKind, JoinOn, OrderAll, OrderItem, Query, Select, SelectItem,
    SetOp, TableAlias, TableRef, Turn, Window,
};
use crate::diag::Span;

/// `|> …`: a step that is applied to the rows of the preceding step.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipe {
    /// The kind of step.
    pub kind: PipeKind,
    /// The position in the text, without `|>`.
    pub span: Span,
}

/// The kinds of [`Pipe`].
#[derive(Debug, Clone, PartialEq)]
pub enum PipeKind {
    /// `SELECT …`, without a FROM.
    Select(Box<Select>),
    /// `EXTEND …`: further columns.
    Extend {
        /// The new columns.
        items: Vec<SelectItem>,
        /// `WINDOW name AS (…), …`.
        windows: Vec<(Ident, Window)>,
    },
    /// `SET name = value, …`: new values for columns.
    Set(Vec<(Ident, Expr)>),
    /// `DROP name, …`.
    Drop(Vec<Ident>),
    /// `RENAME name AS name, …`.
    Rename(Vec<(Ident, Ident)>),
    /// `AS name`: a name for the rows.
    As(Ident),
    /// `WHERE condition`.
    Where(Expr),
    /// `AGGREGATE … [GROUP [AND ORDER] BY …]`.
    Aggregate {
        /// The aggregates.
        items: Vec<PipeItem>,
        /// The keys.
        keys: Vec<PipeKey>,
        /// Whether the rows are sorted by all keys.
        and_order: bool,
    },
    /// `DISTINCT`.
    Distinct,
    /// `JOIN …`.
    Join {
        /// The right side.
        right: TableRef,
        /// The kind of join.
        kind: JoinKind,
        /// How rows are matched.
        on: JoinOn,
    },
    /// `UNION ALL (…), (…)` and the like.
    SetOp {
        /// The operation.
        op: SetOp,
        /// Whether `ALL` was given.
        all: bool,
        /// Whether columns are matched by name.
        by_name: bool,
        /// The other queries.
        queries: Vec<Query>,
    },
    /// `PIVOT`, `UNPIVOT`, `TABLESAMPLE`.
    Turn {
        /// The operation.
        turn: Box<Turn>,
        /// A name for the rows.
        alias: Option<TableAlias>,
    },
    /// `ORDER BY …`.
    Order {
        /// The keys.
        items: Vec<OrderItem>,
        /// `ORDER BY ALL`.
        all: Option<OrderAll>,
    },
    /// `LIMIT …`.
    Limit {
        /// `LIMIT`.
        limit: Option<Expr>,
        /// Whether the limit is a percentage of the rows.
        percent: bool,
        /// `OFFSET`.
        offset: Option<Expr>,
    },
}

/// An aggregate or a key of [`PipeKind::Aggregate`].
#[derive(Debug, Clone, PartialEq)]
pub struct PipeItem {
    /// The value.
    pub expr: Expr,
    /// Its name.
    pub alias: Option<Ident>,
    /// The sort order, if the rows are sorted by it: descending, and where NULLs are placed.
    pub order: Option<(bool, Option<bool>)>,
}

/// A key of [`PipeKind::Aggregate`].
#[derive(Debug, Clone, PartialEq)]
pub enum PipeKey {
    /// An expression.
    Item(PipeItem),
    /// `ROLLUP (…)`, `CUBE (…)` or `GROUPING SETS (…)`.
    Sets(GroupItem),
}
