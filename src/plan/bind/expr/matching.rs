//! LIKE, GLOB, SIMILAR TO and regular expressions.

use super::super::{Binder, Bound, Failed};
use super::Place;
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast;
use crate::lang::ast::{BinaryOp, MatchOp};
use crate::plan::walk::balanced;
use crate::plan::{Expr, ExprKind, convert};

fn match_of(
    op: MatchOp,
    text: Expr,
    pattern: Expr,
    escape: Option<char>,
    negated: bool,
    span: Span,
) -> Expr {
    let (expr, pattern) = (Box::new(text), Box::new(pattern));
    Expr::new(ExprKind::Match { op, expr, pattern, escape, negated }, Ty::Bool, span)
}

/// The operator as it is written.
pub(in crate::plan) const fn match_words(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Like => "LIKE",
        MatchOp::ILike => "ILIKE",
        MatchOp::Glob => "GLOB",
        MatchOp::SimilarTo => "SIMILAR TO",
        MatchOp::Regexp => "~",
    }
}

impl Binder<'_> {
    pub(super) fn matching(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let ast::ExprKind::Match { op, expr: text, pattern, escape, negated } = &expr.kind else {
            return Err(Failed);
        };
        let (text, pattern) = (self.expr(text, place), self.expr(pattern, place));
        let escape = escape.as_deref().map(|e| self.escape(e, *op, place)).transpose();
        let words = match_words(*op);
        let (text, pattern) = (self.text(text?, words), self.text(pattern?, words));
        let escape = escape?;
        Ok(match_of(*op, text?, pattern?, escape, *negated, expr.span))
    }

    /// `LIKE ANY (…)`, `LIKE ALL (…)`: a match with each pattern, combined with OR or AND.
    pub(super) fn matching_list(&mut self, expr: &ast::Expr, place: Place<'_>) -> Bound<Expr> {
        let ast::ExprKind::MatchList { op, expr: text, patterns, all, negated } = &expr.kind else {
            return Err(Failed);
        };
        let words = match_words(*op);
        let (text, patterns) = (self.expr(text, place), self.exprs(patterns, place));
        let text = self.text(text?, words)?;
        let mut terms = Vec::new();
        for pattern in patterns? {
            let (pattern, text) = (self.text(pattern, words)?, self.copy(&text)?);
            terms.push(match_of(*op, text, pattern, None, *negated, expr.span));
        }
        let join = if *all { BinaryOp::And } else { BinaryOp::Or };
        let joined = balanced(join, Ty::Bool, terms).ok_or(Failed)?;
        Ok(Expr { span: expr.span, ..joined })
    }

    pub(super) fn text(&mut self, expr: Expr, what: &str) -> Bound<Expr> {
        convert::implicit(expr, Ty::Text).or_else(|(expr, _)| {
            let message = format!("{what} needs VARCHAR, this is {}", expr.ty);
            self.fail(
                Diagnostic::at(Code::TypeMismatch, expr.span, message)
                    .help("convert it with CAST(… AS VARCHAR)"),
            )
        })
    }

    pub(super) fn escape(
        &mut self,
        escape: &ast::Expr,
        op: MatchOp,
        place: Place<'_>,
    ) -> Bound<char> {
        if !matches!(op, MatchOp::Like | MatchOp::ILike) {
            let message = format!("{} has no ESCAPE", match_words(op));
            return self.fail_at(Code::BadQuery, escape.span, message);
        }
        let bound = self.expr(escape, place)?;
        let text = bound.as_literal().and_then(|v| v.as_text()).unwrap_or_default();
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) => Ok(one),
            _ => self.fail_at(Code::BadQuery, escape.span, "ESCAPE needs a text of one character"),
        }
    }
}
