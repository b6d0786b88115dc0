//! Binding of joins: scopes, column names, and equality keys.

use super::from::Source;
use super::scope::Scope;
use crate::catalog::{Physical, Ty};
use crate::diag::Span;
use crate::lang::ast::{BinaryOp, Ident, JoinKind};
use crate::plan::convert;
use crate::plan::walk::conjunction;
use crate::plan::{Expr, ExprKind, Field, JoinForm, Plan, Rel};

/// A join while it is bound.
pub(super) struct Joined {
    pub(super) left: Plan,
    pub(super) right: Plan,
    pub(super) left_scope: Scope,
    /// The columns of the right side, numbered after those of the left.
    pub(super) right_scope: Scope,
    pub(super) kind: JoinKind,
    /// The expressions over a left row that the right side reads.
    pub(super) args: Vec<Expr>,
    pub(super) span: Span,
}

impl Joined {
    pub(super) fn both(&self) -> Scope {
        let mut scope = self.left_scope.clone();
        scope.columns.extend(self.right_scope.columns.iter().cloned());
        scope.tables.extend(self.right_scope.tables.iter().cloned());
        scope
    }

    /// The visible columns that both sides have, in the order of the left side.
    pub(super) fn common_names(&self) -> Vec<Ident> {
        let visible = |s: &Scope| -> Vec<String> {
            let columns = s.columns.iter().filter(|c| !c.hidden && !c.shadowed);
            columns.map(|c| c.name.clone()).collect()
        };
        let right = visible(&self.right_scope);
        let mut names: Vec<Ident> = Vec::new();
        for name in visible(&self.left_scope) {
            let fits = |other: &String| other.eq_ignore_ascii_case(&name);
            if right.iter().any(fits) && !names.iter().any(|n| fits(&n.text)) {
                names.push(Ident { text: name, quoted: false, span: self.span });
            }
        }
        names
    }

    pub(super) fn finish(self, keys: Vec<(Expr, Expr)>, residual: Option<Expr>) -> Source {
        let (keys, residual) = if self.args.is_empty() {
            (keys, residual)
        } else {
            (Vec::new(), self.all(keys, residual))
        };
        let scope = if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            self.left_scope.clone()
        } else {
            self.both()
        };
        let schema = joined_schema(&self);
        let conditional = !keys.is_empty() || residual.is_some();
        let kind = match self.kind {
            JoinKind::Cross if conditional => JoinKind::Inner,
            JoinKind::Inner if !conditional => JoinKind::Cross,
            kind => kind,
        };
        let (left, right, args) = (Box::new(self.left), Box::new(self.right), self.args);
        let rel = Rel::Join { left, right, kind, keys, residual, args, form: JoinForm::Rows };
        (Plan { rel, schema, span: self.span }, scope)
    }
}

impl Joined {
    /// Pairs of keys and a residual condition, combined into one condition.
    fn all(&self, keys: Vec<(Expr, Expr)>, residual: Option<Expr>) -> Option<Expr> {
        let width = self.left.schema.len();
        let equal = keys.into_iter().map(|(left, mut right)| {
            right.map_columns(&|i| i + width);
            Expr::binary(BinaryOp::Eq, left, right, Ty::Bool)
        });
        conjunction(equal.chain(residual).collect())
    }
}

/// The columns of both sides; names that both sides have are qualified, so that EXPLAIN and
/// messages distinguish them.
fn joined_schema(joined: &Joined) -> Vec<Field> {
    if matches!(joined.kind, JoinKind::Semi | JoinKind::Anti) {
        return joined.left.schema.clone();
    }
    let mut schema: Vec<Field> =
        joined.left.schema.iter().chain(&joined.right.schema).cloned().collect();
    let both: std::collections::BTreeSet<String> = {
        let right: std::collections::BTreeSet<&str> =
            joined.right.schema.iter().map(|f| f.name.as_str()).collect();
        let left = joined.left.schema.iter().map(|f| f.name.as_str());
        left.filter(|n| right.contains(n)).map(str::to_owned).collect()
    };
    for column in joined.left_scope.columns.iter().chain(&joined.right_scope.columns) {
        let Some(qualifier) = &column.qualifier else { continue };
        for expr in std::iter::once(&column.expr).chain(&column.why) {
            if let ExprKind::Column(index) = expr.kind
                && let Some(field) = schema.get_mut(index)
                && both.contains(&field.name)
            {
                field.name = format!("{qualifier}.{}", field.name);
            }
        }
    }
    schema
}

/// Splits the conditions of a join into pairs of keys and the rest. Right keys are numbered from
/// the first column of the right side.
pub(in crate::plan) fn equi_keys(terms: Vec<Expr>, width: usize) -> (Vec<(Expr, Expr)>, Vec<Expr>) {
    let is_sure = |(a, b): &(Expr, Expr)| !a.can_fail() && !b.can_fail();
    keys_of(terms, |term| equi_key(term, width).filter(is_sure))
}

/// The same where computing a key may fail.
pub(in crate::plan) fn failing_keys(
    terms: Vec<Expr>,
    width: usize,
) -> (Vec<(Expr, Expr)>, Vec<Expr>) {
    let has_query = |term: &Expr| {
        let mut found = false;
        term.visit(&mut |e| found |= matches!(e.kind, ExprKind::Query(_)));
        found
    };
    keys_of(terms, |term| equi_key(term, width).filter(|_| !has_query(term)))
}

fn keys_of(
    terms: Vec<Expr>,
    key: impl Fn(&Expr) -> Option<(Expr, Expr)>,
) -> (Vec<(Expr, Expr)>, Vec<Expr>) {
    let (mut keys, mut rest) = (Vec::new(), Vec::new());
    for term in terms {
        match key(&term) {
            Some(pair) => keys.push(pair),
            None => rest.push(term),
        }
    }
    (keys, rest)
}

fn equi_key(term: &Expr, width: usize) -> Option<(Expr, Expr)> {
    let ExprKind::Binary { op: BinaryOp::Eq, left, right } = &term.kind else { return None };
    let reads = |e: &Expr| {
        let (mut l, mut r) = (false, false);
        e.visit(&mut |e| {
            if let ExprKind::Column(index) = e.kind {
                l |= index < width;
                r |= index >= width;
            }
        });
        (l, r)
    };
    let (a, b) = match (reads(left), reads(right)) {
        ((true, false), (false, true)) => (left, right),
        ((false, true), (true, false)) => (right, left),
        _ => return None,
    };
    let (a, mut b) = key_types(Expr::clone(a), Expr::clone(b));
    b.map_columns(&|i| i.saturating_sub(width));
    Some((a, b))
}

/// Converts keys to one type. An INTEGER beside an ADDRESS is converted to one; a negative INTEGER
/// becomes NULL, which correctly equals no address.
pub(in crate::plan) fn key_types(a: Expr, b: Expr) -> (Expr, Expr) {
    match (a.ty, b.ty) {
        (Ty::Int, Ty::Addr) => (convert::cast(a, Ty::Addr, true), b),
        (Ty::Addr, Ty::Int) => (a, convert::cast(b, Ty::Addr, true)),
        _ => (a, b),
    }
}

/// The condition as `left op right`, if it is an inequality of numbers or times between the two
/// sides.
pub(super) fn inequality(term: &Expr, width: usize) -> Option<Expr> {
    let ExprKind::Binary { op, left, right } = &term.kind else { return None };
    let numbers = matches!(left.ty.physical(), Physical::Int | Physical::Double | Physical::Addr);
    if left.ty != right.ty || !numbers || left.can_fail() || right.can_fail() {
        return None;
    }
    if !matches!(op, BinaryOp::Lt | BinaryOp::LtEq | BinaryOp::Gt | BinaryOp::GtEq) {
        return None;
    }
    let of_left = |e: &Expr| e.reads_columns() && e.columns_all(|i| i < width);
    let of_right = |e: &Expr| e.reads_columns() && e.columns_all(|i| i >= width);
    if of_left(left) && of_right(right) {
        return Some(term.clone());
    }
    let swapped = of_right(left) && of_left(right);
    let (left, right) = (Expr::clone(right), Expr::clone(left));
    swapped.then(|| Expr { span: term.span, ..Expr::binary(op.mirrored(), left, right, Ty::Bool) })
}
