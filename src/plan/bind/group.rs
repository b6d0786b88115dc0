//! `GROUP BY`: the keys, and expressions over groups instead of rows.

use super::expr::Place;
use super::sets::{GROUPINGS, Keys};
use super::window::WINDOWS;
use super::{Binder, Bound, Failed};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{self, GroupBy};
use crate::plan::{Expr, ExprKind, Field};

/// The keys of an aggregation, for rewriting the expressions above it.
pub(super) struct Grouping<'a> {
    /// The keys over the rows of `FROM`.
    pub(super) keys: &'a [Expr],
    /// The columns of the rows of `FROM`.
    pub(super) schema: &'a [Field],
    /// The number of aggregates.
    pub(super) aggregates: usize,
    /// Keys that are compared without case, and the aggregates that show them.
    pub(super) shown: &'a [(Expr, usize)],
}

impl Grouping<'_> {
    /// Converts an expression over rows to one over groups; collects the columns that are not
    /// grouped.
    pub(super) fn rewrite(&self, expr: &mut Expr, loose: &mut Vec<(Span, String)>) {
        if let Some(key) = self.keys.iter().position(|k| k.same(expr)) {
            expr.kind = ExprKind::Column(key);
            return;
        }
        if let Some((_, aggregate)) = self.shown.iter().find(|(key, _)| key.same(expr)) {
            expr.kind = ExprKind::Column(self.keys.len() + aggregate);
            return;
        }
        let width = self.schema.len();
        if let ExprKind::Column(index) = &mut expr.kind {
            match self.schema.get(*index) {
                Some(field) => loose.push((expr.span, field.name.clone())),
                None if *index >= WINDOWS => {}
                None if *index >= GROUPINGS => {
                    *index = *index - GROUPINGS + self.keys.len() + self.aggregates;
                }
                None => *index = *index - width + self.keys.len(),
            }
            return;
        }
        for child in expr.children_mut() {
            self.rewrite(child, loose);
        }
    }
}

impl Binder<'_> {
    /// The keys that the clause names. `items` are the expressions of the select list, `None` for
    /// those with errors.
    pub(super) fn group_keys(
        &mut self,
        group_by: &GroupBy,
        items: &[Option<Expr>],
        place: Place<'_>,
    ) -> Bound<Keys> {
        let mut keys = Keys::default();
        match group_by {
            GroupBy::None => {}
            GroupBy::All(_) => {
                for item in items.iter().flatten() {
                    if item.columns_all(|i| i < place.width) && item.as_literal().is_none() {
                        keys.add(item.clone());
                    }
                }
            }
            GroupBy::Keys(exprs) => {
                let mut failed = false;
                for expr in exprs {
                    match self.group_key(expr, items, place) {
                        Ok(key) => {
                            keys.add(key);
                        }
                        Err(Failed) => failed = true,
                    }
                }
                if failed {
                    return Err(Failed);
                }
            }
            GroupBy::Sets(sets) => {
                keys.sets = Some(self.group_sets(sets, items, place, &mut keys)?);
            }
        }
        Ok(keys)
    }

    pub(super) fn group_key(
        &mut self,
        expr: &ast::Expr,
        items: &[Option<Expr>],
        place: Place<'_>,
    ) -> Bound<Expr> {
        let Some(index) = self.ordinal(expr, items.len(), "GROUP BY")? else {
            return self.keyed(expr, place);
        };
        let Some(Some(item)) = items.get(index) else { return Err(Failed) };
        if item.columns_all(|i| i < place.width) {
            return self.copy(item);
        }
        let message = format!("column {} of the list is an aggregate", index + 1);
        self.fail(
            Diagnostic::at(Code::Grouping, expr.span, message)
                .help("group by the other columns; GROUP BY ALL finds them"),
        )
    }

    /// Reports columns that are neither grouped nor aggregated; those with the same span (a `*`)
    /// together.
    pub(super) fn report_loose(&mut self, loose: Vec<(Span, String)>, grouped: bool) -> Bound<()> {
        let mut places: Vec<(Span, Vec<String>)> = Vec::new();
        for (span, name) in loose {
            match places.iter_mut().find(|(s, _)| *s == span) {
                Some((_, names)) => names.push(name),
                None => places.push((span, vec![name])),
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        for (span, names) in places {
            let (message, first) = match names.as_slice() {
                [one] => (format!("column `{one}` is neither grouped nor aggregated"), one.clone()),
                many => {
                    let all = super::scope::listed(many);
                    let first = many.first().cloned().unwrap_or_default();
                    (format!("columns {all} are neither grouped nor aggregated"), first)
                }
            };
            let error = Diagnostic::at(Code::Grouping, span, message);
            let error = if grouped {
                error.help(format!(
                    "add it to GROUP BY, or write GROUP BY ALL, or any_value({first})"
                ))
            } else {
                error
                    .help(format!("write GROUP BY {first}, or GROUP BY ALL, or any_value({first})"))
            };
            self.errors.push(error);
        }
        Err(Failed)
    }
}
