//! CASE, and casts.

use super::super::{Binder, Bound, Failed};
use super::{Place, case_of};
use crate::catalog::{IntRange, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast;
use crate::lang::ast::BinaryOp;
use crate::plan::convert::can_cast;
use crate::plan::{Expr, convert};

impl Binder<'_> {
    pub(super) fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        branches: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let operand = operand.map(|e| self.expr(e, place)).transpose();
        let mut conditions = Vec::with_capacity(branches.len());
        let mut results = Vec::with_capacity(branches.len() + 1);
        for (when, then) in branches {
            conditions.push(match &operand {
                Ok(None) => self.condition(when, place, "WHEN"),
                Ok(Some(operand)) => self.case_equals(operand, when, place),
                Err(Failed) => Err(Failed),
            });
            results.push(self.expr(then, place));
        }
        results.extend(otherwise.map(|e| self.expr(e, place)));
        let conditions = conditions.into_iter().collect::<Bound<Vec<_>>>()?;
        let results = results.into_iter().collect::<Bound<Vec<_>>>()?;
        let results = self.unify(results, "the results of CASE")?;
        Ok(case_of(conditions, results, span))
    }

    pub(super) fn case_equals(
        &mut self,
        operand: &Expr,
        when: &ast::Expr,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let when = self.expr(when, place)?;
        let operand = self.copy(operand)?;
        let span = when.span;
        self.compare(BinaryOp::Eq, operand, when, span)
    }

    pub(super) fn cast(
        &mut self,
        expr: &ast::Expr,
        ty: &ast::Ident,
        lenient: bool,
        span: Span,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let inner = self.expr(expr, place);
        let Some(to) = Ty::from_name(&ty.text) else {
            let error =
                Diagnostic::at(Code::TypeMismatch, ty.span, format!("no type `{}`", ty.text));
            let names = Ty::NAMES;
            let error = error.nearest(&ty.text, names);
            let error = match super::super::idioms::type_name(&ty.text) {
                Some(help) => error.help(help),
                None => error,
            };
            return self.fail(error.help(format!("types: {}", names.join(", "))));
        };
        let inner = inner?;
        if !can_cast(inner.ty, to) {
            let message = format!("{} cannot be converted to {to}", inner.ty);
            let error = Diagnostic::at(Code::TypeMismatch, span, message);
            return self.fail(self.cast_help(error, inner.ty, to));
        }
        let range = IntRange::of_name(&ty.text);
        let bound = convert::explicit(inner, to, lenient, range);
        Ok(Expr { span, ..bound })
    }

    pub(super) fn cast_help(&self, error: Diagnostic, from: Ty, to: Ty) -> Diagnostic {
        let mut error = error;
        for (a, b, function) in [
            (Ty::Int, Ty::Time, "make_timestamp"),
            (Ty::Time, Ty::Int, "epoch_us"),
            (Ty::Interval, Ty::Int, "epoch_us"),
        ] {
            if (from, to) == (a, b) && self.catalog.function(function).is_some() {
                error =
                    error.help(format!("{function}(…) takes microseconds to and from 1970 UTC"));
            }
        }
        error
    }
}
