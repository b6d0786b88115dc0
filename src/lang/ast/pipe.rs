//! The steps of the pipe syntax.

use super::{
    Expr, GroupItem, Ident, JoinKind, JoinOn, OrderAll, OrderItem, Query, Select, SelectItem,
    SetOp, TableAlias, TableRef, Turn, Window,
};
use crate::diag::Span;

/// `|> …`: a step over the rows of what stands before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipe {
    /// What it does.
    pub kind: PipeKind,
    /// Where it stands, without the mark.
    pub span: Span,
}

/// The kinds of [`Pipe`].
#[derive(Debug, Clone, PartialEq)]
pub enum PipeKind {
    /// `SELECT …`, without a FROM.
    Select(Box<Select>),
    /// `EXTEND …`: columns more.
    Extend {
        /// The new columns.
        items: Vec<SelectItem>,
        /// `WINDOW name AS (…), …`.
        windows: Vec<(Ident, Window)>,
    },
    /// `SET name = value, …`: columns with other values.
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
        /// Which join.
        kind: JoinKind,
        /// How rows are matched.
        on: JoinOn,
    },
    /// `UNION ALL (…), (…)` and the like.
    SetOp {
        /// Which.
        op: SetOp,
        /// Whether `ALL` was given.
        all: bool,
        /// Whether columns go together by their names.
        by_name: bool,
        /// The other queries.
        queries: Vec<Query>,
    },
    /// `PIVOT`, `UNPIVOT`, `TABLESAMPLE`.
    Turn {
        /// What becomes of the rows.
        turn: Box<Turn>,
        /// A name for them.
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
        /// Whether the limit is in hundredths of the rows.
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
    /// Whether the rows are sorted by it, and how: descending, and where NULLs go.
    pub order: Option<(bool, Option<bool>)>,
}

/// A key of [`PipeKind::Aggregate`].
#[derive(Debug, Clone, PartialEq)]
pub enum PipeKey {
    /// An expression.
    Item(PipeItem),
    /// `ROLLUP (…)` and its kin.
    Sets(GroupItem),
}
