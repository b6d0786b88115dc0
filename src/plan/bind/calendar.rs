//! Arithmetic of months and years with timestamps.
//!
//! An `INTERVAL` is a number of microseconds, and months have no fixed length, so a duration with
//! months is not a value. It can only be an operand: of `+` and `-` with a `TIMESTAMP`, which
//! becomes a call of `add_months`, or the step of `date_add` and `time_bucket`.

use super::expr::Place;
use super::{Binder, Bound};
use crate::catalog::{FunctionSpec, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, BinaryOp, Literal, UnaryOp};
use crate::plan::convert::cast;
use crate::plan::fold::fold;
use crate::plan::{Expr, ExprKind};
use crate::time::add_months;

/// Functions that make a duration of months, and the number of months in one unit.
const STEPS: &[(&str, i64)] = &[
    ("to_months", 1),
    ("to_quarters", 3),
    ("to_years", 12),
    ("to_decades", 120),
    ("to_centuries", 1_200),
    ("to_millennia", 12_000),
];

/// The distance by which a timestamp is moved.
struct Step {
    /// Months, an INTEGER.
    months: Expr,
    /// The rest, an INTERVAL, if there is one.
    rest: Option<Expr>,
}

/// Whether the function makes a duration of months.
pub(super) fn is_step_function(name: &str) -> bool {
    months_of(name).is_some()
}

fn months_of(name: &str) -> Option<i64> {
    STEPS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, months)| *months)
}

/// Whether the expression is a duration with months: a literal, a call, or one of these with a sign
/// or a factor.
pub(super) fn is_step(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ast::ExprKind::Binary { op: BinaryOp::Mul, left, right, .. } => {
            is_signed(left) || is_signed(right)
        }
        _ => is_signed(expr),
    }
}

fn is_signed(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ast::ExprKind::Unary { op: UnaryOp::Negate, expr } => is_plain(expr),
        _ => is_plain(expr),
    }
}

fn is_plain(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ast::ExprKind::Literal(Literal::Interval(interval)) => interval.months != 0,
        ast::ExprKind::Call(call) => call.args.len() == 1 && is_step_function(&call.name.text),
        _ => false,
    }
}

impl Binder<'_> {
    /// Binds `duration + time`, if the expression has that form.
    pub(super) fn calendar(&mut self, expr: &ast::Expr, place: Place<'_>) -> Option<Bound<Expr>> {
        let ast::ExprKind::Binary { op: BinaryOp::Add, left, right, .. } = &expr.kind else {
            return None;
        };
        if !is_step(left) {
            return None;
        }
        let time = self.expr(right, place);
        Some(self.moved(time, left, false, place))
    }

    /// Binds a call that takes a duration of months, if the call is one.
    pub(super) fn calendar_call(
        &mut self,
        function: &'static FunctionSpec,
        args: &[ast::Expr],
        span: Span,
        place: Place<'_>,
    ) -> Option<Bound<Expr>> {
        match (function.name, args) {
            ("date_add", [time, step]) if is_step(step) => {
                let time = self.expr(time, place);
                Some(self.moved(time, step, false, place))
            }
            ("time_bucket", [step, time]) if is_step(step) => {
                Some(self.month_bucket(function, step, time, span, place))
            }
            _ => None,
        }
    }

    fn month_bucket(
        &mut self,
        function: &'static FunctionSpec,
        step: &ast::Expr,
        time: &ast::Expr,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let (parts, time) = (self.step(step, place), self.expr(time, place));
        let (parts, time) = (parts?, time?);
        if parts.rest.is_some() {
            let message = "the length of time_bucket cannot combine months with days";
            return self.fail_at(Code::BadArguments, step.span, message);
        }
        let fitted = self.fit(function, vec![parts.months, time], span)?;
        let kind = ExprKind::Call { function, args: fitted.args };
        Ok(Expr { kind, ty: fitted.ty, format: fitted.format, span })
    }

    /// The timestamp moved by the step, forwards or backwards.
    pub(super) fn moved(
        &mut self,
        time: Bound<Expr>,
        step: &ast::Expr,
        back: bool,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let parts = self.step(step, place);
        let (time, parts) = (time?, parts?);
        let span = time.span.to(step.span);
        let is_literal = time.ty == Ty::Text && time.as_literal().is_some();
        if !is_literal && !matches!(time.ty, Ty::Time | Ty::Date | Ty::Null) {
            return self.months_alone(step.span);
        }
        let time = self.as_type(time, Ty::Time, "the operator")?;
        let Some(function) = self.catalog.function("add_months") else {
            return self.months_alone(step.span);
        };
        let months = if back { negated(parts.months) } else { parts.months };
        let constant = match (time.as_literal(), months.as_literal()) {
            (Some(Value::Time(at)), Some(Value::Int(by))) => add_months(*at, *by),
            _ => None,
        };
        let kind = ExprKind::Call { function, args: vec![time, months] };
        let moved = match constant {
            Some(at) => Expr::literal(Value::Time(at), span),
            None => Expr::new(kind, Ty::Time, span),
        };
        let op = if back { BinaryOp::Sub } else { BinaryOp::Add };
        Ok(match parts.rest {
            Some(rest) => Expr { span, ..fold(Expr::binary(op, moved, rest, Ty::Time)) },
            None => moved,
        })
    }

    fn step(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Step> {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Literal(Literal::Interval(interval)) => {
                let rest = Expr::literal(Value::Interval(interval.micros), span);
                Ok(Step {
                    months: Expr::literal(Value::Int(interval.months), span),
                    rest: Some(rest).filter(|_| interval.micros != 0),
                })
            }
            ast::ExprKind::Call(call) => {
                let (Some(months), [arg]) = (months_of(&call.name.text), call.args.as_slice())
                else {
                    return self.months_alone(span);
                };
                let count = self.expr(arg, place)?;
                let months = Expr::literal(Value::Int(months), span);
                Ok(Step { months: self.product(months, count, span)?, rest: None })
            }
            ast::ExprKind::Unary { op: UnaryOp::Negate, expr } => {
                let step = self.step(expr, place)?;
                Ok(Step { months: negated(step.months), rest: step.rest.map(negated) })
            }
            ast::ExprKind::Binary { op: BinaryOp::Mul, left, right, .. } => {
                let (step, factor) = if is_signed(left) { (left, right) } else { (right, left) };
                let (step, factor) = (self.step(step, place), self.expr(factor, place));
                let (step, factor) = (step?, factor?);
                let rest = match step.rest {
                    Some(rest) => {
                        let factor = self.copy(&factor)?;
                        Some(self.arithmetic(BinaryOp::Mul, span, rest, factor)?)
                    }
                    None => None,
                };
                Ok(Step { months: self.product(step.months, factor, span)?, rest })
            }
            _ => self.months_alone(span),
        }
    }

    fn product(&mut self, months: Expr, count: Expr, span: Span) -> Bound<Expr> {
        let count = match count.ty {
            Ty::Int | Ty::Null => count,
            Ty::Addr => cast(count, Ty::Int, false),
            _ => {
                let message = format!("months are counted by an INTEGER, this is {}", count.ty);
                return self.fail_at(Code::TypeMismatch, count.span, message);
            }
        };
        if months.as_literal() == Some(&Value::Int(1)) && count.ty == Ty::Int {
            return Ok(count);
        }
        self.arithmetic(BinaryOp::Mul, span, months, count)
    }

    /// The error for a duration of months that is not added to a timestamp.
    pub(super) fn months_alone<T>(&mut self, span: Span) -> Bound<T> {
        let message = "months have no fixed length, they can only be added to a TIMESTAMP";
        self.fail(
            Diagnostic::at(Code::BadLiteral, span, message)
                .help("write time + INTERVAL '1 month', or a duration such as INTERVAL '30 days'"),
        )
    }
}

fn negated(expr: Expr) -> Expr {
    let (ty, span) = (expr.ty, expr.span);
    fold(Expr::new(ExprKind::Negate(Box::new(expr)), ty, span))
}
