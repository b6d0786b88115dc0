//! Which columns an expression reads, and whether evaluating it can fail.

use crate::catalog::Ty;
use crate::plan::{BinaryOp, Expr, ExprKind};

/// Marks the columns that the expression reads.
pub(super) fn mark(expr: &Expr, need: &mut [bool]) {
    if let ExprKind::Column(index) = expr.kind
        && let Some(slot) = need.get_mut(index)
    {
        *slot = true;
    }
    for operand in expr.children() {
        mark(operand, need);
    }
}

/// The columns, out of `width`, that any of the expressions reads.
pub(super) fn of<'e>(exprs: impl IntoIterator<Item = &'e Expr>, width: usize) -> Vec<bool> {
    let mut need = vec![false; width];
    for expr in exprs {
        mark(expr, &mut need);
    }
    need
}

/// Whether evaluating the expression can fail in some row. True is a safe answer.
pub(super) fn may_fault(expr: &Expr) -> bool {
    let own = match &expr.kind {
        ExprKind::Column(_)
        | ExprKind::Literal(_)
        | ExprKind::Param(_)
        | ExprKind::Local(_)
        | ExprKind::Not(_)
        | ExprKind::BitNot(_)
        | ExprKind::IsNull { .. }
        | ExprKind::IsDistinct { .. }
        | ExprKind::InList { .. }
        | ExprKind::Case { .. } => false,
        ExprKind::Negate(_) => expr.ty != Ty::Double,
        ExprKind::Binary { op, .. } => match op {
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::IntDiv
            | BinaryOp::Mod => expr.ty != Ty::Double,
            BinaryOp::ShiftLeft | BinaryOp::ShiftRight => true,
            _ => false,
        },
        ExprKind::Match { pattern, .. } => !matches!(pattern.kind, ExprKind::Literal(_)),
        ExprKind::Cast { lenient, .. } => !lenient,
        ExprKind::Call { .. } | ExprKind::Symbol(_) | ExprKind::Query(_) | ExprKind::Each(_) => {
            true
        }
    };
    own || expr.children().into_iter().any(may_fault)
}

/// Whether the expression reads a column.
pub(super) fn reads(expr: &Expr) -> bool {
    !all(expr, |_| false)
}

/// Whether `test` is true for all columns that the expression reads.
pub(super) fn all(expr: &Expr, test: impl Fn(usize) -> bool + Copy) -> bool {
    match expr.kind {
        ExprKind::Column(index) => test(index),
        _ => expr.children().into_iter().all(|child| all(child, test)),
    }
}

/// Converts an expression over right columns of a join with `width` left columns into one over the
/// right input.
pub(super) fn shift(expr: &mut Expr, width: usize) {
    if let ExprKind::Column(index) = &mut expr.kind {
        *index = index.saturating_sub(width);
    }
    for child in expr.children_mut() {
        shift(child, width);
    }
}

/// Whether the expression reads a parameter or contains a sub-query, so that it may have another
/// value each time that it is computed.
pub(super) fn varies(expr: &Expr) -> bool {
    let own = matches!(expr.kind, ExprKind::Param(_) | ExprKind::Query(_));
    own || expr.children().into_iter().any(varies)
}

/// Whether the expression contains a sub-query or a symbol.
pub(super) fn has_query(expr: &Expr) -> bool {
    let own = matches!(expr.kind, ExprKind::Query(_) | ExprKind::Symbol(_));
    own || expr.children().into_iter().any(has_query)
}
