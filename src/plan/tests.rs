//! Goldens: the plans of queries, and the errors of invalid queries.

#![allow(clippy::needless_raw_string_hashes, reason = "the format of expect-test")]

mod catalog;
mod errors;
mod explain;
mod hostile;

use crate::catalog::Value;
use crate::diag::render_text;
use crate::lang;
use crate::plan::{Definitions, Expr, Params, Plan, Planned, Rel, bind};

/// The parameters that all tests give.
fn params() -> Params {
    [
        ("state".to_owned(), Value::text("Waiting")),
        ("least".to_owned(), Value::text("5")),
        ("n".to_owned(), Value::Int(3)),
    ]
    .into()
}

/// The plan of a query, or its errors.
fn planned(sql: &str) -> Result<Plan, String> {
    let statements = lang::parse(sql).map_err(|d| render_text(&d, sql, None, false))?;
    let statement = statements.first().ok_or("no statement")?;
    match bind(statement, &catalog::catalog(), &catalog::Calls, &params(), &Definitions::default())
    {
        Ok(Planned::Query(plan) | Planned::Analyze(plan)) => Ok(plan),
        Err(errors) => {
            let each = errors.iter().map(|d| render_text(d, sql, None, false));
            Err(each.collect::<Vec<_>>().join("\n\n"))
        }
    }
}

/// The constant rows of a plan as text.
fn constants(plan: &Plan) -> String {
    let Rel::Values { rows } = &plan.rel else { return "no constants".to_owned() };
    let cell = |e: &Expr| e.as_literal().map_or_else(String::new, super::tests::text);
    let line = |row: &Vec<Expr>| row.iter().map(cell).collect::<Vec<_>>().join(" | ");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn text(value: &Value<'static>) -> String {
    crate::catalog::Format::Plain.render(value, crate::catalog::PointerWidth::Bits64)
}

/// EXPLAIN of a query and the types of its columns, or its errors.
fn explained(sql: &str) -> String {
    let plan = match planned(sql) {
        Ok(plan) => plan,
        Err(text) => return text,
    };
    let lines = match planned(&format!("EXPLAIN {sql}")) {
        Ok(plan) => constants(&plan),
        Err(text) => return text,
    };
    let types: Vec<String> = plan.schema.iter().map(|f| format!("{} {}", f.name, f.ty)).collect();
    format!("({})\n{lines}", types.join(", "))
}
