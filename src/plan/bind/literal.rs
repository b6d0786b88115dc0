//! Literals and parameters.

use super::{Binder, Bound, parameter};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::Literal;
use crate::plan::Expr;

impl Binder<'_> {
    pub(super) fn literal(&mut self, literal: &Literal, span: Span) -> Bound<Expr> {
        let value = match literal {
            Literal::Null => return Ok(Expr::null(Ty::Null, span)),
            Literal::Bool(v) => Value::Bool(*v),
            Literal::Int(v) => match i64::try_from(*v) {
                Ok(v) => Value::Int(v),
                Err(_) => return self.too_large(*v, span),
            },
            Literal::Double(v) if v.is_finite() => Value::Double(*v),
            Literal::Double(_) => {
                let message = "the number is larger than any DOUBLE";
                return self.fail_at(Code::BadLiteral, span, message);
            }
            Literal::Text(v) => Value::text(v.clone()),
            Literal::Addr(v) => Value::Addr(*v),
            Literal::Time(v) => Value::Time(*v),
            Literal::Date(v) => Value::Date(*v),
            Literal::Interval(v) if v.months != 0 => return self.months_alone(span),
            Literal::Interval(v) => Value::Interval(v.micros),
        };
        Ok(Expr::literal(value, span))
    }

    fn too_large(&mut self, value: u64, span: Span) -> Bound<Expr> {
        self.fail(
            Diagnostic::at(
                Code::BadLiteral,
                span,
                format!("{value} is larger than the largest INTEGER, {}", i64::MAX),
            )
            .help(format!("as an address it is written {value:#x}")),
        )
    }

    /// The value of a parameter, which is treated as a literal.
    pub(super) fn parameter(&mut self, name: &str, span: Span) -> Bound<Expr> {
        if let Some(value) = parameter(self.params, name) {
            return Ok(Expr::literal(value.clone(), span));
        }
        let message = format!("the parameter `${name}` has no value");
        let error = Diagnostic::at(Code::Parameter, span, message);
        let given: Vec<&str> = self.params.keys().map(String::as_str).collect();
        let error = error.nearest(name, given.iter().copied());
        let error = if given.is_empty() {
            error
        } else {
            error.help(format!("parameters given: {}", super::scope::listed(&given)))
        };
        self.fail(error.help(format!("give it with -p {name}=value")))
    }
}
