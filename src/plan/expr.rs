//! Typed expressions.

use std::sync::Arc;

use super::Plan;
use crate::catalog::{Format, FunctionSpec, IntRange, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::{BinaryOp, MatchOp};

/// An expression over the columns of one input, with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of the result. Never [`Ty::Null`] but for a bare NULL literal.
    pub ty: Ty,
    /// How numbers are shown: a plain reference to a hex column stays hex, and so do `min`, `max`,
    /// `coalesce` and `CASE` over nothing but hex.
    pub format: Format,
    /// Where it stands in the query.
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
    /// - comparisons: equal types, result boolean. (An integer compared with an address has been
    ///   left as it is: exec compares the two as numbers, so a negative integer is below every
    ///   address. An address or an integer compared with a double has been cast to double.)
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
    /// `IS [NOT] DISTINCT FROM`: a comparison that takes NULLs as equal.
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
    /// `LIKE` and its kin.
    Match {
        /// Which.
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
    /// `CASE`; a branch is evaluated only for the rows that choose it.
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
        /// Whether failure gives NULL (`TRY_CAST`).
        lenient: bool,
        /// The values of the integer type, if it is narrower than INTEGER.
        range: Option<IntRange>,
    },
    /// A scalar function, arguments converted to its signature.
    Call {
        /// The function.
        function: &'static FunctionSpec,
        /// The arguments.
        args: Vec<Expr>,
    },
    /// `module!symbol`: looked up in the open sources when the query runs.
    Symbol(String),
    /// What the query around gives a sub-query or a lateral input: the argument of that number.
    Param(usize),
    /// A sub-query.
    Query(Box<SubQuery>),
    /// Within [`ExprKind::Each`]: an argument of a lambda, by its number. Each lambda of a statement
    /// has numbers of its own.
    Local(usize),
    /// What is computed of each element of a list, or of all of them.
    Each(Box<Each>),
}

/// What is computed of the elements of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    /// The list.
    pub list: Expr,
    /// The arguments of the lambda, as [`ExprKind::Local`] of the body names them: the element, and
    /// its place from 1; of a reduction what was computed before, the element, and its place.
    pub params: Vec<usize>,
    /// What is computed.
    pub work: EachWork,
}

/// What is computed of the elements of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum EachWork {
    /// A list of the results.
    Transform(Expr),
    /// A list of the elements for which the condition is true.
    Filter(Expr),
    /// What the body makes of the result so far and the next element.
    Reduce {
        /// The next result.
        body: Expr,
        /// The first result; the first element if there is none.
        initial: Option<Expr>,
    },
    /// An aggregate of the elements.
    Aggregate(AggregateCall),
}

impl Each {
    /// The list and what is computed, in order.
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

    /// The list and what is computed, in order.
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

    /// Whether two compute the same, whatever numbers their arguments have.
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
    /// What is made of its rows.
    pub kind: QueryKind,
    /// The operands that its rows are compared with, of the types of its columns.
    pub values: Vec<Expr>,
    /// What it reads of the row that the expression stands over: [`ExprKind::Param`] of its plan,
    /// by number. It runs once for each combination of their values.
    pub args: Vec<Expr>,
    /// The query.
    pub plan: Arc<Plan>,
}

/// What is made of the rows of a sub-query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// The value of its only column: NULL without rows, an error with several.
    Scalar,
    /// Whether there is a row.
    Exists,
    /// Whether the comparison holds with some row, three-valued; `IN` is `= ANY`. Several values
    /// are compared for equality alone. `ALL` is the negation of the opposite comparison.
    Any {
        /// The comparison.
        op: BinaryOp,
        /// Whether the answer is negated: `NOT IN`, `ALL`.
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
    /// Whether only distinct arguments count.
    pub distinct: bool,
    /// Rows that do not fulfil it are left out.
    pub filter: Option<Expr>,
    /// The order in which rows are taken (`string_agg`, `first` …).
    pub order_by: Vec<SortKey>,
    /// The type of the result.
    pub ty: Ty,
    /// How the result is shown.
    pub format: Format,
    /// Where it stands.
    pub span: Span,
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// The key.
    pub expr: Expr,
    /// Whether the largest comes first.
    pub descending: bool,
    /// Whether NULLs come first.
    pub nulls_first: bool,
}
