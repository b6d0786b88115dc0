//! Rounding of decimals, which stays exact. The planner has determined the type of the result.

use super::super::def::{Fault, FuncCx, overflow};
use crate::catalog::{DecimalTy, Ty, Value};

/// How a decimal becomes a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
    ToZero,
}

/// The whole number beside a decimal.
pub(super) fn whole(
    cx: &FuncCx<'_>,
    digits: i64,
    of: &DecimalTy,
    way: Way,
) -> Result<Value<'static>, Fault> {
    let unit = 10i64.pow(of.scale().into());
    let (down, rest) = (digits.div_euclid(unit), digits.rem_euclid(unit));
    let is_up = match way {
        Way::Up => true,
        Way::Down => false,
        Way::ToZero => digits < 0,
    };
    match cx.ty {
        Ty::Decimal(to) => Ok(Value::Decimal(down + i64::from(is_up && rest > 0), to)),
        _ => Err(overflow("a decimal", "its type")),
    }
}

/// A decimal without its sign.
pub(super) fn abs(digits: i64, of: &'static DecimalTy) -> Result<Value<'static>, Fault> {
    match digits.checked_abs() {
        Some(digits) => Ok(Value::Decimal(digits, of)),
        None => Err(overflow("abs", "DECIMAL")),
    }
}
