//! Common table expressions between binding and running: one that is used once is inlined; the
//! others are rewritten once and linked to every use.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Expr, Plan, Rel};

/// A common table expression.
#[derive(Debug, Clone)]
pub(super) struct SharedPlan {
    /// What it computes.
    pub(super) plan: Plan,
    /// The number of references to it.
    pub(super) uses: usize,
    /// [`Plan::depth`], including the expressions that it refers to.
    pub(super) depth: usize,
}

/// The plan of a reference until the final plan is linked.
pub(super) fn placeholder() -> Arc<Plan> {
    Arc::new(Plan::values(Vec::new(), Vec::new(), crate::diag::Span::default()))
}

/// Calls `f` on the plan and its inputs, and on the plans of sub-queries in expressions, inputs
/// first. A sub-query that several expressions share stays shared.
pub(super) struct Walk<'f> {
    each: &'f mut dyn FnMut(&mut Plan),
    seen: HashMap<*const Plan, (Arc<Plan>, Arc<Plan>)>,
}

impl<'f> Walk<'f> {
    /// A walk that calls `each`.
    pub(super) fn new(each: &'f mut dyn FnMut(&mut Plan)) -> Self {
        Self { each, seen: HashMap::new() }
    }

    /// Walks a plan.
    pub(super) fn plan(&mut self, plan: &mut Plan) {
        for input in plan.inputs_mut() {
            self.plan(input);
        }
        for expr in plan.exprs_mut() {
            self.expr(expr);
        }
        (self.each)(plan);
    }

    fn expr(&mut self, expr: &mut Expr) {
        for child in expr.children_mut() {
            self.expr(child);
        }
        let Some(plan) = expr.subplan_mut() else { return };
        let key = Arc::as_ptr(plan);
        if let Some((_, done)) = self.seen.get(&key) {
            *plan = Arc::clone(done);
            return;
        }
        let old = Arc::clone(plan);
        let mut inner = Plan::clone(plan);
        self.plan(&mut inner);
        let done = Arc::new(inner);
        *plan = Arc::clone(&done);
        // The old plan is kept, so that its address means the same plan until the walk ends.
        self.seen.insert(key, (old, done));
    }
}

/// Inlines expressions that are used once. Returns the others by id, `None` for those that were
/// inlined or are unused.
pub(super) fn inline_single_uses(plan: &mut Plan, shared: Vec<SharedPlan>) -> Vec<Option<Plan>> {
    let mut kept: Vec<Option<Plan>> = Vec::with_capacity(shared.len());
    let mut single: Vec<Option<Plan>> = Vec::with_capacity(shared.len());
    for mut cte in shared {
        // An expression refers only to earlier ones, so those are final by now.
        inline(&mut cte.plan, &mut single);
        kept.push(None);
        single.push(None);
        let slot = if cte.uses == 1 { single.last_mut() } else { kept.last_mut() };
        if let Some(slot) = slot
            && cte.uses > 0
        {
            *slot = Some(cte.plan);
        }
    }
    inline(plan, &mut single);
    kept
}

fn inline(plan: &mut Plan, single: &mut [Option<Plan>]) {
    let mut each = |plan: &mut Plan| {
        if let Rel::Shared { id, .. } = plan.rel
            && let Some(inner) = single.get_mut(id).and_then(Option::take)
        {
            // The reference may give the columns other names.
            let schema = std::mem::take(&mut plan.schema);
            let names: Vec<String> = schema.into_iter().map(|field| field.name).collect();
            if names == inner.names() {
                *plan = inner;
                return;
            }
            let exprs = inner.columns();
            *plan = inner.project(exprs, names);
        }
    };
    Walk::new(&mut each).plan(plan);
}

/// Links all references to the final plans.
pub(super) fn link(plan: &mut Plan, shared: Vec<Option<Plan>>) {
    let mut done: Vec<Option<Arc<Plan>>> = Vec::with_capacity(shared.len());
    for inner in shared {
        let inner = inner.map(|mut inner| {
            connect(&mut inner, &done);
            Arc::new(inner)
        });
        done.push(inner);
    }
    connect(plan, &done);
}

fn connect(plan: &mut Plan, done: &[Option<Arc<Plan>>]) {
    let mut each = |plan: &mut Plan| {
        if let Rel::Shared { id, plan: inner } = &mut plan.rel
            && let Some(Some(found)) = done.get(*id)
        {
            *inner = Arc::clone(found);
        }
    };
    Walk::new(&mut each).plan(plan);
}
