//! The logical plan: relational operators over typed expressions.

use std::sync::Arc;

use super::{AggregateCall, Expr, SortKey, WindowCall};
use crate::catalog::{CallColumn, Format, FunctionSpec, Hint, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::{JoinKind, SetOp};

/// A planned statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned {
    /// A query (`DESCRIBE`, `SHOW` and `EXPLAIN` have become queries over constants).
    Query(Plan),
    /// `EXPLAIN ANALYZE`: run the plan and report on each operator.
    Analyze(Plan),
}

impl Planned {
    /// The columns of the rows.
    pub fn schema(&self) -> &[Field] {
        let (Self::Query(plan) | Self::Analyze(plan)) = self;
        &plan.schema
    }
}

/// An operator and the columns that it returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The operator.
    pub rel: Rel,
    /// The columns of its rows.
    pub schema: Vec<Field>,
    /// The position in the query.
    pub span: Span,
}

/// A column of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name; names may repeat.
    pub name: String,
    /// The type.
    pub ty: Ty,
    /// How numbers are shown.
    pub format: Format,
}

/// A column that a scan returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanColumn {
    /// The value of the column with that index in the table's specification.
    Value(usize),
    /// The reason that the value is absent, as text; NULL if it is present.
    Why(usize),
}

/// What a scan reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Scanned {
    /// The table of that name in the catalog.
    Table(&'static str),
    /// The rows of a table function.
    Call(Arc<TableCall>),
}

/// A call of a table function.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCall {
    /// The function.
    pub function: &'static FunctionSpec,
    /// The arguments, converted to a signature; a placeholder value for those that are known only
    /// at run time.
    pub args: Vec<Value<'static>>,
    /// The columns of its rows.
    pub columns: Vec<CallColumn>,
}

impl TableCall {
    /// The number of required arguments; if one of them is NULL, there are no rows.
    pub fn required(&self) -> usize {
        self.function.required(self.args.len())
    }
}

/// What a join does with matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinForm {
    /// Each match is a row.
    Rows,
    /// Each match is a row, and several matches of a left row are an error (of a left join).
    Single,
    /// Only the match nearest to the left row by the residual condition, an inequality `left op
    /// right` (of an inner or a left join).
    Nearest,
    /// Each left row with a truth value: whether it has a match (of a left join).
    Mark,
}

/// The relational operators.
#[derive(Debug, Clone, PartialEq)]
pub enum Rel {
    /// Rows of a virtual table.
    Scan {
        /// What is scanned.
        table: Scanned,
        /// The columns that are read, in the order of the schema.
        columns: Vec<ScanColumn>,
        /// Conditions passed down; a filter above the scan tests them again.
        hints: Vec<Hint>,
        /// The number of rows that are enough.
        limit: Option<usize>,
        /// Arguments of a call that are known only at run time, by index.
        args: Vec<(usize, Expr)>,
    },
    /// Constant rows: expressions without columns. A query without FROM has one row without
    /// columns.
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
    },
    /// The rows for which the predicate is true.
    Filter {
        /// The input.
        input: Box<Plan>,
        /// The condition.
        predicate: Expr,
    },
    /// Computed columns.
    Project {
        /// The input.
        input: Box<Plan>,
        /// One expression per column.
        exprs: Vec<Expr>,
    },
    /// Matching rows of two inputs. The schema is the left columns followed by the right columns;
    /// semi and anti joins have only the left columns, and a mark join adds a truth value to them.
    Join {
        /// The left input.
        left: Box<Plan>,
        /// The right input.
        right: Box<Plan>,
        /// The kind of join.
        kind: JoinKind,
        /// Pairs of expressions of one type, over the left and the right input, that have to be
        /// equal (NULL equals nothing).
        keys: Vec<(Expr, Expr)>,
        /// The other conditions, over the left columns followed by the right columns.
        residual: Option<Expr>,
        /// The values of a left row that the right input reads: [`super::ExprKind::Param`] of its
        /// plan. It runs once for each combination of them.
        args: Vec<Expr>,
        /// What is done with matches.
        form: JoinForm,
    },
    /// One row per group: the keys, then the aggregates. Without keys there is one row, even for an
    /// empty input.
    Aggregate {
        /// The input.
        input: Box<Plan>,
        /// The keys; NULLs are one group.
        keys: Vec<Expr>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
    },
    /// The rows of the input in their order, with the results of window functions as further
    /// columns.
    Window {
        /// The input.
        input: Box<Plan>,
        /// Rows with equal values of these form a partition; NULLs are equal.
        partition: Vec<Expr>,
        /// The order within a partition; equal rows keep the order of the input.
        order: Vec<SortKey>,
        /// The calls.
        calls: Vec<WindowCall>,
    },
    /// Repeats each row of the input for each element of its lists, which are further columns.
    /// Shorter lists are padded with NULL.
    Unnest {
        /// The input.
        input: Box<Plan>,
        /// The lists.
        lists: Vec<Expr>,
        /// Whether rows whose lists have no elements are kept.
        outer: bool,
    },
    /// Distinct rows, the first of each, in the order of the input; with `on`, distinct in those
    /// expressions.
    Distinct {
        /// The input.
        input: Box<Plan>,
        /// `DISTINCT ON`.
        on: Option<Vec<Expr>>,
    },
    /// Sorted rows; equal rows keep their order.
    Sort {
        /// The input.
        input: Box<Plan>,
        /// The keys.
        keys: Vec<SortKey>,
        /// The number of first rows that are needed, if there is a limit above.
        top: Option<usize>,
    },
    /// A range of the rows.
    Limit {
        /// The input.
        input: Box<Plan>,
        /// The maximum number of rows; `None` for all.
        limit: Option<usize>,
        /// The number of rows that are skipped first.
        offset: usize,
    },
    /// `UNION`, `INTERSECT`, `EXCEPT`; both inputs have the types of the schema.
    SetOp {
        /// The operation.
        op: SetOp,
        /// Whether duplicates are kept (`ALL`).
        all: bool,
        /// The left input.
        left: Box<Plan>,
        /// The right input.
        right: Box<Plan>,
    },
    /// The rows of `base`, then the results of `step`, which runs on the rows that were new in the
    /// previous step until there are none.
    Recursive {
        /// The id of the [`Rel::Working`] in the step that stands for the new rows.
        id: usize,
        /// The first rows.
        base: Box<Plan>,
        /// Computes the next rows.
        step: Box<Plan>,
        /// Whether duplicates are kept (`UNION ALL`).
        all: bool,
    },
    /// Within the step of a recursion: the new rows of the previous step.
    Working {
        /// The id of the recursion.
        id: usize,
    },
    /// A common table expression, computed once per query.
    Shared {
        /// The same for all uses of one expression.
        id: usize,
        /// The expression's plan.
        plan: Arc<Plan>,
    },
}
