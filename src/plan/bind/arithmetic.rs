//! Operators on numbers, times and addresses: their operand types and conversions.

use super::ops::op_words;
use super::{Binder, Bound, days};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::BinaryOp;
use crate::plan::Expr;
use crate::plan::convert;
use crate::plan::fold::fold;

impl Binder<'_> {
    /// An operator on numbers, times and addresses.
    pub(super) fn arithmetic(
        &mut self,
        op: BinaryOp,
        at: Span,
        left: Expr,
        right: Expr,
    ) -> Bound<Expr> {
        let (left_ty, right_ty) = (left.ty, right.ty);
        let spans = (left.span, right.span);
        let left = self.operand(op, left, right_ty)?;
        let right = self.operand(op, right, left_ty)?;
        let (left_ty, right_ty) = (left.ty, right.ty);
        if days::is_day(left_ty) || days::is_day(right_ty) {
            if let Some(expr) = days::compute(op, &left, &right) {
                return Ok(expr);
            }
        } else if let Some((left, right, ty)) = typed(op, left, right) {
            return Ok(fold(Expr::binary(op, left, right, ty)));
        }
        let sign = op_words(op);
        let message = format!("`{sign}` does not take {left_ty} and {right_ty}");
        let error = Diagnostic::at(Code::TypeMismatch, at, message)
            .also(spans.0, left_ty.name())
            .also(spans.1, right_ty.name());
        self.fail(match (left_ty, right_ty) {
            (Ty::Text, _) | (_, Ty::Text) if op == BinaryOp::Add => error.help(
                "text is joined with `||`; numbers in text are converted with CAST(… AS INTEGER)",
            ),
            (Ty::Time | Ty::TimeOfDay, Ty::Int | Ty::Double) | (Ty::Date, Ty::Double) => {
                error.help("add a duration, as in `… + INTERVAL '5 seconds'`")
            }
            (Ty::Decimal(_), Ty::Decimal(_)) if op == BinaryOp::Mul => error.help(
                "the product would have more than 18 digits behind the point: cast one to DOUBLE, or to a DECIMAL with fewer",
            ),
            (Ty::Text | Ty::Addr, _) | (_, Ty::Text | Ty::Addr) => {
                error.help("convert with CAST(… AS INTEGER)")
            }
            _ => error,
        })
    }

    /// Gives NULL and text literals the type that the other operand requires.
    fn operand(&mut self, op: BinaryOp, expr: Expr, other: Ty) -> Bound<Expr> {
        let shift = matches!(op, BinaryOp::Mul | BinaryOp::Div | BinaryOp::IntDiv | BinaryOp::Mod);
        let wanted = match other {
            Ty::Time | Ty::Interval if shift => Ty::Int,
            Ty::Time | Ty::TimeOfDay => Ty::Interval,
            Ty::Date | Ty::Null | Ty::Text | Ty::Bool => Ty::Int,
            Ty::Decimal(of) => convert::widest(of.scale()).unwrap_or(other),
            ty => ty,
        };
        let Some(value) = expr.as_literal() else {
            return if expr.ty == Ty::Null {
                self.as_type(expr, wanted, "the operator")
            } else {
                Ok(expr)
            };
        };
        match value {
            Value::Null => {
                Ok(Expr::null(if expr.ty == Ty::Null { wanted } else { expr.ty }, expr.span))
            }
            Value::Text(_) if other == Ty::Text => Ok(expr),
            Value::Text(_) => {
                let choices = match other {
                    Ty::Time if op == BinaryOp::Sub => [Ty::Interval, Ty::Time],
                    Ty::Date if op == BinaryOp::Sub => [Ty::Date, Ty::Interval],
                    Ty::Date => [Ty::Int, Ty::Interval],
                    Ty::Interval => [Ty::Interval, Ty::Time],
                    _ => [wanted, Ty::Double],
                };
                let fitting = choices.into_iter().find(|ty| convert::literal(value, *ty).is_some());
                match fitting {
                    Some(ty) => self.as_type(expr, ty, "the operator"),
                    None if op == BinaryOp::Add => self.bad_text(&expr, wanted).inspect_err(|_| {
                        if let Some(error) = self.errors.last_mut() {
                            error
                                .help
                                .push("`+` adds numbers; texts are joined with `||`".to_owned());
                        }
                    }),
                    None => self.bad_text(&expr, wanted),
                }
            }
            _ => Ok(expr),
        }
    }
}

/// The converted operands, and the type of the result; `None` if the operator does not accept them.
#[expect(
    clippy::match_same_arms,
    reason = "one arm per operator, as in the table of `ExprKind::Binary`"
)]
fn typed(op: BinaryOp, left: Expr, right: Expr) -> Option<(Expr, Expr, Ty)> {
    use BinaryOp as B;
    let as_double = |l, r| Some((double(l)?, double(r)?, Ty::Double));
    let is_decimal = |ty: Ty| matches!(ty, Ty::Decimal(_));
    if is_decimal(left.ty) || is_decimal(right.ty) {
        match op {
            B::Add | B::Sub | B::Mul | B::Mod => {
                if let Some(exact) = convert::of_decimals(op, &left, &right) {
                    return Some(exact);
                }
                // A product with too many digits is refused rather than rounded.
                if is_decimal(left.ty) && is_decimal(right.ty) {
                    return None;
                }
                return as_double(left, right);
            }
            B::Div | B::IntDiv => return as_double(left, right),
            _ => return None,
        }
    }
    match (op, left.ty, right.ty) {
        (B::Add | B::Sub, Ty::Time, Ty::Interval) => Some((left, right, Ty::Time)),
        (B::Add, Ty::Interval, Ty::Time) => Some((right, left, Ty::Time)),
        (B::Sub, Ty::Time, Ty::Time) => Some((left, right, Ty::Interval)),
        (B::Add | B::Sub, Ty::Interval, Ty::Interval)
        | (B::Mul | B::Div, Ty::Interval, Ty::Int) => Some((left, right, Ty::Interval)),
        (B::Mul, Ty::Int, Ty::Interval) => Some((right, left, Ty::Interval)),
        (B::BitAnd | B::BitOr, a, b) if integral(a) && integral(b) => {
            let (left, right) = if a == b { (left, right) } else { adapt_literal(left, right) };
            let ty = if left.ty == right.ty { left.ty } else { Ty::Addr };
            Some((address_if(left, ty), address_if(right, ty), ty))
        }
        (B::ShiftLeft | B::ShiftRight, a, b) if integral(a) && integral(b) => {
            Some((left, integer(right), a))
        }
        (B::IntDiv | B::Mod, a, b) if integral(a) && integral(b) => {
            let left = if a == Ty::Addr { left } else { integer(left) };
            Some((left, integer(right), a))
        }
        (B::Div, a, b) if a.is_numeric() && b.is_numeric() => as_double(left, right),
        (B::Add | B::Sub | B::Mul | B::IntDiv | B::Mod, a, b)
            if (a == Ty::Double || b == Ty::Double) && a.is_numeric() && b.is_numeric() =>
        {
            as_double(left, right)
        }
        (B::Add | B::Sub | B::Mul, Ty::Int, Ty::Int) => Some((left, right, Ty::Int)),
        (B::Add, Ty::Addr, Ty::Addr) => Some((left, right, Ty::Addr)),
        (B::Sub, Ty::Addr, Ty::Addr) => Some((left, right, Ty::Int)),
        (B::Add | B::Sub | B::Mul, Ty::Addr, Ty::Int) => Some((left, right, Ty::Addr)),
        (B::Add | B::Mul, Ty::Int, Ty::Addr) => Some((right, left, Ty::Addr)),
        (B::Sub, Ty::Int, Ty::Addr) => Some((address_if(left, Ty::Addr), right, Ty::Int)),
        (B::Mul, Ty::Addr, Ty::Addr) => {
            // Only one side is an address; the hex literal beside it is an offset.
            match literal_as(right.clone(), Ty::Int) {
                Some(right) => Some((left, right, Ty::Addr)),
                None => literal_as(left, Ty::Int).map(|left| (right, left, Ty::Addr)),
            }
        }
        _ => None,
    }
}

const fn integral(ty: Ty) -> bool {
    matches!(ty, Ty::Int | Ty::Addr)
}

fn double(expr: Expr) -> Option<Expr> {
    convert::implicit(expr, Ty::Double).ok()
}

/// The expression as an INTEGER; an address out of its range is an error.
fn integer(expr: Expr) -> Expr {
    if expr.ty == Ty::Int { expr } else { convert::explicit(expr, Ty::Int, false, None) }
}

fn address_if(expr: Expr, ty: Ty) -> Expr {
    if expr.ty == ty { expr } else { convert::explicit(expr, ty, false, None) }
}

/// The literal as `ty`, or the expression if it is of that type.
pub(super) fn literal_as(expr: Expr, ty: Ty) -> Option<Expr> {
    if expr.ty == ty {
        return Some(expr);
    }
    expr.as_literal()?;
    convert::implicit(expr, ty).ok()
}

/// If one operand is an INTEGER and the other an ADDRESS, a literal takes the type of the other if
/// it can.
pub(super) fn adapt_literal(left: Expr, right: Expr) -> (Expr, Expr) {
    if let (None, Some(adapted)) = (left.as_literal(), literal_as(right.clone(), left.ty)) {
        return (left, adapted);
    }
    if let (None, Some(adapted)) = (right.as_literal(), literal_as(left.clone(), right.ty)) {
        return (adapted, right);
    }
    if left.as_literal().is_some() && right.as_literal().is_some() {
        if let Some(adapted) = literal_as(left.clone(), Ty::Addr)
            && right.ty == Ty::Addr
        {
            return (adapted, right);
        }
        if let Some(adapted) = literal_as(right.clone(), Ty::Addr)
            && left.ty == Ty::Addr
        {
            return (left, adapted);
        }
    }
    (left, right)
}
