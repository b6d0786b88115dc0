//! COLLATE: comparisons and orders of texts that ignore case.
//!
//! Types have no collation: `COLLATE` applies to the comparison or the order of which its
//! expression is an operand. In a select list, GROUP BY, DISTINCT, PARTITION BY and as the argument of
//! an aggregate `x COLLATE NOCASE` is a call of [`MARK`], which has the value of `x`; what groups or
//! sorts by it takes `lower(x)` instead.

use super::expr::Place;
use super::sets::Keys;
use super::{Binder, Bound};
use crate::catalog::{FunctionSpec, Ty};
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{self, ExprKind as AstKind, Ident};
use crate::plan::{AggregateCall, Expr, ExprKind, convert};

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collation {
    /// By their bytes.
    Binary,
    /// After conversion to lower case.
    NoCase,
}

/// The function whose calls stand for a text that is compared without case.
const MARK: &str = "collate_nocase";

/// The text of a call that stands for a text without case.
pub(super) fn marked(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Call { function, args } if function.name == MARK => args.first(),
        _ => None,
    }
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

    /// An expression whose COLLATE what it is used for respects: see [`MARK`].
    pub(super) fn keyed(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let AstKind::Collate { expr: inner, collation } = &expr.kind else {
            return self.expr(expr, place);
        };
        let own = self.collation(collation)?;
        let text = self.expr(inner, place)?;
        let text = self.by_collation(text, Collation::Binary)?;
        let Some(function) = self.catalog.function(MARK).filter(|_| own == Collation::NoCase)
        else {
            return Ok(text);
        };
        Ok(Expr::new(ExprKind::Call { function, args: vec![text] }, Ty::Text, expr.span))
    }

    /// As [`Binder::keyed`] for several.
    pub(super) fn all_keyed(&mut self, exprs: &[ast::Expr], place: Place<'_>) -> Bound<Vec<Expr>> {
        let bound: Vec<Bound<Expr>> = exprs.iter().map(|e| self.keyed(e, place)).collect();
        bound.into_iter().collect()
    }

    /// What a key is compared by.
    pub(super) fn folded(&mut self, expr: Expr) -> Bound<Expr> {
        match marked(&expr) {
            Some(text) => self.by_collation(text.clone(), Collation::NoCase),
            None => Ok(expr),
        }
    }

    /// Keys as what they are compared by.
    pub(super) fn all_folded(&mut self, exprs: &[ast::Expr], place: Place<'_>) -> Bound<Vec<Expr>> {
        let keys = self.all_keyed(exprs, place)?;
        keys.into_iter().map(|key| self.folded(key)).collect()
    }

    /// The sides of a comparison without case if one of them asks for that.
    pub(super) fn both_folded(&mut self, left: Expr, right: Expr) -> Bound<(Expr, Expr)> {
        if marked(&left).is_none() && marked(&right).is_none() {
            return Ok((left, right));
        }
        let plain = |e: Expr| marked(&e).cloned().unwrap_or(e);
        let left = self.by_collation(plain(left), Collation::NoCase)?;
        Ok((left, self.by_collation(plain(right), Collation::NoCase)?))
    }

    /// Replaces the keys of a grouping by what they are compared by. What shows such a key is the
    /// first value of its group, an aggregate that is added: its index, and the key.
    pub(super) fn folded_keys(
        &mut self,
        keys: &mut Keys,
        aggregates: &mut Vec<AggregateCall>,
    ) -> Bound<Vec<(Expr, usize)>> {
        let mut shown = Vec::new();
        for key in &mut keys.keys {
            let Some(text) = marked(key).cloned() else { continue };
            if keys.sets.is_some() {
                let message = "COLLATE is not allowed in grouping sets";
                let error = Diagnostic::at(Code::Unsupported, key.span, message);
                return self.fail(error.help("write lower(text)"));
            }
            let Some(function) = self.catalog.function("any_value") else {
                return self.unknown_function("any_value", key.span);
            };
            let folded = self.by_collation(text.clone(), Collation::NoCase)?;
            let original = std::mem::replace(key, folded);
            let call = AggregateCall {
                function,
                ty: text.ty,
                format: text.format,
                span: text.span,
                args: vec![text],
                distinct: false,
                filter: None,
                order_by: Vec::new(),
            };
            let at = aggregates.iter().position(|known| known.same(&call));
            let at = at.unwrap_or_else(|| {
                aggregates.push(call);
                aggregates.len() - 1
            });
            shown.push((original, at));
        }
        Ok(shown)
    }

    /// The arguments of an aggregate of texts without case, and the aggregate that respects it.
    pub(super) fn collated_arguments(
        &mut self,
        function: &'static FunctionSpec,
        mut args: Vec<Expr>,
        is_distinct: bool,
    ) -> Bound<(&'static FunctionSpec, Vec<Expr>)> {
        let [text] = args.as_slice() else { return Ok((function, args)) };
        let Some(inner) = marked(text).cloned() else { return Ok((function, args)) };
        let by = self.folded(text.clone())?;
        let other = match function.name {
            "min" => self.catalog.function("arg_min"),
            "max" => self.catalog.function("arg_max"),
            _ => None,
        };
        if let Some(other) = other {
            return Ok((other, vec![inner, by]));
        }
        if function.name == "count" && is_distinct {
            args = vec![by];
        }
        Ok((function, args))
    }

    /// The error for a COLLATE that applies to no comparison and no order.
    pub(super) fn lone_collation<T>(&mut self, collation: &Ident) -> Bound<T> {
        let message = "COLLATE is only allowed in comparisons, as a column or key, and as an argument of an aggregate";
        self.fail(
            Diagnostic::at(Code::BadQuery, collation.span, message)
                .help("elsewhere write lower(text)"),
        )
    }
}
