//! What a table is made of, and how its rows become columns.
//!
//! A [`TableDef`] is written over a row of the model; [`Table`] erases that row. Only the columns
//! that a scan asks for are computed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::catalog::{
    Absent, Batch, Catalog, Cell, ColumnBuilder, ColumnSpec, Example, Format, Hint, HintOp, Kinds,
    SourceKind, TableSpec, Ty, Unit,
};
use crate::model::{
    Condition, Emit, Fill, Flow, Logged, Parts, Progress, Source, Unanswered, Want,
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

/// What a scan may look at.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// The registry of tables and functions.
    pub catalog: &'a Catalog,
    /// The open sources in order.
    pub sources: &'a [NamedSource<'a>],
    /// Set from outside to end the query; looked at every few rows.
    pub cancelled: &'a AtomicBool,
    /// How far scans are, for progress displays.
    pub progress: &'a Progress,
}

/// What a query wants of a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanRequest<'a> {
    /// Indices into [`TableSpec::columns`], in the order wanted, without repetition.
    pub columns: &'a [usize],
    /// Conditions that every row of interest fulfils. A scan may leave out rows that do not, and
    /// may ignore them: the engine filters again.
    pub hints: &'a [Hint],
    /// How many rows are enough, if a limit applies to the scan itself.
    pub limit: Option<usize>,
}

/// The outcome of a scan.
#[derive(Debug, Default)]
pub struct Scan {
    /// The rows of all sources, in the order of the sources.
    pub batch: Batch,
    /// Sources that had nothing to say, by index, and why.
    pub unanswered: Vec<(usize, Unanswered)>,
}

/// Why a scan gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanError {
    /// No open source answers this table; one entry a source.
    NoSource(Vec<(usize, Unanswered)>),
    /// [`Cx::cancelled`] was set.
    Cancelled,
}

/// A table whose row type nobody needs to know.
pub trait Table: Send + Sync {
    /// The name.
    fn name(&self) -> &'static str;

    /// The specification. `several` says whether several sources are open, which makes the column
    /// `dump` visible.
    fn spec(&self, several: bool) -> TableSpec;

    /// Reads rows.
    fn scan(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError>;
}

/// Asks a source for rows that it may make side by side.
type ByParts<R> = fn(&dyn Source, &Want<'_>, &mut dyn Parts<R>) -> Result<(), Unanswered>;

/// Where a table's rows come from.
pub(crate) enum Rows<R> {
    /// From each source; such a table has the column `dump`.
    Source(fn(&dyn Source, &Want<'_>, Emit<'_, R>) -> Result<(), Unanswered>),
    /// From each source, which may make them side by side.
    Parts(ByParts<R>),
    /// From each source, with a look at the other tables.
    SourceAndCatalog(fn(&Cx<'_>, NamedSource<'_>, Emit<'_, R>) -> Result<(), Unanswered>),
    /// From the catalog alone.
    Catalog(fn(&Catalog, Emit<'_, R>)),
}

/// One table over rows of type `R`.
pub(crate) struct TableDef<R: 'static> {
    /// The name.
    pub name: &'static str,
    /// What one row is, and where rows come from.
    pub doc: &'static str,
    /// The debugger commands that it answers.
    pub answers: &'static str,
    /// The kinds of source that can fill it.
    pub kinds: Kinds,
    /// Queries to learn from.
    pub examples: &'static [Example],
    /// Where rows come from.
    pub rows: Rows<R>,
    /// The columns.
    pub columns: &'static [Column<R>],
}

/// One column: name, documentation and getter.
pub(crate) struct Column<R: 'static> {
    name: &'static str,
    doc: &'static str,
    format: Format,
    get: Get<R>,
}

/// How a column's value is had from a row; the variant gives the column's type.
pub(crate) enum Get<R: 'static> {
    /// `BOOLEAN`.
    Bool(fn(&R) -> Cell<bool>),
    /// `INTEGER`.
    Int(fn(&R) -> Cell<i64>),
    /// `VARCHAR`.
    Text(for<'a> fn(&'a R) -> Cell<&'a str>),
    /// `VARCHAR` that is put together for the row.
    Owned(fn(&R) -> Cell<String>),
    /// `ADDRESS`.
    Addr(fn(&R) -> Cell<u64>),
    /// `TIMESTAMP`, in microseconds since 1970 UTC.
    Time(fn(&R) -> Cell<i64>),
}

impl<R> Column<R> {
    /// A column shown as its type is.
    pub(crate) const fn new(name: &'static str, doc: &'static str, get: Get<R>) -> Self {
        Self { name, doc, format: Format::Plain, get }
    }

    /// An integer column shown in hex.
    pub(crate) const fn hex(name: &'static str, doc: &'static str, get: Get<R>) -> Self {
        Self { name, doc, format: Format::Hex, get }
    }
}

impl<R> Get<R> {
    const fn ty(&self) -> Ty {
        match self {
            Self::Bool(_) => Ty::Bool,
            Self::Int(_) => Ty::Int,
            Self::Text(_) | Self::Owned(_) => Ty::Text,
            Self::Addr(_) => Ty::Addr,
            Self::Time(_) => Ty::Time,
        }
    }

    fn push(&self, row: &R, into: &mut ColumnBuilder) {
        match self {
            Self::Bool(get) => into.push_bool(get(row)),
            Self::Int(get) | Self::Time(get) => into.push_int(get(row)),
            Self::Text(get) => into.push_text(get(row)),
            Self::Owned(get) => into.push_text(get(row).as_deref().map_err(|reason| *reason)),
            Self::Addr(get) => into.push_addr(get(row)),
        }
    }
}

const DUMP_COLUMN: &str = "dump";
const LOG_LINE: &str = "log_line";
const LOG_COMMAND: &str = "log_command";

/// A column as a scan computes it.
enum Slot<R: 'static> {
    /// Which source the row is from.
    Dump,
    /// One of the table's own.
    Own(&'static Column<R>),
    /// The line of the log.
    LogLine,
    /// The command of the log.
    LogCommand,
}

impl<R> Slot<R> {
    const fn ty(&self) -> Ty {
        match self {
            Self::Own(column) => column.get.ty(),
            Self::LogLine => Ty::Int,
            Self::Dump | Self::LogCommand => Ty::Text,
        }
    }
}

impl<R: Logged> Slot<R> {
    fn push(&self, dump: &str, row: &R, into: &mut ColumnBuilder) {
        let place = || row.log_place().ok_or(Absent::NotApplicable);
        match self {
            Self::Own(column) => column.get.push(row, into),
            Self::Dump => into.push_text(Ok(dump)),
            Self::LogLine => into.push_int(
                place().and_then(|p| i64::try_from(p.line).map_err(|_| Absent::Unreadable)),
            ),
            Self::LogCommand => into.push_text(place().map(|p| &*p.command)),
        }
    }
}

impl<R> TableDef<R> {
    const fn has_dump_column(&self) -> bool {
        !matches!(self.rows, Rows::Catalog(_))
    }

    fn has_log_columns(&self) -> bool {
        self.kinds.contains(&SourceKind::Log)
    }

    /// The column behind an index of the specification.
    fn slot(&self, index: usize) -> Option<Slot<R>> {
        let own = match (self.has_dump_column(), index) {
            (true, 0) => return Some(Slot::Dump),
            (true, _) => index - 1,
            (false, _) => index,
        };
        match own.checked_sub(self.columns.len()) {
            None => self.columns.get(own).map(Slot::Own),
            Some(0) if self.has_log_columns() => Some(Slot::LogLine),
            Some(1) if self.has_log_columns() => Some(Slot::LogCommand),
            Some(_) => None,
        }
    }

    fn scan_source(
        &self,
        cx: &Cx<'_>,
        named: NamedSource<'_>,
        want: &Want<'_>,
        rows: &mut dyn Parts<R>,
    ) -> Result<(), Unanswered> {
        let mut emit = |row| rows.row(row);
        match self.rows {
            Rows::Source(read) => read(named.source, want, &mut emit),
            Rows::SourceAndCatalog(read) => read(cx, named, &mut emit),
            Rows::Catalog(read) => {
                read(cx.catalog, &mut emit);
                Ok(())
            }
            Rows::Parts(read) => read(named.source, want, rows),
        }
    }
}

impl<R: Logged> Table for TableDef<R> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn spec(&self, several: bool) -> TableSpec {
        let dump = self.has_dump_column().then_some(ColumnSpec {
            name: DUMP_COLUMN,
            doc: "Which of the open sources the row is from; shown by `SELECT *` when there are several.",
            ty: Ty::Text,
            unit: Unit::None,
            format: Format::Plain,
            hidden: !several,
        });
        let own = self.columns.iter().map(|c| ColumnSpec {
            name: c.name,
            doc: c.doc,
            ty: c.get.ty(),
            unit: Unit::of_name(c.name),
            format: c.format,
            hidden: false,
        });
        let log = |name, doc, ty| ColumnSpec {
            name,
            doc,
            ty,
            unit: Unit::None,
            format: Format::Plain,
            hidden: true,
        };
        let log = self.has_log_columns().then(|| {
            [
                log(LOG_LINE, "Line of the log that the row stands on.", Ty::Int),
                log(LOG_COMMAND, "Command of the log whose output the row is in.", Ty::Text),
            ]
        });
        TableSpec {
            name: self.name,
            doc: self.doc,
            answers: self.answers,
            kinds: self.kinds,
            columns: dump.into_iter().chain(own).chain(log.into_iter().flatten()).collect(),
            examples: self.examples,
        }
    }

    fn scan(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        let columns: Vec<Slot<R>> =
            request.columns.iter().filter_map(|&index| self.slot(index)).collect();
        let nameless = [NamedSource { name: "", source: &Nothing }];
        let sources = if self.has_dump_column() { cx.sources } else { &nameless };
        let conditions = self.conditions(request.hints);
        let one = |named: &NamedSource<'_>, limit| {
            self.may_match(named.name, request.hints)
                .then(|| self.part(cx, *named, (&columns, &conditions), limit))
        };
        // With a limit, a source is read only if those before it gave too few rows.
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

/// No rows of these columns.
fn empty<R>(columns: &[Slot<R>]) -> Batch {
    Batch { columns: builders(columns).into_iter().map(ColumnBuilder::finish).collect(), rows: 0 }
}

fn builders<R>(columns: &[Slot<R>]) -> Vec<ColumnBuilder> {
    columns.iter().map(|slot| ColumnBuilder::new(slot.ty())).collect()
}

/// Rows of one source as columns.
struct Made<'a, R: 'static> {
    columns: &'a [Slot<R>],
    dump: &'a str,
    builders: Vec<ColumnBuilder>,
    rows: usize,
}

impl<'a, R: Logged> Made<'a, R> {
    fn of(columns: &'a [Slot<R>], dump: &'a str) -> Self {
        Self { columns, dump, builders: builders(columns), rows: 0 }
    }

    fn push(&mut self, row: &R) {
        for (column, builder) in self.columns.iter().zip(&mut self.builders) {
            column.push(self.dump, row, builder);
        }
        self.rows += 1;
    }

    fn append(&mut self, other: Self) {
        for (mine, theirs) in self.builders.iter_mut().zip(other.builders) {
            mine.append(theirs);
        }
        self.rows += other.rows;
    }
}

/// Receives the rows of one source until there are enough or the query is cancelled.
struct Receiver<'a, R: 'static> {
    cx: &'a Cx<'a>,
    limit: usize,
    made: Made<'a, R>,
}

impl<R: Logged> Receiver<'_, R> {
    fn is_done(&self) -> bool {
        self.made.rows >= self.limit || self.cx.cancelled.load(Ordering::Relaxed)
    }

    fn flow(&self, added: usize) -> Flow {
        self.cx.progress.add_rows(added);
        if self.made.rows >= self.limit { Flow::Break(()) } else { Flow::Continue(()) }
    }
}

impl<R: Logged> Parts<R> for Receiver<'_, R> {
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
        // Where a few rows are enough, those of one part may be.
        if count == 1 || self.limit < usize::MAX {
            for part in 0..count {
                let mut flow = Flow::Continue(());
                fill(part, &mut |row| {
                    if flow.is_continue() {
                        flow = self.row(row);
                    }
                });
                flow?;
            }
            return Flow::Continue(());
        }
        let make = |part| {
            let mut made = Made::of(columns, dump);
            fill(part, &mut |row| made.push(&row));
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

impl<R: Logged> TableDef<R> {
    /// The rows of one source.
    fn part(
        &self,
        cx: &Cx<'_>,
        named: NamedSource<'_>,
        (columns, conditions): (&[Slot<R>], &[Condition<'_>]),
        limit: usize,
    ) -> Result<Batch, Unanswered> {
        let own =
            |slot: &Slot<R>| if let Slot::Own(column) = slot { Some(column.name) } else { None };
        let names: Vec<&'static str> = columns.iter().filter_map(own).collect();
        let made = Made::of(columns, named.name);
        let mut rows = Receiver { cx, limit, made };
        let want = Want::only(&names).with(conditions).until(cx.cancelled).telling(cx.progress);
        self.scan_source(cx, named, &want, &mut rows)?;
        let Made { builders, rows, .. } = rows.made;
        Ok(Batch { columns: builders.into_iter().map(ColumnBuilder::finish).collect(), rows })
    }

    /// The hints on columns of the table's own, which sources know by their names.
    fn conditions<'a>(&self, hints: &'a [Hint]) -> Vec<Condition<'a>> {
        let condition = |hint: &'a Hint| match self.slot(hint.column) {
            Some(Slot::Own(column)) => Some(Condition { column: column.name, op: &hint.op }),
            _ => None,
        };
        hints.iter().filter_map(condition).collect()
    }

    /// Whether rows of the source of that name can fulfil the hints on the column `dump`.
    fn may_match(&self, name: &str, hints: &[Hint]) -> bool {
        let on_dump = hints.iter().filter(|h| self.has_dump_column() && h.column == 0);
        on_dump.into_iter().all(|hint| match &hint.op {
            HintOp::In(values) => values.iter().any(|v| v.as_text() == Some(name)),
            HintOp::Prefix(prefix) => name.starts_with(prefix.as_str()),
            HintOp::Range(..) => true,
        })
    }
}

/// The source behind tables that need none.
struct Nothing;

impl Source for Nothing {
    fn kind(&self) -> SourceKind {
        SourceKind::Log
    }

    fn machine(&self) -> crate::model::Machine {
        crate::model::Machine::default()
    }

    fn dump(&self, _: &Want<'_>) -> Result<crate::model::DumpInfo, Unanswered> {
        Err(Unanswered::KIND)
    }

    fn coverage(
        &self,
        _: &Want<'_>,
        _: Emit<'_, crate::model::CoverageRange>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    fn problems(&self, _: Emit<'_, crate::model::Problem>) {}
}

/// Borrows a text cell of a row.
pub(crate) fn text(cell: &Cell<String>) -> Cell<&str> {
    cell.as_deref().map_err(|reason| *reason)
}
