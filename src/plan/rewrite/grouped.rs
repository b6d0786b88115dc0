//! Sub-queries that always return one row: aggregations of all rows, which are grouped by the
//! columns compared with the outer row, and queries without FROM.

use super::decorrelate::{Functions, has_correlated, is_null};
use super::pull::{may_fail, pull};
use crate::catalog::{OfNoRows, Ty, Value};
use crate::plan::bind::join::key_types;
use crate::plan::{AggregateCall, Expr, ExprKind, Field, Plan, Rel};

/// The maximum depth and size of a value after substituting the expressions of columns.
const MAX_DEPTH: usize = 100;
const MAX_SIZE: usize = 400;

/// An aggregation without keys, grouped by the columns compared with the outer row: the plan, the
/// keys of the join, and the values over the plan's columns.
pub(super) type Grouped = (Plan, Vec<(Expr, Expr)>, Vec<Expr>);

pub(super) fn aggregate(plan: Plan, args: &[Expr], functions: Functions) -> Option<Grouped> {
    let (plan, mut values) = values_over(plan)?;
    if values.iter().any(Expr::reads_params) {
        return None;
    }
    let Rel::Aggregate { input, keys, aggregates } = plan.rel else { return None };
    let reads = aggregates.iter().flat_map(AggregateCall::exprs).any(Expr::reads_params);
    if !keys.is_empty() || reads {
        return None;
    }
    let pulled = pull(*input, false, functions)?;
    let fails = pulled.fails || may_fail(aggregates.iter().flat_map(AggregateCall::exprs));
    if pulled.keys.is_empty() || fails {
        return None;
    }
    let (columns, names) = (pulled.plan.columns(), pulled.plan.names());
    let keys: Vec<Expr> =
        pulled.keys.iter().filter_map(|(_, column)| columns.get(*column).cloned()).collect();
    let of_keys = keys
        .iter()
        .zip(&pulled.keys)
        .map(|(key, (_, column))| Field::of(key, names.get(*column).cloned().unwrap_or_default()));
    let schema = of_keys.chain(plan.schema).collect();
    let of_none = |a: &AggregateCall| match a.function.of_no_rows {
        OfNoRows::Null => Some(false),
        OfNoRows::Zero => Some(true),
        _ => None,
    };
    let counts: Vec<bool> = aggregates.iter().map(of_none).collect::<Option<_>>()?;
    let (input, span) = (Box::new(pulled.plan), plan.span);
    let count = keys.len();
    let grouped = Plan { rel: Rel::Aggregate { input, keys, aggregates }, schema, span };
    let columns = grouped.columns();
    let own = pulled.keys.iter().zip(&columns).map(|((outer, _), column)| {
        let mut outer = outer.clone();
        outer.give(args);
        key_types(outer, column.clone())
    });
    let own = own.collect();
    let key = columns.first()?.clone();
    let results = columns.into_iter().skip(count).zip(counts);
    let results: Vec<Expr> = results
        .map(|(column, counts)| if counts { or_zero(column, key.clone()) } else { column })
        .collect();
    for value in &mut values {
        value.substitute(&results);
    }
    Some((grouped, own, values))
}

/// A count, which is 0 if there is no group.
fn or_zero(count: Expr, key: Expr) -> Expr {
    let zero = if count.ty == Ty::Double { Value::Double(0.0) } else { Value::Int(0) };
    let zero = Expr::literal(zero, count.span);
    let (ty, format, span) = (count.ty, count.format, count.span);
    let branches = vec![(is_null(key), zero)];
    let kind = ExprKind::Case { branches, otherwise: Some(Box::new(count)) };
    Expr { kind, ty, format, span }
}

/// Combines consecutive projections: the innermost input and the values over it.
fn values_over(plan: Plan) -> Option<(Plan, Vec<Expr>)> {
    let mut values = plan.columns();
    let mut plan = plan;
    while let Rel::Project { input, exprs } = plan.rel {
        for value in &mut values {
            value.substitute(&exprs);
            if has_correlated(value) || value.depth() > MAX_DEPTH || value.size() > MAX_SIZE {
                return None;
            }
        }
        plan = *input;
    }
    Some((plan, values))
}

/// The values of a query without FROM, over the outer row.
pub(super) fn of_one_row(plan: &Plan, args: &[Expr]) -> Option<Vec<Expr>> {
    let mut inner = plan;
    while let Rel::Project { input, .. } = &inner.rel {
        inner = input;
    }
    match &inner.rel {
        Rel::Values { rows } if rows.len() == 1 && inner.schema.is_empty() => {}
        _ => return None,
    }
    let (_, mut values) = values_over(plan.clone())?;
    for value in &mut values {
        value.give(args);
    }
    Some(values)
}
