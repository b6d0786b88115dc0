//! The outer queries of the query that is being bound, and the values that it reads of their rows.

use std::sync::Arc;

use super::scope::{Miss, Scope};
use super::{Binder, Bound};
use crate::lang::ast::Name;
use crate::plan::{Expr, ExprKind, Plan};

/// An outer query, as its sub-query or lateral input sees it.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) scope: Arc<Scope>,
    /// The expressions over its rows that are read so far: the parameters by number.
    args: Vec<Expr>,
}

impl Frame {
    /// The parameter for an expression over the outer row.
    fn param(&mut self, expr: Expr) -> Expr {
        let known = self.args.iter().position(|arg| arg.same(&expr));
        let index = known.unwrap_or(self.args.len());
        let (ty, format, span) = (expr.ty, expr.format, expr.span);
        if known.is_none() {
            self.args.push(expr);
        }
        Expr { kind: ExprKind::Param(index), ty, format, span }
    }
}

impl Binder<'_> {
    /// Runs `bind` with the columns of `scope` as those of the outer query; also returns the
    /// expressions that are read of them.
    pub(super) fn within<T>(
        &mut self,
        scope: Arc<Scope>,
        bind: impl FnOnce(&mut Self) -> Bound<T>,
    ) -> Bound<(T, Vec<Expr>)> {
        self.frames.push(Frame { scope, args: Vec::new() });
        let bound = bind(self);
        let args = self.frames.pop().map(|frame| frame.args).unwrap_or_default();
        Ok((bound?, args))
    }

    /// The column of an outer query that a name refers to; inner queries are searched first.
    pub(super) fn outer_column(&mut self, name: &Name) -> Option<Bound<Expr>> {
        for level in (0..self.frames.len()).rev() {
            let Some(frame) = self.frames.get(level) else { continue };
            let scope = Arc::clone(&frame.scope);
            match scope.find(name) {
                Ok(column) => {
                    let expr = Expr { span: name.span, ..column.expr.clone() };
                    return Some(self.grow(1, name.span).map(|()| self.hand_in(expr, level)));
                }
                Err(miss @ Miss::Ambiguous(_)) => {
                    let error = scope.missing(name, miss);
                    return Some(self.fail(error));
                }
                // The table belongs to that query, but has no such column.
                Err(miss @ Miss::Unknown) if name.parts.len() > 1 => {
                    let error = scope.missing(name, miss);
                    return Some(self.fail(error));
                }
                Err(_) => {}
            }
        }
        None
    }

    /// Passes an expression over the rows of the outer query at `level` inwards, as a parameter at
    /// each level.
    fn hand_in(&mut self, expr: Expr, level: usize) -> Expr {
        self.frames.iter_mut().skip(level).fold(expr, |expr, frame| frame.param(expr))
    }

    /// Adapts a plan that was bound at an outer level for use at the current level.
    pub(super) fn hand_in_plan(&mut self, plan: &mut Plan, level: usize) {
        plan.map_params(&mut |_, param| self.hand_in(param.clone(), level));
    }
}
