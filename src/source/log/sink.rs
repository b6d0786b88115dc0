//! Receives the rows of command readers, for whichever table is requested.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::sync::Arc;

use super::line::Line;
use crate::model::{Flow, LogPlace, Row, RowSink};

/// What is requested from the readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The rows of a type.
    Rows(TypeId),
    /// The number of rows, and the lines that were not recognised.
    Count,
}

impl Ask {
    /// The rows of type `R`.
    pub(super) fn of<R: Row>() -> Self {
        Self::Rows(TypeId::of::<R>())
    }
}

/// Receives rows of one type from readers that make rows of several types.
pub(super) trait Take {
    /// Receives a row: an `Option` of the row's type, from which it is taken. Rows of other types
    /// are ignored.
    fn take(&mut self, row: &mut dyn Any) -> Flow;
}

/// Passes on rows of type `R`.
pub(super) struct Only<'a, R>(pub(super) &'a mut dyn RowSink<R>);

impl<R: Row> Take for Only<'_, R> {
    fn take(&mut self, row: &mut dyn Any) -> Flow {
        match row.downcast_mut::<Option<R>>().and_then(Option::take) {
            Some(row) => self.0.row(row),
            None => Flow::Continue(()),
        }
    }
}

/// Wants no rows.
pub(super) struct NoRows;

impl Take for NoRows {
    fn take(&mut self, _: &mut dyn Any) -> Flow {
        Flow::Continue(())
    }
}

/// A line that was not recognised, or a finding about the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// The line.
    pub(super) line: u64,
    /// Its text, or what is wrong.
    pub(super) text: String,
    /// Whether it is a line of the log, and not a finding about it.
    pub(super) is_line: bool,
}

/// Receives what a reader finds in the output of one command.
pub(super) struct Sink<'a> {
    ask: Ask,
    command: Arc<str>,
    target: u32,
    stopped: &'a Cell<bool>,
    take: &'a mut dyn Take,
    /// Rows that were found, of all tables.
    pub(super) rows: u64,
    /// Their tables.
    pub(super) tables: Vec<&'static str>,
    /// What was not recognised; kept only on request.
    pub(super) unread: Vec<Unread>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        ask: Ask,
        (command, target): (Arc<str>, u32),
        stopped: &'a Cell<bool>,
        take: &'a mut dyn Take,
    ) -> Self {
        Self {
            ask,
            command,
            target,
            stopped,
            take,
            rows: 0,
            tables: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Whether rows of a type are wanted; a reader may skip expensive work for others.
    pub(super) fn wants<R: Row>(&self) -> bool {
        self.ask == Ask::of::<R>()
    }

    /// Counts a row that is not wanted, without making it.
    pub(super) fn pass<R: Row>(&mut self) {
        self.rows += 1;
        if !self.tables.contains(&R::TABLE) {
            self.tables.push(R::TABLE);
        }
    }

    /// Takes a row from a line.
    pub(super) fn row<R: Row>(&mut self, line: &Line<'_>, row: R) {
        self.row_at(line.number, row);
    }

    /// Takes a row that starts on the line with this number.
    pub(super) fn row_at<R: Row>(&mut self, line: u64, mut row: R) {
        self.pass::<R>();
        if self.wants::<R>() && !self.stopped.get() {
            let (command, target) = (Arc::clone(&self.command), self.target);
            row.set_log_place(LogPlace { line, command, target });
            if self.take.take(&mut Some(row)).is_break() {
                self.stopped.set(true);
            }
        }
    }

    /// Takes a line that was not recognised.
    pub(super) fn unread(&mut self, line: &Line<'_>) {
        if self.ask == Ask::Count && !line.is_blank() {
            let text = line.trimmed().to_owned();
            self.unread.push(Unread { line: line.number, text, is_line: true });
        }
    }

    /// Takes a finding: a statement of a line that does not match the rows of its table.
    pub(super) fn doubt(&mut self, line: &Line<'_>, text: impl Into<String>) {
        if self.ask == Ask::Count {
            self.unread.push(Unread { line: line.number, text: text.into(), is_line: false });
        }
    }
}
