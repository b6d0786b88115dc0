//! Table functions: finds the source of the columns and rows of a call.

use std::sync::Arc;

use super::engine::Engine;
use super::{Context, MemTable, Registry};
use crate::catalog::{Batch, CallColumn, CallError, FunctionSpec, TableFunctions, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::func::{Refused, Series, TableCode};
use crate::plan::{Lookup, Plan, Planned, TableCall};
use crate::table::{self, CallRows, Cx};

/// The error for a call that a host's function refuses.
fn refused(refused: Refused) -> CallError {
    match refused {
        Refused::Argument { index, message, candidates } => {
            CallError::Argument { index, message, candidates }
        }
        Refused::Unanswered(why) => CallError::NoSource(why.because.into_iter().collect()),
    }
}

/// The table functions of the open sources, and those that need none.
#[derive(Debug, Clone, Copy)]
struct Calls<'a>(&'a Cx<'a>, &'a Registry);

/// Answers the planner's questions to the open sources, within the limits of a query.
#[derive(Debug, Clone, Copy)]
pub struct Lookups<'a>(pub &'a Context<'a>);

impl TableFunctions for Lookups<'_> {
    fn describe(
        &self,
        function: &'static FunctionSpec,
        args: &[Value<'static>],
    ) -> Result<Vec<CallColumn>, CallError> {
        Calls(&self.0.tables, self.0.registry).describe(function, args)
    }
}

impl Lookup for Lookups<'_> {
    fn texts(&self, plan: Plan) -> Result<Vec<String>, Diagnostic> {
        let result = super::run(&Planned::Query(plan), self.0)?;
        let text = |row| result.value(row, 0).as_text().map(str::to_owned);
        Ok((0..result.len()).filter_map(text).collect())
    }

    fn rows(&self, table: &str) -> Option<usize> {
        Some(self.attached(table)?.rows())
    }

    fn distinct(&self, table: &str, column: usize) -> Option<usize> {
        self.attached(table)?.distinct(column)
    }
}

impl Lookups<'_> {
    fn attached(&self, table: &str) -> Option<&MemTable> {
        self.0.attached.iter().find(|t| t.spec().name == table).map(AsRef::as_ref)
    }
}

impl TableFunctions for Calls<'_> {
    fn describe(
        &self,
        function: &'static FunctionSpec,
        args: &[Value<'static>],
    ) -> Result<Vec<CallColumn>, CallError> {
        match self.1.table_function(function.name).map(|f| &f.code) {
            Some(TableCode::Series(series)) => {
                series.check(args)?;
                Ok(Series::columns(function.name, args))
            }
            Some(TableCode::Host(code)) => Ok(code(args).map_err(refused)?.columns),
            Some(TableCode::Sources) | None => table::call_columns(self.0, function.name, args),
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
        let cx = &Cx { room: self.room(), ..self.cx.tables };
        let name = call.function.name;
        let batch = match self.cx.registry.table_function(name).map(|f| &f.code) {
            Some(TableCode::Series(series)) => {
                let mut rows = CallRows::new(cx, &call.columns, wanted, limit);
                let run = series.run(&call.args, &mut |value| rows.push(|_| Ok(value.clone())));
                run.and_then(|()| rows.finish())
            }
            Some(TableCode::Host(code)) => code(&call.args).map_err(refused).and_then(|table| {
                let mut rows = CallRows::new(cx, &call.columns, wanted, limit);
                rows.take(table);
                rows.finish()
            }),
            Some(TableCode::Sources) | None => {
                table::call_rows(cx, (name, &call.args), &call.columns, wanted, limit)
            }
        };
        batch.map_err(|error| match error {
            CallError::Cancelled => Diagnostic::new(Code::Cancelled, "the query was cancelled"),
            CallError::Limit(message) => Diagnostic::at(Code::Limit, span, message).help(
                "take fewer with LIMIT, or with narrower arguments; --memory gives a query more",
            ),
            CallError::Argument { message, .. } => {
                Diagnostic::at(Code::BadArguments, span, message)
            }
            CallError::NoSource(_) => {
                Diagnostic::at(Code::NoSource, span, format!("no open source answers `{name}`"))
            }
        })
    }
}
