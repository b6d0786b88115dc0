//! Converts correlated sub-queries to joins, where conditions compare the outer values with columns
//! of the sub-query: `EXISTS` and `IN` become semi, anti and mark joins; aggregates are grouped by
//! the compared columns; a `LATERAL` input is joined on them.
//!
//! The engine runs the remaining sub-queries once for each combination of the outer values.

use std::sync::Arc;

use super::grouped::{aggregate, of_one_row};
use super::lateral::lateral;
use super::pull::{Pulled, pull};
use crate::catalog::{Format, FunctionSpec, Ty, Value};
use crate::diag::Span;
use crate::lang::ast::{BinaryOp, JoinKind};
use crate::plan::bind::join::{equi_keys, key_types};
use crate::plan::walk::{conjunction, split_and};
use crate::plan::{AggregateCall, Expr, ExprKind, Field, JoinForm, Plan, QueryKind, Rel, SubQuery};

/// Functions from the catalog that rewriting needs.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Functions {
    /// The window function `row_number`.
    pub(in crate::plan) row_number: Option<&'static FunctionSpec>,
}

/// The maximum size of a plan that is used in two joins.
const MAX_DOUBLED: usize = 2_000;

/// The plan with sub-queries converted to joins where possible.
pub(super) fn plan(plan: Plan, functions: Functions) -> Plan {
    let mut plan = plan;
    for input in plan.inputs_mut() {
        let inner = std::mem::replace(input, nothing());
        *input = self::plan(inner, functions);
    }
    let Plan { rel, schema, span } = plan;
    let rel = match rel {
        Rel::Filter { input, predicate } => return filter(*input, predicate, functions),
        Rel::Project { input, mut exprs } => {
            let input = lift(*input, exprs.iter_mut(), functions);
            Rel::Project { input: Box::new(input), exprs }
        }
        Rel::Aggregate { input, mut keys, mut aggregates } => {
            let all =
                keys.iter_mut().chain(aggregates.iter_mut().flat_map(AggregateCall::exprs_mut));
            let input = lift(*input, all, functions);
            Rel::Aggregate { input: Box::new(input), keys, aggregates }
        }
        Rel::Join { left, right, kind, keys, residual, args, form } => {
            let join = Plan {
                rel: Rel::Join { left, right, kind, keys, residual, args, form },
                schema,
                span,
            };
            return lateral(above(join, functions), functions);
        }
        rel => rel,
    };
    Plan { rel, schema, span }
}

fn nothing() -> Plan {
    Plan::values(Vec::new(), Vec::new(), crate::diag::Span::default())
}

pub(super) fn has_correlated(expr: &Expr) -> bool {
    let mut found = false;
    expr.visit(&mut |e| {
        found |= matches!(&e.kind, ExprKind::Query(query) if !query.args.is_empty());
    });
    found
}

/// A filter. Conditions that are sub-queries become semi and anti joins.
fn filter(input: Plan, predicate: Expr, functions: Functions) -> Plan {
    if !has_correlated(&predicate) {
        return input.filter(predicate);
    }
    let width = input.schema.len();
    let mut predicate = predicate;
    prepare(&mut predicate, functions);
    let mut terms = Vec::new();
    split_and(predicate, &mut terms);
    let (special, plain): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(has_correlated);
    // Plain conditions come first, so that joins, and sub-queries that can fail, see fewer rows.
    let mut plan = match conjunction(plain) {
        Some(plain) => input.filter(plain),
        None => input,
    };
    let mut rest = Vec::new();
    for term in special {
        match semi(&plan, &term, functions) {
            Some((right, kind, keys, residual)) => {
                plan = joined(plan, right, (kind, JoinForm::Rows), keys, residual);
            }
            None => rest.push(term),
        }
    }
    for term in &mut rest {
        lift_one(&mut plan, term, false, functions);
    }
    let names = plan.names();
    let Some(predicate) = conjunction(rest) else { return plan };
    let plan = plan.filter(predicate);
    if plan.schema.len() == width { plan } else { first_columns(plan, width, &names) }
}

pub(super) fn first_columns(plan: Plan, width: usize, names: &[String]) -> Plan {
    let mut exprs = plan.columns();
    exprs.truncate(width);
    plan.project(exprs, names.iter().take(width).cloned().collect())
}

/// The parts of a join: the right input, its kind, its keys and the residual conditions.
type Semi = (Plan, JoinKind, Vec<(Expr, Expr)>, Vec<Expr>);

/// Converts a condition on the existence of a match to a semi or an anti join.
fn semi(input: &Plan, term: &Expr, functions: Functions) -> Option<Semi> {
    let (query, negated) = match &term.kind {
        ExprKind::Query(query) => (query, false),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Query(query) => (query, true),
            _ => return None,
        },
        _ => return None,
    };
    if query.args.is_empty() || query.args.iter().chain(&query.values).any(has_correlated) {
        return None;
    }
    let width = input.schema.len();
    let kind = |negated| if negated { JoinKind::Anti } else { JoinKind::Semi };
    match query.kind {
        QueryKind::Scalar => None,
        QueryKind::Exists => {
            let (right, keys, residual) = condition(query, width, functions)?;
            Some((right, kind(negated), keys, residual))
        }
        QueryKind::Any { op, negated: all } => {
            let negated = all != negated;
            let (right, mut keys, mut residual) = condition(query, width, functions)?;
            let compared = comparison(query, op, &right, width)?;
            if negated {
                // A row is kept if the comparison is false, and not unknown, for every row.
                if keys.is_empty() {
                    return None;
                }
                residual.push(not_false(compared));
            } else {
                let mut terms = Vec::new();
                split_and(compared, &mut terms);
                let (more, rest) = equi_keys(terms, width);
                keys.extend(more);
                residual.extend(rest);
            }
            Some((right, kind(negated), keys, residual))
        }
    }
}

/// The right input of a join, its keys, and the residual conditions.
type Condition = (Plan, Vec<(Expr, Expr)>, Vec<Expr>);

/// The sub-query as the right input of a join, with the join's keys and the residual conditions,
/// over `width` left columns followed by the right columns.
fn condition(query: &SubQuery, width: usize, functions: Functions) -> Option<Condition> {
    let pulled = pull(Plan::clone(&query.plan), true, functions)?;
    if pulled.fails {
        return None;
    }
    let keys = outer_keys(&pulled, &query.args);
    let residual = outer_residual(pulled.residual, &query.args, width);
    Some((pulled.plan, keys, residual))
}

pub(super) fn outer_keys(pulled: &Pulled, args: &[Expr]) -> Vec<(Expr, Expr)> {
    let columns = pulled.plan.columns();
    let each = pulled.keys.iter().filter_map(|(outer, column)| {
        let mut outer = outer.clone();
        outer.give(args);
        Some(key_types(outer, columns.get(*column)?.clone()))
    });
    each.collect()
}

/// Conditions over the columns of a pulled plan, converted to those of a join with `width` left
/// columns.
pub(super) fn outer_residual(residual: Vec<Expr>, args: &[Expr], width: usize) -> Vec<Expr> {
    let moved = residual.into_iter().map(|mut term| {
        term.map_columns(&|i| i + width);
        term.give(args);
        term
    });
    moved.collect()
}

/// The comparison of the operands with the first columns of the right input.
fn comparison(query: &SubQuery, op: BinaryOp, right: &Plan, width: usize) -> Option<Expr> {
    let columns = right.columns().into_iter();
    let pairs = query.values.iter().zip(columns).map(|(value, mut column)| {
        column.map_columns(&|i| i + width);
        Expr::binary(op, value.clone(), column, Ty::Bool)
    });
    conjunction(pairs.collect())
}

fn not_false(expr: Expr) -> Expr {
    let span = expr.span;
    let no = Expr::literal(Value::Bool(false), span);
    let kind = ExprKind::IsDistinct { left: Box::new(expr), right: Box::new(no), negated: false };
    Expr::new(kind, Ty::Bool, span)
}

pub(super) fn is_null(expr: Expr) -> Expr {
    let span = expr.span;
    Expr::new(ExprKind::IsNull { expr: Box::new(expr), negated: false }, Ty::Bool, span)
}

/// A join of two inputs; its kind determines the schema.
pub(super) fn joined(
    left: Plan,
    right: Plan,
    (kind, form): (JoinKind, JoinForm),
    keys: Vec<(Expr, Expr)>,
    residual: Vec<Expr>,
) -> Plan {
    let mut schema = left.schema.clone();
    if form == JoinForm::Mark {
        schema.push(Field { name: "match".to_owned(), ty: Ty::Bool, format: Format::Plain });
    } else if !matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        schema.extend(right.schema.iter().cloned());
    }
    let span = left.span;
    let residual = conjunction(residual);
    let (left, right) = (Box::new(left), Box::new(right));
    let rel = Rel::Join { left, right, kind, keys, residual, args: Vec::new(), form };
    Plan { rel, schema, span }
}

/// Joins the input with the sub-queries of expressions over it, and replaces these by the resulting
/// columns.
fn lift<'e>(input: Plan, exprs: impl Iterator<Item = &'e mut Expr>, functions: Functions) -> Plan {
    let mut input = input;
    for expr in exprs {
        if has_correlated(expr) {
            prepare(expr, functions);
            lift_one(&mut input, expr, false, functions);
        }
    }
    input
}

/// Rewrites nested sub-queries first.
fn prepare(expr: &mut Expr, functions: Functions) {
    expr.visit_mut(&mut |e| {
        if let ExprKind::Query(query) = &mut e.kind
            && !query.args.is_empty()
        {
            query.plan = Arc::new(plan(Plan::clone(&query.plan), functions));
        }
    });
}

/// `guarded`: the expression is computed for only some rows and must not fail for others.
fn lift_one(input: &mut Plan, expr: &mut Expr, guarded: bool, functions: Functions) {
    let guards = matches!(expr.kind, ExprKind::Case { .. })
        || matches!(&expr.kind, ExprKind::Call { function, .. } if function.name == "try")
        || matches!(&expr.kind, ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. });
    for child in expr.children_mut() {
        lift_one(input, child, guarded || guards, functions);
    }
    let span = expr.span;
    let ExprKind::Query(query) = &mut expr.kind else { return };
    if query.args.is_empty() {
        return;
    }
    let found = match query.kind {
        QueryKind::Scalar => scalar(input, query, (guarded, span), functions),
        QueryKind::Exists => exists(input, query, functions),
        QueryKind::Any { op, negated } => any(input, query, (op, negated), functions),
    };
    if let Some(found) = found {
        *expr = Expr { span, ty: expr.ty, format: expr.format, ..found };
    }
}

/// Replaces the input by a plan made of it.
fn replace(input: &mut Plan, make: impl FnOnce(Plan) -> Plan) {
    let old = std::mem::replace(input, nothing());
    *input = make(old);
}

/// Adds a mark join; returns the column of its mark.
fn mark(input: &mut Plan, right: Plan, keys: Vec<(Expr, Expr)>, residual: Vec<Expr>) -> Expr {
    let form = (JoinKind::Left, JoinForm::Mark);
    replace(input, |left| joined(left, right, form, keys, residual));
    let last = input.schema.len().saturating_sub(1);
    input.columns().into_iter().nth(last).unwrap_or_else(|| Expr::null(Ty::Bool, input.span))
}

fn exists(input: &mut Plan, query: &SubQuery, functions: Functions) -> Option<Expr> {
    let (right, keys, residual) = condition(query, input.schema.len(), functions)?;
    Some(mark(input, right, keys, residual))
}

/// A comparison with the rows of a sub-query: one mark says whether it is true for some row, one
/// whether it is unknown for some row.
fn any(
    input: &mut Plan,
    query: &SubQuery,
    (op, negated): (BinaryOp, bool),
    functions: Functions,
) -> Option<Expr> {
    let width = input.schema.len();
    let (right, keys, residual) = condition(query, width, functions)?;
    if keys.is_empty() || right.size() > MAX_DOUBLED {
        return None;
    }
    let compared = comparison(query, op, &right, width)?;
    let span = compared.span;
    let mut terms = Vec::new();
    split_and(compared.clone(), &mut terms);
    let (more, rest) = equi_keys(terms, width);
    let all = keys.iter().cloned().chain(more).collect();
    let holds = mark(input, right.clone(), all, residual.iter().cloned().chain(rest).collect());
    // The first mark precedes the right columns of the second join.
    let shift = |mut e: Expr| {
        e.map_columns(&|i| if i >= width { i + 1 } else { i });
        e
    };
    let residual = residual.into_iter().chain([is_null(compared)]).map(shift).collect();
    let unknown = mark(input, right, keys, residual);
    let truth = |value| Expr::literal(Value::Bool(value), span);
    let kind = ExprKind::Case {
        branches: vec![(holds, truth(!negated)), (unknown, Expr::null(Ty::Bool, span))],
        otherwise: Some(Box::new(truth(negated))),
    };
    Some(Expr::new(kind, Ty::Bool, span))
}

/// A scalar sub-query: an aggregation of all rows that are compared with the outer row, or its only
/// row.
fn scalar(
    input: &mut Plan,
    query: &SubQuery,
    (guarded, span): (bool, Span),
    functions: Functions,
) -> Option<Expr> {
    let inner = Plan::clone(&query.plan);
    if let Some(values) = of_one_row(&inner, &query.args) {
        return values.into_iter().next();
    }
    if let Some((grouped, keys, values)) = aggregate(inner.clone(), &query.args, functions) {
        let width = input.schema.len();
        let form = (JoinKind::Left, JoinForm::Rows);
        replace(input, |left| joined(left, grouped, form, keys, Vec::new()));
        let mut value = values.into_iter().next()?;
        value.map_columns(&|i| i + width);
        return Some(value);
    }
    if guarded {
        return None;
    }
    let pulled = pull(inner, true, functions)?;
    if pulled.fails || (pulled.keys.is_empty() && pulled.residual.is_empty()) {
        return None;
    }
    let width = input.schema.len();
    let keys = outer_keys(&pulled, &query.args);
    let residual = outer_residual(pulled.residual, &query.args, width);
    let form = (JoinKind::Left, JoinForm::Single);
    replace(input, |left| {
        // The error for several rows shows the span of the sub-query.
        Plan { span, ..joined(left, pulled.plan, form, keys, residual) }
    });
    input.columns().into_iter().nth(width)
}

/// Moves sub-queries in the condition of an inner join to a filter above it.
fn above(plan: Plan, functions: Functions) -> Plan {
    let Plan { rel, schema, span } = plan;
    match rel {
        Rel::Join {
            left,
            right,
            kind: JoinKind::Inner,
            keys,
            residual: Some(residual),
            args,
            form,
        } if has_correlated(&residual) && form == JoinForm::Rows => {
            let kind = if keys.is_empty() { JoinKind::Cross } else { JoinKind::Inner };
            let rel = Rel::Join { left, right, kind, keys, residual: None, args, form };
            filter(Plan { rel, schema, span }, residual, functions)
        }
        rel => Plan { rel, schema, span },
    }
}
