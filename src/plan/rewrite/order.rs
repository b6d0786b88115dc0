//! The order of inner joins.
//!
//! If the tables know how many rows they have, the join begins with the smallest table, as conditions
//! leave it, and goes on with the one that makes the fewest rows. Otherwise tables are joined in the
//! order of FROM, except that a table without a condition on the earlier ones waits until an equality
//! connects it. This avoids cross joins of two tables that a third one connects.

use super::sizes::{Origin, Sizes, number, origins};
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
    /// Equalities.
    edges: Vec<Edge>,
    /// The inputs that other conditions read.
    others: Vec<Vec<usize>>,
    /// The number of rows of each input, if it is known.
    rows: Vec<Option<f64>>,
    /// The columns of tables that the columns are.
    origins: Vec<Option<Origin>>,
}

/// An equality of two expressions: the inputs that each side reads, and how many values the side with
/// more of them has, if it is known.
struct Edge(Vec<usize>, Vec<usize>, Option<f64>);

/// The plan, an inner join, with its inputs reordered, and whether the order changed. `terms` are
/// conditions on its rows.
pub(super) fn arrange(plan: Plan, terms: &[Expr], sizes: &Sizes<'_>) -> (Plan, bool) {
    let mut graph = Graph::default();
    if !is_plain(&plan.rel) {
        return (plan, false);
    }
    graph.inputs(&plan, 0, sizes);
    if graph.starts.len() < 3 {
        return (plan, false);
    }
    graph.conditions(&plan, 0, sizes);
    for term in terms {
        graph.condition(term, 0, sizes);
    }
    let conditions = graph.edges.len() + graph.others.len();
    if graph.starts.len().saturating_pow(2).saturating_mul(conditions) > MAX_WORK {
        return (plan, false);
    }
    let order = graph.cheapest().unwrap_or_else(|| graph.order());
    let is_same = order.iter().enumerate().all(|(place, input)| place == *input);
    if is_same || !sizes.again() {
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
    fn inputs(&mut self, plan: &Plan, start: usize, sizes: &Sizes<'_>) {
        match &plan.rel {
            rel @ Rel::Join { left, right, .. } if is_plain(rel) => {
                self.inputs(left, start, sizes);
                self.inputs(right, start + left.schema.len(), sizes);
            }
            _ => {
                self.starts.push(start);
                self.rows.push(sizes.rows(plan));
                self.origins.extend(origins(plan));
            }
        }
    }

    fn conditions(&mut self, plan: &Plan, start: usize, sizes: &Sizes<'_>) {
        let Rel::Join { left, right, keys, residual, .. } = &plan.rel else { return };
        if !is_plain(&plan.rel) {
            return;
        }
        let middle = start + left.schema.len();
        for (l, r) in keys {
            self.edge((l, start), (r, middle), sizes);
        }
        if let Some(residual) = residual {
            self.condition(residual, start, sizes);
        }
        self.conditions(left, start, sizes);
        self.conditions(right, middle, sizes);
    }

    fn edge(&mut self, left: (&Expr, usize), right: (&Expr, usize), sizes: &Sizes<'_>) {
        let distinct = |(expr, start): (&Expr, usize)| {
            sizes.distinct(expr, self.origins.get(start..).unwrap_or_default())
        };
        let most = distinct(left).into_iter().chain(distinct(right)).reduce(f64::max);
        let edge = Edge(self.read(left.0, left.1), self.read(right.0, right.1), most);
        self.edges.push(edge);
    }

    fn condition(&mut self, term: &Expr, start: usize, sizes: &Sizes<'_>) {
        let read = self.read(term, start);
        if let ([input], false) = (read.as_slice(), term.can_fail()) {
            let columns = self.origins.get(start..).unwrap_or_default();
            let share = sizes.share(term, columns);
            if let Some(Some(rows)) = self.rows.get_mut(*input) {
                *rows *= share;
            }
        }
        match &term.kind {
            ExprKind::Binary { op: BinaryOp::And, left, right } if read.len() > 1 => {
                self.condition(left, start, sizes);
                self.condition(right, start, sizes);
            }
            ExprKind::Binary { op: BinaryOp::Eq, left, right }
                if !left.can_fail() && !right.can_fail() =>
            {
                self.edge((left, start), (right, start), sizes);
            }
            _ => self.others.push(read),
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

    /// The inputs in join order by the numbers of rows; `None` if one is not known, or equalities do
    /// not connect all inputs.
    fn cheapest(&self) -> Option<Vec<usize>> {
        let rows: Vec<f64> = self.rows.iter().copied().collect::<Option<_>>()?;
        let least = |found: &mut Option<(f64, usize)>, cost: f64, input: usize| {
            if found.is_none_or(|(known, _)| cost < known) {
                *found = Some((cost, input));
            }
        };
        let mut first = None;
        for (input, count) in rows.iter().enumerate() {
            least(&mut first, *count, input);
        }
        let (mut whole, start) = first?;
        let mut order = vec![start];
        while order.len() < rows.len() {
            let mut next = None;
            for (input, count) in rows.iter().enumerate().filter(|(at, _)| !order.contains(at)) {
                if let Some(values) = self.values_between(&order, input) {
                    // Several equalities together have at most as many values as there are rows.
                    let values = values.min(whole.max(*count)).max(1.0);
                    least(&mut next, whole * count / values, input);
                }
            }
            let (cost, input) = next?;
            whole = cost.max(1.0);
            order.push(input);
        }
        Some(order)
    }

    /// How many combinations of values the equalities of an input with earlier ones have; `None` if
    /// there are none.
    fn values_between(&self, placed: &[usize], input: usize) -> Option<f64> {
        let is_placed =
            |inputs: &[usize]| !inputs.is_empty() && inputs.iter().all(|i| placed.contains(i));
        let edges = self.edges.iter().filter(|Edge(a, b, _)| {
            (is_placed(a) && b.as_slice() == [input]) || (is_placed(b) && a.as_slice() == [input])
        });
        let unknown = || self.rows.get(input).copied().flatten().unwrap_or(number(1));
        edges.map(|Edge(_, _, values)| values.unwrap_or_else(unknown)).reduce(|a, b| a * b)
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
                self.edges.iter().any(|Edge(a, b, _)| {
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
