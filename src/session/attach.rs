//! `ATTACH` and `DETACH`, and CSV and TSV files from the command line.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Error, Session, sources};
use crate::diag::{Code, Diagnostic, Span};
use crate::dump::{self, Image};
use crate::exec::MemTable;
use crate::import::{self, Options};
use crate::lang::ast::{Attach, Ident, Statement, StatementKind};

/// Whether the statement changes what later queries see, or is otherwise run by the session.
pub(super) const fn changes(statement: &Statement) -> bool {
    use StatementKind::{Attach, Command, Detach};
    matches!(statement.kind, Attach(_) | Detach(_) | Command(_))
}

impl Session {
    /// Runs a statement for which [`changes`] is true.
    pub(super) fn change(
        &self,
        statement: &Statement,
        stop: &Arc<AtomicBool>,
    ) -> Result<(), Diagnostic> {
        match &statement.kind {
            StatementKind::Attach(attach) => self.attach_file(attach, stop),
            StatementKind::Detach(name) => self.detach(name),
            _ => Ok(()),
        }
    }

    fn attach_file(&self, attach: &Attach, stop: &Arc<AtomicBool>) -> Result<(), Diagnostic> {
        let path = attach.file.text.as_str();
        let span = attach.file.span;
        let file = (!dump::is_url(path)).then(|| self.options.readable(path)).transpose();
        let file = file.map_err(|error| placed(error, span))?;
        let options = options(&attach.options)?;
        let here = |error: Error| {
            let mut error = error.first();
            error.span = Some(span);
            error
        };
        let name_span = attach.name.as_ref().map_or(span, |name| name.span);
        if import::Kind::of_path(path).is_some() || options.is_some() {
            let name = match &attach.name {
                Some(name) => name.text.clone(),
                None => import::table_name(path),
            };
            self.free(&name, name_span)?;
            let Some(file) = file else {
                return Err(bad(span, "a table is not read from a URL: download it first"));
            };
            let options = options.unwrap_or_default();
            let table = read_table(&file, &name, &options, stop).map_err(here)?;
            return self.replace(|state| Ok(state.with_table(table)));
        }
        if let Some(name) = &attach.name {
            self.free(&name.text, name_span)?;
        }
        let spooling = self.options.spooling_until(stop);
        let image = match file {
            Some(file) => Image::open_with(&file, &spooling).map_err(Error::from),
            None => self.options.url(path),
        };
        let image = image.map_err(here)?;
        let cache = self.options.cache.as_deref();
        let (opened, failures) = sources::open(image, &self.store, &spooling, cache);
        if let Some((_, error)) = failures.into_iter().next() {
            return Err(here(error));
        }
        let sources = match (&attach.name, opened.len()) {
            (None, _) => sources::named(opened),
            (Some(name), 1) => opened.into_iter().map(|one| one.named(name.text.clone())).collect(),
            // A member of an archive gets the given name followed by its own.
            (Some(name), _) => opened
                .into_iter()
                .map(|one| {
                    let name = format!("{}!{}", name.text, one.member());
                    one.named(name)
                })
                .collect(),
        };
        for source in &sources {
            self.free(&source.name, name_span)?;
        }
        self.replace(|state| {
            let mut sources = sources.into_iter();
            let first = sources.next().map(|source| state.with_source(source));
            let all = first.map(|first| sources.fold(first, |state, one| state.with_source(one)));
            Ok(all.unwrap_or_else(|| state.clone()))
        })
    }

    /// Fails if a table or a source has that name already.
    fn free(&self, name: &str, span: Span) -> Result<(), Diagnostic> {
        let state = self.state();
        let what = if state.catalog.table(name).is_some() {
            "a table"
        } else if state.has_source(name) {
            "a dump"
        } else {
            return Ok(());
        };
        let error =
            Diagnostic::at(Code::BadQuery, span, format!("{what} is called `{name}` already"));
        Err(error.help(format!("give another name: ATTACH … AS {name}2")))
    }

    fn detach(&self, name: &Ident) -> Result<(), Diagnostic> {
        self.replace(|state| {
            state.without(&name.text).ok_or_else(|| {
                let tables = state.attached.iter().map(|t| t.spec().name);
                let sources = state.sources.iter().map(|s| s.name.as_str());
                let names: Vec<&str> = tables.chain(sources).collect();
                let message = format!("nothing is attached as `{}`", name.text);
                let error = Diagnostic::at(Code::UnknownTable, name.span, message);
                let error = error.nearest(&name.text, names.iter().copied());
                if names.is_empty() {
                    error
                } else {
                    error.help(format!("attached: {}", names.join(", ")))
                }
            })
        })
    }

    /// Attaches a file of separated values; the table is named after the file's stem.
    pub(super) fn attach_delimited(&self, path: &str) -> Result<(), Error> {
        let mut name = import::table_name(path);
        // A built-in table is not hidden: threads.csv becomes `threads_csv`.
        let taken = |name: &str| self.state().catalog.table(name).is_some();
        if taken(&name) {
            name.push_str("_csv");
        }
        let mut n = 2;
        while taken(&name) {
            name = format!("{}_{n}", import::table_name(path));
            n += 1;
        }
        let stop = AtomicBool::new(false);
        let table = read_table(Path::new(path), &name, &Options::default(), &stop)?;
        self.replace(|state| Ok(state.with_table(table))).map_err(Error::from)
    }
}

/// The error with a position in the query.
pub(super) fn placed(error: Diagnostic, span: Span) -> Diagnostic {
    Diagnostic { span: Some(span), ..error }
}

/// The rows of a file as a table.
fn read_table(
    path: &Path,
    name: &str,
    options: &Options,
    stop: &AtomicBool,
) -> Result<MemTable, Error> {
    let path = path.to_string_lossy();
    let kind = import::Kind::of_path(&path).unwrap_or(import::Kind::Delimited);
    let columns = read_columns(&path, kind, options, stop)?;
    MemTable::new(name, columns).map(|table| table.of_file(&path)).map_err(Error::from)
}

/// The columns of a file.
pub(super) fn read_columns(
    path: &str,
    kind: import::Kind,
    options: &Options,
    stop: &AtomicBool,
) -> Result<import::Columns, Error> {
    let bad = |found: &str| Error::from(Diagnostic::new(Code::BadFile, format!("{path}: {found}")));
    let image = Image::open(Path::new(path))?;
    let health = image.health();
    let read = || {
        let read = kind.columns(image.whole(), path, options, stop);
        read.map_err(|error| {
            if stop.load(Ordering::Relaxed) {
                Diagnostic::new(Code::Cancelled, error.0).into()
            } else {
                bad(&error.0)
            }
        })
    };
    let columns = match kind {
        // The reader of a damaged file may come upon what it did not expect.
        import::Kind::Parquet => super::guard::guarded(read)
            .map_err(|error| if error.code() == Code::Internal { bad("damaged") } else { error }),
        _ => read(),
    };
    health.damage().map_or(columns, |damage| Err(super::state::damaged(damage).into()))
}

/// The options for a text file; `None` if none are given.
fn options(given: &[(Ident, Ident)]) -> Result<Option<Options>, Diagnostic> {
    let mut options = Options::default();
    for (name, value) in given {
        match name.text.to_ascii_lowercase().as_str() {
            "header" => {
                options.header = Some(match value.text.to_ascii_lowercase().as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(bad(value.span, "HEADER is true or false")),
                });
            }
            "delimiter" | "delim" | "sep" => {
                options.delimiter = Some(match value.text.as_bytes() {
                    b"\\t" => b'\t',
                    [one] if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => *one,
                    _ => return Err(bad(value.span, "DELIMITER is one character, or '\\t'")),
                });
            }
            _ => {
                let error = bad(name.span, &format!("ATTACH has no option `{}`", name.text));
                return Err(error.help("options: HEADER true|false, DELIMITER ';'"));
            }
        }
    }
    Ok((!given.is_empty()).then_some(options))
}

fn bad(span: Span, message: &str) -> Diagnostic {
    Diagnostic::at(Code::BadQuery, span, message)
}
