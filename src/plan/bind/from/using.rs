//! Joins with USING, NATURAL joins and as-of joins.

use super::super::join::{Joined, key_types};
use super::super::scope::{Miss, Scope, ScopeColumn};
use super::super::{Binder, Bound, Failed};
use super::Source;
use crate::catalog::Ty;
use crate::diag::{Code, Diagnostic};
use crate::lang::ast::{BinaryOp, Ident, JoinKind, Name};
use crate::plan::{Expr, JoinForm, Rel};

impl Binder<'_> {
    pub(super) fn join_using(&mut self, mut joined: Joined, names: &[Ident]) -> Bound<Source> {
        let width = joined.left.schema.len();
        let mut keys = Vec::with_capacity(names.len());
        let mut merged = Vec::with_capacity(names.len());
        for name in names {
            let left = self.using_column(&joined.left_scope, name, "left");
            let right = self.using_column(&joined.right_scope, name, "right");
            let (Ok(left), Ok(right)) = (left, right) else { continue };
            let (a, b) = self.comparable(left.expr.clone(), right.expr.clone(), name.span)?;
            let (a, mut b) = key_types(a, b);
            b.map_columns(&|i| i - width);
            keys.push((a, b));
            merged.push((name, left, right));
        }
        if merged.len() != names.len() {
            return Err(Failed);
        }
        for (name, left, right) in merged {
            self.merge(&mut joined, name, left, right)?;
        }
        if let JoinKind::Asof | JoinKind::AsofLeft = joined.kind {
            // The last column of an as-of join is compared by inequality.
            let last = keys.pop().map(|(left, mut right)| {
                right.map_columns(&|i| i + width);
                Expr::binary(BinaryOp::GtEq, left, right, Ty::Bool)
            });
            let last: Vec<Expr> = last.into_iter().collect();
            return self.join_nearest(joined, keys, &last);
        }
        Ok(joined.finish(keys, None))
    }

    /// An as-of join: equalities, and one inequality.
    pub(super) fn join_nearest(
        &mut self,
        mut joined: Joined,
        keys: Vec<(Expr, Expr)>,
        rest: &[Expr],
    ) -> Bound<Source> {
        let width = joined.left.schema.len();
        let nearest = match rest {
            [one] => super::super::join::inequality(one, width),
            _ => None,
        };
        let Some(nearest) = nearest else {
            let span = rest.get(1).or(rest.first()).map_or(joined.span, |term| term.span);
            let message = "ASOF JOIN needs equalities and one inequality between numbers or times of both tables";
            return self.fail(Diagnostic::at(Code::BadQuery, span, message).help(
                "write ON a.key = b.key AND a.time >= b.time; other conditions go to WHERE",
            ));
        };
        let kind = if joined.kind == JoinKind::AsofLeft { JoinKind::Left } else { JoinKind::Inner };
        joined.kind = kind;
        let (mut plan, scope) = joined.finish(keys, Some(nearest));
        if let Rel::Join { form, kind: own, .. } = &mut plan.rel {
            (*form, *own) = (JoinForm::Nearest, kind);
        }
        Ok((plan, scope))
    }

    pub(super) fn using_column(
        &mut self,
        scope: &Scope,
        name: &Ident,
        side: &str,
    ) -> Bound<ScopeColumn> {
        let lookup = Name { parts: vec![name.clone()], span: name.span };
        match scope.find(&lookup) {
            Ok(column) => Ok(column.clone()),
            Err(Miss::Unknown) => {
                let message = format!("no column `{}` on the {side} side of the join", name.text);
                let names: Vec<&str> = scope.columns.iter().map(|c| c.name.as_str()).collect();
                self.fail(
                    Diagnostic::at(Code::UnknownColumn, name.span, message)
                        .nearest(&name.text, names)
                        .help(scope.available(&[])),
                )
            }
            Err(miss) => {
                let error = scope.missing(&lookup, miss);
                self.fail(error)
            }
        }
    }

    /// Merges the two columns that `USING` names into one.
    pub(super) fn merge(
        &mut self,
        joined: &mut Joined,
        name: &Ident,
        left: ScopeColumn,
        right: ScopeColumn,
    ) -> Bound<()> {
        let same = |c: &ScopeColumn, of: &ScopeColumn| !c.shadowed && c.expr.same(&of.expr);
        let place = joined.left_scope.columns.iter().position(|c| same(c, &left));
        for column in &mut joined.right_scope.columns {
            column.shadowed |= same(column, &right);
        }
        let (expr, why) = match joined.kind {
            JoinKind::Right => (right.expr, right.why),
            JoinKind::Full => (self.coalesce(vec![left.expr, right.expr], name.span)?, None),
            _ => return Ok(()),
        };
        let (Some(place), hidden) = (place, left.hidden && right.hidden) else { return Ok(()) };
        if let Some(column) = joined.left_scope.columns.get_mut(place) {
            column.shadowed = true;
        }
        let column =
            ScopeColumn { qualifier: None, name: left.name, expr, hidden, shadowed: false, why };
        joined.left_scope.columns.insert(place, column);
        Ok(())
    }
}
