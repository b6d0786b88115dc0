//! The syntax tree. Every node knows its [`Span`]; names and literals are as written.
//!
//! The tree covers the whole language of `grammar/dumpql.pest`; what this version does not run is
//! rejected by `plan`, never by shape here. It knows no tables, types' meanings, or functions.

use crate::diag::Span;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it does.
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
        /// Whether to run it and report what happened.
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
}

/// A file to attach.
#[derive(Debug, Clone, PartialEq)]
pub struct Attach {
    /// The path as written.
    pub file: Ident,
    /// The name that it gets; else its file name gives one.
    pub name: Option<Ident>,
    /// What is said of the file, by name: text, or `true` and `false` as text.
    pub options: Vec<(Ident, Ident)>,
}

/// An identifier, or several with dots between them, quoted or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The name without its quotes.
    pub text: String,
    /// Whether it was in double quotes.
    pub quoted: bool,
    /// Where it stands.
    pub span: Span,
}

/// A name of one or more parts: `threads`, `meta.tables`, `t.tid`.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The parts in order; at least one.
    pub parts: Vec<Ident>,
    /// Where it stands.
    pub span: Span,
}

/// A whole query: `WITH`, a body, and what applies to the body's rows.
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
    /// `OFFSET`.
    pub offset: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// `ORDER BY ALL`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderAll {
    /// Whether `DESC` was given.
    pub descending: bool,
    /// `NULLS FIRST` or `NULLS LAST`.
    pub nulls_first: Option<bool>,
    /// Where it stands.
    pub span: Span,
}

/// `WITH [RECURSIVE] …`.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    /// Whether `RECURSIVE` was given.
    pub recursive: bool,
    /// The expressions in order.
    pub ctes: Vec<Cte>,
    /// Where it stands.
    pub span: Span,
}

/// `name [(columns)] AS (query)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// The name.
    pub name: Ident,
    /// Names for the columns.
    pub columns: Vec<Ident>,
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
        /// Where it stands.
        span: Span,
    },
    /// `left UNION right` and the like.
    SetOp {
        /// Which.
        op: SetOp,
        /// Whether `ALL` was given.
        all: bool,
        /// The left query.
        left: Box<Body>,
        /// The right query.
        right: Box<Body>,
        /// The operator's words.
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
    /// `QUALIFY`.
    pub qualify: Option<Expr>,
    /// Where it stands.
    pub span: Span,
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
    /// None.
    None,
    /// `GROUP BY ALL`: every item of the list that holds no aggregate.
    All(Span),
    /// Expressions, names of items, or ordinals.
    Keys(Vec<Expr>),
}

/// One item of a select list.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*` or `t.*`, with `EXCLUDE (a, b)` and `REPLACE (e AS a)`.
    Star {
        /// The table before the dot.
        qualifier: Option<Name>,
        /// Columns left out.
        exclude: Vec<Ident>,
        /// Columns computed instead.
        replace: Vec<(Expr, Ident)>,
        /// Where it stands.
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

/// What stands in `FROM`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRef {
    /// What it is.
    pub kind: TableRefKind,
    /// `AS name` and names for the columns.
    pub alias: Option<TableAlias>,
    /// Where it stands.
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
    /// A join.
    Join {
        /// The left side.
        left: Box<TableRef>,
        /// The right side.
        right: Box<TableRef>,
        /// Which join.
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
    /// Nothing (cross joins).
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

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
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
        /// The operator's own place.
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
        /// The lower end, included.
        low: Box<Expr>,
        /// The upper end, included.
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
        /// Which.
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
        /// The type's name as written.
        ty: Ident,
        /// Whether failure gives NULL.
        lenient: bool,
    },
    /// A call.
    Call(Call),
    /// A scalar sub-query.
    Scalar(Box<Query>),
    /// `EXISTS (query)`.
    Exists(Box<Query>),
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
    /// Whether `DISTINCT` was given.
    pub distinct: bool,
    /// `ORDER BY` within the parentheses.
    pub order_by: Vec<OrderItem>,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Box<Expr>>,
    /// `OVER …`.
    pub over: Option<Box<Window>>,
}

/// `OVER (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// `PARTITION BY`.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`.
    pub order_by: Vec<OrderItem>,
    /// The frame, as `(unit, start, end)`.
    pub frame: Option<Frame>,
    /// Where it stands.
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

/// One end of a frame.
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
    /// `INTERVAL 'text'` or `INTERVAL n unit`: microseconds.
    Interval(i64),
}

/// Operators before an operand.
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

/// Operators between operands.
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
    /// `/`: division of floating point, as in DuckDB.
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

/// Operators that match text with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOp {
    /// `LIKE`: `%` and `_`, by case.
    Like,
    /// `ILIKE`: the same, without case.
    ILike,
    /// `GLOB`: `*`, `?`, `[…]`, by case.
    Glob,
    /// `SIMILAR TO`: a regular expression that matches the whole text.
    SimilarTo,
    /// `~`: a regular expression that matches somewhere.
    Regexp,
}
