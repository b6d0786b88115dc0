//! `+` and `-` of days and times of day: with days, durations, points in time and each other.
//!
//! | operands | result |
//! |---|---|
//! | `DATE + INTEGER`, `DATE - INTEGER` | the day that many days later or earlier |
//! | `DATE - DATE` | the number of days |
//! | `DATE + INTERVAL`, `DATE - INTERVAL`, `DATE + TIME` | `TIMESTAMP` |
//! | `DATE - TIMESTAMP`, `TIMESTAMP - DATE`, `TIME - TIME` | `INTERVAL` |
//! | `TIME + INTERVAL`, `TIME - INTERVAL` | `TIME`, which goes on at midnight |
//!
//! Days are kept as the microseconds of their midnight, so that all of it is arithmetic of integers.

use crate::catalog::{Ty, Value};
use crate::lang::ast::BinaryOp as B;
use crate::plan::Expr;
use crate::plan::convert::cast;
use crate::plan::fold::fold;
use crate::time::DAY;

pub(super) const fn is_day(ty: Ty) -> bool {
    matches!(ty, Ty::Date | Ty::TimeOfDay)
}

/// The operator on operands of which one is a day or a time of day; `None` if it does not take them.
pub(super) fn compute(op: B, left: &Expr, right: &Expr) -> Option<Expr> {
    let (l, r) = (left.clone(), right.clone());
    let plain = |l, r, ty| Some(fold(Expr::binary(op, l, r, ty)));
    match (op, left.ty, right.ty) {
        (B::Add | B::Sub, Ty::Date, Ty::Int) => {
            let day = Expr::literal(Value::Interval(DAY), r.span);
            plain(l, fold(Expr::binary(B::Mul, day, r, Ty::Interval)), Ty::Date)
        }
        (B::Sub, Ty::Date, Ty::Date) => {
            let day = Expr::literal(Value::Int(DAY), l.span);
            Some(Expr::binary(B::IntDiv, Expr::binary(B::Sub, l, r, Ty::Interval), day, Ty::Int))
        }
        (B::Add | B::Sub, Ty::Date, Ty::Interval) | (B::Add, Ty::Date, Ty::TimeOfDay) => {
            plain(time(l), r, Ty::Time)
        }
        (B::Sub, Ty::Date, Ty::Time) => plain(time(l), r, Ty::Interval),
        (B::Sub, Ty::Time, Ty::Date) => plain(l, time(r), Ty::Interval),
        (B::Sub, Ty::TimeOfDay, Ty::TimeOfDay) => plain(l, r, Ty::Interval),
        (B::Add | B::Sub, Ty::TimeOfDay, Ty::Interval) => {
            // The remainder has the sign of what is divided.
            let within = |e| {
                let day = Expr::literal(Value::Int(DAY), left.span);
                Expr::binary(B::Mod, e, day, Ty::TimeOfDay)
            };
            let day = Expr::literal(Value::Interval(DAY), left.span);
            let moved = within(Expr::binary(op, l, r, Ty::TimeOfDay));
            Some(within(Expr::binary(B::Add, moved, day, Ty::TimeOfDay)))
        }
        (B::Add, Ty::Int | Ty::Interval | Ty::TimeOfDay, Ty::Date)
        | (B::Add, Ty::Interval, Ty::TimeOfDay) => compute(op, right, left),
        _ => None,
    }
}

fn time(expr: Expr) -> Expr {
    match expr.as_literal() {
        Some(Value::Date(day)) => Expr::literal(Value::Time(*day), expr.span),
        _ => cast(expr, Ty::Time, false),
    }
}
