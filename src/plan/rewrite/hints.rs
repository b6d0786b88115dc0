//! Passes the conditions of filters directly above a scan to the scan as hints. The filters are
//! kept: scans may ignore hints.

use crate::catalog::{Hint, HintOp, Ty, Value};
use crate::lang::ast::{BinaryOp, MatchOp};
use crate::plan::walk::split_and;
use crate::plan::{Expr, ExprKind, Plan, Rel, ScanColumn, Scanned};

/// The maximum number of values of an `IN` in a hint.
const MAX_VALUES: usize = 1_000;

/// Gives every scan below the hints of the filters above it.
pub(super) fn give(plan: &mut Plan) {
    for input in plan.inputs_mut() {
        give(input);
    }
    let Rel::Filter { input, predicate } = &mut plan.rel else { return };
    // A filter with conditions that can fail may lie above one with conditions that cannot.
    let scan = match &mut input.rel {
        Rel::Filter { input, .. } => &mut input.rel,
        rel => rel,
    };
    let Rel::Scan { table: Scanned::Table(_), columns, hints, .. } = scan else { return };
    let mut terms = Vec::new();
    split_and(predicate.clone(), &mut terms);
    for term in &terms {
        if let Some(hint) = hint(term, columns) {
            add(hints, hint);
        }
    }
}

/// Adds a hint; ranges of one column become one range.
fn add(hints: &mut Vec<Hint>, new: Hint) {
    if let HintOp::Range(low, high) = &new.op {
        for hint in hints.iter_mut().filter(|h| h.column == new.column) {
            if let HintOp::Range(old_low, old_high) = &mut hint.op {
                if old_low.is_none() && high.is_none() {
                    old_low.clone_from(low);
                    return;
                }
                if old_high.is_none() && low.is_none() {
                    old_high.clone_from(high);
                    return;
                }
            }
        }
    }
    hints.push(new);
}

/// The hint for a condition over a scan's columns.
fn hint(term: &Expr, columns: &[ScanColumn]) -> Option<Hint> {
    let column = |e: &Expr| match e.kind {
        ExprKind::Column(index) => match columns.get(index) {
            Some(ScanColumn::Value(column)) => Some(*column),
            _ => None,
        },
        _ => None,
    };
    let one = |column, value: Value<'static>| Hint { column, op: HintOp::In(vec![value]) };
    match &term.kind {
        ExprKind::Column(_) if term.ty == Ty::Bool => {
            column(term).map(|c| one(c, Value::Bool(true)))
        }
        ExprKind::Not(e) if e.ty == Ty::Bool => column(e).map(|c| one(c, Value::Bool(false))),
        ExprKind::Binary { op, left, right } if left.ty == right.ty => {
            if let (Some(column), Some(value)) = (column(left), right.as_literal()) {
                return compared(*op, column, value);
            }
            let (column, value) = (column(right)?, left.as_literal()?);
            compared(op.mirrored(), column, value)
        }
        ExprKind::IsDistinct { left, right, negated: true } if left.ty == right.ty => {
            let (column, value) = (column(left)?, right.as_literal()?);
            compared(BinaryOp::Eq, column, value)
        }
        ExprKind::InList { expr, list, negated: false } if list.len() <= MAX_VALUES => {
            let column = column(expr)?;
            let fits = list.iter().all(|e| e.ty == expr.ty);
            let values: Option<Vec<_>> = list.iter().map(|e| e.as_literal().cloned()).collect();
            let mut values = values.filter(|_| fits)?;
            values.retain(|v| !v.is_null());
            Some(Hint { column, op: HintOp::In(values) })
        }
        ExprKind::Match { op: MatchOp::Like, expr, pattern, escape: None, negated: false } => {
            let pattern = pattern.as_literal()?.as_text()?;
            let prefix: String = pattern.chars().take_while(|c| !"%_\\".contains(*c)).collect();
            (!prefix.is_empty()).then_some(())?;
            Some(Hint { column: column(expr)?, op: HintOp::Prefix(prefix) })
        }
        ExprKind::Call { function, args } if function.name == "starts_with" => {
            let [text, prefix] = args.as_slice() else { return None };
            let prefix = prefix.as_literal()?.as_text()?.to_owned();
            Some(Hint { column: column(text)?, op: HintOp::Prefix(prefix) })
        }
        _ => None,
    }
}

/// The hint for `column op value`.
fn compared(op: BinaryOp, column: usize, value: &Value<'static>) -> Option<Hint> {
    if value.is_null() || matches!(value, Value::Double(v) if v.is_nan()) {
        return None;
    }
    let value = Some(value.clone());
    let op = match op {
        BinaryOp::Eq => HintOp::In(value.into_iter().collect()),
        BinaryOp::Gt | BinaryOp::GtEq => HintOp::Range(value, None),
        BinaryOp::Lt | BinaryOp::LtEq => HintOp::Range(None, value),
        _ => return None,
    };
    Some(Hint { column, op })
}
