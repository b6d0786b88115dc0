//! Removes unused columns of aggregations, windows and joins.

use super::{Needs, Pruned, kept, pick, prune, prune_with, remap, remapped};
use crate::lang::ast::JoinKind;
use crate::plan::{AggregateCall, Expr, Field, JoinForm, Plan, Rel, WindowCall};

/// The parts of an aggregation.
pub(super) struct Parts {
    pub(super) input: Plan,
    pub(super) keys: Vec<Expr>,
    pub(super) aggregates: Vec<AggregateCall>,
    pub(super) schema: Vec<Field>,
    pub(super) span: crate::diag::Span,
}

pub(super) fn aggregate(parts: Parts, need: &[bool], needs: &mut Needs) -> Pruned {
    let Parts { input, keys, aggregates, schema, span } = parts;
    // All keys are kept: they determine the groups.
    let mut keep = need.to_vec();
    for flag in keep.iter_mut().take(keys.len()) {
        *flag = true;
    }
    let of_aggregates = keep.get(keys.len()..).unwrap_or_default();
    let mut aggregates = pick(aggregates, of_aggregates);
    let mut below = vec![false; input.schema.len()];
    for expr in keys.iter().chain(aggregates.iter().flat_map(AggregateCall::exprs)) {
        expr.mark_columns(&mut below);
    }
    let inner = prune(input, &below, needs);
    let keys = remapped(keys, &inner);
    for expr in aggregates.iter_mut().flat_map(AggregateCall::exprs_mut) {
        inner.remap(expr);
    }
    let rel = Rel::Aggregate { input: Box::new(inner.plan), keys, aggregates };
    let map = kept(&keep);
    Pruned { plan: Plan { rel, schema: pick(schema, &keep), span }, map }
}

/// Removes unused calls and, if none is left, the operator.
pub(super) fn window(plan: Plan, need: &[bool], needs: &mut Needs) -> Pruned {
    let Plan { rel, schema, span } = plan;
    let Rel::Window { input, mut partition, mut order, calls } = rel else {
        let map = (0..schema.len()).map(Some).collect();
        return Pruned { map, plan: Plan { rel, schema, span } };
    };
    let width = input.schema.len();
    let (need_input, need_calls) = need.split_at(width.min(need.len()));
    let mut calls = pick(calls, need_calls);
    if calls.is_empty() {
        let mut inner = prune(*input, need_input, needs);
        inner.map.resize(need.len(), None);
        return inner;
    }
    let keys = partition.iter().chain(order.iter().map(|k| &k.expr));
    let read = keys.chain(calls.iter().flat_map(WindowCall::exprs));
    let inner = prune_with(*input, need_input, read, needs);
    let keys = partition.iter_mut().chain(order.iter_mut().map(|k| &mut k.expr));
    for expr in keys.chain(calls.iter_mut().flat_map(WindowCall::exprs_mut)) {
        inner.remap(expr);
    }
    let Pruned { plan: input, mut map } = inner;
    map.truncate(width);
    let below = input.schema.len();
    map.extend(kept(need_calls).into_iter().map(|new| new.map(|i| i + below)));
    let mut fields = input.schema.clone();
    fields.extend(pick(schema.into_iter().skip(width).collect(), need_calls));
    let rel = Rel::Window { input: Box::new(input), partition, order, calls };
    Pruned { plan: Plan { rel, schema: fields, span }, map }
}

pub(super) fn join(plan: Plan, need: &[bool], needs: &mut Needs) -> Pruned {
    let Plan { rel, schema, span } = plan;
    let Rel::Join { left, right, kind, mut keys, mut residual, mut args, form } = rel else {
        return Pruned {
            map: (0..schema.len()).map(Some).collect(),
            plan: Plan { rel, schema, span },
        };
    };
    let width = left.schema.len();
    let mut all = need.to_vec();
    if form == JoinForm::Mark {
        all.truncate(width);
    }
    all.resize(width + right.schema.len(), false);
    if let Some(residual) = &residual {
        residual.mark_columns(&mut all);
    }
    let (need_left, need_right) = all.split_at(width);
    let of_left = keys.iter().map(|(l, _)| l).chain(&args);
    let left = prune_with(*left, need_left, of_left, needs);
    let right = prune_with(*right, need_right, keys.iter().map(|(_, r)| r), needs);
    for (l, r) in &mut keys {
        left.remap(l);
        right.remap(r);
    }
    for arg in &mut args {
        left.remap(arg);
    }
    let new_width = left.plan.schema.len();
    let of_right = right.map.iter().map(|new| new.map(|i| i + new_width));
    let mut map: Vec<Option<usize>> = left.map.iter().copied().chain(of_right).collect();
    if let Some(residual) = &mut residual {
        remap(residual, &map);
    }
    let mut fields = left.plan.schema.clone();
    if form == JoinForm::Mark {
        map.truncate(width);
        map.push(Some(new_width));
        fields.extend(schema.last().cloned());
    } else if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        map.truncate(width);
    } else {
        fields.extend(right.plan.schema.iter().cloned());
    }
    // The join's own names distinguish the columns of both sides.
    for (field, new) in schema.into_iter().zip(&map) {
        if let Some(slot) = new.and_then(|new| fields.get_mut(new)) {
            slot.name = field.name;
        }
    }
    let (left, right) = (Box::new(left.plan), Box::new(right.plan));
    let rel = Rel::Join { left, right, kind, keys, residual, args, form };
    Pruned { plan: Plan { rel, schema: fields, span }, map }
}
