//! `ORDER BY`: names of the select list, positions, expressions.

use super::call::sort_key;
use super::collate::marked;
use super::expr::Place;
use super::{Binder, Bound};
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{self, ExprKind as AstKind, Literal, OrderAll, OrderItem};
use crate::plan::{Expr, ExprKind, SortKey};

/// The clause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) items: &'a [OrderItem],
    pub(super) all: Option<OrderAll>,
}

impl Order<'_> {
    /// No order.
    pub(super) const NONE: Order<'static> = Order { items: &[], all: None };

    pub(super) const fn is_none(&self) -> bool {
        self.items.is_empty() && self.all.is_none()
    }
}

/// The column or expression of a key.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A column of the output.
    Output(usize),
    /// Another expression.
    Expr(Expr),
}

/// A key whose column is not assigned yet.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) target: Target,
    pub(super) descending: bool,
    pub(super) nulls_first: Option<bool>,
    pub(super) span: crate::diag::Span,
}

impl Binder<'_> {
    /// The keys, over output columns with these names and expressions, or over the columns of the
    /// place.
    pub(super) fn order_keys(
        &mut self,
        order: Order<'_>,
        output: &[(String, Expr)],
        place: Place<'_>,
    ) -> Bound<Vec<Key>> {
        if let Some(all) = order.all {
            let key = |index| Key {
                target: Target::Output(index),
                descending: all.descending,
                nulls_first: all.nulls_first,
                span: all.span,
            };
            return Ok((0..output.len()).map(key).collect());
        }
        let mut keys = Vec::with_capacity(order.items.len());
        for item in order.items {
            let target = self.order_target(&item.expr, output, place);
            keys.push(target.map(|target| Key {
                target,
                descending: item.descending,
                nulls_first: item.nulls_first,
                span: item.expr.span,
            }));
        }
        keys.into_iter().collect()
    }

    fn order_target(
        &mut self,
        expr: &ast::Expr,
        output: &[(String, Expr)],
        place: Place<'_>,
    ) -> Bound<Target> {
        if let Some(index) = self.ordinal(expr, output.len(), "ORDER BY")? {
            return self.folded_output(index, output);
        }
        if let AstKind::Column(name) = &expr.kind
            && let [part] = name.parts.as_slice()
            && let Some(index) = self.output_named(&part.text, output, expr.span)?
        {
            return self.folded_output(index, output);
        }
        let collation = self.collation_of([expr])?;
        if let (Some(collation), AstKind::Collate { expr: inner, .. }) = (collation, &expr.kind)
            && let AstKind::Column(name) = &inner.kind
            && let [part] = name.parts.as_slice()
            && let Some(index) = self.output_named(&part.text, output, expr.span)?
            && let Some((_, item)) = output.get(index)
        {
            let key = self.copy(item)?;
            let key = marked(&key).cloned().unwrap_or(key);
            return Ok(Target::Expr(self.by_collation(key, collation)?));
        }
        let bound = self.collated(expr, collation, place)?;
        let same = output.iter().position(|(_, e)| e.same(&bound));
        Ok(same.map_or(Target::Expr(bound), Target::Output))
    }

    /// A column of the output, or what it is compared by.
    fn folded_output(&mut self, index: usize, output: &[(String, Expr)]) -> Bound<Target> {
        match output.get(index).filter(|(_, item)| marked(item).is_some()) {
            Some((_, item)) => {
                let item = self.copy(item)?;
                Ok(Target::Expr(self.folded(item)?))
            }
            None => Ok(Target::Output(index)),
        }
    }

    /// The output column with that name; several different ones are an error.
    fn output_named(
        &mut self,
        name: &str,
        output: &[(String, Expr)],
        span: crate::diag::Span,
    ) -> Bound<Option<usize>> {
        let mut fits = output.iter().enumerate().filter(|(_, (n, _))| n.eq_ignore_ascii_case(name));
        let Some((index, (_, first))) = fits.next() else { return Ok(None) };
        if fits.all(|(_, (_, other))| other.same(first)) {
            return Ok(Some(index));
        }
        let message = format!("`{name}` names several columns of the list");
        self.fail(
            Diagnostic::at(Code::AmbiguousColumn, span, message)
                .help("give them different names with AS, or order by position: ORDER BY 1"),
        )
    }

    /// The 0-based position that an integer literal gives.
    pub(super) fn ordinal(
        &mut self,
        expr: &ast::Expr,
        columns: usize,
        clause: &str,
    ) -> Bound<Option<usize>> {
        let AstKind::Literal(Literal::Int(position)) = expr.kind else { return Ok(None) };
        let index = usize::try_from(position).ok().and_then(|p| p.checked_sub(1));
        if let Some(index) = index.filter(|i| *i < columns) {
            return Ok(Some(index));
        }
        let have = super::query::columns(columns);
        let message = format!("{clause} {position}: the list has {have}");
        self.fail_at(Code::BadQuery, expr.span, message)
    }
}

/// Sort keys over the output, and the expressions that have to be computed as further columns.
pub(super) fn split_keys(keys: Vec<Key>, width: usize) -> (Vec<SortKey>, Vec<Expr>) {
    let mut extra: Vec<Expr> = Vec::new();
    let mut sorted = Vec::with_capacity(keys.len());
    for key in keys {
        let index = match key.target {
            Target::Output(index) => index,
            Target::Expr(expr) => {
                extra.push(expr);
                width + extra.len() - 1
            }
        };
        // The caller, which knows the columns, sets the type (see `type_keys`).
        let column = Expr::new(ExprKind::Column(index), Ty::Null, key.span);
        sorted.push(sort_key(column, key.descending, key.nulls_first));
    }
    (sorted, extra)
}

/// Gives sort keys the types of the columns that they read.
pub(super) fn type_keys(keys: &mut [SortKey], columns: &[Expr]) {
    for key in keys {
        if let ExprKind::Column(index) = key.expr.kind
            && let Some(column) = columns.get(index)
        {
            key.expr.ty = column.ty;
            key.expr.format = column.format;
        }
    }
}
