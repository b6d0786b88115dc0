//! Keys for joins that have none, from equalities that can fail: `a.x = b.y * 3`.
//!
//! Comparing all pairs of rows takes the product of both sides. As keys, the two expressions are
//! computed once for each row of their side. One that fails then ends the query, even if no row of
//! the other side was to be compared with it; other equalities are therefore preferred as keys.

use crate::lang::ast::JoinKind;
use crate::plan::bind::join::failing_keys;
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{Expr, JoinForm, Plan, Rel};

/// Gives keys to the joins of a plan.
pub(super) fn give(plan: &mut Plan) {
    for input in plan.inputs_mut() {
        give(input);
    }
    match &mut plan.rel {
        Rel::Join { .. } => from_condition(&mut plan.rel),
        Rel::Filter { .. } => from_filter(plan),
        _ => {}
    }
}

/// From the join's own condition.
fn from_condition(rel: &mut Rel) {
    if let Rel::Join { left, keys, residual, args, form: JoinForm::Rows, .. } = rel
        && keys.is_empty()
        && args.is_empty()
        && let Some(condition) = residual.take()
    {
        (*keys, *residual) = split(condition, left.schema.len());
    }
}

/// From the condition of a filter above an inner join.
fn from_filter(plan: &mut Plan) {
    let Rel::Filter { input, predicate } = &mut plan.rel else { return };
    let Rel::Join { left, kind, keys, args, form: JoinForm::Rows, .. } = &mut input.rel else {
        return;
    };
    if !keys.is_empty() || !args.is_empty() || !matches!(kind, JoinKind::Inner | JoinKind::Cross) {
        return;
    }
    let (found, rest) = split(predicate.clone(), left.schema.len());
    if found.is_empty() {
        return;
    }
    (*keys, *kind) = (found, JoinKind::Inner);
    if let Some(rest) = rest {
        *predicate = rest;
    } else {
        let nothing = Plan::values(Vec::new(), Vec::new(), input.span);
        *plan = std::mem::replace(&mut **input, nothing);
    }
}

fn split(condition: Expr, width: usize) -> (Vec<(Expr, Expr)>, Option<Expr>) {
    let mut terms = Vec::new();
    split_and(condition, &mut terms);
    let (keys, rest) = failing_keys(terms, width);
    (keys, conjunction(rest))
}
