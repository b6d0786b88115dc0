//! COLLATE: comparisons and orders of texts that ignore case.
//!
//! Types have no collation: `COLLATE` applies to the comparison or the order of which its
//! expression is an operand.

use super::expr::Place;
use super::{Binder, Bound};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{self, ExprKind as AstKind, Ident};
use crate::plan::{Expr, ExprKind, convert};

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collation {
    /// By their bytes.
    Binary,
    /// After conversion to lower case.
    NoCase,
}

/// Whether the expression itself is a COLLATE expression.
pub(super) const fn is_collated(expr: &ast::Expr) -> bool {
    matches!(expr.kind, AstKind::Collate { .. })
}

impl Binder<'_> {
    /// The collation of a comparison, which one of its operands gives.
    pub(super) fn collation_of<'e>(
        &mut self,
        operands: impl IntoIterator<Item = &'e ast::Expr>,
    ) -> Bound<Option<Collation>> {
        let mut found = None;
        for operand in operands {
            let AstKind::Collate { collation, .. } = &operand.kind else { continue };
            let own = self.collation(collation)?;
            if found.is_some_and(|known| known != own) {
                let message = "the operands of a comparison have different collations";
                return self.fail_at(Code::BadQuery, collation.span, message);
            }
            found = Some(own);
        }
        Ok(found)
    }

    fn collation(&mut self, name: &Ident) -> Bound<Collation> {
        match name.text.to_ascii_lowercase().as_str() {
            "nocase" => Ok(Collation::NoCase),
            "binary" | "c" | "posix" => Ok(Collation::Binary),
            _ => {
                let message = format!("no collation `{}`", name.text);
                let error = Diagnostic::at(Code::BadQuery, name.span, message);
                self.fail(error.help("collations: NOCASE, BINARY"))
            }
        }
    }

    /// An operand of a comparison, or a key of an order, converted for its collation.
    pub(super) fn collated(
        &mut self,
        operand: &ast::Expr,
        collation: Option<Collation>,
        place: Place<'_>,
    ) -> Bound<Expr> {
        let inner = match &operand.kind {
            AstKind::Collate { expr, .. } => expr,
            _ => operand,
        };
        let bound = self.expr(inner, place)?;
        match collation {
            Some(collation) => self.by_collation(bound, collation),
            None => Ok(bound),
        }
    }

    /// A text converted for a collation.
    pub(super) fn by_collation(&mut self, expr: Expr, collation: Collation) -> Bound<Expr> {
        let span = expr.span;
        let text = convert::implicit(expr, Ty::Text).or_else(|(expr, _)| {
            let message = format!("COLLATE compares VARCHAR, this is {}", expr.ty);
            self.fail_at(Code::TypeMismatch, expr.span, message)
        })?;
        if collation == Collation::Binary {
            return Ok(text);
        }
        let Some(function) = self.catalog.function("lower") else {
            return self.unknown_function("lower", span);
        };
        Ok(Expr::new(ExprKind::Call { function, args: vec![text] }, Ty::Text, span))
    }

    /// The error for a COLLATE that applies to no comparison and no order.
    pub(super) fn lone_collation<T>(&mut self, collation: &Ident) -> Bound<T> {
        let message = "COLLATE is only allowed in comparisons, IN, BETWEEN and ORDER BY";
        self.fail(
            Diagnostic::at(Code::BadQuery, collation.span, message)
                .help("elsewhere write lower(text), as in GROUP BY lower(name)"),
        )
    }
}
