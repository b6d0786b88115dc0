//! The specifications of tables and functions: everything except their implementation.

mod catalog;

pub use catalog::{Catalog, Setting};

use super::{Format, Ty};

/// The kinds of source that can answer a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SourceKind {
    /// A kernel dump with all memory, or with kernel memory.
    Kernel,
    /// A kernel triage dump ("small memory dump").
    Triage,
    /// A minidump of one process.
    User,
    /// A text log of a debugger.
    Log,
    /// A source of the host program.
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

/// The kinds of source that can answer a table; empty if it needs no source.
pub type Kinds = &'static [SourceKind];

/// The unit of a number, which is also in the column's name.
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
    /// The unit that is the suffix of a column's name: `size_bytes` is in bytes.
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
    /// The unit, if the value has one.
    pub unit: Unit,
    /// How numbers are shown.
    pub format: Format,
    /// Whether `SELECT *` leaves the column out.
    pub hidden: bool,
}

impl ColumnSpec {
    /// A column with the default format, included in `SELECT *`.
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
    /// The question that it answers.
    pub doc: &'static str,
}

/// A virtual table as the planner, completion and documentation see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSpec {
    /// The name, with its schema if it has one (`threads`, `meta.tables`).
    pub name: &'static str,
    /// What a row is, and where the rows come from.
    pub doc: &'static str,
    /// The debugger commands that it answers (`!thread, ~`), for users who know these.
    pub answers: &'static str,
    /// The kinds of source that can fill it; empty for tables about dumpql itself.
    pub kinds: Kinds,
    /// The columns in `SELECT *` order; hidden ones may be anywhere.
    pub columns: Vec<ColumnSpec>,
    /// Example queries.
    pub examples: &'static [Example],
}

impl TableSpec {
    /// A table that needs no source.
    pub const fn new(name: &'static str, doc: &'static str, columns: Vec<ColumnSpec>) -> Self {
        Self { name, doc, answers: "", kinds: &[], columns, examples: &[] }
    }

    /// The index of the column with that name, ignoring ASCII case.
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
    /// The signatures as text: `round(DOUBLE[, INTEGER]) -> DOUBLE`, `coalesce(any, ...) -> any`.
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
    /// How many of `given` arguments must not be NULL: those that are not optional or, if the rows
    /// depend only on the arguments, all.
    pub fn required(&self, given: usize) -> usize {
        if self.is_pure {
            return given;
        }
        let fits = self.signatures.iter().filter(|s| s.args.len() >= given);
        fits.map(|s| s.args.len().saturating_sub(s.optional)).min().unwrap_or(0)
    }

    /// Declares that the function never raises an error.
    #[must_use]
    pub const fn total(mut self) -> Self {
        self.is_total = true;
        self
    }

    /// Sets the result of an aggregate over no rows.
    #[must_use]
    pub const fn of_no_rows(mut self, gives: OfNoRows) -> Self {
        self.of_no_rows = gives;
        self
    }

    /// A function of a host program, in the family `host`. It depends only on its arguments and is
    /// NULL if one of them is.
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

/// How a function relates to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FunctionKind {
    /// One value from the arguments of one row.
    Scalar,
    /// One value from all rows of a group.
    Aggregate,
    /// One value per row, from the rows around it; called with `OVER`.
    Window,
    /// Rows, for use in `FROM`.
    Table,
}

/// A signature of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// The types of the arguments. [`Ty::Null`] stands for any type.
    pub args: &'static [Ty],
    /// The names of the arguments, for functions with named arguments (table functions); else
    /// empty.
    pub names: &'static [&'static str],
    /// How many of `args`, counted from the end, are optional.
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

    /// Makes the last `count` arguments optional.
    #[must_use]
    pub const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    /// Names the arguments.
    #[must_use]
    pub const fn named(mut self, names: &'static [&'static str]) -> Self {
        self.names = names;
        self
    }

    /// Allows the last argument to be repeated.
    #[must_use]
    pub const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }
}

/// The result of an aggregate over no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfNoRows {
    /// NULL.
    Null,
    /// The number 0.
    Zero,
    /// Another value, which is only known by running it.
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
    /// The signatures. The one with the fewest conversions is used, and the first among equals.
    pub signatures: &'static [Signature],
    /// Whether the function is called if an argument is NULL; otherwise the result is NULL.
    pub takes_null: bool,
    /// Whether the result depends only on the arguments and not on a dump, so that a call on
    /// constants may be computed while planning.
    pub is_pure: bool,
    /// Whether it never raises an error, so that it may be computed for rows for which the query as
    /// written would not compute it.
    pub is_total: bool,
    /// The result of an aggregate over no rows.
    pub of_no_rows: OfNoRows,
    /// What it returns, in full sentences.
    pub doc: &'static str,
    /// Expressions and their results as text, run by tests: `("upper('nt')", "NT")`.
    pub examples: &'static [(&'static str, &'static str)],
}
