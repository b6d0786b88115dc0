//! Moves conditions towards the scans, and converts equalities over cross joins to join keys.

use super::sizes::Sizes;
use super::{order, ors};
use crate::catalog::Value;
use crate::lang::ast::{JoinKind, SetOp};
use crate::plan::bind::join::equi_keys;
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{Expr, ExprKind, JoinForm, Plan, Rel};

/// The maximum size of a condition after substituting the expressions of columns.
const MAX_SIZE: usize = 400;

/// The maximum depth of such a condition.
const MAX_DEPTH: usize = 120;

/// The maximum size of a condition that is copied to both sides of a set operation.
const MAX_COPIED: usize = 60;

/// The plan filtered by `terms`, each as far down as possible.
pub(super) fn push(plan: Plan, terms: Vec<Expr>, sizes: &Sizes<'_>) -> Plan {
    let Plan { rel, schema, span } = plan;
    let rebuilt = |rel| Plan { rel, schema: schema.clone(), span };
    match rel {
        Rel::Filter { input, predicate } => {
            let mut all = Vec::new();
            split_and(predicate, &mut all);
            let mut all: Vec<Expr> =
                all.into_iter().flat_map(ors::factored).map(ors::merge).collect();
            all.extend(terms);
            all.retain(|t| t.as_literal() != Some(&Value::Bool(true)));
            push(*input, all, sizes)
        }
        Rel::Project { input, exprs } => {
            let (down, stay) = substituted(terms, &exprs);
            let input = Box::new(push(*input, down, sizes));
            tested(rebuilt(Rel::Project { input, exprs }), stay)
        }
        Rel::Sort { input, keys, top: None } => {
            let input = Box::new(push(*input, terms, sizes));
            rebuilt(Rel::Sort { input, keys, top: None })
        }
        Rel::Distinct { input, on: None } => {
            let input = Box::new(push(*input, terms, sizes));
            rebuilt(Rel::Distinct { input, on: None })
        }
        Rel::Aggregate { input, keys, aggregates } => {
            let of_keys =
                |t: &Expr| !keys.is_empty() && !t.can_fail() && t.columns_all(|i| i < keys.len());
            let (of_keys, mut stay): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(of_keys);
            let (down, rest) = substituted(of_keys, &keys);
            stay.extend(rest);
            let input = Box::new(push(*input, down, sizes));
            tested(rebuilt(Rel::Aggregate { input, keys, aggregates }), stay)
        }
        Rel::Window { input, partition, order, calls } => {
            // A condition on only the partition keys keeps or removes whole partitions.
            let is_key =
                |i| partition.iter().any(|k| matches!(k.kind, ExprKind::Column(key) if key == i));
            let moves = |t: &Expr| !t.can_fail() && t.columns_all(is_key);
            let (down, stay): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(moves);
            let input = Box::new(push(*input, down, sizes));
            tested(rebuilt(Rel::Window { input, partition, order, calls }), stay)
        }
        Rel::Unnest { input, lists, outer } => {
            // Rows are repeated whole, so a condition on the input alone is the same for all
            // copies.
            let width = input.schema.len();
            let moves = |t: &Expr| !t.can_fail() && t.columns_all(|i| i < width);
            let (down, stay): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(moves);
            let input = Box::new(push(*input, down, sizes));
            tested(rebuilt(Rel::Unnest { input, lists, outer }), stay)
        }
        Rel::SetOp { op, all, left, right } => {
            let moves = |t: &Expr| (op == SetOp::Union || !t.can_fail()) && t.size() <= MAX_COPIED;
            let (down, stay): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(moves);
            let both = op == SetOp::Union;
            let right = push(*right, if both { down.clone() } else { Vec::new() }, sizes);
            let left = push(*left, down, sizes);
            let rel = Rel::SetOp { op, all, left: Box::new(left), right: Box::new(right) };
            tested(rebuilt(rel), stay)
        }
        Rel::Join { .. } => {
            let (plan, moved) = order::arrange(Plan { rel, schema, span }, &terms, sizes);
            if moved { push(plan, terms, sizes) } else { join(plan, terms, sizes) }
        }
        Rel::Limit { input, limit, offset } => {
            let input = Box::new(push(*input, Vec::new(), sizes));
            tested(rebuilt(Rel::Limit { input, limit, offset }), terms)
        }
        Rel::Distinct { input, on } => {
            let input = Box::new(push(*input, Vec::new(), sizes));
            tested(rebuilt(Rel::Distinct { input, on }), terms)
        }
        Rel::Sort { input, keys, top } => {
            let input = Box::new(push(*input, Vec::new(), sizes));
            tested(rebuilt(Rel::Sort { input, keys, top }), terms)
        }
        Rel::Recursive { id, base, step, all } => {
            let base = Box::new(push(*base, Vec::new(), sizes));
            let step = Box::new(push(*step, Vec::new(), sizes));
            tested(rebuilt(Rel::Recursive { id, base, step, all }), terms)
        }
        rel
        @ (Rel::Scan { .. } | Rel::Values { .. } | Rel::Shared { .. } | Rel::Working { .. }) => {
            tested(rebuilt(rel), terms)
        }
    }
}

/// The plan filtered by the conditions: those that cannot fail come first, so that the others see
/// fewer rows.
fn tested(plan: Plan, terms: Vec<Expr>) -> Plan {
    let (failing, safe): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(Expr::can_fail);
    let plan = match conjunction(safe) {
        Some(predicate) => plan.filter(predicate),
        None => plan,
    };
    match conjunction(failing) {
        Some(predicate) => plan.filter(predicate),
        None => plan,
    }
}

/// The conditions over the input of a projection, and those that would grow too large.
fn substituted(terms: Vec<Expr>, exprs: &[Expr]) -> (Vec<Expr>, Vec<Expr>) {
    let (mut down, mut stay) = (Vec::new(), Vec::new());
    for term in terms {
        if grown(&term, exprs) > MAX_SIZE.max(term.size()) {
            stay.push(term);
            continue;
        }
        let mut moved = term.clone();
        moved.substitute(exprs);
        if moved.depth() > MAX_DEPTH.max(term.depth()) {
            stay.push(term);
        } else {
            down.push(moved);
        }
    }
    (down, stay)
}

/// The size of a condition after substitution.
fn grown(term: &Expr, exprs: &[Expr]) -> usize {
    let mut size = 0usize;
    term.visit(&mut |e| {
        size += match e.kind {
            ExprKind::Column(index) => exprs.get(index).map_or(1, Expr::size),
            _ => 1,
        };
    });
    size
}

/// Conditions, by where they can be tested.
#[derive(Default)]
struct Sides {
    left: Vec<Expr>,
    right: Vec<Expr>,
    /// In the join itself.
    residual: Vec<Expr>,
    /// Above the join.
    above: Vec<Expr>,
}

fn join(plan: Plan, terms: Vec<Expr>, sizes: &Sizes<'_>) -> Plan {
    let Plan { rel, schema, span } = plan;
    let Rel::Join { left, right, kind, mut keys, residual, args, form } = rel else {
        return tested(Plan { rel, schema, span }, terms);
    };
    let width = left.schema.len();
    if matches!(form, JoinForm::Mark | JoinForm::Nearest) {
        let rel = Rel::Join { left, right, kind, keys, residual, args, form };
        return mark_join(Plan { rel, schema, span }, terms, sizes);
    }
    let mut own = Vec::new();
    if let Some(residual) = residual {
        split_and(residual, &mut own);
    }
    let own: Vec<Expr> = own.into_iter().flat_map(ors::factored).collect();
    let mut sides = Sides::default();
    for term in own {
        own_term(term, kind, width, &mut sides);
    }
    for term in terms {
        term_above(term, kind, width, &mut sides);
    }
    let mut residual = std::mem::take(&mut sides.residual);
    if args.is_empty() && matches!(kind, JoinKind::Inner | JoinKind::Cross) {
        let (more, rest) = equi_keys(residual, width);
        keys.extend(more);
        residual = rest;
    }
    for term in &mut sides.right {
        term.map_columns(&|i| i.saturating_sub(width));
    }
    let left = Box::new(push(*left, sides.left, sizes));
    let right = Box::new(push(*right, sides.right, sizes));
    let residual = conjunction(residual);
    let conditional = !keys.is_empty() || residual.is_some();
    let kind = if kind == JoinKind::Cross && conditional { JoinKind::Inner } else { kind };
    let rel = Rel::Join { left, right, kind, keys, residual, args, form };
    tested(Plan { rel, schema, span }, sides.above)
}

/// Conditions above a mark join or an as-of join move to its left input if they read only that. The
/// right input determines the matches and is not filtered.
fn mark_join(plan: Plan, terms: Vec<Expr>, sizes: &Sizes<'_>) -> Plan {
    let Plan { rel, schema, span } = plan;
    let Rel::Join { left, right, kind, keys, residual, args, form } = rel else {
        return tested(Plan { rel, schema, span }, terms);
    };
    let width = left.schema.len();
    let moves = |t: &Expr| !t.can_fail() && t.columns_all(|i| i < width);
    let (down, stay): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(moves);
    let left = Box::new(push(*left, down, sizes));
    let right = Box::new(push(*right, Vec::new(), sizes));
    let rel = Rel::Join { left, right, kind, keys, residual, args, form };
    tested(Plan { rel, schema, span }, stay)
}

/// Determines where a condition of the join itself can be tested.
fn own_term(term: Expr, kind: JoinKind, width: usize, sides: &mut Sides) {
    let left_only = term.columns_all(|i| i < width);
    let right_only = term.columns_all(|i| i >= width);
    let (to_left, to_right) = match kind {
        JoinKind::Inner | JoinKind::Cross | JoinKind::Semi => (left_only, right_only),
        // Rows of the preserved side are kept even if the condition is false for them.
        JoinKind::Left | JoinKind::Anti => (false, right_only),
        JoinKind::Right => (left_only, false),
        _ => (false, false),
    };
    if term.can_fail() {
        sides.residual.push(term);
    } else if to_left {
        sides.left.push(term);
    } else if to_right {
        sides.right.push(term);
    } else {
        sides.residual.push(term);
    }
}

/// Determines where a condition above the join can be tested.
fn term_above(term: Expr, kind: JoinKind, width: usize, sides: &mut Sides) {
    let left_only = term.columns_all(|i| i < width);
    let right_only = term.columns_all(|i| i >= width);
    let inner = matches!(kind, JoinKind::Inner | JoinKind::Cross);
    let left_kept = inner || matches!(kind, JoinKind::Left | JoinKind::Semi | JoinKind::Anti);
    let right_kept = inner || kind == JoinKind::Right;
    if term.can_fail() {
        sides.above.push(term);
    } else if left_only && left_kept {
        sides.left.push(term);
    } else if right_only && right_kept {
        sides.right.push(term);
    } else if inner {
        sides.residual.push(term);
    } else {
        sides.above.push(term);
    }
}
