//! Folds operators on constants where the result is certain. An operation that would fail is left
//! to the engine, because its branch may never be evaluated.

use std::cmp::Ordering;

use super::{Expr, ExprKind};
use crate::catalog::{Ty, Value};
use crate::lang::ast::BinaryOp;

/// The expression, or the constant that it equals.
pub(super) fn fold(expr: Expr) -> Expr {
    let value = match &expr.kind {
        ExprKind::Binary { op, left, right } => match (left.as_literal(), right.as_literal()) {
            (Some(a), Some(b)) => binary(*op, a, b),
            _ => return absorb(expr),
        },
        ExprKind::Not(e) => e.as_literal().and_then(Value::as_bool).map(|v| Value::Bool(!v)),
        ExprKind::Negate(e) => e.as_literal().and_then(negate),
        ExprKind::IsNull { expr: e, negated } => {
            e.as_literal().map(|v| Value::Bool(v.is_null() != *negated))
        }
        _ => None,
    };
    match value {
        Some(value) => Expr { kind: ExprKind::Literal(value), ..expr },
        None => expr,
    }
}

fn negate(value: &Value<'static>) -> Option<Value<'static>> {
    match value {
        Value::Int(v) => v.checked_neg().map(Value::Int),
        Value::Double(v) => Some(Value::Double(-v)),
        Value::Decimal(v, of) => v.checked_neg().map(|v| Value::Decimal(v, of)),
        Value::Interval(v) => v.checked_neg().map(Value::Interval),
        _ => None,
    }
}

/// Folds `AND` and `OR` with one constant side.
fn absorb(expr: Expr) -> Expr {
    let span = expr.span;
    let ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } = expr.kind
    else {
        return expr;
    };
    let neutral = op == BinaryOp::And;
    let constant = |e: &Expr| e.as_literal().and_then(Value::as_bool);
    match (constant(&left), constant(&right)) {
        (Some(v), _) if v == neutral => *right,
        (_, Some(v)) if v == neutral => *left,
        (Some(v), _) | (_, Some(v)) => Expr { span, ..Expr::literal(Value::Bool(v), span) },
        (None, None) => Expr::new(ExprKind::Binary { op, left, right }, Ty::Bool, span),
    }
}

fn binary(op: BinaryOp, a: &Value<'static>, b: &Value<'static>) -> Option<Value<'static>> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(op, *a, *b),
        (Value::Double(a), Value::Double(b)) => double(op, *a, *b),
        (Value::Bool(a), Value::Bool(b)) => match op {
            BinaryOp::And => Some(Value::Bool(*a && *b)),
            BinaryOp::Or => Some(Value::Bool(*a || *b)),
            _ => compared(op, a.cmp(b)),
        },
        (Value::Text(a), Value::Text(b)) => match op {
            BinaryOp::Concat if a.len() + b.len() <= 1 << 20 => {
                Some(Value::text(format!("{a}{b}")))
            }
            _ => compared(op, a.cmp(b)),
        },
        (Value::Addr(a), Value::Int(b)) => match op {
            BinaryOp::Add => a.checked_add_signed(*b).map(Value::Addr),
            BinaryOp::Sub => b.checked_neg().and_then(|b| a.checked_add_signed(b)).map(Value::Addr),
            _ => None,
        },
        (Value::Addr(a), Value::Addr(b)) => match op {
            BinaryOp::Add => a.checked_add(*b).map(Value::Addr),
            BinaryOp::BitAnd => Some(Value::Addr(a & b)),
            BinaryOp::BitOr => Some(Value::Addr(a | b)),
            _ => compared(op, a.cmp(b)),
        },
        (Value::Time(a), Value::Interval(b)) => match op {
            BinaryOp::Add => a.checked_add(*b).map(Value::Time),
            BinaryOp::Sub => a.checked_sub(*b).map(Value::Time),
            _ => None,
        },
        (Value::Time(a), Value::Time(b)) => compared(op, a.cmp(b)),
        (Value::Interval(a), Value::Interval(b)) => match op {
            BinaryOp::Add => a.checked_add(*b).map(Value::Interval),
            BinaryOp::Sub => a.checked_sub(*b).map(Value::Interval),
            _ => compared(op, a.cmp(b)),
        },
        (Value::Interval(a), Value::Int(b)) if op == BinaryOp::Mul => {
            a.checked_mul(*b).map(Value::Interval)
        }
        _ => None,
    }
}

fn int(op: BinaryOp, a: i64, b: i64) -> Option<Value<'static>> {
    let value = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::BitAnd => Some(a & b),
        BinaryOp::BitOr => Some(a | b),
        _ => return compared(op, a.cmp(&b)),
    };
    value.map(Value::Int)
}

/// Comparisons are left to the engine, which defines the order of NaN.
fn double(op: BinaryOp, a: f64, b: f64) -> Option<Value<'static>> {
    let value = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b != 0.0 => a / b,
        _ => return None,
    };
    value.is_finite().then_some(Value::Double(value))
}

const fn compared(op: BinaryOp, order: Ordering) -> Option<Value<'static>> {
    Some(Value::Bool(match op {
        BinaryOp::Eq => order.is_eq(),
        BinaryOp::NotEq => order.is_ne(),
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::LtEq => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        BinaryOp::GtEq => order.is_ge(),
        _ => return None,
    }))
}
