//! What the rows of a plan depend on: nothing, parameters of the sub-query that it is part of, the
//! new rows of a recursion. What depends on nothing is computed once.

use super::engine::Engine;
use crate::plan::{Expr, ExprKind, Plan, Rel};

/// What the rows of a plan depend on.
#[derive(Debug, Clone, Default)]
pub(super) struct Depends {
    params: bool,
    /// Recursions around it.
    working: Vec<usize>,
}

impl Depends {
    fn add(&mut self, other: Self) {
        self.params |= other.params;
        for id in other.working {
            if !self.working.contains(&id) {
                self.working.push(id);
            }
        }
    }
}

impl Engine<'_> {
    /// Whether the rows of the plan depend on what is around it.
    pub(super) fn depends(&self, plan: &Plan) -> bool {
        let depends = self.dependence(plan);
        depends.params || !depends.working.is_empty()
    }

    fn dependence(&self, plan: &Plan) -> Depends {
        let place = std::ptr::from_ref(plan) as usize;
        if let Some(known) = self.state().depends.get(&place) {
            return known.clone();
        }
        let mut found = Depends::default();
        for expr in plan.exprs() {
            self.add_expr(expr, &mut found);
        }
        match &plan.rel {
            Rel::Join { left, right, args, .. } if !args.is_empty() => {
                found.add(self.dependence(left));
                // The parameters of the right side are what the join gives it.
                found.add(Depends { params: false, ..self.dependence(right) });
            }
            Rel::Shared { plan, .. } => found.add(self.dependence(plan)),
            Rel::Working { id } => found.add(Depends { params: false, working: vec![*id] }),
            _ => {
                for input in plan.inputs() {
                    found.add(self.dependence(input));
                }
            }
        }
        if let Rel::Recursive { id, .. } = &plan.rel {
            found.working.retain(|working| working != id);
        }
        self.state().depends.insert(place, found.clone());
        found
    }

    fn add_expr(&self, expr: &Expr, found: &mut Depends) {
        match &expr.kind {
            ExprKind::Param(_) => found.params = true,
            ExprKind::Query(query) => {
                found.add(Depends { params: false, ..self.dependence(&query.plan) });
            }
            _ => {}
        }
        for child in expr.children() {
            self.add_expr(child, found);
        }
    }
}
