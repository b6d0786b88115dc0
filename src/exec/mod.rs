//! Plans to results, on polars.
//!
//! The only room, with `export`, that names polars. It resolves no names and knows no grammar.

mod result;

pub use result::{ColumnView, Field, Footnote, ResultSet, Row};

use crate::diag::{Code, Diagnostic};
use crate::func::FuncCx;
use crate::plan::Planned;
use crate::table;

/// What a query runs against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The sources and the registry; the flag that cancels.
    pub tables: table::Cx<'a>,
    /// What functions may look at.
    pub functions: FuncCx<'a>,
    /// Whether a value that cannot be read (all reasons but "not applicable") is an error.
    pub strict: bool,
}

/// Runs a plan.
///
/// # Errors
/// E03xx, with the place in the query where it applies.
pub fn run(plan: &Planned, cx: &Context<'_>) -> Result<ResultSet, Diagnostic> {
    let _ = (plan, cx);
    Err(Diagnostic::new(Code::Internal, "the engine is not there"))
}
