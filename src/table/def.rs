//! The definition of a table.
//!
//! A [`TableDef`] is written for a row of the model; [`Table`] erases the row type. The module
//! `scan` converts rows to columns.

use std::fmt;

use super::scan::{Cx, NamedSource, Scan, ScanError, ScanRequest};
use crate::catalog::{
    Absent, Catalog, Cell, ColumnBuilder, ColumnSpec, Example, Format, Kinds, SourceKind,
    TableSpec, Ty, Unit,
};
use crate::model::{ColumnId, ColumnsOf, Emit, OfRow, Row, Unanswered};

/// A table without its row type.
pub trait Table: Send + Sync {
    /// The name.
    fn name(&self) -> &'static str;

    /// The specification. `several` says whether several sources are open, which makes the column
    /// `dump` visible.
    fn spec(&self, several: bool) -> TableSpec;

    /// Reads rows.
    ///
    /// # Errors
    /// If no source answers, or the query was cancelled.
    fn scan(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError>;
}

/// The source of a table's rows.
pub enum Rows<R: Row> {
    /// The provider that each source has registered for the row type. Such a table has the column
    /// `dump`.
    Source,
    /// Each source, with access to the other tables.
    SourceAndCatalog(fn(&Cx<'_>, NamedSource<'_>, Emit<'_, R>) -> Result<(), Unanswered>),
    /// The catalog alone.
    Catalog(fn(&Catalog, Emit<'_, R>)),
}

/// A table over rows of type `R`, whose name is [`Row::TABLE`].
///
/// Schema, projection, completion and documentation follow from it. A scan computes only the
/// columns that a query needs, and tells each source which fields of the row they need and which
/// conditions hold on them; with [`Rows::Source`] it asks each source for its provider of `R`. A
/// table whose `kinds` include debugger logs has the hidden columns `log_line` and `log_command`; a
/// table that sources fill has the column `dump`.
pub struct TableDef<R: Row> {
    /// What a row describes.
    pub doc: &'static str,
    /// The debugger commands that it replaces.
    pub answers: &'static str,
    /// The kinds of source that can fill it.
    pub kinds: Kinds,
    /// Example queries.
    pub examples: &'static [Example],
    /// The source of the rows.
    pub rows: Rows<R>,
    /// The columns.
    pub columns: &'static [Column<R>],
}

/// A column: its fields in the row, its documentation and its getter.
pub struct Column<R: Row> {
    which: Which<R>,
    doc: &'static str,
    format: Format,
    get: Get<R>,
}

/// A function that names the columns of a row from which a column is computed: `|c| vec![c.start]`.
pub type FromRow<R> = fn(&ColumnsOf<R>) -> Vec<ColumnId<R>>;

/// The fields that a source has to fill for a column.
enum Which<R: Row> {
    /// One column of the row.
    OfRow(OfRow<R>),
    /// The columns of the row from which it is computed.
    Derived(&'static str, FromRow<R>),
}

/// How a column's value is read from a row; the variant gives the column's type.
pub enum Get<R: 'static> {
    /// `BOOLEAN`.
    Bool(fn(&R) -> Cell<bool>),
    /// `INTEGER`.
    Int(fn(&R) -> Cell<i64>),
    /// `VARCHAR`.
    Text(for<'a> fn(&'a R) -> Cell<&'a str>),
    /// `VARCHAR` that is composed for the row.
    Owned(fn(&R) -> Cell<String>),
    /// `ADDRESS`.
    Addr(fn(&R) -> Cell<u64>),
    /// `TIMESTAMP`, in microseconds since 1970 UTC.
    Time(fn(&R) -> Cell<i64>),
}

impl<R: Row> fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "Source",
            Self::SourceAndCatalog(_) => "SourceAndCatalog",
            Self::Catalog(_) => "Catalog",
        })
    }
}

impl<R: Row> fmt::Debug for TableDef<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableDef")
            .field("table", &R::TABLE)
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl<R: Row> fmt::Debug for Column<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.name()).field(&self.get.ty()).finish()
    }
}

impl<R> fmt::Debug for Get<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Get").field(&self.ty()).finish()
    }
}

impl<R: Row> TableDef<R> {
    /// A table that sources of a host program fill.
    #[must_use]
    pub const fn new(doc: &'static str, columns: &'static [Column<R>]) -> Self {
        Self {
            doc,
            answers: "",
            kinds: &[SourceKind::Host],
            examples: &[],
            rows: Rows::Source,
            columns,
        }
    }

    /// The kinds of source that can fill it.
    #[must_use]
    pub const fn kinds(self, kinds: Kinds) -> Self {
        Self { kinds, ..self }
    }

    /// Example queries.
    #[must_use]
    pub const fn examples(self, examples: &'static [Example]) -> Self {
        Self { examples, ..self }
    }
}

impl<R: Row> Column<R> {
    /// A column of the row, displayed according to its type.
    #[must_use]
    pub const fn new(which: OfRow<R>, doc: &'static str, get: Get<R>) -> Self {
        Self { which: Which::OfRow(which), doc, format: Format::Plain, get }
    }

    /// An integer column of the row, displayed in hex.
    #[must_use]
    pub const fn hex(which: OfRow<R>, doc: &'static str, get: Get<R>) -> Self {
        Self { which: Which::OfRow(which), doc, format: Format::Hex, get }
    }

    /// A column that is computed from columns of the row, which a source then fills.
    #[must_use]
    pub const fn derived(
        name: &'static str,
        doc: &'static str,
        from: FromRow<R>,
        get: Get<R>,
    ) -> Self {
        Self { which: Which::Derived(name, from), doc, format: Format::Plain, get }
    }

    /// A column of a row type without column ids, whose rows are always complete.
    #[must_use]
    pub const fn named(name: &'static str, doc: &'static str, get: Get<R>) -> Self {
        Self::derived(name, doc, |_| Vec::new(), get)
    }

    /// The column of the row, if it is one.
    pub(super) fn id(&self) -> Option<ColumnId<R>> {
        match self.which {
            Which::OfRow(of_row) => Some(of_row(R::COLUMNS)),
            Which::Derived(..) => None,
        }
    }

    /// The columns that a source has to fill for this one.
    pub(super) fn needs(&self) -> impl Iterator<Item = ColumnId<R>> {
        let needs = match self.which {
            Which::OfRow(of_row) => vec![of_row(R::COLUMNS)],
            Which::Derived(_, from) => from(R::COLUMNS),
        };
        needs.into_iter()
    }

    fn name(&self) -> &'static str {
        match self.which {
            Which::OfRow(of_row) => of_row(R::COLUMNS).name(),
            Which::Derived(name, _) => name,
        }
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
const LOG_TARGET: &str = "log_target";

/// A column that a scan computes.
pub(super) enum Slot<R: Row> {
    /// The source of the row.
    Dump,
    /// A column of the definition.
    Own(&'static Column<R>),
    /// The line of the log.
    LogLine,
    /// The command of the log.
    LogCommand,
    /// The target of the log.
    LogTarget,
}

impl<R: Row> Slot<R> {
    pub(super) const fn ty(&self) -> Ty {
        match self {
            Self::Own(column) => column.get.ty(),
            Self::LogLine | Self::LogTarget => Ty::Int,
            Self::Dump | Self::LogCommand => Ty::Text,
        }
    }

    /// The definition of the column, if it is not a `dump` or log column.
    pub(super) const fn own(&self) -> Option<&'static Column<R>> {
        match self {
            Self::Own(column) => Some(column),
            _ => None,
        }
    }

    pub(super) fn push(&self, dump: &str, row: &R, into: &mut ColumnBuilder) {
        let place = || row.log_place().ok_or(Absent::NotApplicable);
        match self {
            Self::Own(column) => column.get.push(row, into),
            Self::Dump => into.push_text(Ok(dump)),
            Self::LogLine => into.push_int(
                place().and_then(|p| i64::try_from(p.line).map_err(|_| Absent::Unreadable)),
            ),
            Self::LogCommand => into.push_text(place().map(|p| &*p.command)),
            Self::LogTarget => into.push_int(place().map(|p| i64::from(p.target))),
        }
    }
}

impl<R: Row> TableDef<R> {
    pub(super) const fn has_dump_column(&self) -> bool {
        !matches!(self.rows, Rows::Catalog(_))
    }

    fn has_log_columns(&self) -> bool {
        self.kinds.contains(&SourceKind::Log)
    }

    /// The column at an index of the specification.
    pub(super) fn slot(&self, index: usize) -> Option<Slot<R>> {
        let own = match (self.has_dump_column(), index) {
            (true, 0) => return Some(Slot::Dump),
            (true, _) => index - 1,
            (false, _) => index,
        };
        match own.checked_sub(self.columns.len()) {
            None => self.columns.get(own).map(Slot::Own),
            Some(0) if self.has_log_columns() => Some(Slot::LogLine),
            Some(1) if self.has_log_columns() => Some(Slot::LogCommand),
            Some(2) if self.has_log_columns() => Some(Slot::LogTarget),
            Some(_) => None,
        }
    }
}

impl<R: Row> Table for TableDef<R> {
    fn name(&self) -> &'static str {
        R::TABLE
    }

    fn spec(&self, several: bool) -> TableSpec {
        let dump = self.has_dump_column().then_some(ColumnSpec {
            name: DUMP_COLUMN,
            doc: "Name of the open source that the row is from; shown by `SELECT *` when there are several.",
            ty: Ty::Text,
            unit: Unit::None,
            format: Format::Plain,
            hidden: !several,
        });
        let own = self.columns.iter().map(|c| ColumnSpec {
            name: c.name(),
            doc: c.doc,
            ty: c.get.ty(),
            unit: Unit::of_name(c.name()),
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
                log(LOG_LINE, "Line of the log that the row is on.", Ty::Int),
                log(LOG_COMMAND, "Command of the log whose output the row is in.", Ty::Text),
                log(
                    LOG_TARGET,
                    "Number of the debugged target (dump or machine), from 1.",
                    Ty::Int,
                ),
            ]
        });
        TableSpec {
            name: R::TABLE,
            doc: self.doc,
            answers: self.answers,
            kinds: self.kinds,
            columns: dump.into_iter().chain(own).chain(log.into_iter().flatten()).collect(),
            examples: self.examples,
        }
    }

    fn scan(&self, cx: &Cx<'_>, request: &ScanRequest<'_>) -> Result<Scan, ScanError> {
        self.read(cx, request)
    }
}

/// Borrows a text cell of a row.
///
/// # Errors
/// The reason of an absent cell.
pub fn text(cell: &Cell<String>) -> Cell<&str> {
    cell.as_deref().map_err(|reason| *reason)
}
