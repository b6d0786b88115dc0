//! The columns that a name can refer to.

use crate::diag::{Code, Diagnostic, Span};
use crate::lang::ast::{Ident, Name};
use crate::plan::Expr;

/// The maximum number of names that help lists.
pub(super) const LISTED: usize = 16;

/// A column that can be named.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    /// The table's alias or full name; `None` for merged columns.
    pub(super) qualifier: Option<String>,
    /// The column's name.
    pub(super) name: String,
    /// The column over the rows of `FROM`.
    pub(super) expr: Expr,
    /// Not included in `*`.
    pub(super) hidden: bool,
    /// Replaced by a merged column of `USING`; it has to be qualified.
    pub(super) shadowed: bool,
    /// The reason that the value is absent, for columns of tables.
    pub(super) why: Option<Expr>,
}

/// The columns of a `FROM` clause in the order of `*`.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) columns: Vec<ScopeColumn>,
    /// The names of the tables.
    pub(super) tables: Vec<String>,
}

/// Why a name refers to no column.
#[derive(Debug)]
pub(super) enum Miss {
    Unknown,
    UnknownTable,
    Ambiguous(Vec<String>),
}

impl ScopeColumn {
    fn is_of(&self, qualifier: &[Ident]) -> bool {
        self.qualifier.as_ref().is_some_and(|own| qualifier_fits(own, qualifier))
    }

    fn shown(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{qualifier}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Whether `written` names the table `own`: the full name (`meta.tables`) or its last part.
fn qualifier_fits(own: &str, written: &[Ident]) -> bool {
    let text = dotted(written);
    own.eq_ignore_ascii_case(&text)
        || own.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(&text))
}

/// The parts of a name with dots between them.
pub(super) fn dotted(parts: &[Ident]) -> String {
    parts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(".")
}

impl Scope {
    /// The column that a name refers to. The part before its last dot names a table, or the
    /// column's own name contains the dot (`Tcb.State` of a structure).
    pub(super) fn find(&self, name: &Name) -> Result<&ScopeColumn, Miss> {
        let last = name.parts.len().saturating_sub(1);
        let miss = match self.find_in(&name.parts, last) {
            Err(miss @ (Miss::Unknown | Miss::UnknownTable)) => miss,
            found => return found,
        };
        let others = (0..last).map(|split| self.find_in(&name.parts, split));
        others.into_iter().find_map(Result::ok).ok_or(miss)
    }

    /// The column whose name starts at part `split`, in the table that the parts before name.
    fn find_in(&self, parts: &[Ident], split: usize) -> Result<&ScopeColumn, Miss> {
        let (qualifier, column) = parts.split_at_checked(split).ok_or(Miss::Unknown)?;
        let column = dotted(column);
        let fits = |c: &&ScopeColumn| c.name.eq_ignore_ascii_case(&column);
        if qualifier.is_empty() {
            return choose(self.columns.iter().filter(|c| !c.shadowed).filter(fits).collect());
        }
        if !self.tables.iter().any(|t| qualifier_fits(t, qualifier)) {
            return Err(Miss::UnknownTable);
        }
        choose(self.columns.iter().filter(|c| c.is_of(qualifier)).filter(fits).collect())
    }

    /// The columns of `*`, or of `t.*`.
    pub(super) fn star(&self, qualifier: Option<&Name>) -> Option<Vec<&ScopeColumn>> {
        let Some(name) = qualifier else {
            return Some(self.columns.iter().filter(|c| !c.hidden && !c.shadowed).collect());
        };
        if !self.tables.iter().any(|t| qualifier_fits(t, &name.parts)) {
            return None;
        }
        let own = self.columns.iter().filter(|c| c.is_of(&name.parts) && !c.hidden);
        Some(own.collect())
    }

    /// Help that lists the columns; those of table `of` if it is not empty.
    pub(super) fn available(&self, of: &[Ident]) -> String {
        let wanted = self.columns.iter().filter(|c| !c.hidden && !c.shadowed);
        let names: Vec<&str> =
            wanted.filter(|c| of.is_empty() || c.is_of(of)).map(|c| c.name.as_str()).collect();
        format!("available columns: {}", listed(&names))
    }

    /// The error for a name that refers to no column.
    pub(super) fn missing(&self, name: &Name, miss: Miss) -> Diagnostic {
        let (column, qualifier) = match name.parts.split_last() {
            Some((column, qualifier)) => (column.text.as_str(), qualifier),
            None => ("", [].as_slice()),
        };
        match miss {
            Miss::Ambiguous(fits) => Diagnostic::at(
                Code::AmbiguousColumn,
                name.span,
                format!("column `{column}` is in several tables"),
            )
            .help(format!("write one of: {}", fits.join(", "))),
            Miss::UnknownTable if self.has_fields_of(qualifier) => {
                self.unknown(&dotted(&name.parts), &[], name.span)
            }
            Miss::UnknownTable => {
                let span = qualifier.iter().map(|q| q.span).reduce(Span::to).unwrap_or(name.span);
                let table = dotted(qualifier);
                let error = Diagnostic::at(
                    Code::UnknownTable,
                    span,
                    format!("no table `{table}` in this FROM clause"),
                );
                let tables: Vec<&str> = self.tables.iter().map(String::as_str).collect();
                let error = error.nearest(&table, tables.iter().copied());
                if tables.is_empty() {
                    error
                } else {
                    error.help(format!("tables in this FROM clause: {}", listed(&tables)))
                }
            }
            Miss::Unknown => self.unknown(column, qualifier, name.span),
        }
    }

    /// Whether there are columns named as fields of `name`.
    fn has_fields_of(&self, name: &[Ident]) -> bool {
        let start = format!("{}.", dotted(name));
        let is_of = |column: &&ScopeColumn| {
            column.name.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(&start))
        };
        self.columns.iter().any(|column| is_of(&column))
    }

    fn unknown(&self, column: &str, qualifier: &[Ident], span: Span) -> Diagnostic {
        let message = if qualifier.is_empty() {
            format!("no column `{column}`")
        } else {
            format!("no column `{column}` in `{}`", dotted(qualifier))
        };
        let error = Diagnostic::at(Code::UnknownColumn, span, message);
        if self.tables.is_empty() && self.columns.is_empty() {
            return error.help("the query has no FROM clause; text is written in single quotes");
        }
        let names = self.columns.iter().filter(|c| qualifier.is_empty() || c.is_of(qualifier));
        let mut names: Vec<&str> = names.map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        error.nearest(column, names).help(self.available(qualifier))
    }
}

/// The only matching column; visible columns take precedence over hidden ones.
fn choose(fits: Vec<&ScopeColumn>) -> Result<&ScopeColumn, Miss> {
    let visible: Vec<&ScopeColumn> = fits.iter().copied().filter(|c| !c.hidden).collect();
    let fits = if visible.is_empty() { fits } else { visible };
    match fits.as_slice() {
        [] => Err(Miss::Unknown),
        [one] => Ok(one),
        several => Err(Miss::Ambiguous(several.iter().map(|c| c.shown()).collect())),
    }
}

/// Names with commas between them, up to a maximum number.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    let mut text = shown.join(", ");
    if names.len() > LISTED {
        use std::fmt::Write as _;
        let _ = write!(text, " and {} more", names.len() - LISTED);
    }
    if text.is_empty() { "none".to_owned() } else { text }
}
