//! Comparisons with all rows of a sub-query: `IN`, `= ANY`, `> ALL`.

use super::expr::{Place, query_of};
use super::row;
use super::unify::coerce_columns;
use super::{Binder, Bound};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, Query};
use crate::plan::{Expr, QueryKind};

/// The operator and sub-query with which a value is compared.
#[derive(Clone, Copy)]
pub(super) struct Quantified<'q> {
    /// The comparison operator.
    pub(super) op: BinaryOp,
    /// Whether it has to be true for all rows, or else for at least one.
    pub(super) all: bool,
    /// The rows.
    pub(super) query: &'q Query,
}

impl Binder<'_> {
    /// A comparison of a value or a row with the rows of a sub-query.
    pub(super) fn quantified(
        &mut self,
        value: &ast::Expr,
        quantified: Quantified<'_>,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let Quantified { op, all, query } = quantified;
        let values = match &value.kind {
            ast::ExprKind::Row(values) => self.exprs(values, place),
            _ => self.expr(value, place).map(|value| vec![value]),
        };
        let (plan, args) = self.subquery(query, place)?;
        let values = values?;
        if plan.schema.len() != values.len() {
            if values.len() == 1 {
                return self.one_column(plan.schema.len(), query.span);
            }
            let found = super::query::columns(plan.schema.len());
            let message = format!(
                "the row has {}, the sub-query {found}",
                super::query::columns(values.len())
            );
            return self.fail_at(Code::BadQuery, query.span, message);
        }
        let op = if all { opposite(op) } else { op };
        if values.len() > 1 && op != BinaryOp::Eq {
            return self.unordered_rows(span);
        }
        let mut fitted = Vec::with_capacity(values.len());
        let mut types: Vec<Ty> = Vec::with_capacity(values.len());
        for (value, column) in values.into_iter().zip(plan.columns()) {
            let column = Expr { span: query.span, ..column };
            let (value, column) = self.comparable(value, column, span)?;
            types.push(column.ty);
            fitted.push(value);
        }
        let plan = coerce_columns(plan, &types);
        let kind = QueryKind::Any { op, negated: all };
        Ok(Expr::new(query_of(kind, fitted, args, plan), Ty::Bool, span))
    }

    /// A comparison whose right side is `ANY (…)` or `ALL (…)`, or in which a row is compared;
    /// `None` for all others.
    pub(super) fn special_comparison(
        &mut self,
        expr: &ast::Expr,
        place: Place<'_>,
    ) -> Option<Bound<Expr>> {
        let ast::ExprKind::Binary { op, left, right, .. } = &expr.kind else { return None };
        if let ast::ExprKind::Quantified { all, query } = &right.kind {
            if !is_comparison(*op) {
                return Some(self.lone_quantifier(right.span));
            }
            let quantified = Quantified { op: *op, all: *all, query };
            return Some(self.quantified(left, quantified, expr.span, place));
        }
        let rows = row::is_row(left) || row::is_row(right);
        (rows && is_comparison(*op)).then(|| self.rows([left, right], *op, expr.span, place))
    }

    fn unordered_rows<T>(&mut self, span: Span) -> Bound<T> {
        let message = "rows are compared with those of a sub-query by IN, NOT IN, = ANY or <> ALL";
        self.fail(
            Diagnostic::at(Code::Unsupported, span, message)
                .help("compare one column, or write EXISTS (SELECT … WHERE …)"),
        )
    }

    /// The error for `ANY (…)` or `ALL (…)` outside a comparison.
    pub(super) fn lone_quantifier<T>(&mut self, span: Span) -> Bound<T> {
        let message = "ANY (…) and ALL (…) are only allowed on the right of a comparison";
        self.fail(
            Diagnostic::at(Code::BadQuery, span, message)
                .help("write x = ANY (SELECT …), or x > ALL (SELECT …)"),
        )
    }
}

/// Whether the right side is `ANY (…)` or `ALL (…)`, or a row is compared.
pub(super) fn is_special_comparison(expr: &ast::Expr) -> bool {
    let ast::ExprKind::Binary { op, left, right, .. } = &expr.kind else { return false };
    matches!(right.kind, ast::ExprKind::Quantified { .. })
        || (is_comparison(*op) && (row::is_row(left) || row::is_row(right)))
}

const fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The negated comparison operator.
pub(in crate::plan) const fn opposite(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Eq => BinaryOp::NotEq,
        BinaryOp::NotEq => BinaryOp::Eq,
        BinaryOp::Lt => BinaryOp::GtEq,
        BinaryOp::GtEq => BinaryOp::Lt,
        BinaryOp::Gt => BinaryOp::LtEq,
        BinaryOp::LtEq => BinaryOp::Gt,
        op => op,
    }
}
