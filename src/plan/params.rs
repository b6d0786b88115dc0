//! Parameters: what a sub-query or a lateral input reads of the row around it.
//!
//! [`ExprKind::Param`] of a plan is an argument of the sub-query, or of the join, that the plan
//! belongs to, and of no other around it: whatever comes from further out has been handed through.

use std::collections::BTreeMap;

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

    /// Puts the arguments in the places of the parameters.
    pub(super) fn give(&mut self, args: &[Self]) {
        self.map_params(&mut |index, param| args.get(index).unwrap_or(param).clone());
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

/// What the rows of a plan depend on that stands around it.
#[derive(Debug, Clone, Default)]
pub struct Depends {
    /// Whether it reads a parameter that nothing in it gives.
    pub params: bool,
    /// The recursions around whose new rows it reads.
    pub working: Vec<usize>,
}

impl Depends {
    /// Whether there is anything of that.
    pub const fn any(&self) -> bool {
        self.params || !self.working.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.params |= other.params;
        for id in other.working {
            if !self.working.contains(&id) {
                self.working.push(id);
            }
        }
    }

    fn add_expr(&mut self, expr: &Expr, known: &mut Known) {
        match &expr.kind {
            ExprKind::Param(_) => self.params = true,
            // Its parameters are what the expression gives it.
            ExprKind::Query(query) => {
                self.add(Self { params: false, ..query.plan.depends(known) });
            }
            _ => {}
        }
        for child in expr.children() {
            self.add_expr(child, known);
        }
    }
}

/// What plans depend on, by their place in memory, at which they have to stay.
pub type Known = BTreeMap<usize, Depends>;

impl Plan {
    /// What its rows depend on.
    pub fn depends(&self, known: &mut Known) -> Depends {
        let place = std::ptr::from_ref(self) as usize;
        if let Some(known) = known.get(&place) {
            return known.clone();
        }
        let mut found = Depends::default();
        for expr in self.exprs() {
            found.add_expr(expr, known);
        }
        match &self.rel {
            Rel::Join { left, right, args, .. } if !args.is_empty() => {
                found.add(left.depends(known));
                // The parameters of the right side are what the join gives it.
                found.add(Depends { params: false, ..right.depends(known) });
            }
            Rel::Shared { plan, .. } => found.add(plan.depends(known)),
            Rel::Working { id } => found.add(Depends { params: false, working: vec![*id] }),
            _ => {
                for input in self.inputs() {
                    found.add(input.depends(known));
                }
            }
        }
        if let Rel::Recursive { id, .. } = &self.rel {
            found.working.retain(|working| working != id);
        }
        known.insert(place, found.clone());
        found
    }

    /// Whether it reads a parameter that nothing in it gives.
    pub(super) fn reads_params(&self) -> bool {
        self.depends(&mut Known::new()).params
    }

    /// Whether it reads the new rows of a recursion that it is within.
    pub(super) fn reads_working(&self) -> bool {
        !self.depends(&mut Known::new()).working.is_empty()
    }

    /// Puts the arguments in the places of the parameters that nothing in the plan gives.
    pub(super) fn give(&mut self, args: &[Expr]) {
        self.map_params(&mut |index, param| args.get(index).unwrap_or(param).clone());
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
