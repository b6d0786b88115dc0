//! Typed expressions.

use std::sync::Arc;

use super::Plan;
use crate::catalog::{Format, FunctionSpec, IntRange, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::{BinaryOp, MatchOp};

/// An expression over the columns of one input, with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The kind, with the operands.
    pub kind: ExprKind,
    /// The type of the result. [`Ty::Null`] only for a NULL literal.
    pub ty: Ty,
    /// How numbers are shown: a plain reference to a hex column stays hex, and so do `min`, `max`,
    /// `coalesce` and `CASE` if all operands are hex.
    pub format: Format,
    /// The position in the query.
    pub span: Span,
}

/// The kinds of typed expression. Operands have been converted: both sides of a comparison have
/// one type, and so have the results of a `CASE` and the entries of an `IN` list.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A column of the input, by index.
    Column(usize),
    /// A constant; parameters have become constants.
    Literal(Value<'static>),
    /// Three-valued `NOT`.
    Not(Box<Expr>),
    /// Arithmetic negation of an integer, a double or an interval; overflow is an error.
    Negate(Box<Expr>),
    /// Bitwise complement of an integer or an address.
    BitNot(Box<Expr>),
    /// An operator between operands. The pairs of operand types, and results:
    ///
    /// - `AND`, `OR`: booleans.
    /// - comparisons: equal types, result boolean. (An integer compared with an address is not
    ///   converted: exec compares the two as numbers, so a negative integer is below every address.
    ///   An address or an integer compared with a double has been cast to double.)
    /// - `+ - *`: integer×integer, double×double, interval+interval, interval-interval,
    ///   timestamp±interval → timestamp, timestamp-timestamp → interval, interval*integer,
    ///   address±integer → address, address+address → address, address-address → integer,
    ///   address*integer → address.
    /// - `/`: double×double → double (operands cast), interval/integer → interval;
    ///   x/0 is NULL.
    /// - `//`, `%`: integer×integer, address×integer → address, double×double; division by zero
    ///   is NULL.
    /// - `& | << >>`: integer×integer, address×address (an integer beside an address has been cast
    ///   to address) except that shift counts are integers.
    /// - `||`: text.
    ///
    /// A result outside the range of an integer, an address, a timestamp or an interval is an error
    /// (E0302), never a wrong number; doubles follow IEEE 754 up to infinity, as in DuckDB.
    Binary {
        /// The operator.
        op: BinaryOp,
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
    /// `IS [NOT] DISTINCT FROM`: a comparison in which two NULLs are equal.
    IsDistinct {
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `[NOT] IN (…)` over expressions, three-valued.
    InList {
        /// The value.
        expr: Box<Expr>,
        /// The list.
        list: Vec<Expr>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `LIKE`, `ILIKE`, `GLOB`, `SIMILAR TO` and regular expressions.
    Match {
        /// The operator.
        op: MatchOp,
        /// The text.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The escape character of LIKE and ILIKE.
        escape: Option<char>,
        /// Whether `NOT` was given.
        negated: bool,
    },
    /// `CASE`; a result is evaluated only for the rows that select it.
    Case {
        /// Boolean conditions and results.
        branches: Vec<(Expr, Expr)>,
        /// `ELSE`; NULL if there is none.
        otherwise: Option<Box<Expr>>,
    },
    /// A conversion to [`Expr::ty`].
    Cast {
        /// The operand.
        expr: Box<Expr>,
        /// Whether a failure gives NULL (`TRY_CAST`).
        lenient: bool,
        /// The range of the integer type, if it is narrower than INTEGER.
        range: Option<IntRange>,
    },
    /// A scalar function; the arguments are converted to its signature.
    Call {
        /// The function.
        function: &'static FunctionSpec,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `module!symbol`: looked up in the open sources at run time.
    Symbol(String),
    /// A value that the outer query passes to a sub-query or a lateral input: the argument with
    /// that number.
    Param(usize),
    /// A sub-query.
    Query(Box<SubQuery>),
    /// Within [`ExprKind::Each`]: an argument of a lambda, by number. The numbers are unique in the
    /// statement.
    Local(usize),
    /// A list function that evaluates an expression for each element.
    Each(Box<Each>),
}

/// A list function that evaluates an expression for each element.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// The list.
    pub list: Expr,
    /// The lambda's arguments, to which [`ExprKind::Local`] in the body refers: the element, and
    /// its position from 1; for a reduction the result so far, the element, and its position.
    pub params: Vec<usize>,
    /// The operation.
    pub work: EachWork,
}

/// The operation of a list function.
#[derive(Debug, Clone, PartialEq)]
pub enum EachWork {
    /// A list of the results.
    Transform(Expr),
    /// A list of the elements for which the condition is true.
    Filter(Expr),
    /// A reduction: the body computes the next result from the result so far and the next element.
    Reduce {
        /// The next result.
        body: Expr,
        /// The initial result; the first element if `None`.
        initial: Option<Expr>,
    },
    /// An aggregate of the elements.
    Aggregate(AggregateCall),
}

impl Each {
    /// The list and the expressions of the operation, in order.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut all = vec![&self.list];
        match &self.work {
            EachWork::Transform(body) | EachWork::Filter(body) => all.push(body),
            EachWork::Reduce { body, initial } => {
                all.push(body);
                all.extend(initial);
            }
            EachWork::Aggregate(call) => all.extend(call.exprs()),
        }
        all
    }

    /// The list and the expressions of the operation, in order.
    pub(super) fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        let mut all = vec![&mut self.list];
        match &mut self.work {
            EachWork::Transform(body) | EachWork::Filter(body) => all.push(body),
            EachWork::Reduce { body, initial } => {
                all.push(body);
                all.extend(initial);
            }
            EachWork::Aggregate(call) => all.extend(call.exprs_mut()),
        }
        all
    }

    /// Whether two compute the same value; the numbers of their arguments may differ.
    pub(super) fn same(&self, other: &Self) -> bool {
        let kind = match (&self.work, &other.work) {
            (EachWork::Aggregate(a), EachWork::Aggregate(b)) => a.function.name == b.function.name,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        if !kind || self.params.len() != other.params.len() {
            return false;
        }
        let mut renamed = other.clone();
        for expr in renamed.exprs_mut() {
            expr.visit_mut(&mut |e| {
                if let ExprKind::Local(id) = &mut e.kind
                    && let Some(at) = other.params.iter().position(|param| param == id)
                    && let Some(own) = self.params.get(at)
                {
                    *id = *own;
                }
            });
        }
        let (mine, others) = (self.exprs(), renamed.exprs());
        mine.len() == others.len() && mine.iter().zip(others).all(|(a, b)| a.same(b))
    }
}

/// A sub-query in an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct SubQuery {
    /// How its rows are used.
    pub kind: QueryKind,
    /// The operands that its rows are compared with, of the types of its columns.
    pub values: Vec<Expr>,
    /// The values of the outer row that it reads: [`ExprKind::Param`] of its plan, by number. It
    /// runs once for each combination of them.
    pub args: Vec<Expr>,
    /// The query.
    pub plan: Arc<Plan>,
}

/// How the rows of a sub-query are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// The value of its only column: NULL if there are no rows, an error if there are several.
    Scalar,
    /// Whether there is a row.
    Exists,
    /// Whether the comparison is true for some row, in three-valued logic; `IN` is `= ANY`. Several
    /// values can only be compared for equality. `ALL` is the negation of the opposite comparison.
    Any {
        /// The comparison.
        op: BinaryOp,
        /// Whether the result is negated: `NOT IN`, `ALL`.
        negated: bool,
    },
}

/// One aggregate of an [`super::Rel::Aggregate`].
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateCall {
    /// The function.
    pub function: &'static FunctionSpec,
    /// The arguments; empty for `count(*)`.
    pub args: Vec<Expr>,
    /// Whether only distinct arguments are aggregated.
    pub distinct: bool,
    /// Only rows that fulfil this condition are aggregated.
    pub filter: Option<Expr>,
    /// The order in which rows are aggregated (`string_agg`, `first` …).
    pub order_by: Vec<SortKey>,
    /// The type of the result.
    pub ty: Ty,
    /// How the result is shown.
    pub format: Format,
    /// The position in the query.
    pub span: Span,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// The key.
    pub expr: Expr,
    /// Whether the order is descending.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
}
