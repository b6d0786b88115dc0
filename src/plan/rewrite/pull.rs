//! Removes the conditions that read parameters from a plan and exposes the compared values as
//! further columns, so that a join can test the conditions.

mod groups;

use super::decorrelate::Functions;
use crate::catalog::Ty;
use crate::diag::Span;
use crate::lang::ast::{BinaryOp, JoinKind, SetOp};
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{AggregateCall, Expr, ExprKind, JoinForm, Plan, Rel, WindowCall};

/// A plan without parameters, and the conditions that were removed from it. Its first columns are
/// those of the original plan.
#[derive(Debug, Clone)]
pub(super) struct Pulled {
    pub(super) plan: Plan,
    /// Expressions over parameters, and the columns that have to be equal to them.
    pub(super) keys: Vec<(Expr, usize)>,
    /// Other conditions over parameters and columns of the plan.
    pub(super) residual: Vec<Expr>,
    /// Whether computing rows for which no condition is true may fail.
    pub(super) fails: bool,
}

/// Removes the conditions; `None` if something other than a condition reads parameters, or a
/// condition cannot be moved. With `others`, conditions that are not equalities are removed too.
pub(super) fn pull(plan: Plan, others: bool, functions: Functions) -> Option<Pulled> {
    let fails = may_fail(plan.exprs());
    if !plan.reads_params() {
        // The plan does not depend on the outer row.
        return Some(Pulled { plan, keys: Vec::new(), residual: Vec::new(), fails: false });
    }
    let mut pulled = operator(plan, others, functions)?;
    pulled.fails |= fails;
    Some(pulled)
}

/// Whether the expressions may fail for rows that do not match the outer row. Arithmetic is not
/// counted: overflow is too rare to justify running the query row by row.
pub(super) fn may_fail<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> bool {
    let mut fails = false;
    for expr in exprs {
        expr.visit(&mut |e| {
            fails |= match &e.kind {
                ExprKind::Cast { expr, lenient: false, range } => {
                    range.is_some() || (expr.ty == Ty::Text && e.ty != Ty::Text)
                }
                ExprKind::Call { function, .. } => !function.is_total,
                ExprKind::Query(query) => !query.args.is_empty(),
                _ => false,
            };
        });
    }
    fails
}

fn operator(plan: Plan, others: bool, functions: Functions) -> Option<Pulled> {
    let Plan { rel, schema, span } = plan;
    match rel {
        Rel::Filter { input, predicate } => {
            let mut terms = Vec::new();
            split_and(predicate, &mut terms);
            filtered(*input, terms, others, functions)
        }
        Rel::Project { input, exprs } => {
            if exprs.iter().any(Expr::reads_params) {
                return None;
            }
            let pulled = pull(*input, others, functions)?;
            let names = schema.into_iter().map(|f| f.name).collect();
            Some(pulled.project(exprs, names))
        }
        rel @ Rel::Join { .. } => join(Plan { rel, schema, span }, others, functions),
        Rel::Aggregate { input, keys, aggregates } if !keys.is_empty() => {
            let exprs = keys.iter().chain(aggregates.iter().flat_map(AggregateCall::exprs));
            if exprs.into_iter().any(Expr::reads_params) {
                return None;
            }
            let pulled = pull(*input, false, functions)?;
            Some(pulled.group(keys, aggregates, schema, span))
        }
        Rel::Distinct { input, on } => {
            let pulled = pull(*input, false, functions)?;
            let mut on = on;
            if let Some(on) = &mut on {
                if on.iter().any(Expr::reads_params) {
                    return None;
                }
                on.extend(pulled.key_columns());
            }
            Some(pulled.over(|plan| plan.distinct(on)))
        }
        Rel::Sort { input, keys, top: None } => {
            if keys.iter().any(|key| key.expr.reads_params()) {
                return None;
            }
            let pulled = pull(*input, others, functions)?;
            Some(pulled.over(|plan| plan.sort(keys)))
        }
        Rel::Limit { input, limit, offset } => {
            let pulled = pull(*input, false, functions)?;
            pulled.first_of_each(limit, offset, functions)
        }
        Rel::Window { input, mut partition, order, calls } => {
            let exprs = partition.iter().chain(order.iter().map(|k| &k.expr));
            if exprs.chain(calls.iter().flat_map(WindowCall::exprs)).any(Expr::reads_params) {
                return None;
            }
            let width = input.schema.len();
            let pulled = pull(*input, false, functions)?;
            partition.extend(pulled.key_columns());
            let own = schema.iter().skip(width).cloned().collect();
            let below = pulled.plan.schema.len();
            let pulled = pulled.window(partition, order, calls, own);
            let columns = pulled.plan.columns();
            let places = (0..width).chain(below..columns.len());
            let exprs = places.filter_map(|i| columns.get(i).cloned()).collect();
            Some(pulled.project(exprs, schema.into_iter().map(|f| f.name).collect()))
        }
        Rel::SetOp { op, all, left, right } => {
            let left = pull(*left, false, functions)?;
            let right = pull(*right, false, functions)?;
            set_operation((op, all), left, right, schema.len(), span)
        }
        _ => None,
    }
}

/// The rows of an input for which all terms are true.
fn filtered(input: Plan, terms: Vec<Expr>, others: bool, functions: Functions) -> Option<Pulled> {
    let mut pulled = pull(input, others, functions)?;
    let mut local = Vec::new();
    let mut exposed: Vec<(Expr, Expr)> = Vec::new();
    for term in terms {
        if !term.reads_params() {
            local.push(term);
            continue;
        }
        if let Some(pair) = equality(&term) {
            exposed.push(pair);
        } else if others && !has_query(&term) {
            pulled.residual.push(term);
        } else {
            return None;
        }
    }
    // Conditions that can fail come last, so that they see only rows that the others keep.
    let (failing, safe): (Vec<Expr>, Vec<Expr>) = local.into_iter().partition(Expr::can_fail);
    for terms in [safe, failing] {
        if let Some(predicate) = conjunction(terms) {
            pulled = pulled.over(|plan| plan.filter(predicate));
        }
    }
    for (outer, inner) in exposed {
        let column = pulled.expose(inner);
        pulled.keys.push((outer, column));
    }
    Some(pulled)
}

fn has_query(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |e| found |= e.subplan().is_some());
    found
}

/// An equality between an expression that reads only parameters and one that reads only columns.
fn equality(term: &Expr) -> Option<(Expr, Expr)> {
    let ExprKind::Binary { op: BinaryOp::Eq, left, right } = &term.kind else { return None };
    if left.can_fail() || right.can_fail() || has_query(left) || has_query(right) {
        return None;
    }
    let outer = |e: &Expr| e.reads_params() && !e.reads_columns();
    let inner = |e: &Expr| !e.reads_params() && e.reads_columns();
    if outer(left) && inner(right) {
        return Some((Expr::clone(left), Expr::clone(right)));
    }
    (inner(left) && outer(right)).then(|| (Expr::clone(right), Expr::clone(left)))
}

fn join(plan: Plan, others: bool, functions: Functions) -> Option<Pulled> {
    let Plan { rel, schema, span } = plan;
    let Rel::Join { left, right, kind, keys, residual, args, form } = rel else { return None };
    if !args.is_empty() || form != JoinForm::Rows {
        return None;
    }
    let reads = keys.iter().any(|(l, r)| l.reads_params() || r.reads_params());
    let inner = matches!(kind, JoinKind::Inner | JoinKind::Cross);
    if let (Some(condition), true) = (&residual, inner)
        && condition.reads_params()
        && !reads
    {
        // The conditions of an inner join are handled as those of a filter above it.
        let mut terms = Vec::new();
        split_and(condition.clone(), &mut terms);
        let kind = if keys.is_empty() { JoinKind::Cross } else { JoinKind::Inner };
        let rel = Rel::Join { left, right, kind, keys, residual: None, args, form };
        return filtered(Plan { rel, schema, span }, terms, others, functions);
    }
    if reads || residual.as_ref().is_some_and(Expr::reads_params) {
        return None;
    }
    let one_sided = matches!(kind, JoinKind::Left | JoinKind::Semi | JoinKind::Anti);
    if !inner && (!one_sided || right.reads_params()) {
        return None;
    }
    let (width, right_width) = (left.schema.len(), right.schema.len());
    let left = pull(*left, others, functions)?;
    let right = pull(*right, others, functions)?;
    let keeps_right = !matches!(kind, JoinKind::Semi | JoinKind::Anti);
    let new_width = left.plan.schema.len();
    let shift = new_width.saturating_sub(width);
    let residual = residual.map(|mut condition| {
        condition.map_columns(&|i| if i >= width { i + shift } else { i });
        condition
    });
    let mut fields = left.plan.schema.clone();
    if keeps_right {
        fields.extend(right.plan.schema.iter().cloned());
    }
    let mut taken = left.keys;
    let mut others = left.residual;
    taken.extend(right.keys.into_iter().map(|(outer, column)| (outer, column + new_width)));
    others.extend(right.residual.into_iter().map(|mut term| {
        term.map_columns(&|i| i + new_width);
        term
    }));
    let fails = left.fails || right.fails;
    let (left, right) = (Box::new(left.plan), Box::new(right.plan));
    let rel = Rel::Join { left, right, kind, keys, residual, args, form };
    let plan = Plan { rel, schema: fields, span };
    let pulled = Pulled { plan, keys: taken, residual: others, fails };
    if shift == 0 {
        return Some(pulled);
    }
    // The right columns come before the columns that were added on the left.
    let right_width = if keeps_right { right_width } else { 0 };
    let columns = pulled.plan.columns();
    let order = (0..width).chain(new_width..new_width + right_width);
    let exprs = order.filter_map(|i| columns.get(i).cloned()).collect();
    let names = schema.into_iter().map(|f| f.name).collect();
    Some(pulled.project(exprs, names))
}

impl Pulled {
    /// Adds an operator that keeps the columns.
    fn over(self, make: impl FnOnce(Plan) -> Plan) -> Self {
        Self { plan: make(self.plan), ..self }
    }

    /// The columns of the keys.
    fn key_columns(&self) -> Vec<Expr> {
        let columns = self.plan.columns();
        self.keys.iter().filter_map(|(_, column)| columns.get(*column).cloned()).collect()
    }

    /// The column that computes an expression over the plan; it is added if there is none.
    fn expose(&mut self, expr: Expr) -> usize {
        if let ExprKind::Column(index) = expr.kind {
            return index;
        }
        let (mut exprs, mut names) = (self.plan.columns(), self.plan.names());
        let shown: Vec<&str> = names.iter().map(String::as_str).collect();
        let name = crate::plan::render::expr(&expr, &shown);
        exprs.push(expr);
        names.push(name);
        let span = self.plan.span;
        let plan = std::mem::replace(&mut self.plan, Plan::values(Vec::new(), Vec::new(), span));
        self.plan = plan.project(exprs, names);
        self.plan.schema.len() - 1
    }

    /// The columns that the conditions read, in order.
    fn read(&self) -> Vec<usize> {
        let mut read: Vec<usize> = self.keys.iter().map(|(_, column)| *column).collect();
        for term in &self.residual {
            term.visit(&mut |e| {
                if let ExprKind::Column(index) = e.kind {
                    read.push(index);
                }
            });
        }
        read.sort_unstable();
        read.dedup();
        read
    }

    /// A projection, followed by the columns that the conditions read.
    fn project(self, mut exprs: Vec<Expr>, mut names: Vec<String>) -> Self {
        let read = self.read();
        let width = exprs.len();
        let columns = self.plan.columns();
        let fields = self.plan.names();
        let mut place = std::collections::HashMap::new();
        for column in read {
            let known = exprs
                .iter()
                .take(width)
                .position(|e| matches!(e.kind, ExprKind::Column(index) if index == column));
            let at = known.unwrap_or(exprs.len());
            if known.is_none() {
                exprs.extend(columns.get(column).cloned());
                names.extend(fields.get(column).cloned());
            }
            place.insert(column, at);
        }
        let moved = |i: usize| place.get(&i).copied().unwrap_or(i);
        let keys = self.keys.into_iter().map(|(outer, column)| (outer, moved(column))).collect();
        let residual = self.residual.into_iter().map(|mut term| {
            term.map_columns(&moved);
            term
        });
        let residual = residual.collect();
        Self { plan: self.plan.project(exprs, names), keys, residual, fails: self.fails }
    }
}

/// A set operation of two inputs that are compared with the same outer values.
fn set_operation(
    (op, all): (SetOp, bool),
    left: Pulled,
    right: Pulled,
    width: usize,
    span: Span,
) -> Option<Pulled> {
    let same = left.keys.len() == right.keys.len()
        && left.keys.iter().zip(&right.keys).all(|((a, _), (b, _))| a.same(b));
    if !same {
        return None;
    }
    let fails = left.fails || right.fails;
    let keys: Vec<(Expr, usize)> =
        left.keys.iter().zip(width..).map(|((outer, _), place)| (outer.clone(), place)).collect();
    let exactly = |side: Pulled| {
        let columns = side.plan.columns();
        let names = side.plan.names();
        let places: Vec<usize> =
            (0..width).chain(side.keys.iter().map(|(_, column)| *column)).collect();
        let exprs = places.iter().filter_map(|i| columns.get(*i).cloned()).collect();
        let names = places.iter().filter_map(|i| names.get(*i).cloned()).collect();
        side.plan.project(exprs, names)
    };
    let (left, right) = (exactly(left), exactly(right));
    let types = left.schema.iter().zip(&right.schema);
    if types.into_iter().any(|(l, r)| l.ty != r.ty) {
        return None;
    }
    let schema = left.schema.clone();
    let rel = Rel::SetOp { op, all, left: Box::new(left), right: Box::new(right) };
    Some(Pulled { plan: Plan { rel, schema, span }, keys, residual: Vec::new(), fails })
}
