//! The SQL to run: from the command line, from files, from the library.

use std::io::Read as _;
use std::path::Path;

use super::args::Step;
use crate::diag::{Code, Diagnostic};
use crate::session::{Error, SavedQuery, find_query};

/// Files of SQL are read up to this size; more is no query.
const MAX_BYTES: u64 = 16 << 20;

/// Text to run and what to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// A short name, which sheets and headings take.
    pub(super) title: String,
    /// What errors name as the place of the text.
    pub(super) origin: Option<String>,
    /// The text, and what its header says of parameters.
    pub(super) query: SavedQuery,
}

impl Script {
    /// SQL with or without a header of a saved query.
    ///
    /// # Errors
    /// A header that cannot be read.
    pub(super) fn new(title: String, origin: Option<String>, sql: &str) -> Result<Self, Error> {
        let query = SavedQuery::parse(&title, sql).map_err(|d| Error::of_query(vec![d], sql))?;
        Ok(Self { title, origin, query })
    }
}

/// Reads the text of a step. `number` counts the steps from 1.
///
/// # Errors
/// A file that cannot be read, a name that the library does not have.
pub(super) fn read(step: &Step, number: usize) -> Result<Script, Error> {
    match step {
        Step::Sql(sql) => Script::new(format!("query {number}"), None, sql),
        Step::Stdin => read_stdin(),
        Step::File(path) => read_file(path),
        Step::Named(name) => named(name),
    }
}

/// Reads all of standard input.
///
/// # Errors
/// If that fails, or it is no text.
pub(super) fn read_stdin() -> Result<Script, Error> {
    let sql = text_of(std::io::stdin().lock(), "standard input")?;
    let origin = Some("standard input".to_owned());
    Script::new("standard input".to_owned(), origin, &sql)
}

/// Reads a file of SQL.
///
/// # Errors
/// If that fails, or it is no text.
pub(super) fn read_file(path: &Path) -> Result<Script, Error> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| io(&name, &error))?;
    let sql = text_of(file, &name)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Script::new(stem, Some(name), &sql)
}

/// A query of the library.
///
/// # Errors
/// E0201 with similar names.
pub(super) fn named(name: &str) -> Result<Script, Error> {
    let query = find_query(name)?.clone();
    Ok(Script { title: query.name.clone(), origin: Some(format!("{}.sql", query.name)), query })
}

fn text_of(from: impl std::io::Read, name: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| io(name, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message =
            format!("{name} has more than {} MiB: no query is that long", MAX_BYTES >> 20);
        return Err(Diagnostic::new(Code::Io, message).into());
    }
    // Editors on Windows put a byte order mark in front.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let utf8 = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        Diagnostic::new(
            Code::Io,
            format!("{name} is not UTF-8 text: found byte {at} of no character"),
        )
        .help("queries are UTF-8 text; a dump is given without -f")
    })?;
    Ok(utf8.to_owned())
}

fn io(name: &str, error: &std::io::Error) -> Error {
    Diagnostic::new(Code::Io, format!("cannot read {name}: {error}")).into()
}
