//! Several columns, selected by their names: `COLUMNS('wait.*')`, `* LIKE 'wait%'`.

use std::cell::{Cell, RefCell};

use regex::{Regex, RegexBuilder};

use super::expr::Place;
use super::scope::ScopeColumn;
use super::{Binder, Bound};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, Call, ExprKind as AstKind, Literal, MatchOp, NamePattern};
use crate::plan::Expr;

/// The maximum size of a compiled pattern.
const PATTERN_BYTES: usize = 1 << 20;

/// The columns of `COLUMNS(…)` in one item of a list, which is bound once for each of them.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// The index of the column for which the item is being bound.
    at: Cell<usize>,
    /// The names and expressions of the columns, once they are known.
    columns: RefCell<Vec<(String, Expr)>>,
}

impl Binder<'_> {
    /// Binds an item of a list once for each column of its `COLUMNS(…)`; returns the column names
    /// too.
    pub(super) fn spread(
        &mut self,
        expr: &ast::Expr,
        place: Place<'_>,
    ) -> Vec<(Option<String>, Bound<Expr>)> {
        let spread = Spread::default();
        let place = Place { spread: Some(&spread), ..place };
        let first = self.keyed(expr, place);
        let count = spread.columns.borrow().len();
        let name = |at: usize| spread.columns.borrow().get(at).map(|(name, _)| name.clone());
        let mut items = vec![(name(0), first)];
        for at in 1..count {
            spread.at.set(at);
            let bound = self.keyed(expr, place);
            items.push((name(at), bound));
        }
        items
    }

    /// `COLUMNS(*)` or `COLUMNS('pattern')`: the column for which the item is being bound.
    pub(super) fn columns(&mut self, call: &Call, span: Span, place: Place<'_>) -> Bound<Expr> {
        let Some(spread) = place.spread else {
            let message = format!("COLUMNS is not allowed in {}", place.clause);
            return self.fail_at(Code::BadQuery, span, message);
        };
        if spread.columns.borrow().is_empty() {
            let found = self.chosen(call, span, place)?;
            *spread.columns.borrow_mut() = found;
        }
        let columns = spread.columns.borrow();
        let Some((_, expr)) = columns.get(spread.at.get()) else {
            drop(columns);
            let message = "two COLUMNS of one item have different numbers of columns";
            return self.fail_at(Code::BadQuery, span, message);
        };
        Ok(Expr { span, ..expr.clone() })
    }

    fn chosen(&mut self, call: &Call, span: Span, place: Place<'_>) -> Bound<Vec<(String, Expr)>> {
        let pattern = match call.args.as_slice() {
            [] if call.star => None,
            [ast::Expr { kind: AstKind::Literal(Literal::Text(text)), span }] => {
                Some(self.pattern(text, *span)?)
            }
            _ => {
                let error =
                    Diagnostic::at(Code::BadArguments, span, "COLUMNS takes `*` or a pattern");
                return self
                    .fail(error.help("the pattern is a regular expression: COLUMNS('.*_ms')"));
            }
        };
        let columns = place.scope.star(None).unwrap_or_default();
        for name in &call.exclude {
            if !columns.iter().any(|c| c.name.eq_ignore_ascii_case(&name.text)) {
                let message = format!("`*` has no column `{}`", name.text);
                return self.fail_at(Code::UnknownColumn, name.span, message);
            }
        }
        let left = |name: &str| !call.exclude.iter().any(|e| e.text.eq_ignore_ascii_case(name));
        let fits = |c: &&&ScopeColumn| {
            left(&c.name) && pattern.as_ref().is_none_or(|p| p.is_match(&c.name))
        };
        let found: Vec<(String, Expr)> =
            columns.iter().filter(fits).map(|c| (c.name.clone(), c.expr.clone())).collect();
        self.grow(found.len(), span)?;
        if found.is_empty() {
            let error = Diagnostic::at(Code::UnknownColumn, span, "no column has such a name");
            return self.fail(error.help(place.scope.available(&[])));
        }
        Ok(found)
    }

    /// The columns whose names fulfil the condition after `*`.
    pub(super) fn named_like<'c>(
        &mut self,
        columns: Vec<&'c ScopeColumn>,
        like: &NamePattern,
    ) -> Bound<Vec<&'c ScopeColumn>> {
        let (text, span) = (&like.pattern.text, like.pattern.span);
        let pattern = match like.op {
            MatchOp::Like => format!("(?s)^{}$", wildcards(text, '%', '_')),
            MatchOp::ILike => format!("(?si)^{}$", wildcards(text, '%', '_')),
            MatchOp::Glob => format!("(?s)^{}$", wildcards(text, '*', '?')),
            MatchOp::SimilarTo => format!("^(?:{text})$"),
            MatchOp::Regexp => text.clone(),
        };
        let pattern = self.pattern(&pattern, span)?;
        let fits = |c: &&ScopeColumn| pattern.is_match(&c.name) != like.negated;
        let found: Vec<&ScopeColumn> = columns.into_iter().filter(fits).collect();
        if found.is_empty() {
            return self.fail_at(Code::UnknownColumn, span, "no column has such a name");
        }
        Ok(found)
    }

    fn pattern(&mut self, text: &str, span: Span) -> Bound<Regex> {
        let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES).build();
        built.or_else(|_| {
            let message = "the pattern is not a regular expression";
            self.fail_at(Code::BadArguments, span, message)
        })
    }
}

/// A pattern with wildcards as a regular expression.
fn wildcards(text: &str, many: char, one: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c == many {
            out.push_str(".*");
        } else if c == one {
            out.push('.');
        } else {
            out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
    }
    out
}
