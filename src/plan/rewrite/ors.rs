//! `a = 1 OR a = 2` as `a IN (1, 2)`: quicker to test, and a hint for scans.

use crate::catalog::Ty;
use crate::lang::ast::BinaryOp;
use crate::plan::walk::balanced;
use crate::plan::{Expr, ExprKind};

/// The condition with its `OR`s of equalities merged.
pub(super) fn merge(expr: Expr) -> Expr {
    if !matches!(&expr.kind, ExprKind::Binary { op: BinaryOp::Or, .. }) {
        return expr;
    }
    let span = expr.span;
    let mut terms = Vec::new();
    split(expr, &mut terms);
    let mut merged: Vec<Expr> = Vec::with_capacity(terms.len());
    for term in terms {
        let term = match one_of(term) {
            Ok((value, list)) => {
                let found = merged.iter_mut().find_map(|m| entries(m, &value));
                if let Some(entries) = found {
                    entries.extend(list);
                    continue;
                }
                let span = term_span(&value, &list);
                let kind = ExprKind::InList { expr: Box::new(value), list, negated: false };
                Expr::new(kind, Ty::Bool, span)
            }
            Err(term) => term,
        };
        merged.push(term);
    }
    let merged = merged.into_iter().map(single).collect();
    balanced(BinaryOp::Or, Ty::Bool, merged)
        .map_or_else(|| Expr::null(Ty::Bool, span), |e| Expr { span, ..e })
}

fn split(expr: Expr, into: &mut Vec<Expr>) {
    match expr.kind {
        ExprKind::Binary { op: BinaryOp::Or, left, right } => {
            split(*left, into);
            split(*right, into);
        }
        _ => into.push(expr),
    }
}

/// A column and the constants that it may be equal to; the term itself if it is nothing like that.
fn one_of(term: Expr) -> Result<(Expr, Vec<Expr>), Expr> {
    let column = |e: &Expr| matches!(e.kind, ExprKind::Column(_));
    let constant = |e: &Expr| e.as_literal().is_some();
    match term.kind {
        ExprKind::Binary { op: BinaryOp::Eq, left, right }
            if left.ty == right.ty && column(&left) && constant(&right) =>
        {
            Ok((*left, vec![*right]))
        }
        ExprKind::Binary { op: BinaryOp::Eq, left, right }
            if left.ty == right.ty && column(&right) && constant(&left) =>
        {
            Ok((*right, vec![*left]))
        }
        ExprKind::InList { expr, list, negated: false }
            if column(&expr) && list.iter().all(constant) =>
        {
            Ok((*expr, list))
        }
        _ => Err(term),
    }
}

/// The list of an `IN` over the same column.
fn entries<'m>(merged: &'m mut Expr, value: &Expr) -> Option<&'m mut Vec<Expr>> {
    match &mut merged.kind {
        ExprKind::InList { expr, list, negated: false } if expr.same(value) => Some(list),
        _ => None,
    }
}

/// An `IN` of one entry is an equality.
fn single(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::InList { expr: value, mut list, negated: false } if list.len() == 1 => {
            match list.pop() {
                Some(entry) => {
                    Expr { span: expr.span, ..Expr::binary(BinaryOp::Eq, *value, entry, Ty::Bool) }
                }
                None => *value,
            }
        }
        _ => expr,
    }
}

fn term_span(value: &Expr, list: &[Expr]) -> crate::diag::Span {
    list.iter().fold(value.span, |span, e| span.to(e.span))
}
