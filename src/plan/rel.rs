//! The logical plan: relational operators over typed expressions.

use std::sync::Arc;

use super::{AggregateCall, Expr, SortKey, WindowCall};
use crate::catalog::{CallColumn, Format, FunctionSpec, Hint, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::{JoinKind, SetOp};

/// A statement, ready to run.
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

/// An operator and the columns that it yields.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The operator.
    pub rel: Rel,
    /// The columns of its rows.
    pub schema: Vec<Field>,
    /// Where it stands in the query.
    pub span: Span,
}

/// A column of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name; not unique.
    pub name: String,
    /// The type.
    pub ty: Ty,
    /// How numbers are shown.
    pub format: Format,
}

/// A column that a scan yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanColumn {
    /// The value of the column of that index in the table's specification.
    Value(usize),
    /// The reason that the value is absent, as text; NULL where it is present.
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
    /// The arguments, converted to a signature; of those that are known only when it runs any value.
    pub args: Vec<Value<'static>>,
    /// The columns that it gives.
    pub columns: Vec<CallColumn>,
}

impl TableCall {
    /// How many arguments have to have a value; without one there are no rows.
    pub fn required(&self) -> usize {
        self.function.required(self.args.len())
    }
}

/// What becomes of the matches of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinForm {
    /// Each is a row.
    Rows,
    /// Each is a row, and a left row with several is an error (of a left join).
    Single,
    /// Of the matches of a left row the one that is nearest by the rest of the condition: `left op right`, an
    /// inequality (of an inner or a left join).
    Nearest,
    /// Left rows with a truth value: whether there is one (of a left join).
    Mark,
}

/// The relational operators.
#[derive(Debug, Clone, PartialEq)]
pub enum Rel {
    /// Rows of a virtual table.
    Scan {
        /// What is scanned.
        table: Scanned,
        /// What is read, in the order of the schema.
        columns: Vec<ScanColumn>,
        /// Conditions passed down; a filter above tests them again.
        hints: Vec<Hint>,
        /// How many rows are enough.
        limit: Option<usize>,
        /// Arguments of a call that are known only when it runs, by place.
        args: Vec<(usize, Expr)>,
    },
    /// Constant rows; expressions without columns. One row of no columns for a query without FROM.
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
        /// One expression a column.
        exprs: Vec<Expr>,
    },
    /// Matching rows of two inputs. The schema is the left's columns then the right's; semi and
    /// anti joins keep the left's only, and a mark join adds a truth value to them.
    Join {
        /// The left input.
        left: Box<Plan>,
        /// The right input.
        right: Box<Plan>,
        /// Which join.
        kind: JoinKind,
        /// Pairs of expressions, over the left and over the right input, of one type, that have to
        /// be equal (NULL equals nothing).
        keys: Vec<(Expr, Expr)>,
        /// What else has to hold, over the left's columns then the right's.
        residual: Option<Expr>,
        /// What the right input reads of a left row: [`super::ExprKind::Param`] of its plan. It runs once
        /// for each combination of their values.
        args: Vec<Expr>,
        /// What becomes of matches.
        form: JoinForm,
    },
    /// One row a group: the keys, then the aggregates. Without keys one row, even of no input.
    Aggregate {
        /// The input.
        input: Box<Plan>,
        /// The keys; NULLs are one group.
        keys: Vec<Expr>,
        /// The aggregates.
        aggregates: Vec<AggregateCall>,
    },
    /// The rows of the input in their order, with the results of calls that look at the rows of the
    /// same partition as further columns.
    Window {
        /// The input.
        input: Box<Plan>,
        /// Rows that are equal in these are one partition; NULLs are equal.
        partition: Vec<Expr>,
        /// The order within a partition; equal rows keep the input's.
        order: Vec<SortKey>,
        /// The calls.
        calls: Vec<WindowCall>,
    },
    /// A row for each element of the lists of a row of the input, which is repeated. Shorter lists go on
    /// with NULL. The elements are further columns.
    Unnest {
        /// The input.
        input: Box<Plan>,
        /// The lists.
        lists: Vec<Expr>,
        /// Whether rows whose lists have no elements are kept.
        outer: bool,
    },
    /// Distinct rows, the first of each kept, in the order of the input; with `on`, distinct in
    /// those expressions.
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
        /// How many of the first rows are needed, if a limit stands above.
        top: Option<usize>,
    },
    /// Some of the rows.
    Limit {
        /// The input.
        input: Box<Plan>,
        /// How many; all if `None`.
        limit: Option<usize>,
        /// How many are left out before.
        offset: usize,
    },
    /// `UNION`, `INTERSECT`, `EXCEPT`; both inputs have the types of the schema.
    SetOp {
        /// Which.
        op: SetOp,
        /// Whether duplicates count (`ALL`).
        all: bool,
        /// The left input.
        left: Box<Plan>,
        /// The right input.
        right: Box<Plan>,
    },
    /// The rows of `base`, then those that `step` makes of the rows that were new before, until it
    /// makes no more.
    Recursive {
        /// Which [`Rel::Working`] of the step the new rows are.
        id: usize,
        /// The first rows.
        base: Box<Plan>,
        /// The next rows.
        step: Box<Plan>,
        /// Whether equal rows stay (`UNION ALL`).
        all: bool,
    },
    /// Within the step of a recursion: the rows that were new before.
    Working {
        /// Which recursion.
        id: usize,
    },
    /// A common table expression, computed once a query.
    Shared {
        /// Equal for all uses of one expression.
        id: usize,
        /// The expression's plan.
        plan: Arc<Plan>,
    },
}
