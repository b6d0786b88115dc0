//! Parameters: what a sub-query or a lateral input reads of the row around it.
//!
//! [`ExprKind::Param`] of a plan is an argument of the sub-query, or of the join, that the plan
//! belongs to, and of no other around it: whatever comes from further out has been handed through.

use super::{Expr, ExprKind, Plan, Rel};

impl Expr {
    /// Whether it reads a parameter.
    pub(super) fn reads_params(&self) -> bool {
        let mut found = false;
        self.visit(&mut |e| found |= matches!(e.kind, ExprKind::Param(_)));
        found
    }

    /// Whether it reads a column.
    pub(super) fn reads_columns(&self) -> bool {
        !self.columns_all(|_| false)
    }

    /// Puts an expression in the place of each parameter. Spans are kept.
    pub(super) fn map_params(&mut self, map: &mut dyn FnMut(usize, &Self) -> Self) {
        if let ExprKind::Param(index) = self.kind {
            *self = Self { span: self.span, ..map(index, self) };
            return;
        }
        for child in self.children_mut() {
            child.map_params(map);
        }
    }
}

impl Plan {
    /// Whether it reads a parameter that nothing in it gives.
    pub(super) fn reads_params(&self) -> bool {
        self.exprs().into_iter().any(Expr::reads_params)
            || self.free_inputs().into_iter().any(Self::reads_params)
    }

    /// The inputs whose parameters are those of the plan: all but the right one of a lateral join.
    fn free_inputs(&self) -> Vec<&Self> {
        match &self.rel {
            Rel::Join { left, args, .. } if !args.is_empty() => vec![left],
            _ => self.inputs(),
        }
    }

    /// Puts an expression in the place of each parameter that nothing in the plan gives.
    pub(super) fn map_params(&mut self, map: &mut dyn FnMut(usize, &Expr) -> Expr) {
        for expr in self.exprs_mut() {
            expr.map_params(map);
        }
        let inputs = match &mut self.rel {
            Rel::Join { left, args, .. } if !args.is_empty() => vec![&mut **left],
            _ => self.inputs_mut(),
        };
        for input in inputs {
            input.map_params(map);
        }
    }
}

impl Plan {
    /// Whether it reads the new rows of a recursion that it is within.
    pub(super) fn reads_working(&self) -> bool {
        !self.working().is_empty()
    }

    /// The recursions around whose new rows it reads.
    fn working(&self) -> Vec<usize> {
        let mut found: Vec<usize> = self.inputs().into_iter().flat_map(Self::working).collect();
        for expr in self.exprs() {
            expr.visit(&mut |e| found.extend(e.subplan().iter().flat_map(|plan| plan.working())));
        }
        match &self.rel {
            Rel::Working { id } => found.push(*id),
            Rel::Recursive { id, .. } => found.retain(|other| other != id),
            _ => {}
        }
        found
    }
}
