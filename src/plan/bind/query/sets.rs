//! UNION, INTERSECT and EXCEPT.

use super::super::unify::coerce_columns;
use super::super::{Binder, Bound, Failed};
use super::columns;
use crate::catalog::{Format, Ty};
use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Body, SetOp};
use crate::plan::{Expr, Field, Plan, Rel, convert};

/// Consecutive operands of one set operation.
pub(in crate::plan::bind) struct Run {
    pub(in crate::plan::bind) op: SetOp,
    pub(in crate::plan::bind) all: bool,
    pub(in crate::plan::bind) by_name: bool,
    pub(in crate::plan::bind) span: Span,
}

/// The plans combined with one set operation; more than two only for UNION, which is associative.
pub(in crate::plan::bind) fn set_tree(
    op: SetOp,
    all: bool,
    mut plans: Vec<Plan>,
    span: Span,
) -> Option<Plan> {
    while plans.len() > 1 {
        let mut next = Vec::with_capacity(plans.len().div_ceil(2));
        let mut rest = plans.into_iter();
        while let Some(left) = rest.next() {
            next.push(match rest.next() {
                Some(right) => set_pair(op, all, left, right, span),
                None => left,
            });
        }
        plans = next;
    }
    plans.pop()
}

fn set_pair(op: SetOp, all: bool, left: Plan, right: Plan, span: Span) -> Plan {
    let both = left.schema.iter().zip(&right.schema);
    let schema = both
        .map(|(l, r)| Field {
            format: if l.format == r.format { l.format } else { Format::Plain },
            ..l.clone()
        })
        .collect();
    Plan { rel: Rel::SetOp { op, all, left: Box::new(left), right: Box::new(right) }, schema, span }
}

impl Binder<'_> {
    /// A chain of set operations, walked without recursion along its left side.
    pub(super) fn set_operations(&mut self, body: &Body) -> Bound<Plan> {
        let mut steps = Vec::new();
        let mut first = body;
        while let Body::SetOp { op, all, by_name, left, right, span } = first {
            let run = Run { op: *op, all: *all, by_name: *by_name, span: *span };
            steps.push((run, &**right));
            first = left;
        }
        steps.reverse();
        let at = steps.first().map_or(Span::default(), |(run, _)| run.span);
        // Consecutive UNIONs become a tree of logarithmic depth; every other operation is a level.
        let same = |a: &Run, b: &Run| {
            a.op == SetOp::Union && b.op == a.op && a.all == b.all && a.by_name == b.by_name
        };
        let turns = steps.windows(2).filter(|w| match w {
            [(a, _), (b, _)] => !same(a, b),
            _ => false,
        });
        let levels = turns.count() + steps.len().max(1).ilog2() as usize + 1;
        self.deeper(levels, at, |binder| {
            let mut left = binder.body(first);
            let mut rest = steps.as_slice();
            while let Some((run, _)) = rest.first() {
                let count = rest.iter().take_while(|(r, _)| same(run, r)).count().max(1);
                let (now, later) = rest.split_at(count);
                rest = later;
                let rights: Vec<Bound<Plan>> = now.iter().map(|(_, b)| binder.body(b)).collect();
                let operands: Bound<Vec<Plan>> = std::iter::once(left).chain(rights).collect();
                left = operands.and_then(|plans| binder.set_operation(run, plans));
            }
            left
        })
    }

    pub(in crate::plan::bind) fn set_operation(
        &mut self,
        run: &Run,
        plans: Vec<Plan>,
    ) -> Bound<Plan> {
        let plans = if run.by_name { self.by_name(plans, run.span)? } else { plans };
        let plans = self.aligned(plans, run.span)?;
        set_tree(run.op, run.all, plans, run.span).ok_or(Failed)
    }

    /// UNION BY NAME: the plans with a column for each name that any of them has, NULL where a plan
    /// has none.
    pub(super) fn by_name(&mut self, plans: Vec<Plan>, span: Span) -> Bound<Vec<Plan>> {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let mut names: Vec<String> = Vec::new();
        for plan in &plans {
            let own = plan.names();
            for (index, name) in own.iter().enumerate() {
                if own.iter().take(index).any(|other| same(other, name)) {
                    let message = format!("UNION BY NAME: a query has two columns `{name}`");
                    return self.fail_at(Code::BadQuery, span, message);
                }
                if !names.iter().any(|known| same(known, name)) {
                    names.push(name.clone());
                }
            }
            self.grow(names.len(), span)?;
        }
        let widened = plans.into_iter().map(|plan| {
            let (own, columns) = (plan.names(), plan.columns());
            let column = |name: &String| {
                let known = own.iter().zip(&columns).find(|(own, _)| same(own, name));
                known.map_or_else(|| Expr::null(Ty::Null, span), |(_, column)| column.clone())
            };
            let exprs = names.iter().map(column).collect();
            plan.project(exprs, names.clone())
        });
        Ok(widened.collect())
    }

    /// The plans with columns converted to common types.
    pub(in crate::plan::bind) fn aligned(
        &mut self,
        plans: Vec<Plan>,
        span: Span,
    ) -> Bound<Vec<Plan>> {
        let Some(first) = plans.first() else { return Err(Failed) };
        let width = first.schema.len();
        if let Some(odd) = plans.iter().find(|p| p.schema.len() != width) {
            let message = format!(
                "the left query has {}, the right {}",
                columns(width),
                columns(odd.schema.len())
            );
            return self.fail_at(Code::BadQuery, span, message);
        }
        let mut types = Vec::with_capacity(width);
        for column in 0..width {
            let fields = plans.iter().filter_map(|p| p.schema.get(column));
            let mut ty = Ty::Null;
            for field in fields {
                let Some(common) = convert::common(ty, field.ty) else {
                    let name = first.schema.get(column).map_or("", |f| f.name.as_str());
                    let message = format!(
                        "column {} (`{name}`) is {ty} on one side and {} on the other",
                        column + 1,
                        field.ty
                    );
                    return self.fail(
                        Diagnostic::at(Code::TypeMismatch, span, message)
                            .help("convert one of them with CAST(… AS type)"),
                    );
                };
                ty = common;
            }
            types.push(if ty == Ty::Null { Ty::Int } else { ty });
        }
        Ok(plans.into_iter().map(|plan| coerce_columns(plan, &types)).collect())
    }
}
