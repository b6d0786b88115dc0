//! Converts rows to columns: the request for a scan, and its result.
//!
//! Only the columns that the query needs are computed.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::def::{Column, Rows, Slot, TableDef};
use crate::catalog::{Batch, Catalog, ColumnBuilder, Hint, HintOp, SourceKind};
use crate::model::{
    Answers, Condition, Control, Emit, Fill, Flow, Machine, Progress, Row, RowSink, Source,
    Unanswered, Want, in_turn,
};

/// An open source and the name that the column `dump` gives it.
#[derive(Clone, Copy)]
pub struct NamedSource<'a> {
    /// The name, unique among the open sources.
    pub name: &'a str,
    /// The source.
    pub source: &'a dyn Source,
}

impl fmt::Debug for NamedSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedSource").field(&self.name).finish()
    }
}

/// The environment of a scan.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// The registry of tables and functions.
    pub catalog: &'a Catalog,
    /// The open sources in order.
    pub sources: &'a [NamedSource<'a>],
    /// Set by another thread to cancel the query; checked every few rows.
    pub cancelled: &'a AtomicBool,
    /// The progress of scans, for progress displays.
    pub progress: &'a Progress,
    /// How many bytes the rows of a scan may take; [`usize::MAX`] for any number.
    pub room: usize,
}

impl Cx<'_> {
    /// Whether the query was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// What a query needs of a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanRequest<'a> {
    /// Indices into [`TableSpec::columns`](crate::catalog::TableSpec::columns), in the order wanted, without repetition.
    pub columns: &'a [usize],
    /// Conditions that every needed row satisfies. A scan may leave out rows that do not satisfy
    /// them, and may ignore the conditions, because the engine filters again.
    pub hints: &'a [Hint],
    /// How many rows are enough, if a limit applies to the scan itself.
    pub limit: Option<usize>,
}

/// The outcome of a scan.
#[derive(Debug, Default)]
pub struct Scan {
    /// The rows of all sources, in the order of the sources.
    pub batch: Batch,
    /// Sources without an answer, by index, with the reason.
    pub unanswered: Vec<(usize, Unanswered)>,
}

impl Scan {
    /// The rows of a table that needs no source.
    pub const fn of(batch: Batch) -> Self {
        Self { batch, unanswered: Vec::new() }
    }
}

/// Why a scan failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// No open source answers this table; one entry per source.
    NoSource(Vec<(usize, Unanswered)>),
    /// [`Cx::cancelled`] was set.
    Cancelled,
    /// A table of the host program could not provide its rows; the text says why.
    Failed(String),
    /// The rows take more than [`Cx::room`]; so many were made until then.
    TooMany(usize),
}

/// What the rows of a scan take so far, over all sources and threads.
#[derive(Debug, Default)]
struct Taken {
    bytes: AtomicUsize,
    rows: AtomicUsize,
    is_over: AtomicBool,
}

/// How many rows of one part are made before their size is counted.
const UNCOUNTED: usize = 256;

impl<R: Row> TableDef<R> {
    /// Reads rows of all sources.
    pub(super) fn read(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        let columns: Vec<Slot<R>> =
            request.columns.iter().filter_map(|&index| self.slot(index)).collect();
        let nameless = [NamedSource { name: "", source: &Nothing }];
        let sources = if self.has_dump_column() { cx.sources } else { &nameless };
        let conditions = self.conditions(request.hints);
        let taken = Taken::default();
        let one = |named: &NamedSource<'_>, limit| {
            self.may_match(named.name, request.hints)
                .then(|| self.part((cx, &taken), *named, (&columns, &conditions), limit))
        };
        // With a limit, a source is read only if the sources before it returned too few rows.
        let parts: Vec<Option<Result<Batch, Unanswered>>> = match request.limit {
            None => sources.par_iter().map(|named| one(named, usize::MAX)).collect(),
            Some(limit) => {
                let mut left = limit;
                let mut each = |named| {
                    let part = if left > 0 { one(named, left) } else { None };
                    left -=
                        part.as_ref().and_then(|p| p.as_ref().ok()).map_or(0, |b| b.rows).min(left);
                    part
                };
                sources.iter().map(&mut each).collect()
            }
        };
        if cx.cancelled.load(Ordering::Relaxed) {
            return Err(ScanError::Cancelled);
        }
        if taken.is_over.load(Ordering::Relaxed) {
            return Err(ScanError::TooMany(taken.rows.load(Ordering::Relaxed)));
        }
        let mut scan = Scan { batch: empty(&columns), unanswered: Vec::new() };
        let mut answered = false;
        for (index, part) in parts.into_iter().enumerate() {
            match part {
                Some(Err(why)) => scan.unanswered.push((index, why)),
                Some(Ok(batch)) => {
                    answered = true;
                    scan.batch.append(batch);
                }
                None => answered = true,
            }
        }
        if answered { Ok(scan) } else { Err(ScanError::NoSource(scan.unanswered)) }
    }
}

/// No rows with these columns.
fn empty<R: Row>(columns: &[Slot<R>]) -> Batch {
    Batch { columns: builders(columns).into_iter().map(ColumnBuilder::finish).collect(), rows: 0 }
}

fn builders<R: Row>(columns: &[Slot<R>]) -> Vec<ColumnBuilder> {
    columns.iter().map(|slot| ColumnBuilder::new(slot.ty())).collect()
}

/// Rows of one source as columns.
struct Made<'a, R: Row> {
    columns: &'a [Slot<R>],
    dump: &'a str,
    builders: Vec<ColumnBuilder>,
    rows: usize,
    taken: &'a Taken,
    room: usize,
    /// The rows and bytes that are counted in `taken`.
    counted: (usize, usize),
}

impl<'a, R: Row> Made<'a, R> {
    fn of(columns: &'a [Slot<R>], dump: &'a str, taken: &'a Taken, room: usize) -> Self {
        let builders = builders(columns);
        Self { columns, dump, builders, rows: 0, taken, room, counted: (0, 0) }
    }

    fn push(&mut self, row: &R) {
        if self.is_over() {
            return;
        }
        for (column, builder) in self.columns.iter().zip(&mut self.builders) {
            column.push(self.dump, row, builder);
        }
        self.rows += 1;
        if self.rows.is_multiple_of(UNCOUNTED) {
            self.count();
        }
    }

    /// Whether the rows of all parts are too many.
    fn is_over(&self) -> bool {
        self.taken.is_over.load(Ordering::Relaxed)
    }

    /// Counts the rows that were made since the last time.
    fn count(&mut self) {
        let bytes = self.builders.iter().map(ColumnBuilder::bytes).sum::<usize>();
        let (rows_before, bytes_before) = self.counted;
        self.counted = (self.rows, bytes);
        let more = bytes.saturating_sub(bytes_before);
        let all = self.taken.bytes.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        self.taken.rows.fetch_add(self.rows - rows_before, Ordering::Relaxed);
        if all > self.room {
            self.taken.is_over.store(true, Ordering::Relaxed);
        }
    }

    fn append(&mut self, other: Self) {
        for (mine, theirs) in self.builders.iter_mut().zip(other.builders) {
            mine.append(theirs);
        }
        self.rows += other.rows;
        self.counted.0 += other.counted.0;
        self.counted.1 = self.counted.1.saturating_add(other.counted.1);
    }
}

/// Receives the rows of one source until there are enough or the query is cancelled.
struct Receiver<'a, R: Row> {
    cx: &'a Cx<'a>,
    limit: usize,
    made: Made<'a, R>,
}

impl<R: Row> Receiver<'_, R> {
    fn is_done(&self) -> bool {
        self.made.rows >= self.limit
            || self.made.is_over()
            || self.cx.cancelled.load(Ordering::Relaxed)
    }

    fn flow(&self, added: usize) -> Flow {
        self.cx.progress.add_rows(added);
        let is_done = self.made.rows >= self.limit || self.made.is_over();
        if is_done { Flow::Break(()) } else { Flow::Continue(()) }
    }
}

impl<R: Row> RowSink<R> for Receiver<'_, R> {
    fn row(&mut self, row: R) -> Flow {
        if self.is_done() {
            return Flow::Break(());
        }
        self.made.push(&row);
        self.flow(1)
    }

    fn parts(&mut self, count: usize, fill: Fill<'_, R>) -> Flow {
        if self.is_done() {
            return Flow::Break(());
        }
        let (columns, dump) = (self.made.columns, self.made.dump);
        // If a few rows are enough, the first part may have them.
        if count == 1 || self.limit < usize::MAX {
            return in_turn(self, count, fill);
        }
        let (taken, room) = (self.made.taken, self.made.room);
        let make = |part| {
            let mut made = Made::of(columns, dump, taken, room);
            if !made.is_over() {
                fill(part, &mut |row| made.push(&row));
                made.count();
            }
            made
        };
        let made: Vec<Made<'_, R>> = (0..count).into_par_iter().map(make).collect();
        let before = self.made.rows;
        for part in made {
            self.made.append(part);
        }
        self.flow(self.made.rows - before)
    }
}

impl<R: Row> TableDef<R> {
    /// The rows of one source.
    fn part(
        &self,
        (cx, taken): (&Cx<'_>, &Taken),
        named: NamedSource<'_>,
        (columns, conditions): (&[Slot<R>], &[Condition<'_, R>]),
        limit: usize,
    ) -> Result<Batch, Unanswered> {
        let needs = columns.iter().filter_map(Slot::own).flat_map(Column::needs);
        let control = Control::NONE.until(cx.cancelled).telling(cx.progress);
        let want = Want::of(needs).with(conditions).by(control);
        let made = Made::of(columns, named.name, taken, cx.room);
        let mut rows = Receiver { cx, limit, made };
        self.read_source(cx, named, &want, &mut rows)?;
        rows.made.count();
        let Made { builders, rows, .. } = rows.made;
        Ok(Batch { columns: builders.into_iter().map(ColumnBuilder::finish).collect(), rows })
    }

    fn read_source(
        &self,
        cx: &Cx<'_>,
        named: NamedSource<'_>,
        want: &Want<'_, R>,
        emit: Emit<'_, R>,
    ) -> Result<(), Unanswered> {
        match self.rows {
            Rows::Source => named.source.answers().read(want, emit),
            Rows::SourceAndCatalog(read) => read(cx, named, emit),
            Rows::Catalog(read) => {
                read(cx.catalog, emit);
                Ok(())
            }
        }
    }

    /// The hints on columns of the row, which sources can use.
    fn conditions<'a>(&self, hints: &'a [Hint]) -> Vec<Condition<'a, R>> {
        let condition = |hint: &'a Hint| {
            let column = self.slot(hint.column)?.own()?.id()?;
            Some(Condition { column, op: &hint.op })
        };
        hints.iter().filter_map(condition).collect()
    }

    /// Whether rows of the source with this name can satisfy the hints on the column `dump`.
    fn may_match(&self, name: &str, hints: &[Hint]) -> bool {
        let on_dump = hints.iter().filter(|h| self.has_dump_column() && h.column == 0);
        on_dump.into_iter().all(|hint| match &hint.op {
            HintOp::In(values) => values.iter().any(|v| v.as_text() == Some(name)),
            HintOp::Prefix(prefix) => name.starts_with(prefix.as_str()),
            HintOp::Range(..) => true,
        })
    }
}

/// The source for tables that need none.
struct Nothing;

impl Source for Nothing {
    fn kind(&self) -> SourceKind {
        SourceKind::Host
    }

    fn machine(&self) -> Machine {
        Machine::default()
    }

    fn answers(&self) -> &Answers {
        static NONE: Answers = Answers::none();
        &NONE
    }
}
