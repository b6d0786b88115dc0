//! Removes unused columns, so that they are neither computed nor read from the dump.

mod groups;

use super::Functions;
use crate::lang::ast::SetOp;
use crate::plan::{Expr, ExprKind, Field, Plan, Rel};
use groups::{Parts, aggregate, join, window};

/// The maximum depth of an expression after substitution.
const MAX_DEPTH: usize = 120;

/// The used columns of the shared expressions, by id; and the functions that rewriting needs.
pub(super) struct Needs {
    shared: Vec<Vec<bool>>,
    pub(super) functions: Functions,
}

impl Needs {
    /// Starts with all columns unused.
    pub(super) fn new(shared: usize, functions: Functions) -> Self {
        Self { shared: vec![Vec::new(); shared], functions }
    }

    fn add(&mut self, id: usize, need: &[bool]) {
        let Some(all) = self.shared.get_mut(id) else { return };
        all.resize(all.len().max(need.len()), false);
        for (all, need) in all.iter_mut().zip(need) {
            *all |= need;
        }
    }

    /// The plan with typed NULLs in place of unused columns, so that column indices do not change.
    pub(super) fn mask(&self, id: usize, plan: Plan) -> Plan {
        let need = self.shared.get(id).map_or([].as_slice(), Vec::as_slice);
        let read = |index: usize| need.get(index).copied().unwrap_or(false);
        if (0..plan.schema.len()).all(read) {
            return plan;
        }
        let (columns, names) = (plan.columns(), plan.names());
        let masked = columns.into_iter().enumerate();
        let exprs = masked.map(|(i, e)| if read(i) { e } else { Expr::null(e.ty, e.span) });
        let exprs = exprs.collect();
        plan.project(exprs, names)
    }
}

/// A pruned plan, and the new indices of its columns.
struct Pruned {
    plan: Plan,
    /// The new index by old index.
    map: Vec<Option<usize>>,
}

impl Pruned {
    fn remap(&self, expr: &mut Expr) {
        remap(expr, &self.map);
    }

    /// The plan with exactly the needed columns, in order.
    fn exactly(self, need: &[bool], schema: &[Field]) -> Plan {
        let wanted: Vec<usize> = (0..schema.len()).filter(|i| flag(need, *i)).collect();
        let places: Vec<Option<usize>> =
            wanted.iter().map(|i| self.map.get(*i).copied().flatten()).collect();
        let in_place = places.iter().enumerate().all(|(new, old)| *old == Some(new));
        if in_place && places.len() == self.plan.schema.len() {
            return self.plan;
        }
        let columns = self.plan.columns();
        let exprs =
            places.iter().zip(&wanted).filter_map(|(place, _)| columns.get((*place)?).cloned());
        let exprs = exprs.collect();
        let names = wanted.iter().filter_map(|i| schema.get(*i)).map(|f| f.name.clone());
        let names = names.collect();
        self.plan.project(exprs, names)
    }
}

fn flag(need: &[bool], index: usize) -> bool {
    need.get(index).copied().unwrap_or(false)
}

fn remap(expr: &mut Expr, map: &[Option<usize>]) {
    expr.map_columns(&|i| map.get(i).copied().flatten().unwrap_or(i));
}

/// The new indices of the columns that `need` keeps.
fn kept(need: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0;
    let number = |keep: &bool| {
        keep.then(|| {
            next += 1;
            next - 1
        })
    };
    need.iter().map(number).collect()
}

fn pick<T>(items: Vec<T>, need: &[bool]) -> Vec<T> {
    items.into_iter().zip(need).filter(|(_, keep)| **keep).map(|(item, _)| item).collect()
}

/// A whole plan, all of whose columns are read.
pub(super) fn root(plan: Plan, needs: &mut Needs) -> Plan {
    let schema = plan.schema.clone();
    let need = vec![true; schema.len()];
    let pruned = prune(plan, &need, needs);
    // Of a plan without columns only the number of rows is used.
    if schema.is_empty() { pruned.plan } else { pruned.exactly(&need, &schema) }
}

/// The plan with at least the columns needed.
fn prune(plan: Plan, need: &[bool], needs: &mut Needs) -> Pruned {
    let Plan { rel, schema, span } = plan;
    match rel {
        Rel::Scan { table, columns, hints, limit, args } => {
            let rel = Rel::Scan { table, columns: pick(columns, need), hints, limit, args };
            let schema = pick(schema, need);
            Pruned { plan: Plan { rel, schema, span }, map: kept(need) }
        }
        Rel::Values { rows } => {
            let rows = rows.into_iter().map(|row| pick(row, need)).collect();
            let plan = Plan::values(rows, pick(schema, need), span);
            Pruned { plan, map: kept(need) }
        }
        rel @ Rel::Working { .. } => {
            let map = (0..schema.len()).map(Some).collect();
            Pruned { plan: Plan { rel, schema, span }, map }
        }
        Rel::Recursive { id, base, step, all } => {
            // The step may read any column, and duplicates are decided by all columns.
            let every = vec![true; schema.len()];
            let mut side = |plan: Plan| {
                let own = plan.schema.clone();
                Box::new(prune(plan, &every, needs).exactly(&every, &own))
            };
            let (base, step) = (side(*base), side(*step));
            let rel = Rel::Recursive { id, base, step, all };
            let map = (0..schema.len()).map(Some).collect();
            Pruned { plan: Plan { rel, schema, span }, map }
        }
        Rel::Shared { id, plan } => {
            needs.add(id, need);
            let map = (0..schema.len()).map(Some).collect();
            Pruned { plan: Plan { rel: Rel::Shared { id, plan }, schema, span }, map }
        }
        Rel::Project { input, exprs } => {
            let exprs = pick(exprs, need);
            let schema = pick(schema, need);
            let mut below = vec![false; input.schema.len()];
            for expr in &exprs {
                expr.mark_columns(&mut below);
            }
            let inner = prune(*input, &below, needs);
            if exprs.is_empty() {
                return Pruned { plan: inner.plan, map: vec![None; need.len()] };
            }
            let exprs = remapped(exprs, &inner);
            let rel = merged(inner.plan, exprs);
            Pruned { plan: Plan { rel, schema, span }, map: kept(need) }
        }
        Rel::Filter { input, mut predicate } => {
            let inner = prune_with(*input, need, [&predicate], needs);
            inner.remap(&mut predicate);
            let map = inner.map;
            Pruned { plan: inner.plan.filter(predicate), map }
        }
        Rel::Sort { input, mut keys, top } => {
            let inner = prune_with(*input, need, keys.iter().map(|k| &k.expr), needs);
            for key in &mut keys {
                inner.remap(&mut key.expr);
            }
            let schema = inner.plan.schema.clone();
            let rel = Rel::Sort { input: Box::new(inner.plan), keys, top };
            Pruned { plan: Plan { rel, schema, span }, map: inner.map }
        }
        Rel::Limit { input, limit, offset } => {
            let inner = prune(*input, need, needs);
            Pruned { plan: inner.plan.limit(limit, offset), map: inner.map }
        }
        Rel::Distinct { input, on: None } => {
            // Duplicates are decided by all columns, used or not.
            let all = vec![true; schema.len()];
            let plan = prune(*input, &all, needs).exactly(&all, &schema).distinct(None);
            Pruned { plan, map: (0..schema.len()).map(Some).collect() }
        }
        Rel::Distinct { input, on: Some(on) } => {
            let inner = prune_with(*input, need, &on, needs);
            let on = remapped(on, &inner);
            Pruned { plan: inner.plan.distinct(Some(on)), map: inner.map }
        }
        Rel::Aggregate { input, keys, aggregates } => {
            aggregate(Parts { input: *input, keys, aggregates, schema, span }, need, needs)
        }
        Rel::SetOp { op, all, left, right } => {
            let mut need = need.to_vec();
            if !(op == SetOp::Union && all) {
                need.fill(true);
            } else if let (false, Some(first)) = (need.contains(&true), need.first_mut()) {
                *first = true;
            }
            let side = |plan: Plan, needs: &mut Needs| {
                let schema = plan.schema.clone();
                Box::new(prune(plan, &need, needs).exactly(&need, &schema))
            };
            let (left, right) = (side(*left, needs), side(*right, needs));
            let rel = Rel::SetOp { op, all, left, right };
            Pruned { plan: Plan { rel, schema: pick(schema, &need), span }, map: kept(&need) }
        }
        Rel::Unnest { input, lists, outer } => {
            let width = input.schema.len();
            let (need_input, _) = need.split_at(width.min(need.len()));
            let inner = prune_with(*input, need_input, &lists, needs);
            let lists = remapped(lists, &inner);
            // The elements are kept: they determine the rows.
            let elements = schema.get(width..).unwrap_or_default();
            let below = inner.plan.schema.len();
            let mut map = inner.map;
            map.truncate(width);
            map.extend((below..below + elements.len()).map(Some));
            let mut fields = inner.plan.schema.clone();
            fields.extend_from_slice(elements);
            let rel = Rel::Unnest { input: Box::new(inner.plan), lists, outer };
            Pruned { plan: Plan { rel, schema: fields, span }, map }
        }
        rel @ Rel::Window { .. } => window(Plan { rel, schema, span }, need, needs),
        rel @ Rel::Join { .. } => join(Plan { rel, schema, span }, need, needs),
    }
}

/// Merges two projections into one, if nothing is then computed twice.
fn merged(input: Plan, mut exprs: Vec<Expr>) -> Rel {
    let Plan { rel: Rel::Project { input: below, exprs: inner }, schema, span } = input else {
        return Rel::Project { input: Box::new(input), exprs };
    };
    let mut uses = vec![0usize; inner.len()];
    let mut count = |expr: &Expr, times: usize| {
        expr.visit(&mut |e| {
            if let ExprKind::Column(index) = e.kind
                && let Some(uses) = uses.get_mut(index)
            {
                *uses += times;
            }
        });
    };
    for expr in &exprs {
        count(expr, 1);
        expr.visit(&mut |e| {
            // The body of a lambda is computed for each element.
            if let ExprKind::Each(each) = &e.kind {
                each.exprs().into_iter().skip(1).for_each(|body| count(body, 2));
            }
        });
    }
    let plain = |e: &Expr| matches!(e.kind, ExprKind::Column(_) | ExprKind::Literal(_));
    let once = inner.iter().zip(&uses).all(|(e, uses)| plain(e) || *uses <= 1);
    let deep = |es: &[Expr]| es.iter().map(Expr::depth).max().unwrap_or(0);
    if !once || deep(&exprs) + deep(&inner) > MAX_DEPTH {
        let input = Plan { rel: Rel::Project { input: below, exprs: inner }, schema, span };
        return Rel::Project { input: Box::new(input), exprs };
    }
    for expr in &mut exprs {
        expr.substitute(&inner);
    }
    Rel::Project { input: below, exprs }
}

/// Prunes an input of which `exprs` are used as well.
fn prune_with<'e>(
    input: Plan,
    need: &[bool],
    exprs: impl IntoIterator<Item = &'e Expr>,
    needs: &mut Needs,
) -> Pruned {
    let mut below = need.to_vec();
    below.resize(input.schema.len(), false);
    for expr in exprs {
        expr.mark_columns(&mut below);
    }
    prune(input, &below, needs)
}

fn remapped(mut exprs: Vec<Expr>, inner: &Pruned) -> Vec<Expr> {
    for expr in &mut exprs {
        inner.remap(expr);
    }
    exprs
}
