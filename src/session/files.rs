//! Files in queries: `FROM 'file.csv'`, `read_csv('file.csv')` and similar functions. A file is
//! read once for the statements that name it, and its rows are dropped after these.

mod options;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::attach::read_columns;
use super::state::{State, damaged};
use super::{Error, Session};
use crate::diag::{Code, Diagnostic};
use crate::dump::Image;
use crate::exec::MemTable;
use crate::import::{self, Kind};
use crate::lang::ast::walk::{self, Visit};
use crate::lang::ast::{Ident, Name, Statement, StatementKind, TableAlias, TableRef, TableRefKind};
use crate::plan::Params;
use options::{Read, Request};

/// The maximum number of files of one pattern.
const MAX_FILES: usize = 10_000;

impl Session {
    /// The statements with files replaced by tables, and a state that has these tables; `None` if
    /// no file is named.
    pub(super) fn with_files(
        &self,
        state: &State,
        statements: &[Statement],
        params: &Params,
        (memory, stop): (usize, &AtomicBool),
    ) -> Result<Option<(State, Vec<Statement>)>, Vec<Diagnostic>> {
        let mut reader = Reader {
            allowed: &self.options,
            params,
            memory,
            stop,
            state: None,
            first: state,
            errors: Vec::new(),
        };
        let mut copies = statements.to_vec();
        for statement in &mut copies {
            if let StatementKind::Query(query)
            | StatementKind::Explain { query, .. }
            | StatementKind::DescribeQuery(query)
            | StatementKind::Summarize(query) = &mut statement.kind
            {
                walk::query(&mut reader, query);
            }
        }
        if !reader.errors.is_empty() {
            return Err(reader.errors);
        }
        Ok(reader.state.map(|state| (state, copies)))
    }
}

/// Reads the files that statements name.
struct Reader<'a> {
    allowed: &'a super::Options,
    params: &'a Params,
    /// The memory that is left for the rows of files, in bytes.
    memory: usize,
    stop: &'a AtomicBool,
    first: &'a State,
    /// The state with the files that have been read so far.
    state: Option<State>,
    errors: Vec<Diagnostic>,
}

impl Visit for Reader<'_> {
    fn table(&mut self, table: &mut TableRef) {
        let request = match &table.kind {
            TableRefKind::File(file) => Request::of_file(&file.text, file.span),
            TableRefKind::Function { name, args, .. } => match name.parts.as_slice() {
                [part] => match Read::of_function(&part.text) {
                    Some(read) => Request::of_call(read, args, self.params, name.span),
                    None => return,
                },
                _ => return,
            },
            _ => return,
        };
        match request.and_then(|request| self.read(&request).map(|name| (request, name))) {
            Ok((request, name)) => {
                let span = request.span;
                let ident = |text: String| Ident { text, quoted: true, span };
                table.kind = TableRefKind::Table(Name { parts: vec![ident(name)], span });
                if table.alias.is_none() {
                    let name = ident(request.table_name());
                    table.alias = Some(TableAlias { name, columns: Vec::new() });
                }
            }
            Err(error) => self.errors.push(error),
        }
    }
}

impl Reader<'_> {
    /// Reads files; returns the name of their table.
    fn read(&mut self, request: &Request) -> Result<String, Diagnostic> {
        let span = request.span;
        let name = format!("{} {:?} {:?}", request.path, request.read, request.options);
        let state = self.state.as_ref().unwrap_or(self.first);
        if state.catalog.table(&name).is_none() {
            let here = |error: Error| Diagnostic { span: Some(span), ..error.first() };
            let columns = self.columns(request).map_err(here)?;
            let table = MemTable::new(&name, columns).map_err(|error| here(error.into()))?;
            self.memory = self.memory.saturating_sub(table.bytes());
            self.state = Some(state.with_table(table.of_file(&request.path)));
        }
        Ok(name)
    }

    fn columns(&self, request: &Request) -> Result<import::Columns, Error> {
        let path = request.path.as_str();
        let files = self.allowed.readable_files(path, MAX_FILES)?;
        if request.read == Read::Glob {
            return Ok(import::paths(&files));
        }
        let is_pattern = path.contains(['*', '?', '[']);
        if files.is_empty() && is_pattern {
            return Err(
                Diagnostic::new(Code::Io, format!("{path}: no file has such a path")).into()
            );
        }
        if files.is_empty() {
            // Opening reports a file that does not exist.
            let file = self.allowed.readable(path)?;
            return Err(match Image::open(&file) {
                Err(error) => error.into(),
                Ok(_) => Diagnostic::new(Code::Io, format!("{path}: it was not there")).into(),
            });
        }
        let bad = |error: import::Error| Diagnostic::new(Code::BadFile, error.0);
        let mut left = self.memory;
        if request.read == Read::Text {
            let mut texts = Vec::new();
            for file in files {
                let image = Image::open(Path::new(&file))?;
                take(&mut left, image.len(), &file)?;
                let text = image.whole().to_vec();
                if let Some(damage) = image.health().damage() {
                    return Err(damaged(damage).into());
                }
                texts.push((file, text));
            }
            return Ok(import::texts(&texts).map_err(bad)?);
        }
        let mut parts = Vec::with_capacity(files.len());
        for file in files {
            let kind = match request.read {
                Read::Files(kind) => kind,
                _ => Kind::of_path(&file).unwrap_or(Kind::Delimited),
            };
            let columns = read_columns(&file, kind, &request.options, self.stop)?;
            let bytes = columns.iter().map(|(_, data)| data.bytes()).sum();
            take(&mut left, bytes, &file)?;
            parts.push((file, columns));
        }
        let options = &request.options;
        Ok(import::combined(parts, options.by_name, options.filename).map_err(bad)?)
    }
}

/// Counts the rows of a file against the memory limit.
fn take(left: &mut usize, bytes: usize, file: &str) -> Result<(), Diagnostic> {
    let Some(rest) = left.checked_sub(bytes) else {
        let message = format!("{file}: its rows need more than the query's memory leaves");
        return Err(Diagnostic::new(Code::Limit, message).help("--memory gives a query more"));
    };
    *left = rest;
    Ok(())
}
