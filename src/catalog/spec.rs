//! The specifications of tables and functions, for everything except running them.

mod catalog;

pub use catalog::{Catalog, Setting};

use super::{Format, Ty};

/// The kinds of source that a table can be answered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SourceKind {
    /// A kernel dump that holds whole memory, or the kernel's part of it.
    Kernel,
    /// A kernel triage dump ("small memory dump").
    Triage,
    /// A minidump of one process.
    User,
    /// Text that a debugger printed.
    Log,
    /// A source that the host program made.
    Host,
}

impl SourceKind {
    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel dump",
            Self::Triage => "triage dump",
            Self::User => "user minidump",
            Self::Log => "debugger log",
            Self::Host => "source of the host program",
        }
    }
}

/// A set of [`SourceKind`]s, and whether the table answers without any source.
pub type Kinds = &'static [SourceKind];

/// The unit of a number, which its column's name carries as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Unit {
    /// A plain number, or not a number.
    #[default]
    None,
    /// Bytes.
    Bytes,
    /// Pages of 4,096 bytes.
    Pages,
    /// Milliseconds.
    Milliseconds,
    /// Clock ticks.
    Ticks,
    /// Megahertz.
    Megahertz,
}

impl Unit {
    /// The unit that a column's name ends in: `size_bytes` is in bytes.
    pub fn of_name(column: &str) -> Self {
        let units = [Self::Bytes, Self::Pages, Self::Milliseconds, Self::Ticks, Self::Megahertz];
        let last = column.rsplit('_').next().unwrap_or(column);
        units.into_iter().find(|u| u.as_str().eq_ignore_ascii_case(last)).unwrap_or_default()
    }

    /// The word for documentation; empty for [`Unit::None`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bytes => "bytes",
            Self::Pages => "pages",
            Self::Milliseconds => "ms",
            Self::Ticks => "ticks",
            Self::Megahertz => "MHz",
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnSpec {
    /// The column's name, `snake_case`.
    pub name: &'static str,
    /// What the value is and where it comes from; one or more full sentences.
    pub doc: &'static str,
    /// The type of the values.
    pub ty: Ty,
    /// The unit, where the value has one.
    pub unit: Unit,
    /// How numbers are shown.
    pub format: Format,
    /// Whether `SELECT *` leaves the column out.
    pub hidden: bool,
}

impl ColumnSpec {
    /// A column shown as its type is, by default in `SELECT *`.
    pub fn new(name: &'static str, doc: &'static str, ty: Ty) -> Self {
        let (unit, format) = (Unit::of_name(name), Format::Plain);
        Self { name, doc, ty, unit, format, hidden: false }
    }
}

/// A query that documentation shows and tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The query.
    pub sql: &'static str,
    /// What it answers.
    pub doc: &'static str,
}

/// A virtual table as the planner, completion and documentation see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSpec {
    /// The name, with its schema where it has one (`threads`, `meta.tables`).
    pub name: &'static str,
    /// What one row is, and where rows come from.
    pub doc: &'static str,
    /// The debugger commands that it answers (`!thread, ~`), for people who know those.
    pub answers: &'static str,
    /// The kinds of source that can fill it; empty for tables about dumpql itself.
    pub kinds: Kinds,
    /// The columns in `SELECT *` order; hidden ones may be anywhere.
    pub columns: Vec<ColumnSpec>,
    /// Queries to learn from.
    pub examples: &'static [Example],
}

impl TableSpec {
    /// A table that needs no source.
    pub const fn new(name: &'static str, doc: &'static str, columns: Vec<ColumnSpec>) -> Self {
        Self { name, doc, answers: "", kinds: &[], columns, examples: &[] }
    }

    /// The index of the column of that name, compared without regard to ASCII case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))
    }
}

impl TableSpec {
    /// The kinds of source that can fill it, separated by commas; empty for tables about dumpql.
    pub fn kind_names(&self) -> String {
        self.kinds.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl FunctionSpec {
    /// The ways to call it as text: `round(DOUBLE[, INTEGER]) -> DOUBLE`, `coalesce(any, ...) -> any`.
    pub fn signature_texts(&self) -> Vec<String> {
        let returns = |s: &Signature| match (self.kind, s.returns) {
            (FunctionKind::Table, _) => "rows",
            (_, ty) => any_or(ty),
        };
        let text = |s: &Signature| format!("{}{} -> {}", self.name, s.argument_text(), returns(s));
        self.signatures.iter().map(text).collect()
    }
}

impl FunctionSpec {
    /// How many of so many arguments have to have a value: those that cannot be left out of a call with so
    /// many, and all where rows follow from nothing but them.
    pub fn required(&self, given: usize) -> usize {
        if self.is_pure {
            return given;
        }
        let fits = self.signatures.iter().filter(|s| s.args.len() >= given);
        fits.map(|s| s.args.len().saturating_sub(s.optional)).min().unwrap_or(0)
    }

    /// The same function, which never raises an error.
    #[must_use]
    pub const fn total(mut self) -> Self {
        self.is_total = true;
        self
    }

    /// The same aggregate, which gives that of no rows.
    #[must_use]
    pub const fn of_no_rows(mut self, gives: OfNoRows) -> Self {
        self.of_no_rows = gives;
        self
    }

    /// A function of a host program: of its arguments alone, NULL when one of them is, in the
    /// family `host`.
    pub const fn new(
        name: &'static str,
        kind: FunctionKind,
        signatures: &'static [Signature],
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            kind,
            family: "host",
            signatures,
            takes_null: false,
            is_pure: true,
            is_total: false,
            of_no_rows: OfNoRows::Other,
            doc,
            examples: &[],
        }
    }
}

impl Signature {
    fn argument_text(&self) -> String {
        let mut text = String::from("(");
        let required = self.args.len().saturating_sub(self.optional);
        for (index, ty) in self.args.iter().enumerate() {
            if index >= required {
                text.push('[');
            }
            if index > 0 {
                text.push_str(", ");
            }
            if let Some(name) = self.names.get(index) {
                text.push_str(name);
                text.push(' ');
            }
            text.push_str(any_or(*ty));
        }
        if self.variadic {
            text.push_str(", ...");
        }
        text.push_str(&"]".repeat(self.optional.min(self.args.len())));
        text.push(')');
        text
    }
}

fn any_or(ty: Ty) -> &'static str {
    if ty == Ty::Null { "any" } else { ty.name() }
}

/// What a function does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FunctionKind {
    /// One value from the arguments of one row.
    Scalar,
    /// One value from all rows of a group.
    Aggregate,
    /// One value a row from the rows around it; called with `OVER`.
    Window,
    /// Rows, for use in `FROM`.
    Table,
}

/// One way to call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// The types of the arguments. [`Ty::Null`] stands for any type.
    pub args: &'static [Ty],
    /// The names of the arguments, for those functions that take them by name (table functions);
    /// else empty.
    pub names: &'static [&'static str],
    /// How many of `args`, counted from the end, may be left out.
    pub optional: usize,
    /// Whether the last of `args` may be repeated.
    pub variadic: bool,
    /// The type of the result. [`Ty::Null`] means the common type of the arguments declared
    /// [`Ty::Null`] (as `coalesce` returns).
    pub returns: Ty,
}

impl Signature {
    /// A call with exactly these arguments.
    pub const fn new(args: &'static [Ty], returns: Ty) -> Self {
        Self { args, names: &[], optional: 0, variadic: false, returns }
    }

    /// The same, where the last `count` arguments may be left out.
    #[must_use]
    pub const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    /// The same, where the arguments have names.
    #[must_use]
    pub const fn named(mut self, names: &'static [&'static str]) -> Self {
        self.names = names;
        self
    }

    /// The same, where the last argument may be repeated.
    #[must_use]
    pub const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }
}

/// What an aggregate gives of no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfNoRows {
    /// NULL.
    Null,
    /// The number 0.
    Zero,
    /// Something that only running it tells.
    Other,
}

/// A function as the planner, completion and documentation see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionSpec {
    /// The name, lower case.
    pub name: &'static str,
    /// Other names for the same function.
    pub aliases: &'static [&'static str],
    /// What it does with rows.
    pub kind: FunctionKind,
    /// The heading under which documentation lists it (`text`, `number`, `time`, …).
    pub family: &'static str,
    /// The ways to call it, the first that fits wins; exact types before conversions.
    pub signatures: &'static [Signature],
    /// Whether it is called when an argument is NULL (else the result is NULL at once).
    pub takes_null: bool,
    /// Whether equal arguments always give equal results without a look into a dump, so that a
    /// call on constants may be computed while planning.
    pub is_pure: bool,
    /// Whether it never raises an error, so that it may be computed for rows that a query as written would
    /// not compute it for.
    pub is_total: bool,
    /// What an aggregate gives of no rows.
    pub of_no_rows: OfNoRows,
    /// What it returns; full sentences.
    pub doc: &'static str,
    /// Expressions and their results as text, run by tests: `("upper('nt')", "NT")`.
    pub examples: &'static [(&'static str, &'static str)],
}
