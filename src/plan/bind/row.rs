//! Rows as values: `(a, b) = (c, d)`.
//!
//! As in DuckDB, values within rows are compared as if NULL were greater than all other values, so
//! that comparing two rows is always true or false. Only comparisons with rows of a sub-query (`(a,
//! b) IN (SELECT …)`) use three-valued logic.

use super::expr::{Place, case_of, is_distinct};
use super::{Binder, Bound, Failed};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, ExprKind as Ast};
use crate::plan::fold::fold;
use crate::plan::walk::{balanced, conjunction};
use crate::plan::{Expr, ExprKind};

/// Whether the expression is several values in parentheses.
pub(super) const fn is_row(expr: &ast::Expr) -> bool {
    matches!(expr.kind, Ast::Row(_))
}

/// The values of two rows in pairs; each pair has one type.
type Pairs = Vec<(Expr, Expr)>;

impl Binder<'_> {
    /// The error for a row where a value is expected.
    pub(super) fn lone_row<T>(&mut self, span: Span) -> Bound<T> {
        let message = "found several values in parentheses, expected one";
        self.fail(Diagnostic::at(Code::BadQuery, span, message).help(
            "rows of values are compared with rows: (a, b) = (c, d), (a, b) IN (SELECT c, d …)",
        ))
    }

    /// A comparison of two rows.
    pub(super) fn rows(
        &mut self,
        sides: [&ast::Expr; 2],
        op: BinaryOp,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let pairs = self.row_pairs(sides, span, place)?;
        self.compare_rows(pairs, op, span)
    }

    /// `IS [NOT] DISTINCT FROM` between two rows.
    pub(super) fn rows_distinct(
        &mut self,
        sides: [&ast::Expr; 2],
        negated: bool,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let op = if negated { BinaryOp::Eq } else { BinaryOp::NotEq };
        self.rows(sides, op, span, place)
    }

    /// `[NOT] BETWEEN` of rows.
    pub(super) fn rows_between(
        &mut self,
        [row, low, high]: [&ast::Expr; 3],
        negated: bool,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let (low_op, high_op, join) = if negated {
            (BinaryOp::Lt, BinaryOp::Gt, BinaryOp::Or)
        } else {
            (BinaryOp::GtEq, BinaryOp::LtEq, BinaryOp::And)
        };
        let low = self.rows([row, low], low_op, span, place)?;
        let high = self.rows([row, high], high_op, span, place)?;
        Ok(Expr { span, ..fold(Expr::binary(join, low, high, Ty::Bool)) })
    }

    /// `[NOT] IN` of a row and a list of rows.
    pub(super) fn row_in_list(
        &mut self,
        row: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let mut terms = Vec::with_capacity(list.len());
        for entry in list {
            terms.push(self.rows([row, entry], BinaryOp::Eq, entry.span, place)?);
        }
        let any = balanced(BinaryOp::Or, Ty::Bool, terms).ok_or(Failed)?;
        let any = Expr { span, ..any };
        Ok(if negated { not(any) } else { any })
    }

    fn row_pairs(
        &mut self,
        [left, right]: [&ast::Expr; 2],
        span: Span,
        place: Place<'_>,
    ) -> Bound<Pairs> {
        let (Ast::Row(lefts), Ast::Row(rights)) = (&left.kind, &right.kind) else {
            let (row, other) = if is_row(left) { (left, right) } else { (right, left) };
            let Ast::Row(values) = &row.kind else { return Err(Failed) };
            if let Ast::Scalar(_) = &other.kind {
                let message =
                    "a sub-query as a value has one column, so a row does not compare with it";
                return self.fail(
                    Diagnostic::at(Code::BadQuery, other.span, message)
                        .help("write (a, b) IN (SELECT c, d …)"),
                );
            }
            let message = format!("a row of {} values is compared with one value", values.len());
            return self.fail(
                Diagnostic::at(Code::TypeMismatch, span, message)
                    .help("write a row on both sides: (a, b) = (c, d)"),
            );
        };
        if lefts.len() != rights.len() {
            let message =
                format!("a row of {} values is compared with one of {}", lefts.len(), rights.len());
            return self.fail_at(Code::TypeMismatch, span, message);
        }
        let (lefts, rights) = (self.exprs(lefts, place), self.exprs(rights, place));
        let both = lefts?.into_iter().zip(rights?);
        both.map(|(left, right)| self.comparable(left, right, span)).collect()
    }

    fn compare_rows(&mut self, pairs: Pairs, op: BinaryOp, span: Span) -> Bound<Expr> {
        let found = match op {
            BinaryOp::Eq => same(pairs, span),
            BinaryOp::NotEq => same(pairs, span).map(not),
            BinaryOp::Lt => self.before(pairs, span),
            BinaryOp::GtEq => self.before(pairs, span).map(not),
            BinaryOp::Gt => self.before(swapped(pairs), span),
            _ => self.before(swapped(pairs), span).map(not),
        }?;
        Ok(Expr { span, ..found })
    }

    /// Whether the left row is less than the right row.
    fn before(&mut self, pairs: Pairs, span: Span) -> Bound<Expr> {
        let mut rest: Option<Expr> = None;
        for (left, right) in pairs.into_iter().rev() {
            let smaller = self.smaller(&left, &right, span)?;
            rest = Some(match rest {
                None => smaller,
                Some(rest) => {
                    let equal = is_distinct(left, right, true, span);
                    let later = Expr::binary(BinaryOp::And, equal, rest, Ty::Bool);
                    Expr::binary(BinaryOp::Or, smaller, later, Ty::Bool)
                }
            });
        }
        rest.ok_or(Failed)
    }

    /// Whether a value is less than another, with NULL as the greatest.
    fn smaller(&mut self, left: &Expr, right: &Expr, span: Span) -> Bound<Expr> {
        let less = Expr::binary(BinaryOp::Lt, self.copy(left)?, self.copy(right)?, Ty::Bool);
        let unknown = is_null(self.copy(&less)?, false);
        let there = is_null(self.copy(left)?, true);
        let absent = is_null(self.copy(right)?, false);
        let by_null = Expr::binary(BinaryOp::And, there, absent, Ty::Bool);
        Ok(case_of(vec![unknown], vec![by_null, less], span))
    }
}

fn is_null(expr: Expr, negated: bool) -> Expr {
    let span = expr.span;
    Expr::new(ExprKind::IsNull { expr: Box::new(expr), negated }, Ty::Bool, span)
}

fn not(expr: Expr) -> Expr {
    let span = expr.span;
    Expr::new(ExprKind::Not(Box::new(expr)), Ty::Bool, span)
}

fn swapped(pairs: Pairs) -> Pairs {
    pairs.into_iter().map(|(left, right)| (right, left)).collect()
}

fn same(pairs: Pairs, span: Span) -> Bound<Expr> {
    let terms = pairs.into_iter().map(|(left, right)| is_distinct(left, right, true, span));
    conjunction(terms.collect()).ok_or(Failed)
}
