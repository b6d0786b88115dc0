//! Rewrites `a = 1 OR a = 2` as `a IN (1, 2)`, which is faster to test and can become a hint for
//! scans.

use crate::catalog::Ty;
use crate::lang::ast::BinaryOp;
use crate::plan::walk::{balanced, conjunction, split_and};
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

/// The maximum number of conditions of branches that are compared with each other.
const MAX_COMPARED: usize = 2_000;

/// Factors out the conditions that all branches of an `OR` contain: `(a AND b) OR (a AND c)` is `a
/// AND (b OR c)`. A common equality can become the key of a join.
pub(super) fn factored(expr: Expr) -> Vec<Expr> {
    if !matches!(&expr.kind, ExprKind::Binary { op: BinaryOp::Or, .. }) {
        return vec![expr];
    }
    let mut branches = Vec::new();
    split(expr.clone(), &mut branches);
    let mut branches: Vec<Vec<Expr>> = branches
        .into_iter()
        .map(|branch| {
            let mut terms = Vec::new();
            split_and(branch, &mut terms);
            terms
        })
        .collect();
    let Some((first, others)) = branches.split_first() else { return vec![expr] };
    let all: usize = others.iter().map(Vec::len).sum();
    if first.len().saturating_mul(all) > MAX_COMPARED {
        return vec![expr];
    }
    let everywhere =
        |term: &&Expr| others.iter().all(|branch| branch.iter().any(|other| other.same(term)));
    let mut common: Vec<Expr> = first.iter().filter(everywhere).cloned().collect();
    if common.is_empty() {
        return vec![expr];
    }
    for branch in &mut branches {
        branch.retain(|term| !common.iter().any(|known| known.same(term)));
    }
    if branches.iter().all(|branch| !branch.is_empty()) {
        let rest = branches.into_iter().filter_map(conjunction).collect();
        common.extend(balanced(BinaryOp::Or, Ty::Bool, rest));
    }
    common
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

/// A column and the constants that it may be equal to; the term itself if it has another form.
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

/// Converts an `IN` with one entry to an equality.
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
