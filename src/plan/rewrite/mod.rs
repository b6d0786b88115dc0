//! Optimizes plans: conditions move down, unused columns are removed, and scans get hints and
//! limits.
//!
//! Rewrites keep the rows, their order, and three-valued logic. A condition that can fail never
//! moves to a place where it would see more rows than in the query as written, except as the only
//! key of a join (`late_keys`).

mod decorrelate;
mod filters;
mod grouped;
mod hints;
mod late_keys;
mod lateral;
mod limits;
mod order;
mod ors;
mod prune;
mod pull;
mod sizes;

use std::collections::HashMap;
use std::sync::Arc;

use super::shared::{SharedPlan, inline_single_uses, link};
use super::{Expr, Lookup, Plan};
pub(super) use decorrelate::Functions;
use prune::Needs;
use sizes::Sizes;

/// The plan to run.
pub(super) fn plan(
    mut plan: Plan,
    shared: Vec<SharedPlan>,
    functions: Functions,
    lookup: &dyn Lookup,
) -> Plan {
    let sizes = Sizes::new(lookup);
    let mut shared = inline_single_uses(&mut plan, shared);
    let mut needs = Needs::new(shared.len(), functions);
    let mut plan = one(plan, &mut needs, &sizes);
    // An expression refers only to earlier ones, so in reverse order all uses of a plan are known
    // before it is rewritten.
    for (id, slot) in shared.iter_mut().enumerate().rev() {
        *slot = slot.take().map(|inner| one(needs.mask(id, inner), &mut needs, &sizes));
    }
    link(&mut plan, shared);
    plan
}

/// One plan and the sub-queries of its expressions.
fn one(plan: Plan, needs: &mut Needs, sizes: &Sizes<'_>) -> Plan {
    let plan = decorrelate::plan(plan, needs.functions);
    let mut plan = filters::push(plan, Vec::new(), sizes);
    late_keys::give(&mut plan);
    let mut plan = prune::root(plan, needs);
    hints::give(&mut plan);
    limits::give(&mut plan);
    let mut seen = HashMap::new();
    subqueries(&mut plan, needs, sizes, &mut seen);
    plan
}

/// Sub-queries before and after rewriting, by the address before.
type Seen = HashMap<*const Plan, (Arc<Plan>, Arc<Plan>)>;

fn subqueries(plan: &mut Plan, needs: &mut Needs, sizes: &Sizes<'_>, seen: &mut Seen) {
    for expr in plan.exprs_mut() {
        subqueries_of(expr, needs, sizes, seen);
    }
    for input in plan.inputs_mut() {
        subqueries(input, needs, sizes, seen);
    }
}

fn subqueries_of(expr: &mut Expr, needs: &mut Needs, sizes: &Sizes<'_>, seen: &mut Seen) {
    for child in expr.children_mut() {
        subqueries_of(child, needs, sizes, seen);
    }
    let Some(plan) = expr.subplan_mut() else { return };
    let key = Arc::as_ptr(plan);
    if let Some((_, done)) = seen.get(&key) {
        *plan = Arc::clone(done);
        return;
    }
    let done = Arc::new(one(Plan::clone(plan), needs, sizes));
    // The old plan is kept, so that no other plan can get its address.
    seen.insert(key, (Arc::clone(plan), Arc::clone(&done)));
    *plan = done;
}
