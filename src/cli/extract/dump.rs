//! Extracts the tables of one dump.

use std::fs;
use std::io;
use std::path::Path;

use super::inputs::{Identity, Input};
use super::manifest::{Manifest, Record};
use super::problems::{self, Problem};
use super::{PROBLEMS, beside, place};
use crate::catalog::Value;
use crate::diag::{Code, Diagnostic};
use crate::export::{self, FileFormat, Sheet};
use crate::session::{CancelToken, Error, Options, ResultSet, Session};

/// The settings for all dumps.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) tables: &'a [&'static str],
    pub(super) output: &'a Path,
    pub(super) is_parted: bool,
    pub(super) options: Options,
    pub(super) manifest: &'a Manifest,
    pub(super) token: &'a CancelToken,
}

/// The outcome for a dump.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) written: usize,
    pub(super) kept: usize,
    pub(super) is_unread: bool,
}

/// A table of a dump, ready to be written.
struct Rows {
    result: ResultSet,
    problems: Vec<Problem>,
}

impl Job<'_> {
    /// Writes the tables that are missing. `problems` is written last, so that it marks the dump as
    /// complete.
    ///
    /// # Errors
    ///
    /// If a file cannot be written. A problem of the dump is not an error.
    pub(super) fn extract(&self, input: &Input) -> io::Result<Done> {
        let mut done = Done::default();
        let identity = Identity::of(input);
        let known = identity.as_ref().ok().cloned().unwrap_or_default();
        let has = |table: &str| {
            self.manifest.has(input, &known, table, &place(table, &input.name, self.is_parted))
        };
        let tables = beside(self.tables);
        if identity.is_ok() && tables.iter().all(|table| has(table)) && has(PROBLEMS) {
            done.kept = tables.len() + 1;
            return Ok(done);
        }
        let session = match identity {
            Ok(_) => Session::open_with(&[input.source()], &self.options),
            Err(error) => Err(unreadable(input, &error)),
        };
        let mut problems = Vec::new();
        match &session {
            Ok(session) => {
                for table in tables {
                    if has(table) {
                        problems.extend(self.manifest.problems(input, table));
                        done.kept += 1;
                        continue;
                    }
                    let Some(rows) = self.rows(session, input, table) else { return Ok(done) };
                    self.write(input, &known, table, &rows)?;
                    done.written += 1;
                    problems.extend(rows.problems);
                }
                if self.tables.contains(&PROBLEMS) {
                    let Some(found) = self.own_problems(session, input) else { return Ok(done) };
                    problems = found;
                }
            }
            Err(error) => {
                problems.push(Problem::of(error, &input.path, None));
                done.is_unread = true;
                if known != Identity::default() {
                    // Rows of an earlier version of the dump file are not kept.
                    for table in tables.into_iter().filter(|table| !has(table)) {
                        let _ = fs::remove_file(self.output.join(place(
                            table,
                            &input.name,
                            self.is_parted,
                        )));
                    }
                }
            }
        }
        if self.token.is_cancelled() {
            return Ok(done);
        }
        let dump = (!self.is_parted).then_some(input.name.as_str());
        let result = problems::rows(&problems, dump).map_err(io::Error::other)?;
        self.write(input, &known, PROBLEMS, &Rows { result, problems })?;
        done.written += 1;
        Ok(done)
    }

    /// The rows of a table; no rows, with the reason, if the dump does not answer it. `None` if the
    /// run was cancelled.
    fn rows(&self, session: &Session, input: &Input, table: &str) -> Option<Rows> {
        let columns = if self.is_parted { "*" } else { "$dump AS dump, *" };
        let sql = |rest: &str| format!("-- optional: {table}\nSELECT {columns} FROM {table}{rest}");
        let run = |sql: &str| {
            let query = session.prepare(sql)?.cancel(self.token);
            query.value("dump", Value::text(input.name.clone())).run()
        };
        let rows = match run(&sql("")) {
            Ok(result) => {
                let problems = problems::of_result(&result);
                Rows { result, problems }
            }
            Err(error) => {
                let problems = vec![Problem::of(&error, &input.path, Some(table))];
                let result = run(&sql(" LIMIT 0")).unwrap_or_default();
                Rows { result, problems }
            }
        };
        // After a cancellation the rows may be incomplete, even without an error.
        (!self.token.is_cancelled()).then_some(rows)
    }

    /// The rows of the dump's table `problems`.
    fn own_problems(&self, session: &Session, input: &Input) -> Option<Vec<Problem>> {
        let sql =
            "-- optional: problems\nSELECT \"table\", \"column\", reason, count FROM problems";
        let found = session.prepare(sql).and_then(|query| query.cancel(self.token).run());
        if self.token.is_cancelled() {
            return None;
        }
        match found {
            Ok(result) => {
                let text = |row, column| match result.value(row, column) {
                    Value::Text(text) => Some(text.into_owned()),
                    _ => None,
                };
                let problem = |row| Problem {
                    table: text(row, 0),
                    column: text(row, 1),
                    code: None,
                    reason: text(row, 2).unwrap_or_default(),
                    count: u64::try_from(result.value(row, 3).as_int().unwrap_or(1)).unwrap_or(1),
                };
                Some((0..result.len()).map(problem).collect())
            }
            Err(error) => Some(vec![Problem::of(&error, &input.path, Some(PROBLEMS))]),
        }
    }

    /// Writes a temporary file in the same folder, renames it, and records it in the manifest.
    fn write(
        &self,
        input: &Input,
        identity: &Identity,
        table: &str,
        rows: &Rows,
    ) -> io::Result<()> {
        let place = place(table, &input.name, self.is_parted);
        let path = self.output.join(&place);
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(named)?;
            if self.is_parted {
                clear(folder).map_err(named)?;
            }
        }
        let mut file = Vec::new();
        let sheet = Sheet::new(table, "", &rows.result);
        export::write(FileFormat::Parquet, &[sheet], &[], &mut file).map_err(named)?;
        export::write_file(&path, |out| out.write_all(&file)).map_err(named)?;
        self.manifest.add(&Record {
            dump: input.name.clone(),
            path: input.whole.clone(),
            bytes: identity.bytes,
            modified: identity.modified,
            start: format!("{:016x}", identity.start),
            table: table.to_owned(),
            rows: rows.result.len() as u64,
            file: place.to_string_lossy().replace('\\', "/"),
            file_bytes: file.len() as u64,
            problems: rows.problems.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

/// Removes files that an aborted run left in a partition.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && name.ends_with(".part") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn unreadable(input: &Input, error: &io::Error) -> Error {
    let message = format!("{}: {error}", input.path.display());
    Diagnostic::new(Code::Io, message).into()
}
