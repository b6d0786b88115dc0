//! Table functions: who gives the columns and the rows of a call.

use std::sync::Arc;

use super::engine::Engine;
use crate::catalog::{Batch, CallColumn, CallError, FunctionSpec, TableFunctions, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::func::{Series, table_function};
use crate::plan::TableCall;
use crate::table::{self, CallRows, Cx};

/// The table functions of the open sources, and those that need none.
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a>(pub &'a Cx<'a>);

impl TableFunctions for Calls<'_> {
    fn describe(
        &self,
        function: &'static FunctionSpec,
        args: &[Value<'static>],
    ) -> Result<Vec<CallColumn>, CallError> {
        match table_function(function.name).and_then(|f| f.series) {
            Some(series) => {
                series.check(args)?;
                Ok(Series::columns(function.name, args))
            }
            None => table::call_columns(self.0, function.name, args),
        }
    }
}

impl Engine<'_> {
    /// The rows of a call.
    pub(super) fn call_rows(
        &self,
        span: Span,
        call: &Arc<TableCall>,
        wanted: &[usize],
        limit: Option<usize>,
    ) -> Result<Batch, Diagnostic> {
        let (cx, name) = (&self.cx.tables, call.function.name);
        let batch = match table_function(name).and_then(|f| f.series) {
            Some(series) => {
                let mut rows = CallRows::new(cx, &call.columns, wanted, limit);
                let run = series.run(&call.args, &mut |value| rows.push(|_| Ok(value.clone())));
                run.and_then(|()| rows.finish())
            }
            None => table::call_rows(cx, (name, &call.args), &call.columns, wanted, limit),
        };
        batch.map_err(|error| match error {
            CallError::Cancelled => Diagnostic::new(Code::Cancelled, "the query was cancelled"),
            CallError::Limit(message) => Diagnostic::at(Code::Limit, span, message)
                .help("take fewer with LIMIT, or with narrower arguments"),
            CallError::Argument { message, .. } => {
                Diagnostic::at(Code::BadArguments, span, message)
            }
            CallError::NoSource(_) => {
                Diagnostic::at(Code::NoSource, span, format!("no open source answers `{name}`"))
            }
        })
    }
}
