//! Expressions.

use super::{Ident, Name, OrderItem, Query};
use crate::diag::Span;
use crate::time::Interval;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The kind of expression, with its operands.
    pub kind: ExprKind,
    /// The position in the text.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A column, maybe qualified.
    Column(Name),
    /// `module!symbol`, an address by its symbol.
    Symbol(String),
    /// `$name`.
    Parameter(String),
    /// `#n`: the column of FROM at position `n`, from 1.
    Position(u64),
    /// An operator before its operand.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// The operand.
        expr: Box<Expr>,
    },
    /// An operator between its operands.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The position of the operator.
        op_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `IS [NOT] NULL`.
    IsNull {
        /// The operand.
        expr: Box<Expr>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `IS [NOT] TRUE`, `IS [NOT] FALSE`.
    IsBool {
        /// The operand.
        expr: Box<Expr>,
        /// The value compared with.
        value: bool,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `IS [NOT] DISTINCT FROM`.
    IsDistinct {
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `[NOT] BETWEEN low AND high`.
    Between {
        /// The value.
        expr: Box<Expr>,
        /// The lower bound, inclusive.
        low: Box<Expr>,
        /// The upper bound, inclusive.
        high: Box<Expr>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `[NOT] IN (list)`.
    InList {
        /// The value.
        expr: Box<Expr>,
        /// The list.
        list: Vec<Expr>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `[NOT] IN (query)`.
    InQuery {
        /// The value.
        expr: Box<Expr>,
        /// The query.
        query: Box<Query>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `[NOT] LIKE`, `ILIKE`, `GLOB`, `SIMILAR TO`, `~`.
    Match {
        /// The operator.
        op: MatchOp,
        /// The text.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// `ESCAPE`.
        escape: Option<Box<Expr>>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `[NOT] LIKE ANY (patterns)`, `LIKE ALL (patterns)`, and the same for the other operators.
    MatchList {
        /// The operator.
        op: MatchOp,
        /// The text.
        expr: Box<Expr>,
        /// The patterns.
        patterns: Vec<Expr>,
        /// Whether all patterns have to match, rather than at least one.
        all: bool,
        /// Whether `NOT` was given; it negates each match.
        negated: bool,
    },
    /// `text COLLATE name`.
    Collate {
        /// The text.
        expr: Box<Expr>,
        /// The collation, or several with dots between them.
        collation: Ident,
    },
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`.
    Case {
        /// The operand that the conditions are compared with.
        operand: Option<Box<Expr>>,
        /// Conditions and results.
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`.
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(e AS type)`, `TRY_CAST(e AS type)`, `e::type`.
    Cast {
        /// The operand.
        expr: Box<Expr>,
        /// The name of the type as written.
        ty: Ident,
        /// Whether a failure gives NULL.
        lenient: bool,
    },
    /// A call.
    Call(Call),
    /// A scalar sub-query.
    Scalar(Box<Query>),
    /// `EXISTS (query)`.
    Exists(Box<Query>),
    /// Several values in parentheses: a row.
    Row(Vec<Expr>),
    /// `{'a': 1, 'b': x}` or `struct_pack(a := 1, b := x)`: names and values.
    Struct(Vec<(Ident, Expr)>),
    /// `x -> x + 1` or `lambda x: x + 1`: a function in a call.
    Lambda {
        /// The names of its arguments.
        params: Vec<Ident>,
        /// The result.
        body: Box<Expr>,
    },
    /// `ANY (query)` or `ALL (query)`, on the right of a comparison.
    Quantified {
        /// Whether it is `ALL`.
        all: bool,
        /// The query.
        query: Box<Query>,
    },
}

/// A call of a scalar, aggregate or window function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function.
    pub name: Ident,
    /// The arguments; empty for `count(*)`.
    pub args: Vec<Expr>,
    /// Whether the argument is `*`.
    pub star: bool,
    /// `* EXCLUDE (…)` as the argument.
    pub exclude: Vec<Ident>,
    /// Whether `DISTINCT` was given.
    pub distinct: bool,
    /// `ORDER BY` within the parentheses.
    pub order_by: Vec<OrderItem>,
    /// `WITHIN GROUP (ORDER BY …)`.
    pub within_group: Vec<OrderItem>,
    /// Whether `IGNORE NULLS` was given.
    pub ignore_nulls: bool,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Box<Expr>>,
    /// `OVER …`.
    pub over: Option<Box<Over>>,
}

/// The window after `OVER`.
#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    /// A name that is defined by `WINDOW`.
    Named(Ident),
    /// A window in parentheses.
    Window(Window),
}

/// A window: `([name] [PARTITION BY …] [ORDER BY …] [frame])`.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The named window that it extends.
    pub base: Option<Ident>,
    /// `PARTITION BY`.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`.
    pub order_by: Vec<OrderItem>,
    /// The frame.
    pub frame: Option<Frame>,
    /// The position in the text.
    pub span: Span,
}

/// A window frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// `ROWS`, `RANGE` or `GROUPS`.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
    /// `EXCLUDE …`.
    pub exclude: Exclude,
    /// The position in the text.
    pub span: Span,
}

/// The rows around the current row that a frame excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclude {
    /// `EXCLUDE NO OTHERS`, the default.
    NoOthers,
    /// `EXCLUDE CURRENT ROW`.
    CurrentRow,
    /// `EXCLUDE GROUP`: the row and those with equal keys.
    Group,
    /// `EXCLUDE TIES`: the rows with equal keys, except the row itself.
    Ties,
}

/// Units of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUnit {
    /// `ROWS`.
    Rows,
    /// `RANGE`.
    Range,
    /// `GROUPS`.
    Groups,
}

/// One bound of a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// `UNBOUNDED PRECEDING`.
    UnboundedPreceding,
    /// `n PRECEDING`.
    Preceding(Box<Expr>),
    /// `CURRENT ROW`.
    CurrentRow,
    /// `n FOLLOWING`.
    Following(Box<Expr>),
    /// `UNBOUNDED FOLLOWING`.
    UnboundedFollowing,
}

/// Literals.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `TRUE`, `FALSE`.
    Bool(bool),
    /// A decimal integer (its magnitude; a minus sign is a [`UnaryOp::Negate`] around it, and
    /// `plan` folds the two so that -9223372036854775808 is in range).
    Int(u64),
    /// A number with a point or an exponent.
    Double(f64),
    /// Text in single quotes, unescaped.
    Text(String),
    /// `0x80478b00`, or ``fffff801`a972c530``.
    Addr(u64),
    /// `TIMESTAMP 'text'`: microseconds since 1970 UTC.
    Time(i64),
    /// `DATE '2024-05-01'`: the microseconds since 1970-01-01 of its midnight.
    Date(i64),
    /// `INTERVAL 'text'` or `INTERVAL n unit`: months and microseconds.
    Interval(Interval),
}

/// Prefix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `NOT`.
    Not,
    /// `-`.
    Negate,
    /// `+`.
    Plus,
    /// `~`.
    BitNot,
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `OR`.
    Or,
    /// `AND`.
    And,
    /// `=` or `==`.
    Eq,
    /// `<>` or `!=`.
    NotEq,
    /// `<`.
    Lt,
    /// `<=`.
    LtEq,
    /// `>`.
    Gt,
    /// `>=`.
    GtEq,
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`: floating-point division, as in DuckDB.
    Div,
    /// `//`: integer division.
    IntDiv,
    /// `%`.
    Mod,
    /// `||`.
    Concat,
    /// `&`.
    BitAnd,
    /// `|`.
    BitOr,
    /// `<<`.
    ShiftLeft,
    /// `>>`.
    ShiftRight,
}

impl BinaryOp {
    /// The comparison that gives the same result with swapped operands; other operators are
    /// returned unchanged.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
            other => other,
        }
    }
}

/// Operators that match text with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// `LIKE`: `%` and `_`, case-sensitive.
    Like,
    /// `ILIKE`: as `LIKE`, but case-insensitive.
    ILike,
    /// `GLOB`: `*`, `?`, `[…]`, case-sensitive.
    Glob,
    /// `SIMILAR TO`: a regular expression that matches the whole text.
    SimilarTo,
    /// `~`: a regular expression that matches any part of the text.
    Regexp,
}
