//! Converts lateral inputs of joins to ordinary inputs.

use super::decorrelate::{Functions, first_columns, joined, outer_keys, outer_residual};
use super::grouped::{aggregate, of_one_row};
use super::pull::pull;
use crate::lang::ast::JoinKind;
use crate::plan::{Expr, Field, JoinForm, Plan, Rel};

/// Converts a join with a lateral input to an ordinary join, if possible.
pub(super) fn lateral(plan: Plan, functions: Functions) -> Plan {
    let Plan { rel, schema, span } = plan;
    let Rel::Join { left, right, kind, keys, residual, args, form } = rel else {
        return Plan { rel, schema, span };
    };
    if !args.is_empty() && form == JoinForm::Rows {
        let whole = residual.is_none()
            && matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Left);
        let one = whole.then(|| one_row(&left, &right, &args, functions)).flatten();
        let plan = one.or_else(|| by_keys(&left, &right, (kind, &residual), &args, functions));
        if let Some(plan) = plan {
            return named(plan, &schema, matches!(kind, JoinKind::Semi | JoinKind::Anti));
        }
    }
    Plan { rel: Rel::Join { left, right, kind, keys, residual, args, form }, schema, span }
}

/// The plan with columns named after the schema, and no others.
fn named(mut plan: Plan, schema: &[Field], is_of_left: bool) -> Plan {
    for (field, own) in plan.schema.iter_mut().zip(schema) {
        field.name.clone_from(&own.name);
    }
    if is_of_left || plan.schema.len() == schema.len() {
        return plan;
    }
    let names: Vec<String> = schema.iter().map(|f| f.name.clone()).collect();
    first_columns(plan, schema.len(), &names)
}

/// A lateral input that returns one row for each left row.
fn one_row(left: &Plan, right: &Plan, args: &[Expr], functions: Functions) -> Option<Plan> {
    let width = left.schema.len();
    let mut exprs = left.columns();
    let mut names = left.names();
    names.extend(right.names());
    if let Some(values) = of_one_row(right, args) {
        exprs.extend(values);
        return Some(left.clone().project(exprs, names));
    }
    let (grouped, keys, values) = aggregate(right.clone(), args, functions)?;
    let form = (JoinKind::Left, JoinForm::Rows);
    let plan = joined(left.clone(), grouped, form, keys, Vec::new());
    exprs.extend(values.into_iter().map(|mut value| {
        value.map_columns(&|i| i + width);
        value
    }));
    Some(plan.project(exprs, names))
}

/// A lateral input whose columns are compared with those of the left.
fn by_keys(
    left: &Plan,
    right: &Plan,
    (kind, residual): (JoinKind, &Option<Expr>),
    args: &[Expr],
    functions: Functions,
) -> Option<Plan> {
    let width = left.schema.len();
    let pulled = pull(right.clone(), true, functions)?;
    if pulled.fails || pulled.keys.is_empty() {
        return None;
    }
    let keys = outer_keys(&pulled, args);
    let mut terms = outer_residual(pulled.residual, args, width);
    terms.extend(residual.clone());
    let kind = if kind == JoinKind::Cross { JoinKind::Inner } else { kind };
    Some(joined(left.clone(), pulled.plan, (kind, JoinForm::Rows), keys, terms))
}
