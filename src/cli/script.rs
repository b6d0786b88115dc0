//! The SQL to run: from the command line, from files, from the library.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use super::args::Step;
use crate::diag::{Code, Diagnostic};
use crate::session::{
    Called, Error, Library, SavedParam, SavedQuery, TokenKind, is_complete, tokens,
};

/// The maximum size of a file of SQL.
const MAX_BYTES: u64 = 16 << 20;

/// A text to run, and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// A short name, for sheets and headings.
    pub(super) title: String,
    /// The name of the text in errors.
    pub(super) origin: Option<String>,
    /// The text, and the parameters in its header.
    pub(super) query: SavedQuery,
    /// The parameter values in a debugger command.
    pub(super) given: BTreeMap<String, String>,
    /// The words of a debugger command that it does not depend on.
    ignored: Vec<String>,
    /// Whether it was requested by a debugger command, so that its SQL is shown.
    pub(super) by_command: bool,
}

impl Script {
    /// SQL with or without the header of a saved query.
    ///
    /// # Errors
    ///
    /// If the header is invalid.
    pub(super) fn new(title: String, origin: Option<String>, sql: &str) -> Result<Self, Error> {
        let query = SavedQuery::parse(&title, sql).map_err(|d| Error::of_query(vec![d], sql))?;
        let (given, ignored) = (BTreeMap::new(), Vec::new());
        Ok(Self { title, origin, query, given, ignored, by_command: false })
    }

    /// A saved query.
    fn called(called: &Called<'_>, by_command: bool) -> Self {
        let query = called.query.clone();
        Self {
            title: query.name.clone(),
            origin: Some(format!("{}.sql", query.name)),
            query,
            given: called.given.clone(),
            ignored: called.ignored.clone(),
            by_command,
        }
    }

    /// The values of the parameters; those in the command override the given ones.
    pub(super) fn values(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut values = given.clone();
        values.extend(self.given.iter().map(|(name, value)| (name.clone(), value.clone())));
        values
    }

    /// Each parameter with its value.
    fn bound<'s>(
        &'s self,
        values: &'s BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'s SavedParam, &'s String)> {
        let value = |param: &'s SavedParam| values.get(&param.name).or(param.default.as_ref());
        self.query.params.iter().filter_map(move |param| Some((param, value(param)?)))
    }

    /// The values of its parameters that are not the default, as words.
    pub(super) fn settings(&self, given: &BTreeMap<String, String>) -> String {
        let values = self.values(given);
        let bound =
            self.bound(&values).filter(|(param, value)| param.default.as_ref() != Some(value));
        let shown: Vec<String> =
            bound.map(|(param, value)| format!("{} = {value}", param.name)).collect();
        shown.join(", ")
    }

    /// The query as a text that runs, with the values of its parameters in its header.
    pub(super) fn runnable(&self, given: &BTreeMap<String, String>) -> String {
        let values = self.values(given);
        let line = |(param, value): (&SavedParam, &String)| {
            format!("-- param: {} {} = {}\n", param.name, param.ty, value.replace('\n', " "))
        };
        let header: String = self.bound(&values).map(line).collect();
        header + self.query.sql()
    }

    /// Which words of a debugger command change nothing, if there are any.
    pub(super) fn without_effect(&self) -> Option<String> {
        let words: Vec<String> = self.ignored.iter().map(|word| format!("`{word}`")).collect();
        let has = if words.len() == 1 { "has" } else { "have" };
        let note = || format!("{} {has} no effect on `{}`", words.join(" and "), self.query.name);
        (!words.is_empty()).then(note)
    }

    /// The query as shown to the user: its name, the values of its parameters, its SQL.
    pub(super) fn lesson(&self, given: &BTreeMap<String, String>) -> Vec<String> {
        let values = self.values(given);
        let mut lines = vec![format!("-- {}: {}", self.query.name, self.query.title)];
        lines.extend(
            self.bound(&values).map(|(param, value)| format!("-- ${} = {value}", param.name)),
        );
        lines.extend(self.without_effect().map(|note| format!("-- {note}")));
        lines.extend(self.query.sql().trim().lines().map(str::to_owned));
        lines
    }
}

/// Reads the text of a step: one script, or several if debugger commands are between the
/// statements. `number` counts the steps from 1.
pub(super) fn read(step: &Step, number: usize, library: &Library) -> Vec<Result<Script, Error>> {
    let script = match step {
        Step::Sql(sql) => Script::new(format!("query {number}"), None, sql),
        Step::Stdin => read_stdin(),
        Step::File(path) => read_file(path),
        Step::Named(name) => return vec![named(name, library)],
    };
    match script {
        Ok(script) => parts(script, library),
        Err(error) => vec![Err(error)],
    }
}

/// The parts of a text: statements, and debugger commands on lines of their own.
pub(super) fn parts(script: Script, library: &Library) -> Vec<Result<Script, Error>> {
    let text = script.query.text.as_str();
    if !text.lines().any(|line| library.is_command(line)) {
        return vec![Ok(script)];
    }
    let mut parts = Vec::new();
    let mut pending = String::new();
    let flush = |pending: &mut String, parts: &mut Vec<Result<Script, Error>>| {
        let sql = std::mem::take(pending);
        if !is_blank(&sql) {
            parts.push(Script::new(script.title.clone(), script.origin.clone(), &sql));
        }
        // Blank lines replace the earlier text, so that positions in errors are correct.
        pending.extend(std::iter::repeat_n('\n', sql.matches('\n').count()));
    };
    for line in text.lines() {
        // The text before is only parsed again if the line is a command.
        if library.is_command(line) && (is_blank(&pending) || is_complete(&pending)) {
            flush(&mut pending, &mut parts);
            let commands = line.split(';').map(str::trim).filter(|command| !command.is_empty());
            parts.extend(commands.map(|command| by_command(command, library)));
            pending.push('\n');
        } else {
            pending.push_str(line);
            pending.push('\n');
        }
    }
    flush(&mut pending, &mut parts);
    parts
}

/// Whether a text consists only of blanks and comments.
pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty() || tokens(text).iter().all(|t| t.kind == TokenKind::Comment)
}

/// Reads all of standard input.
///
/// # Errors
///
/// If this fails, or the input is not text.
pub(super) fn read_stdin() -> Result<Script, Error> {
    let sql = text_of(std::io::stdin().lock(), "standard input")?;
    let origin = Some("standard input".to_owned());
    Script::new("standard input".to_owned(), origin, &sql)
}

/// Reads a file of SQL.
///
/// # Errors
///
/// If this fails, or the file is not text.
pub(super) fn read_file(path: &Path) -> Result<Script, Error> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| io(&name, &error))?;
    let sql = text_of(file, &name)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Script::new(stem, Some(name), &sql)
}

/// A saved query, by its name or by a debugger command.
///
/// # Errors
///
/// E0201 with similar names.
pub(super) fn named(name: &str, library: &Library) -> Result<Script, Error> {
    let called = library.find(name)?;
    let by_command = !called.query.name.eq_ignore_ascii_case(name);
    Ok(Script::called(&called, by_command))
}

/// The query that answers a debugger command.
///
/// # Errors
/// E0201 with the forms of the command, or with similar commands.
pub(super) fn by_command(command: &str, library: &Library) -> Result<Script, Error> {
    Ok(Script::called(&library.called(command)?, true))
}

/// The shipped queries and those in the given files and folders.
///
/// # Errors
///
/// If a file cannot be read, or its header is invalid.
pub(super) fn library(paths: &[std::path::PathBuf]) -> Result<Library, Error> {
    let mut library = Library::default();
    for path in paths {
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries = std::fs::read_dir(path);
            let entries = entries.map_err(|error| io(&path.display().to_string(), &error))?;
            files = entries.flatten().map(|entry| entry.path()).collect();
            files.retain(|file| file.extension().is_some_and(|ending| ending == "sql"));
            files.sort();
        }
        for file in files {
            library.add(read_file(&file)?.query);
        }
    }
    Ok(library)
}

fn text_of(from: impl std::io::Read, name: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| io(name, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message =
            format!("{name} has more than {} MiB: no query is that long", MAX_BYTES >> 20);
        return Err(Diagnostic::new(Code::Io, message).into());
    }
    // Editors on Windows may write a byte order mark.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str) -> Vec<String> {
        let library = Library::default();
        let script = Script::new("query 1".to_owned(), None, text).unwrap();
        let name = |part: Result<Script, Error>| match part {
            Ok(part) => format!("{}: {}", part.title, part.query.sql().trim().replace('\n', " ")),
            Err(error) => error.diagnostics()[0].message.clone(),
        };
        parts(script, &library)
            .into_iter()
            .map(name)
            .map(|t| t[..t.len().min(28)].to_owned())
            .collect()
    }

    #[test]
    fn debugger_commands_are_on_separate_lines() {
        assert_eq!(titles("SELECT 1"), ["query 1: SELECT 1"]);
        assert_eq!(
            titles("-- what hangs\n!locks; !nothing\nSELECT 1,\nk\nFROM x;\n!vm"),
            [
                "high-contention: SELECT resource, symbol, state"[..28].to_owned(),
                "no query answers `!nothing`".to_owned(),
                "query 1: SELECT 1, k FROM x;".to_owned(),
                "vm: SELECT name, pages, bytes // 1024 AS kilobytes"[..28].to_owned(),
            ]
        );
    }

    #[test]
    fn positions_in_errors_are_those_of_the_file() {
        let script = Script::new("t".to_owned(), None, "!vm\n\nSELECT x;").unwrap();
        let parts = super::parts(script, &Library::default());
        assert_eq!(parts[1].as_ref().unwrap().query.text, "\n\nSELECT x;\n");
    }
}
