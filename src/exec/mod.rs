//! Runs plans and returns results, on polars.
//!
//! Only this module and `export` name polars. It resolves no names and knows no grammar. Each
//! operator has its own file; expressions are evaluated under `eval`, aggregates under `aggregate`.

mod aggregate;
mod analyze;
mod arrow;
mod arrow_columns;
mod budget;
mod buffers;
mod call;
mod col;
mod distinct;
mod engine;
mod eval;
mod filter;
mod frame;
mod from_value;
mod join;
mod keys;
mod limit;
mod mem_table;
mod order;
mod project;
mod recursive;
mod registry;
mod result;
mod scan;
mod setop;
mod sort;
mod stacked;
#[cfg(test)]
mod tests;
mod unnest;
mod uses;
mod values;
mod window;

pub use aggregate::{Accumulator, Aggregate, aggregates};
pub use arrow_columns::{ArrowBatches, ArrowColumns, ArrowTable, struct_array};
pub use call::Lookups;
pub use from_value::FromValue;
pub use mem_table::MemTable;
pub use registry::{Registry, Taken};
pub use result::{ColumnView, Field, Footnote, ResultSet, Row, Unread};
pub use stacked::Stacked;

use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::func::FuncCx;
use crate::plan::Planned;
use crate::table;

/// What a query runs against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The sources, the limits of tables and functions, and the cancellation flag.
    pub tables: table::Cx<'a>,
    /// Tables and functions.
    pub registry: &'a Registry,
    /// Tables of rows that the program added; they hide virtual tables with the same name.
    pub attached: &'a [Arc<MemTable>],
    /// The session state that functions can read.
    pub functions: FuncCx<'a>,
    /// The memory limit in bytes for rows and values of the query, including
    /// intermediate results.
    pub memory: usize,
    /// Whether a value that cannot be read (any reason but "not applicable") is an error.
    pub strict: bool,
    /// Tables that count as empty if no open source answers them, as long as another table is
    /// answered.
    pub optional: &'a [String],
}

/// Runs a plan.
///
/// # Errors
///
/// E03xx, with the position in the query where it applies; E0206 for an invalid pattern.
pub fn run(plan: &Planned, cx: &Context<'_>) -> Result<ResultSet, Diagnostic> {
    match plan {
        Planned::Query(plan) => engine::Engine::new(cx, false).result(plan),
        Planned::Analyze(plan) => analyze::run(plan, cx),
    }
}
