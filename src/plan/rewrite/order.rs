//! The order of inner joins. Tables are joined in the order of FROM, except that a table without a
//! condition on the earlier ones waits until an equality connects it. This avoids cross joins of
//! two tables that a third one connects.

use crate::lang::ast::{BinaryOp, JoinKind};
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{Expr, ExprKind, JoinForm, Plan, Rel};

/// The maximum number of pairs of inputs times conditions; above it, the order of FROM is kept.
const MAX_WORK: usize = 500_000;

/// The inputs of nested joins, in the order of FROM, and the conditions that connect them.
#[derive(Default)]
struct Graph {
    /// Where the columns of each input begin.
    starts: Vec<usize>,
    /// Equalities: the inputs that each side reads.
    edges: Vec<(Vec<usize>, Vec<usize>)>,
    /// The inputs that other conditions read.
    others: Vec<Vec<usize>>,
}

/// The plan, an inner join, with its inputs reordered, and whether the order changed. `terms` are
/// conditions on its rows.
pub(super) fn arrange(plan: Plan, terms: &[Expr]) -> (Plan, bool) {
    let mut graph = Graph::default();
    if !is_plain(&plan.rel) {
        return (plan, false);
    }
    graph.inputs(&plan, 0);
    if graph.starts.len() < 3 {
        return (plan, false);
    }
    graph.conditions(&plan, 0);
    for term in terms {
        graph.condition(term, 0);
    }
    let conditions = graph.edges.len() + graph.others.len();
    if graph.starts.len().saturating_pow(2).saturating_mul(conditions) > MAX_WORK {
        return (plan, false);
    }
    let order = graph.order();
    if order.iter().enumerate().all(|(place, input)| place == *input) {
        return (plan, false);
    }
    (arranged(plan, &graph, &order), true)
}

const fn is_plain(rel: &Rel) -> bool {
    matches!(
        rel,
        Rel::Join { kind: JoinKind::Inner | JoinKind::Cross, args, form: JoinForm::Rows, .. }
            if args.is_empty()
    )
}

impl Graph {
    fn inputs(&mut self, plan: &Plan, start: usize) {
        match &plan.rel {
            rel @ Rel::Join { left, right, .. } if is_plain(rel) => {
                self.inputs(left, start);
                self.inputs(right, start + left.schema.len());
            }
            _ => self.starts.push(start),
        }
    }

    fn conditions(&mut self, plan: &Plan, start: usize) {
        let Rel::Join { left, right, keys, residual, .. } = &plan.rel else { return };
        if !is_plain(&plan.rel) {
            return;
        }
        let middle = start + left.schema.len();
        for (l, r) in keys {
            let edge = (self.read(l, start), self.read(r, middle));
            self.edges.push(edge);
        }
        if let Some(residual) = residual {
            self.condition(residual, start);
        }
        self.conditions(left, start);
        self.conditions(right, middle);
    }

    fn condition(&mut self, term: &Expr, start: usize) {
        match &term.kind {
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                self.condition(left, start);
                self.condition(right, start);
            }
            ExprKind::Binary { op: BinaryOp::Eq, left, right }
                if !left.can_fail() && !right.can_fail() =>
            {
                let edge = (self.read(left, start), self.read(right, start));
                self.edges.push(edge);
            }
            _ => self.others.push(self.read(term, start)),
        }
    }

    /// The inputs that an expression reads.
    fn read(&self, expr: &Expr, start: usize) -> Vec<usize> {
        let mut read = Vec::new();
        expr.visit(&mut |e| {
            if let ExprKind::Column(index) = e.kind {
                read.push(self.input_of(index + start));
            }
        });
        read.sort_unstable();
        read.dedup();
        read
    }

    fn input_of(&self, column: usize) -> usize {
        self.starts.partition_point(|start| *start <= column).saturating_sub(1)
    }

    /// The inputs in join order: the first of FROM, then always the first one that an equality
    /// connects with the earlier ones; otherwise one connected by any condition; otherwise the
    /// first that remains.
    fn order(&self) -> Vec<usize> {
        let count = self.starts.len();
        let mut placed = vec![false; count];
        let mut order = Vec::with_capacity(count);
        let mut next = 0;
        while order.len() < count {
            if let Some(slot) = placed.get_mut(next) {
                *slot = true;
            }
            order.push(next);
            let open = || (0..count).filter(|input| !placed.get(*input).copied().unwrap_or(true));
            let is_placed = |inputs: &[usize]| {
                !inputs.is_empty()
                    && inputs.iter().all(|input| placed.get(*input).copied().unwrap_or(false))
            };
            let connected = |input: &usize| {
                self.edges.iter().any(|(a, b)| {
                    (is_placed(a) && b.as_slice() == [*input])
                        || (is_placed(b) && a.as_slice() == [*input])
                })
            };
            let related = |input: &usize| {
                self.others.iter().any(|inputs| {
                    inputs.len() > 1
                        && inputs.contains(input)
                        && inputs.iter().all(|i| i == input || is_placed(&[*i]))
                })
            };
            let found = open().find(connected).or_else(|| open().find(related));
            next = found.or_else(|| open().next()).unwrap_or(count);
        }
        order
    }
}

/// The joins in another order, with a projection that restores the order of the columns.
fn arranged(plan: Plan, graph: &Graph, order: &[usize]) -> Plan {
    let (schema, span, names) = (plan.schema.clone(), plan.span, plan.names());
    let columns = plan.columns();
    let mut inputs = Vec::with_capacity(order.len());
    let mut terms = Vec::new();
    take_apart(plan, 0, &mut inputs, &mut terms);
    let mut inputs: Vec<Option<Plan>> = inputs.into_iter().map(Some).collect();
    // The new index of each old column.
    let mut place = vec![0; schema.len()];
    let mut width = 0;
    for input in order {
        let start = graph.starts.get(*input).copied().unwrap_or(0);
        let len = inputs.get(*input).and_then(Option::as_ref).map_or(0, |p| p.schema.len());
        for (offset, slot) in place.iter_mut().skip(start).take(len).enumerate() {
            *slot = width + offset;
        }
        width += len;
    }
    let moved = |i: usize| place.get(i).copied().unwrap_or(i);
    for term in &mut terms {
        term.map_columns(&moved);
    }
    let (mut failing, mut terms): (Vec<Expr>, Vec<Expr>) =
        terms.into_iter().partition(Expr::can_fail);
    let mut whole: Option<Plan> = None;
    for input in order {
        let Some(next) = inputs.get_mut(*input).and_then(Option::take) else { continue };
        whole = Some(match whole {
            None => next,
            Some(left) => {
                let width = left.schema.len() + next.schema.len();
                let (now, later): (Vec<Expr>, Vec<Expr>) =
                    terms.into_iter().partition(|t| t.columns_all(|i| i < width));
                terms = later;
                crossed(left, next, now)
            }
        });
    }
    failing.extend(terms);
    let whole = whole.unwrap_or_else(|| Plan::values(Vec::new(), Vec::new(), span));
    let whole = match conjunction(failing) {
        Some(predicate) => whole.filter(predicate),
        None => whole,
    };
    let exprs = columns.into_iter().map(|mut column| {
        column.map_columns(&moved);
        column
    });
    let exprs = exprs.collect();
    whole.project(exprs, names)
}

fn crossed(left: Plan, right: Plan, terms: Vec<Expr>) -> Plan {
    let mut schema = left.schema.clone();
    schema.extend(right.schema.iter().cloned());
    let (span, residual) = (left.span, conjunction(terms));
    let kind = if residual.is_some() { JoinKind::Inner } else { JoinKind::Cross };
    let rel = Rel::Join {
        left: Box::new(left),
        right: Box::new(right),
        kind,
        keys: Vec::new(),
        residual,
        args: Vec::new(),
        form: JoinForm::Rows,
    };
    Plan { rel, schema, span }
}

/// The inputs of the joins, with the column names of the joins, and all conditions.
fn take_apart(plan: Plan, start: usize, inputs: &mut Vec<Plan>, terms: &mut Vec<Expr>) {
    if !is_plain(&plan.rel) {
        inputs.push(plan);
        return;
    }
    let Plan { rel, .. } = plan;
    let Rel::Join { left, right, keys, residual, .. } = rel else { return };
    let middle = start + left.schema.len();
    for (mut l, mut r) in keys {
        l.map_columns(&|i| i + start);
        r.map_columns(&|i| i + middle);
        terms.push(Expr::binary(BinaryOp::Eq, l, r, crate::catalog::Ty::Bool));
    }
    if let Some(mut residual) = residual {
        residual.map_columns(&|i| i + start);
        split_and(residual, terms);
    }
    take_apart(*left, start, inputs, terms);
    take_apart(*right, middle, inputs, terms);
}
