//! Plans to results, on polars.
//!
//! The only room, with `export`, that names polars. It resolves no names and knows no grammar.
//! One file an operator; expressions are evaluated under `eval`, aggregates under `aggregate`.

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
pub use mem_table::MemTable;
pub use registry::{Registry, Taken};
pub use result::{ColumnView, Field, Footnote, FromValue, ResultSet, Row, Unread};
pub use stacked::Stacked;

use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::func::FuncCx;
use crate::plan::Planned;
use crate::table;

/// What a query runs against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The sources and what is known of tables and functions; the flag that cancels.
    pub tables: table::Cx<'a>,
    /// The code of tables and functions.
    pub registry: &'a Registry,
    /// Tables of rows that the program added; they hide virtual tables with the same name.
    pub attached: &'a [Arc<MemTable>],
    /// What functions may look at.
    pub functions: FuncCx<'a>,
    /// How many bytes joins and functions may make of rows and texts, with what they need at the
    /// same time.
    pub memory: usize,
    /// Whether a value that cannot be read (all reasons but "not applicable") is an error.
    pub strict: bool,
    /// Tables that count as empty if no open source answers them, as long as another is answered.
    pub optional: &'a [String],
}

/// Runs a plan.
///
/// # Errors
/// E03xx, with the place in the query where it applies; E0206 for a pattern that is none.
pub fn run(plan: &Planned, cx: &Context<'_>) -> Result<ResultSet, Diagnostic> {
    match plan {
        Planned::Query(plan) => engine::Engine::new(cx, false).result(plan),
        Planned::Analyze(plan) => analyze::run(plan, cx),
    }
}
