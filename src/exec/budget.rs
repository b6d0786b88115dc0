//! What a query may take: the rows of operators that wait for others, what is kept until it ends, and
//! what an operator is about to make.

use std::sync::atomic::Ordering;

use super::buffers::Buffers;
use super::col::Col;
use super::engine::Engine;
use super::frame::Frame;
use crate::diag::{Code, Diagnostic, Span};
use crate::plan::{Plan, Rel};

/// The most rows that one operator may yield.
const MAX_ROWS: usize = 200_000_000;

impl Engine<'_> {
    /// Counts rows that are kept until the query ends.
    pub(super) fn keep(&self, frame: &Frame) {
        let bytes = self.state().buffers.add(&frame.cols);
        self.run.kept.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Rows that belong to the session do not count.
    pub(super) fn lend(&self, frame: &Frame) {
        self.state().buffers.add(&frame.cols);
    }

    /// How many more bytes there may be.
    pub(super) fn room(&self) -> usize {
        let held = self.run.held.load(Ordering::Relaxed);
        let kept = self.run.kept.load(Ordering::Relaxed);
        self.cx.memory.saturating_sub(held.saturating_add(kept))
    }

    /// Fails when a join is about to yield more rows than there is room for.
    pub(super) fn check_size(
        &self,
        span: Span,
        rows: usize,
        bytes_per_row: usize,
    ) -> Result<(), Diagnostic> {
        let bytes = rows.saturating_mul(bytes_per_row.max(8));
        if rows > MAX_ROWS {
            let message = format!("the join yields {rows} rows, more than the limit of {MAX_ROWS}");
            return Err(Diagnostic::at(Code::Limit, span, message).help(NARROWER));
        }
        self.check_room(span, bytes).map_err(|error| {
            let (mib, limit) = (bytes >> 20, self.cx.memory >> 20);
            let message = format!(
                "the join yields {rows} rows of about {mib} MiB, more than the query's {limit} MiB leave room for"
            );
            if error.code == Code::Limit { Diagnostic { message, ..error }.help(NARROWER) } else { error }
        })
    }

    /// Accounts for text that a function made; it counts until the operator is done.
    pub(super) fn make(&self, span: Span, bytes: usize) -> Result<(), Diagnostic> {
        // The values and the column that is made of them.
        self.run.held.fetch_add(bytes.saturating_mul(2), Ordering::Relaxed);
        self.check_room(span, 0)
    }

    /// Counts a column that an operator made; it counts until the operator is done.
    pub(super) fn hold(&self, span: Span, col: &Col) -> Result<(), Diagnostic> {
        let bytes = Buffers::default().add(std::slice::from_ref(col));
        self.run.held.fetch_add(bytes, Ordering::Relaxed);
        self.check_room(span, 0)
    }

    /// Fails if this many more bytes exceed the query's memory limit, or if it was cancelled.
    pub(super) fn check_room(&self, span: Span, bytes: usize) -> Result<(), Diagnostic> {
        self.check_room_for(bytes).map_err(|error| Diagnostic { span: Some(span), ..error })
    }

    pub(super) fn check_room_for(&self, bytes: usize) -> Result<(), Diagnostic> {
        let held = self.run.held.load(Ordering::Relaxed);
        let kept = self.run.kept.load(Ordering::Relaxed);
        if held.saturating_add(kept).saturating_add(bytes) <= self.cx.memory {
            return self.check_cancelled();
        }
        Err(Diagnostic::new(Code::Limit, self.too_large("values")).help(MORE))
    }

    pub(super) fn too_large(&self, what: &str) -> String {
        format!("the {what} need more than the query's {} MiB", self.cx.memory >> 20)
    }

    /// Fails if the rows of an operator, with all that is held and kept beside them, are too large.
    pub(super) fn check_rows(&self, plan: &Plan) -> Result<(), Diagnostic> {
        self.check_room(plan.span, 0).map_err(|error| {
            let message = self.too_large(&format!("rows of {}", name(&plan.rel)));
            if error.code == Code::Limit { Diagnostic { message, ..error } } else { error }
        })
    }
}

/// What messages call an operator.
const fn name(rel: &Rel) -> &'static str {
    match rel {
        Rel::Scan { .. } => "a table",
        Rel::Values { .. } => "VALUES",
        Rel::Filter { .. } => "WHERE",
        Rel::Project { .. } => "SELECT",
        Rel::Join { .. } => "JOIN",
        Rel::Aggregate { .. } => "GROUP BY",
        Rel::Window { .. } => "window functions",
        Rel::Unnest { .. } => "unnest",
        Rel::Distinct { .. } => "DISTINCT",
        Rel::Sort { .. } => "ORDER BY",
        Rel::Limit { .. } => "LIMIT",
        Rel::SetOp { .. } => "UNION, INTERSECT or EXCEPT",
        Rel::Shared { .. } => "WITH",
        Rel::Recursive { .. } | Rel::Working { .. } => "WITH RECURSIVE",
    }
}

const NARROWER: &str =
    "join on a condition that fewer pairs of rows fulfil, or filter the inputs first";
const MORE: &str = "--memory gives a query more";
