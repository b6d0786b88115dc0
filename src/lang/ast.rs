//! The syntax tree. Every node knows its [`Span`]; names and literals are as written.
//!
//! The tree covers the whole language of `grammar/dumpql.pest`; `plan` rejects what this version
//! does not run. The tree knows no tables, no functions, and not what types mean.

mod expr;
mod pipe;
mod statement;
mod turn;
pub mod walk;

mod select;

use crate::diag::Span;
pub use select::{Distinct, GroupBy, GroupItem, NamePattern, Select, SelectItem};

pub use expr::{
    BinaryOp, Bound, Call, Exclude, Expr, ExprKind, Frame, FrameUnit, Literal, MatchOp, Over,
    UnaryOp, Window,
};

pub use pipe::{Pipe, PipeItem, PipeKey, PipeKind};
pub use statement::{Command, Create, CreateMode, Created, Dropped, MacroBody};
pub use turn::{Pivot, PivotOn, PivotValues, Sample, SampleMethod, SampleSize, Turn, Unpivot};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The kind of statement.
    pub kind: StatementKind,
    /// The text of the statement, without the semicolon.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// A query.
    Query(Box<Query>),
    /// `EXPLAIN [ANALYZE] query`.
    Explain {
        /// Whether to run the query and report on its operators.
        analyze: bool,
        /// The query.
        query: Box<Query>,
    },
    /// `DESCRIBE table`.
    Describe(Name),
    /// `DESCRIBE query`.
    DescribeQuery(Box<Query>),
    /// `SHOW TABLES`.
    ShowTables,
    /// `SHOW FUNCTIONS`.
    ShowFunctions,
    /// `SUMMARIZE query` or `SUMMARIZE table` (then `query` is `FROM table`).
    Summarize(Box<Query>),
    /// `ATTACH 'file' [AS name] [(options)]`.
    Attach(Attach),
    /// `DETACH name`.
    Detach(Ident),
    /// `SHOW name`: a setting, or the columns of a table.
    Show(Name),
    /// `SHOW SETTINGS`.
    ShowSettings,
    /// A statement that changes the state of the session, or writes a file.
    Command(Command),
}

/// A file to attach.
#[derive(Debug, Clone, PartialEq)]
pub struct Attach {
    /// The path as written.
    pub file: Ident,
    /// The name in queries; by default it is derived from the file name.
    pub name: Option<Ident>,
    /// Options, by name: text, or `true` and `false` as text.
    pub options: Vec<(Ident, Ident)>,
}

/// An identifier, or several with dots between them; quoted or unquoted.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The name without its quotes.
    pub text: String,
    /// Whether it was in double quotes.
    pub quoted: bool,
    /// The position in the text.
    pub span: Span,
}

/// A name of one or more parts: `threads`, `meta.tables`, `t.tid`.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The parts in order; at least one.
    pub parts: Vec<Ident>,
    /// The position in the text.
    pub span: Span,
}

/// A whole query: `WITH`, a body, and the clauses that apply to the body's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// `WITH …`.
    pub with: Option<With>,
    /// `SELECT`, `VALUES`, or a set operation.
    pub body: Body,
    /// `ORDER BY`.
    pub order_by: Vec<OrderItem>,
    /// `ORDER BY ALL [ASC|DESC]`: by every output column from the left.
    pub order_by_all: Option<OrderAll>,
    /// `LIMIT`.
    pub limit: Option<Expr>,
    /// Whether the limit is a percentage of the rows.
    pub limit_percent: bool,
    /// `OFFSET`.
    pub offset: Option<Expr>,
    /// `|> …`: the steps that follow, in order.
    pub pipes: Vec<Pipe>,
    /// The position in the text.
    pub span: Span,
}

impl Query {
    /// A query that consists only of a body.
    pub const fn of_body(body: Body, span: Span) -> Self {
        Self {
            with: None,
            body,
            order_by: Vec::new(),
            order_by_all: None,
            limit: None,
            limit_percent: false,
            offset: None,
            pipes: Vec::new(),
            span,
        }
    }

    /// `FROM name`.
    pub fn of_table(name: Name) -> Self {
        let span = name.span;
        let from = TableRef { kind: TableRefKind::Table(name), alias: None, span };
        let items = vec![SelectItem::all(span)];
        let select = Select { items, from: Some(from), ..Select::blank(span) };
        Self::of_body(Body::Select(Box::new(select)), span)
    }

    /// `SELECT expr`.
    pub fn of_value(expr: Expr) -> Self {
        let span = expr.span;
        let items = vec![SelectItem::Expr { expr, alias: None }];
        let select = Select { items, ..Select::blank(span) };
        Self::of_body(Body::Select(Box::new(select)), span)
    }
}

/// `ORDER BY ALL`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderAll {
    /// Whether `DESC` was given.
    pub descending: bool,
    /// `NULLS FIRST` or `NULLS LAST`.
    pub nulls_first: Option<bool>,
    /// The position in the text.
    pub span: Span,
}

/// `WITH [RECURSIVE] …`.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    /// Whether `RECURSIVE` was given.
    pub recursive: bool,
    /// The expressions in order.
    pub ctes: Vec<Cte>,
    /// The position in the text.
    pub span: Span,
}

/// `name [(columns)] AS (query)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// The name.
    pub name: Ident,
    /// Names for the columns.
    pub columns: Vec<Ident>,
    /// `MATERIALIZED`, or `NOT MATERIALIZED`.
    pub materialized: Option<bool>,
    /// The query.
    pub query: Box<Query>,
}

/// What produces rows before ordering and limits.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `SELECT …`.
    Select(Box<Select>),
    /// `VALUES (…), (…)`.
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
        /// The position in the text.
        span: Span,
    },
    /// `left UNION right` and the like.
    SetOp {
        /// The operation.
        op: SetOp,
        /// Whether `ALL` was given.
        all: bool,
        /// Whether columns are matched by name (`UNION BY NAME`).
        by_name: bool,
        /// The left query.
        left: Box<Body>,
        /// The right query.
        right: Box<Body>,
        /// The position of the operator.
        span: Span,
    },
    /// A query in parentheses.
    Nested(Box<Query>),
}

/// Set operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOp {
    /// `UNION`.
    Union,
    /// `INTERSECT`.
    Intersect,
    /// `EXCEPT`.
    Except,
}

/// An item of `FROM`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRef {
    /// The kind of item.
    pub kind: TableRefKind,
    /// `AS name` and names for the columns.
    pub alias: Option<TableAlias>,
    /// The position in the text.
    pub span: Span,
}

/// `AS name (columns)`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableAlias {
    /// The name.
    pub name: Ident,
    /// Names for the columns; may be fewer than there are.
    pub columns: Vec<Ident>,
}

/// The kinds of [`TableRef`].
#[derive(Debug, Clone, PartialEq)]
pub enum TableRefKind {
    /// A table, view or common table expression.
    Table(Name),
    /// `'file.csv'`: the rows of a file.
    File(Ident),
    /// A table function.
    Function {
        /// Its name.
        name: Name,
        /// Its arguments.
        args: Vec<CallArgument>,
        /// Whether `LATERAL` was written.
        lateral: bool,
    },
    /// A sub-query, or `VALUES` in parentheses.
    Subquery {
        /// The query.
        query: Box<Query>,
        /// Whether `LATERAL` was written.
        lateral: bool,
    },
    /// The rows of a table after `PIVOT`, `UNPIVOT` or sampling.
    Turned {
        /// The table.
        input: Box<TableRef>,
        /// The operation.
        turn: Box<Turn>,
    },
    /// A join.
    Join {
        /// The left side.
        left: Box<TableRef>,
        /// The right side.
        right: Box<TableRef>,
        /// The kind of join.
        kind: JoinKind,
        /// How rows are matched.
        on: JoinOn,
    },
}

/// An argument of a table function.
#[derive(Debug, Clone, PartialEq)]
pub struct CallArgument {
    /// Its name, if it was given by name (`name => value`).
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// Joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// `[INNER] JOIN`.
    Inner,
    /// `LEFT [OUTER] JOIN`.
    Left,
    /// `RIGHT [OUTER] JOIN`.
    Right,
    /// `FULL [OUTER] JOIN`.
    Full,
    /// `CROSS JOIN`, or a comma.
    Cross,
    /// `SEMI JOIN`.
    Semi,
    /// `ANTI JOIN`.
    Anti,
    /// `ASOF JOIN`.
    Asof,
    /// `ASOF LEFT JOIN`.
    AsofLeft,
    /// `POSITIONAL JOIN`.
    Positional,
}

/// How a join matches rows.
#[derive(Debug, Clone, PartialEq)]
pub enum JoinOn {
    /// `ON condition`.
    Condition(Box<Expr>),
    /// `USING (columns)`.
    Using(Vec<Ident>),
    /// `NATURAL`.
    Natural,
    /// No condition (cross joins).
    None,
}

/// One key of `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// The key: an expression, a name of the list, or an ordinal.
    pub expr: Expr,
    /// Whether `DESC` was given.
    pub descending: bool,
    /// `NULLS FIRST` or `NULLS LAST`; `None` leaves the default (last).
    pub nulls_first: Option<bool>,
}
