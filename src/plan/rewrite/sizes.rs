//! How many rows inputs of joins have, as far as tables know their rows: attached tables and files do.

use std::cell::Cell;

use crate::catalog::Value;
use crate::lang::ast::BinaryOp;
use crate::plan::{Expr, ExprKind, Lookup, Plan, Rel, ScanColumn, Scanned};

/// How often joins are reordered in one query. More often would only happen if an order led to another
/// one in turn.
const MAX_ORDERS: usize = 1_000;

/// The share of rows for which a condition holds of which no more is known.
const SOME: f64 = 0.3;
/// The same for a pattern.
const FEW: f64 = 0.1;

/// What is known about tables while joins are ordered.
pub(super) struct Sizes<'a> {
    lookup: &'a dyn Lookup,
    left: Cell<usize>,
}

/// A column of a table.
pub(super) type Origin = (&'static str, usize);

impl<'a> Sizes<'a> {
    pub(super) const fn new(lookup: &'a dyn Lookup) -> Self {
        Self { lookup, left: Cell::new(MAX_ORDERS) }
    }

    /// Counts an order; `false` if there were too many.
    pub(super) fn again(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    /// The number of rows; `None` if it is not known.
    pub(super) fn rows(&self, plan: &Plan) -> Option<f64> {
        Some(match &plan.rel {
            Rel::Scan { table: Scanned::Table(name), .. } => number(self.lookup.rows(name)?),
            Rel::Values { rows } => number(rows.len()),
            Rel::Project { input, .. } | Rel::Sort { input, .. } | Rel::Window { input, .. } => {
                self.rows(input)?
            }
            Rel::Filter { input, predicate } => {
                let columns = origins(input);
                self.rows(input)? * self.share(predicate, &columns)
            }
            Rel::Aggregate { keys, .. } if keys.is_empty() => 1.0,
            Rel::Aggregate { input, .. } | Rel::Distinct { input, .. } => self.rows(input)? / 2.0,
            Rel::Limit { input, limit, .. } => {
                let rows = self.rows(input);
                let most = limit.map(number);
                rows.into_iter().chain(most).reduce(f64::min)?
            }
            _ => return None,
        })
    }

    /// The number of different values of an expression; `None` if it is not known.
    pub(super) fn distinct(&self, expr: &Expr, columns: &[Option<Origin>]) -> Option<f64> {
        let ExprKind::Column(at) = expr.kind else { return None };
        let (table, column) = columns.get(at).copied().flatten()?;
        self.lookup.distinct(table, column).map(|count| number(count).max(1.0))
    }

    /// The share of rows for which a condition on one input holds.
    pub(super) fn share(&self, term: &Expr, columns: &[Option<Origin>]) -> f64 {
        let of_value =
            |value: &Expr| self.distinct(value, columns).map_or(FEW, |count| 1.0 / count);
        let is_constant = |e: &Expr| e.as_literal().is_some();
        match &term.kind {
            ExprKind::Literal(Value::Bool(true)) => 1.0,
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                self.share(left, columns) * self.share(right, columns)
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right } => {
                (self.share(left, columns) + self.share(right, columns)).min(1.0)
            }
            ExprKind::Binary { op: BinaryOp::Eq, left, right } if is_constant(right) => {
                of_value(left)
            }
            ExprKind::Binary { op: BinaryOp::Eq, left, right } if is_constant(left) => {
                of_value(right)
            }
            ExprKind::InList { expr, list, negated: false } => {
                (of_value(expr) * number(list.len())).min(1.0)
            }
            ExprKind::Match { negated: false, .. } => FEW,
            ExprKind::IsNull { negated: true, .. } | ExprKind::Match { .. } => 1.0 - FEW,
            _ => SOME,
        }
    }
}

/// The columns of tables that the columns of a plan are.
pub(super) fn origins(plan: &Plan) -> Vec<Option<Origin>> {
    match &plan.rel {
        Rel::Scan { table: Scanned::Table(name), columns, .. } => {
            let origin = |column: &ScanColumn| match column {
                ScanColumn::Value(at) => Some((*name, *at)),
                ScanColumn::Why(_) => None,
            };
            columns.iter().map(origin).collect()
        }
        Rel::Filter { input, .. } | Rel::Sort { input, .. } => origins(input),
        Rel::Project { input, exprs } => {
            let below = origins(input);
            let origin = |expr: &Expr| match expr.kind {
                ExprKind::Column(at) => below.get(at).copied().flatten(),
                _ => None,
            };
            exprs.iter().map(origin).collect()
        }
        _ => vec![None; plan.schema.len()],
    }
}

#[allow(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) const fn number(count: usize) -> f64 {
    count as f64
}
