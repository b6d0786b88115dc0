//! Syntax tree to typed logical plan.
//!
//! Names are resolved against the catalog, every expression gets its type, constants are folded,
//! conditions become scan hints, and unused columns are removed. Nothing here reads a dump, handles
//! rows or uses polars.

mod bind;
mod convert;
mod defined;
mod explain;
mod expr;
mod fold;
mod params;
mod rel;
mod render;
mod rewrite;
mod shared;
#[cfg(test)]
mod tests;
mod walk;
mod window;

pub use defined::{Definitions, Macro, View};
pub use expr::{AggregateCall, Each, EachWork, Expr, ExprKind, QueryKind, SortKey, SubQuery};
pub use params::{Depends, Known};
pub use rel::{Field, JoinForm, Plan, Planned, Rel, ScanColumn, Scanned, TableCall};
pub use window::{Frame, FrameBound, WindowCall, WindowKind};

/// The operators of plans, which are those of the syntax tree.
pub use crate::lang::ast::{BinaryOp, Exclude, FrameUnit, JoinKind, MatchOp, SetOp};

use std::collections::BTreeMap;

use crate::catalog::{Catalog, TableFunctions, Value};
use crate::diag::Diagnostic;
use crate::lang::ast::{Statement, StatementKind};

/// Values of query parameters by name, without the `$`.
pub type Params = BTreeMap<String, Value<'static>>;

/// The value of a parameter; the name may differ in case.
pub fn parameter<'p>(params: &'p Params, name: &str) -> Option<&'p Value<'static>> {
    params
        .get(name)
        .or_else(|| params.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

/// What planning asks the sources: the columns of table functions, and the values for which a PIVOT
/// creates columns.
pub trait Lookup: TableFunctions {
    /// The texts in the only column of a plan.
    ///
    /// # Errors
    /// As for running it.
    fn texts(&self, plan: Plan) -> Result<Vec<String>, Diagnostic>;

    /// The number of rows of a table; `None` if that is only known by reading it.
    fn rows(&self, _table: &str) -> Option<usize> {
        None
    }

    /// Roughly the number of different values of a column of a table; `None` if it is not known.
    fn distinct(&self, _table: &str, _column: usize) -> Option<usize> {
        None
    }
}

/// Converts a statement to a plan. `calls` knows the columns of table functions; `definitions` are
/// those of earlier statements.
///
/// # Errors
///
/// All errors of the statement, at least one diagnostic.
pub fn bind(
    statement: &Statement,
    catalog: &Catalog,
    calls: &dyn Lookup,
    params: &Params,
    definitions: &Definitions,
) -> Result<Planned, Vec<Diagnostic>> {
    let (plan, shared) = bind::statement(statement, catalog, calls, params, definitions)?;
    let functions = rewrite::Functions { row_number: catalog.function("row_number") };
    let plan = rewrite::plan(plan, shared, functions, calls);
    Ok(match statement.kind {
        StatementKind::Explain { analyze: true, .. } => Planned::Analyze(plan),
        StatementKind::Explain { .. } => {
            Planned::Query(explain::rows(&plan, catalog, statement.span))
        }
        _ => Planned::Query(plan),
    })
}
