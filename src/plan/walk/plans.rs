//! Accessors and constructors of plans and of their columns.

use super::super::{AggregateCall, Expr, Field, Plan, Rel, SortKey, WindowCall};
use crate::catalog::{Format, Ty};
use crate::diag::Span;

impl Plan {
    /// The inputs, left before right. The plan of a shared expression is not included: it is
    /// visited once rather than once per use.
    pub fn inputs(&self) -> Vec<&Self> {
        match &self.rel {
            Rel::Scan { .. } | Rel::Values { .. } | Rel::Shared { .. } | Rel::Working { .. } => {
                Vec::new()
            }
            Rel::Recursive { base, step, .. } => vec![base, step],
            Rel::Filter { input, .. }
            | Rel::Project { input, .. }
            | Rel::Aggregate { input, .. }
            | Rel::Window { input, .. }
            | Rel::Unnest { input, .. }
            | Rel::Distinct { input, .. }
            | Rel::Sort { input, .. }
            | Rel::Limit { input, .. } => vec![input],
            Rel::Join { left, right, .. } | Rel::SetOp { left, right, .. } => vec![left, right],
        }
    }

    /// The inputs, left before right.
    pub(in crate::plan) fn inputs_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.rel {
            Rel::Scan { .. } | Rel::Values { .. } | Rel::Shared { .. } | Rel::Working { .. } => {
                Vec::new()
            }
            Rel::Recursive { base, step, .. } => vec![base, step],
            Rel::Filter { input, .. }
            | Rel::Project { input, .. }
            | Rel::Aggregate { input, .. }
            | Rel::Window { input, .. }
            | Rel::Unnest { input, .. }
            | Rel::Distinct { input, .. }
            | Rel::Sort { input, .. }
            | Rel::Limit { input, .. } => vec![input],
            Rel::Join { left, right, .. } | Rel::SetOp { left, right, .. } => vec![left, right],
        }
    }

    /// The expressions of this operator.
    pub fn exprs(&self) -> Vec<&Expr> {
        match &self.rel {
            Rel::Limit { .. }
            | Rel::SetOp { .. }
            | Rel::Shared { .. }
            | Rel::Recursive { .. }
            | Rel::Working { .. } => Vec::new(),
            Rel::Scan { args, .. } => args.iter().map(|(_, arg)| arg).collect(),
            Rel::Values { rows } => rows.iter().flatten().collect(),
            Rel::Filter { predicate, .. } => vec![predicate],
            Rel::Project { exprs, .. } => exprs.iter().collect(),
            Rel::Join { keys, residual, args, .. } => {
                keys.iter().flat_map(|(l, r)| [l, r]).chain(residual).chain(args).collect()
            }
            Rel::Aggregate { keys, aggregates, .. } => {
                keys.iter().chain(aggregates.iter().flat_map(AggregateCall::exprs)).collect()
            }
            Rel::Window { partition, order, calls, .. } => {
                let keys = partition.iter().chain(order.iter().map(|k| &k.expr));
                keys.chain(calls.iter().flat_map(WindowCall::exprs)).collect()
            }
            Rel::Unnest { lists, .. } => lists.iter().collect(),
            Rel::Distinct { on, .. } => on.iter().flatten().collect(),
            Rel::Sort { keys, .. } => keys.iter().map(|k| &k.expr).collect(),
        }
    }

    /// The expressions of this operator.
    pub(in crate::plan) fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.rel {
            Rel::Limit { .. }
            | Rel::SetOp { .. }
            | Rel::Shared { .. }
            | Rel::Recursive { .. }
            | Rel::Working { .. } => Vec::new(),
            Rel::Scan { args, .. } => args.iter_mut().map(|(_, arg)| arg).collect(),
            Rel::Values { rows } => rows.iter_mut().flatten().collect(),
            Rel::Filter { predicate, .. } => vec![predicate],
            Rel::Project { exprs, .. } => exprs.iter_mut().collect(),
            Rel::Join { keys, residual, args, .. } => {
                keys.iter_mut().flat_map(|(l, r)| [l, r]).chain(residual).chain(args).collect()
            }
            Rel::Aggregate { keys, aggregates, .. } => keys
                .iter_mut()
                .chain(aggregates.iter_mut().flat_map(AggregateCall::exprs_mut))
                .collect(),
            Rel::Window { partition, order, calls, .. } => {
                let keys = partition.iter_mut().chain(order.iter_mut().map(|k| &mut k.expr));
                keys.chain(calls.iter_mut().flat_map(WindowCall::exprs_mut)).collect()
            }
            Rel::Unnest { lists, .. } => lists.iter_mut().collect(),
            Rel::Distinct { on, .. } => on.iter_mut().flatten().collect(),
            Rel::Sort { keys, .. } => keys.iter_mut().map(|k| &mut k.expr).collect(),
        }
    }

    /// The number of nodes, operators and expressions together, on the longest path downwards.
    pub(in crate::plan) fn depth(&self) -> usize {
        let inputs = self.inputs().into_iter().map(Self::depth).max().unwrap_or(0);
        let exprs = self.exprs().into_iter().map(Expr::depth).max().unwrap_or(0);
        1 + inputs.max(exprs)
    }

    /// The number of operators and of nodes of their expressions, sub-queries included.
    pub(in crate::plan) fn size(&self) -> usize {
        let mut count = 1usize;
        for expr in self.exprs() {
            expr.visit(&mut |e| {
                count = count.saturating_add(1 + e.subplan().map_or(0, |plan| plan.size()));
            });
        }
        self.inputs().into_iter().fold(count, |sum, input| sum.saturating_add(input.size()))
    }

    /// A projection of the rows.
    pub(in crate::plan) fn project(self, exprs: Vec<Expr>, names: Vec<String>) -> Self {
        let schema = exprs.iter().zip(names).map(|(e, name)| Field::of(e, name)).collect();
        let span = self.span;
        Self { rel: Rel::Project { input: Box::new(self), exprs }, schema, span }
    }

    /// The rows that fulfil `predicate`.
    pub(in crate::plan) fn filter(self, predicate: Expr) -> Self {
        let (schema, span) = (self.schema.clone(), self.span);
        Self { rel: Rel::Filter { input: Box::new(self), predicate }, schema, span }
    }

    /// The rows in order.
    pub(in crate::plan) fn sort(self, keys: Vec<SortKey>) -> Self {
        let (schema, span) = (self.schema.clone(), self.span);
        Self { rel: Rel::Sort { input: Box::new(self), keys, top: None }, schema, span }
    }

    /// The distinct rows, or with `on`, those distinct in these expressions.
    pub(in crate::plan) fn distinct(self, on: Option<Vec<Expr>>) -> Self {
        let (schema, span) = (self.schema.clone(), self.span);
        Self { rel: Rel::Distinct { input: Box::new(self), on }, schema, span }
    }

    /// A range of the rows.
    pub(in crate::plan) fn limit(self, limit: Option<usize>, offset: usize) -> Self {
        let (schema, span) = (self.schema.clone(), self.span);
        Self { rel: Rel::Limit { input: Box::new(self), limit, offset }, schema, span }
    }

    /// Constant rows.
    pub(in crate::plan) const fn values(
        rows: Vec<Vec<Expr>>,
        schema: Vec<Field>,
        span: Span,
    ) -> Self {
        Self { rel: Rel::Values { rows }, schema, span }
    }

    /// References to all columns.
    pub(in crate::plan) fn columns(&self) -> Vec<Expr> {
        let each = self.schema.iter().enumerate();
        each.map(|(index, field)| Expr::column(index, field, self.span)).collect()
    }

    /// The names of all columns.
    pub(in crate::plan) fn names(&self) -> Vec<String> {
        self.schema.iter().map(|field| field.name.clone()).collect()
    }
}

impl Field {
    /// The column that `expr` computes.
    pub(in crate::plan) const fn of(expr: &Expr, name: String) -> Self {
        Self { name, ty: expr.ty, format: expr.format }
    }

    /// A text column.
    pub(in crate::plan) fn text(name: &str) -> Self {
        Self { name: name.to_owned(), ty: Ty::Text, format: Format::Plain }
    }
}

impl AggregateCall {
    /// The expressions over the input.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.args.iter().chain(&self.filter).chain(self.order_by.iter().map(|k| &k.expr))
    }

    /// The expressions over the input.
    pub(in crate::plan) fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let order = self.order_by.iter_mut().map(|k| &mut k.expr);
        self.args.iter_mut().chain(&mut self.filter).chain(order)
    }

    /// Whether two calls compute the same value.
    pub(in crate::plan) fn same(&self, other: &Self) -> bool {
        self.function.name == other.function.name
            && self.distinct == other.distinct
            && self.ty == other.ty
            && self.args.len() == other.args.len()
            && self.filter.is_some() == other.filter.is_some()
            && self.order_by.len() == other.order_by.len()
            && self.order_by.iter().zip(&other.order_by).all(|(a, b)| a.same_direction(b))
            && self.exprs().zip(other.exprs()).all(|(a, b)| a.same(b))
    }
}

impl SortKey {
    /// Whether two keys have the same direction and NULL order.
    pub(in crate::plan) const fn same_direction(&self, other: &Self) -> bool {
        self.descending == other.descending && self.nulls_first == other.nulls_first
    }

    /// Whether two keys order rows in the same way.
    pub(in crate::plan) fn same(&self, other: &Self) -> bool {
        self.same_direction(other) && self.expr.same(&other.expr)
    }
}
