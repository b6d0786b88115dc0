//! Parameters: the values that a sub-query or a lateral input reads of the outer row.
//!
//! [`ExprKind::Param`] of a plan is an argument of the sub-query or the join that the plan belongs
//! to, never of one further out: values from there are passed on at each level.

use std::collections::BTreeMap;

use super::{Expr, ExprKind, Plan, Rel};

impl Expr {
    /// Whether the expression reads a parameter.
    pub(super) fn reads_params(&self) -> bool {
        let mut found = false;
        self.visit(&mut |e| found |= matches!(e.kind, ExprKind::Param(_)));
        found
    }

    /// Whether the expression reads a column.
    pub(super) fn reads_columns(&self) -> bool {
        !self.columns_all(|_| false)
    }

    /// Replaces the parameters by the arguments.
    pub(super) fn give(&mut self, args: &[Self]) {
        self.map_params(&mut |index, param| args.get(index).unwrap_or(param).clone());
    }

    /// Replaces each parameter by an expression. Spans are kept.
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

/// What the rows of a plan depend on outside the plan.
#[derive(Debug, Clone, Default)]
pub struct Depends {
    /// Whether the plan reads a parameter of an outer query.
    pub params: bool,
    /// The enclosing recursions whose new rows the plan reads.
    pub working: Vec<usize>,
}

impl Depends {
    /// Whether the plan depends on anything outside it.
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
            // Its parameters are the arguments of the expression.
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

/// What plans depend on, by their address, which must not change.
pub type Known = BTreeMap<usize, Depends>;

impl Plan {
    /// What the rows of the plan depend on outside it.
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
                // The parameters of the right side are the arguments of the join.
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

    /// Whether the plan reads a parameter of an outer query.
    pub(super) fn reads_params(&self) -> bool {
        self.depends(&mut Known::new()).params
    }

    /// Whether the plan reads the new rows of an enclosing recursion.
    pub(super) fn reads_working(&self) -> bool {
        !self.depends(&mut Known::new()).working.is_empty()
    }

    /// Replaces the parameters of the plan by the arguments.
    pub(super) fn give(&mut self, args: &[Expr]) {
        self.map_params(&mut |index, param| args.get(index).unwrap_or(param).clone());
    }

    /// Replaces each parameter of the plan by an expression.
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
