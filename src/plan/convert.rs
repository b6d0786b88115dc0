//! Type conversions.
//!
//! Implicit conversions:
//!
//! | from | to | where |
//! |---|---|---|
//! | `NULL` literal | every type | everywhere |
//! | INTEGER, ADDRESS | DOUBLE | beside a DOUBLE, or where a function takes one |
//! | BOOLEAN | INTEGER, DOUBLE | beside one of these |
//! | INTEGER | ADDRESS | beside an ADDRESS (comparisons leave both as they are) |
//! | ADDRESS literal | INTEGER | beside an INTEGER that is no literal, if it fits |
//! | text literal, parameter | every type | beside that type; text that does not parse is an error |
//! | INTEGER | DECIMAL | beside a DECIMAL |
//! | DECIMAL | DOUBLE | beside a DOUBLE, or where a function takes one |
//! | literal such as 1.5 | DECIMAL | beside a DECIMAL, with the digits of the literal |
//! | DATE | TIMESTAMP | beside a TIMESTAMP, or where a function takes one |
//! | everything | VARCHAR | `\|\|` only |
//! | LIST | LIST | where the elements convert, and structures and maps likewise |
//!
//! `CAST` also converts: everything to VARCHAR, VARCHAR to everything, INTEGER, DOUBLE, DECIMAL and
//! ADDRESS to each other, BOOLEAN and INTEGER, DOUBLE or DECIMAL to each other, TIMESTAMP to DATE and TIME.

use super::{BinaryOp, Expr, ExprKind};
use crate::catalog::{DecimalTy, Format, IntRange, StructTy, Ty, Value};

/// The type that both convert to; `None` if there is none.
pub(super) fn common(a: Ty, b: Ty) -> Option<Ty> {
    Some(match (a, b) {
        (Ty::Null, ty) | (ty, Ty::Null) => ty,
        (Ty::Bool | Ty::Int | Ty::Addr | Ty::Double | Ty::Decimal(_), Ty::Double)
        | (Ty::Double | Ty::Decimal(_), Ty::Addr)
        | (Ty::Double, Ty::Bool | Ty::Int | Ty::Decimal(_))
        | (Ty::Addr, Ty::Decimal(_)) => Ty::Double,
        (Ty::Int, Ty::Addr) | (Ty::Addr, Ty::Int) => Ty::Addr,
        (Ty::Bool, Ty::Int) | (Ty::Int, Ty::Bool) => Ty::Int,
        (Ty::Bool, Ty::Bool)
        | (Ty::Int, Ty::Int)
        | (Ty::Text, Ty::Text)
        | (Ty::Addr, Ty::Addr)
        | (Ty::Time, Ty::Time)
        | (Ty::Interval, Ty::Interval)
        | (Ty::Date, Ty::Date)
        | (Ty::TimeOfDay, Ty::TimeOfDay)
        | (Ty::Blob, Ty::Blob)
        | (Ty::Uuid, Ty::Uuid) => a,
        (Ty::Date, Ty::Time) | (Ty::Time, Ty::Date) => Ty::Time,
        (Ty::Decimal(x), Ty::Decimal(y)) => decimals(x, y, 0),
        (Ty::Decimal(of), Ty::Int) | (Ty::Int, Ty::Decimal(of)) => widest(of.scale())?,
        (Ty::Map(x), Ty::Map(y)) => {
            return Ty::map_of(common(x.key(), y.key())?, common(x.value(), y.value())?);
        }
        (Ty::List(x), Ty::List(y)) => {
            return common(x.element(), y.element()).and_then(Ty::list_of);
        }
        (Ty::Struct(x), Ty::Struct(y)) => return common_struct(x, y),
        _ => return None,
    })
}

/// The decimals that hold those of two types, with some digits more before the point.
fn decimals(a: &DecimalTy, b: &DecimalTy, more: u8) -> Ty {
    let scale = a.scale().max(b.scale());
    let whole = (a.width() - a.scale()).max(b.width() - b.scale());
    let width = (whole + scale + more).min(DecimalTy::MAX_WIDTH);
    Ty::decimal(width, scale).unwrap_or(Ty::Double)
}

/// The decimals with the most digits, so many of them behind the point.
pub(super) fn widest(scale: u8) -> Option<Ty> {
    Ty::decimal(DecimalTy::MAX_WIDTH, scale)
}

/// The operands of an operator with decimals, and the type of its result; `None` if an operand is no
/// decimal and cannot be one, or the result would have too many digits.
pub(super) fn of_decimals(op: BinaryOp, left: &Expr, right: &Expr) -> Option<(Expr, Expr, Ty)> {
    let (left, right) = (as_decimal(left)?, as_decimal(right)?);
    let (Ty::Decimal(a), Ty::Decimal(b)) = (left.ty, right.ty) else { return None };
    let ty = match op {
        BinaryOp::Mul => {
            let width = (a.width() + b.width()).min(DecimalTy::MAX_WIDTH);
            return Some((left, right, Ty::decimal(width, a.scale() + b.scale())?));
        }
        BinaryOp::Add | BinaryOp::Sub => decimals(a, b, 1),
        BinaryOp::Mod => decimals(a, b, 0),
        _ => return None,
    };
    let operand = widest(a.scale().max(b.scale()))?;
    Some((implicit(left, operand).ok()?, implicit(right, operand).ok()?, ty))
}

/// A number as a decimal that has the digits which it is written with.
fn as_decimal(expr: &Expr) -> Option<Expr> {
    let value = match (expr.as_literal(), expr.ty) {
        (_, Ty::Decimal(_)) => return Some(expr.clone()),
        (Some(Value::Int(v)), _) => Value::decimal_of_int(*v)?,
        (Some(Value::Double(v)), _) => Value::decimal_of_double(*v)?,
        (None, Ty::Int) => return implicit(expr.clone(), widest(0)?).ok(),
        _ => return None,
    };
    let ty = value.ty();
    Some(Expr { kind: ExprKind::Literal(value), ty, ..expr.clone() })
}

/// The expressions, in which numbers with a point beside decimals are decimals.
pub(super) fn beside_decimals(exprs: Vec<Expr>) -> Vec<Expr> {
    if exprs.iter().any(is_decimal) { exprs.into_iter().map(adapted).collect() } else { exprs }
}

/// As [`beside_decimals`] for two expressions.
pub(super) fn both_beside_decimals(left: Expr, right: Expr) -> (Expr, Expr) {
    if is_decimal(&left) || is_decimal(&right) {
        (adapted(left), adapted(right))
    } else {
        (left, right)
    }
}

const fn is_decimal(expr: &Expr) -> bool {
    matches!(expr.ty, Ty::Decimal(_))
}

/// A number with a point as a decimal, if it can be one.
fn adapted(expr: Expr) -> Expr {
    match expr.as_literal() {
        Some(Value::Double(_)) => as_decimal(&expr).unwrap_or(expr),
        _ => expr,
    }
}

/// Structures have a common type if they have fields with the same names in the same order.
fn common_struct(a: &StructTy, b: &StructTy) -> Option<Ty> {
    if a.fields().len() != b.fields().len() {
        return None;
    }
    let both = a.fields().iter().zip(b.fields());
    let fields = both.map(|((name, x), (other, y))| {
        let named = name.eq_ignore_ascii_case(other) || name.is_empty() || other.is_empty();
        let name = if name.is_empty() { other } else { name };
        named.then(|| common(*x, *y)).flatten().map(|ty| ((*name).to_owned(), ty))
    });
    Ty::struct_of(&fields.collect::<Option<Vec<_>>>()?)
}

/// Why there is no implicit conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The types cannot be converted.
    Types,
    /// The text of a literal is not a value of the type.
    Text,
}

/// The expression as `ty`, by the implicit conversions.
pub(super) fn implicit(expr: Expr, ty: Ty) -> Result<Expr, (Expr, Refusal)> {
    if expr.ty == ty || ty == Ty::Null {
        return Ok(expr);
    }
    if let ExprKind::Literal(value) = &expr.kind
        && value.as_nested().is_none()
    {
        return match literal(value, ty) {
            Some(value) => Ok(retyped(&expr, value, ty)),
            None if expr.ty == Ty::Text => Err((expr, Refusal::Text)),
            None => Err((expr, Refusal::Types)),
        };
    }
    match (expr.ty, ty) {
        (Ty::Null, _)
        | (Ty::Int | Ty::Addr | Ty::Bool | Ty::Decimal(_), Ty::Double)
        | (Ty::Int, Ty::Addr)
        | (Ty::Bool, Ty::Int)
        | (Ty::Date, Ty::Time)
        | (Ty::Int | Ty::Decimal(_), Ty::Decimal(_)) => Ok(cast(expr, ty, false)),
        (from, ty) if ty.is_nested() && common(from, ty) == Some(ty) => Ok(cast(expr, ty, false)),
        _ => Err((expr, Refusal::Types)),
    }
}

/// The constant as a value of `ty`; `None` if it is not one.
pub(super) fn literal(value: &Value<'static>, ty: Ty) -> Option<Value<'static>> {
    match (value, ty) {
        (Value::Null, _) => Some(Value::Null),
        (Value::Bool(v), Ty::Int) => Some(Value::Int(i64::from(*v))),
        (Value::Bool(v), Ty::Double) => Some(Value::Double(f64::from(u8::from(*v)))),
        (Value::Int(v), Ty::Double) => Some(Value::Double(int_as_double(*v))),
        (Value::Int(v), Ty::Addr) => u64::try_from(*v).ok().map(Value::Addr),
        (Value::Addr(v), Ty::Int) => i64::try_from(*v).ok().map(Value::Int),
        (Value::Addr(v), Ty::Double) => Some(Value::Double(addr_as_double(*v))),
        (Value::Date(v), Ty::Time) => Some(Value::Time(*v)),
        (Value::Decimal(v, of), Ty::Double) => Some(Value::Double(of.double(*v))),
        (Value::Int(_) | Value::Decimal(..), Ty::Decimal(of)) => of.convert(value),
        (Value::Double(v), Ty::Decimal(of)) => {
            let exact = Value::decimal_of_double(*v)?;
            let (_, own) = exact.as_decimal()?;
            (own.scale() <= of.scale()).then(|| of.convert(&exact)).flatten()
        }
        (Value::Text(text), _) => Value::parse(text, ty),
        _ if value.ty() == ty => Some(value.clone()),
        _ => None,
    }
}

/// The literal with another value; a number written in hex keeps that format as an INTEGER.
fn retyped(expr: &Expr, value: Value<'static>, ty: Ty) -> Expr {
    let hex = expr.ty == Ty::Addr && ty == Ty::Int;
    let format = if hex { Format::Hex } else { expr.format };
    Expr { kind: ExprKind::Literal(value), ty, format, span: expr.span }
}

/// Rounds to the nearest DOUBLE, as the SQL conversion does.
#[expect(clippy::cast_precision_loss, reason = "INTEGER to DOUBLE rounds by definition")]
pub(super) const fn int_as_double(v: i64) -> f64 {
    v as f64
}

#[expect(clippy::cast_precision_loss, reason = "ADDRESS to DOUBLE rounds by definition")]
const fn addr_as_double(v: u64) -> f64 {
    v as f64
}

/// A conversion at run time.
pub(super) fn cast(expr: Expr, ty: Ty, lenient: bool) -> Expr {
    let span = expr.span;
    Expr::new(ExprKind::Cast { expr: Box::new(expr), lenient, range: None }, ty, span)
}

/// A conversion to a narrower integer type.
fn ranged(expr: Expr, ty: Ty, lenient: bool, range: IntRange) -> Expr {
    let constant = expr.as_literal().and_then(|value| literal(value, ty));
    if let Some(Value::Int(value)) = constant
        && range.holds(value)
    {
        return Expr { kind: ExprKind::Literal(Value::Int(value)), ty, ..expr };
    }
    let span = expr.span;
    Expr::new(ExprKind::Cast { expr: Box::new(expr), lenient, range: Some(range) }, ty, span)
}

/// Whether `CAST` converts `from` to `to`.
pub(super) fn can_cast(from: Ty, to: Ty) -> bool {
    match (from, to) {
        (Ty::List(x), Ty::List(y)) => return can_cast(x.element(), y.element()),
        (Ty::Struct(x), Ty::Struct(y)) => {
            let mut both = x.fields().iter().zip(y.fields());
            return x.fields().len() == y.fields().len() && both.all(|(a, b)| can_cast(a.1, b.1));
        }
        (Ty::Map(x), Ty::Map(y)) => {
            return can_cast(x.key(), y.key()) && can_cast(x.value(), y.value());
        }
        _ => {}
    }
    if from == to {
        return true;
    }
    matches!(
        (from, to),
        (Ty::Null | Ty::Text, _)
            | (_, Ty::Text)
            | (
                Ty::Int | Ty::Double | Ty::Addr | Ty::Decimal(_),
                Ty::Int | Ty::Double | Ty::Addr | Ty::Decimal(_)
            )
            | (Ty::Bool, Ty::Int | Ty::Double | Ty::Decimal(_) | Ty::Bool)
            | (Ty::Int | Ty::Double | Ty::Decimal(_), Ty::Bool)
            | (Ty::Date, Ty::Time)
            | (Ty::Time, Ty::Date | Ty::TimeOfDay)
    )
}

/// An explicit `CAST` of `expr`: the expression itself, a constant, or a conversion at run time. A
/// constant that cannot be converted is left for run time, so that `TRY_CAST` gives NULL and
/// branches that are never taken do not fail.
pub(super) fn explicit(expr: Expr, ty: Ty, lenient: bool, range: Option<IntRange>) -> Expr {
    if let Some(range) = range {
        return ranged(expr, ty, lenient, range);
    }
    if expr.ty == ty {
        return Expr { format: Format::Plain, ..expr };
    }
    let constant = expr.as_literal().and_then(|value| match (value, ty) {
        // A number is converted with the digits that it is written with.
        (Value::Double(v), Ty::Decimal(of)) => of.convert(&Value::decimal_of_double(*v)?),
        _ => literal(value, ty),
    });
    match constant {
        Some(value) => {
            Expr { kind: ExprKind::Literal(value), ty, format: Format::Plain, span: expr.span }
        }
        None => cast(expr, ty, lenient),
    }
}
