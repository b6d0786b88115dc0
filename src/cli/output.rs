//! The output of results: shown immediately, or collected for one file.

mod lines;
mod target;

use lines::numbered;
pub(super) use lines::wrap;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
pub(super) use target::Target;
use target::shown;

use super::args::Mode;
use super::console::Console;
use super::interrupt::is_stop;
use super::progress::grouped;
use super::script::Script;
use super::table::{Cut, Look, push_clean, write_lines, write_table};
use crate::export::chart::{ChartKind, Data, Spec, TextLook, write_text};
use crate::export::{self, FileFormat, Note, Sheet};
use crate::session::{ResultSet, Session};

/// A result with what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The title.
    pub(super) title: String,
    /// The query.
    pub(super) query: String,
    /// The rows.
    pub(super) result: ResultSet,
    /// What the rows mean and how to read them.
    pub(super) about: String,
    /// The chart of the rows, if one was requested or the saved query defines one.
    pub(super) chart: Option<Spec>,
}

impl Answer {
    /// The `count`th result of a script.
    pub(super) fn of(
        script: &Script,
        count: usize,
        chart: Option<Spec>,
        result: ResultSet,
        given: &BTreeMap<String, String>,
    ) -> Self {
        let query = &script.query;
        let title = match count {
            0 | 1 => script.title.clone(),
            n => format!("{} ({n})", script.title),
        };
        let heading =
            if query.title.is_empty() { String::new() } else { format!("{}. ", query.title) };
        let mut about =
            format!("{heading}{} {}", query.description, query.reading).trim().to_owned();
        let values = script.settings(given);
        if !values.is_empty() {
            let _ = write!(about, " With {values}.");
        }
        // The chart in the header is for the first result.
        let hint = query.chart.as_deref().filter(|_| count <= 1);
        let chart = chart.or_else(|| Spec::parse(hint?).ok());
        // The description in the header is already shown with the rows.
        let sql = if query.title.is_empty() { query.text.clone() } else { script.runnable(given) };
        Self { title, query: sql, result, about, chart }
    }

    /// The answer in the form for file writers.
    pub(super) fn sheet(&self) -> Sheet<'_> {
        Sheet::new(&self.title, &self.query, &self.result)
            .with_about(&self.about)
            .with_chart(self.chart.as_ref())
    }
}

/// The number of columns that the mode `auto` shortens before it shows one line per value.
const SHORTENED: usize = 3;
/// The maximum number of rows for which the mode `auto` shows one line per value rather than
/// omitting columns.
const LINED: usize = 25;

/// Whether a result is shown with one line a value.
pub(super) fn shows_lines(result: &ResultSet, mode: Mode, look: &Look) -> bool {
    match mode {
        Mode::Line => true,
        Mode::Auto if result.len() <= LINED => {
            let cut = write_table(result, look, &mut io::sink());
            cut.is_ok_and(|cut| !cut.hidden.is_empty() || cut.shortened.len() > SHORTENED)
        }
        _ => false,
    }
}

/// Shows a result on standard output.
///
/// # Errors
/// Whatever standard output reports.
pub(super) fn show(answer: &Answer, mode: Mode, look: &Look, console: &Console) -> io::Result<()> {
    let Answer { result, .. } = answer;
    if let Mode::File(format) = mode {
        // Excel needs a byte order mark and line ends of Windows; a person does not.
        let format = match format {
            FileFormat::ExcelCsv if console.out_is_terminal => FileFormat::Csv,
            format => format,
        };
        let mut out: Box<dyn Write> =
            if format.is_text() { console.raw_out() } else { Box::new(console.out()) };
        export::write(format, &[answer.sheet()], &[], &mut out)?;
        out.flush()?;
        drop(out);
        say_absent(result, console);
        return Ok(());
    }
    let mut out = console.out();
    let cut = if shows_lines(result, mode, look) {
        write_lines(result, look, &mut out)?
    } else {
        write_table(result, look, &mut out)?
    };
    out.flush()?;
    drop(out);
    notes(result, &cut, None, console)
}

/// What is said below the rows: on a terminal how many there are and what is not shown, how all are
/// shown, and everywhere which values are absent.
///
/// # Errors
/// Whatever standard output reports.
pub(super) fn notes(
    result: &ResultSet,
    cut: &Cut,
    how: Option<&str>,
    console: &Console,
) -> io::Result<()> {
    if !console.out_is_terminal {
        say_absent(result, console);
        return Ok(());
    }
    let mut out = console.out();
    for note in footer(result, cut, how) {
        for line in wrap(&note, console.text_width(), "  ") {
            dimmed(&line, console.out_colour, &mut out)?;
        }
    }
    out.flush()
}

/// The number of lines of SQL shown for a debugger command; the prompt shows the rest on request.
const LESSON: usize = 16;

/// Shows the query that answers a debugger command, so that users learn the language.
///
/// # Errors
///
/// Whatever standard output reports.
pub(super) fn show_lesson(lines: &[String], console: &Console) -> io::Result<()> {
    let mut out = console.out();
    for line in lines.iter().take(LESSON) {
        let mut clean = String::new();
        push_clean(line, &mut clean);
        dimmed(&clean, console.out_colour, &mut out)?;
    }
    if let Some(more) = lines.len().checked_sub(LESSON).filter(|more| *more > 0) {
        let line = format!("-- and {more} more lines: .sql shows them, or --describe-query");
        dimmed(&line, console.out_colour, &mut out)?;
    }
    out.flush()
}

/// Draws the chart of a result on standard output.
///
/// # Errors
///
/// If the chart cannot be drawn, and whatever standard output reports.
pub(super) fn draw(answer: &Answer, console: &Console) -> io::Result<()> {
    let guess = Spec::of(ChartKind::Bar);
    let spec = answer.chart.as_ref().unwrap_or(&guess);
    let data = Data::new(spec, &answer.result).map_err(|message| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{message} (chart: {spec})"))
    })?;
    let look = TextLook { width: console.out_width().unwrap_or(100), colour: console.out_colour };
    let mut out = console.out();
    write_text(&data, &look, &mut out)?;
    out.flush()
}

fn dimmed(line: &str, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    if colour { writeln!(out, "\x1b[2m{line}\x1b[0m") } else { writeln!(out, "{line}") }
}

/// The lines below the rows at a terminal; `how` says how all of it is shown.
fn footer(result: &ResultSet, cut: &Cut, how: Option<&str>) -> Vec<String> {
    let rows = result.len();
    let mut first = format!("{} row{}", grouped(rows), if rows == 1 { "" } else { "s" });
    if let Some(how) = how {
        let _ = write!(first, "; {how}");
    } else if cut.rows > 0 {
        let _ =
            write!(first, ", {} in the middle not shown (.maxrows 0 shows all)", grouped(cut.rows));
    }
    let mut notes = vec![first];
    let mut parts = Vec::new();
    if !cut.shortened.is_empty() {
        parts.push(format!("shortened: {}", cut.shortened.join(", ")));
    }
    if !cut.hidden.is_empty() {
        parts.push(format!("not shown: {}", listed(&cut.hidden)));
    }
    if !parts.is_empty() && how.is_none() {
        let how = "line mode shows all (.mode line, --format line), .columns some";
        notes.push(format!("{}; {how}", parts.join("; ")));
    }
    notes.extend(absent(result));
    notes
}

/// The first few names, and the number of the others.
fn listed(names: &[String]) -> String {
    const NAMED: usize = 6;
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

fn say_absent(result: &ResultSet, console: &Console) {
    for note in absent(result) {
        console.say(note);
    }
}

/// The values that scans could not provide: one line per table, reason and count.
pub(super) fn absent(result: &ResultSet) -> Vec<String> {
    let mut groups: Vec<(&str, _, usize, Vec<&str>)> = Vec::new();
    for note in result.footnotes() {
        let same = |group: &&mut (&str, _, usize, Vec<&str>)| {
            (group.0, group.1, group.2) == (note.table, note.reason, note.count)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.3.push(note.column),
            None => groups.push((note.table, note.reason, note.count, vec![note.column])),
        }
    }
    let line =
        |(table, reason, count, columns): (&str, crate::catalog::Absent, usize, Vec<&str>)| {
            let count = grouped(count);
            match columns.as_slice() {
                [only] => format!("absent: {table}.{only} {count} × {reason}"),
                all => format!("absent: {count} × {reason} in each of {table}: {}", all.join(", ")),
            }
        };
    let mut lines: Vec<String> = groups.into_iter().map(line).collect();
    for unread in result.unread() {
        lines.push(format!("not answered: {} ({})", unread.table, unread.because.join("; ")));
    }
    lines
}

/// Writes results to files and says which.
///
/// # Errors
///
/// Whatever the file system reports; files that were written earlier are kept.
pub(super) fn save(
    answers: &[Answer],
    mode: Mode,
    target: Target<'_>,
    session: &Session,
    console: &Console,
) -> io::Result<()> {
    let path = target.path;
    let format = match mode {
        Mode::File(format) => format,
        Mode::Auto | Mode::Table | Mode::Line => {
            target.check(session)?;
            return save_text(answers, mode, path, console);
        }
    };
    if format.holds_several() || answers.len() == 1 {
        let (facts, notes) = facts(session, format);
        let mut sheets: Vec<Sheet<'_>> = answers.iter().map(Answer::sheet).collect();
        sheets.extend(facts.as_ref().map(Answer::sheet));
        target.check(session)?;
        let write =
            |out: &mut dyn Write| export::write(format, &sheets, &notes, &mut console.file(out));
        export::write_file(path, write).map_err(|error| named(path, error))?;
        say_saved(path, answers.iter().map(|a| a.result.len()).sum(), answers.len(), console);
    } else {
        let paths: Vec<_> = (1..=answers.len()).map(|number| numbered(path, number)).collect();
        // All are looked at before the first is written.
        for path in &paths {
            Target { path, ..target }.check(session)?;
        }
        for (answer, path) in answers.iter().zip(&paths) {
            let write = |out: &mut dyn Write| {
                export::write(format, &[answer.sheet()], &[], &mut console.file(out))
            };
            export::write_file(path, write).map_err(|error| named(path, error))?;
            say_saved(path, answer.result.len(), 1, console);
        }
    }
    for answer in answers {
        say_absent(&answer.result, console);
    }
    Ok(())
}

fn save_text(answers: &[Answer], mode: Mode, path: &Path, console: &Console) -> io::Result<()> {
    let look = Look { width: None, max_rows: None, colour: false, null: "NULL".to_owned() };
    export::write_file(path, |out| {
        let out = &mut console.file(out);
        for answer in answers {
            match mode {
                Mode::Line => write_lines(&answer.result, &look, out)?,
                _ => write_table(&answer.result, &look, out)?,
            };
        }
        Ok(())
    })
    .map_err(|error| named(path, error))?;
    say_saved(path, answers.iter().map(|a| a.result.len()).sum(), answers.len(), console);
    Ok(())
}

/// Writes results to standard output in a format in which they form one document.
///
/// # Errors
///
/// Whatever standard output reports.
pub(super) fn print_document(
    answers: &[Answer],
    format: FileFormat,
    session: &Session,
    console: &Console,
) -> io::Result<()> {
    let (facts, notes) = facts(session, format);
    let mut sheets: Vec<Sheet<'_>> = answers.iter().map(Answer::sheet).collect();
    sheets.extend(facts.as_ref().map(Answer::sheet));
    let mut out: Box<dyn Write> =
        if format.is_text() { console.raw_out() } else { Box::new(console.out()) };
    export::write(format, &sheets, &notes, &mut out)?;
    out.flush()?;
    drop(out);
    for answer in answers {
        say_absent(&answer.result, console);
    }
    Ok(())
}

/// Facts about the dumps, for formats that can contain them: names and values for one dump, a table
/// for several.
fn facts(session: &Session, format: FileFormat) -> (Option<Answer>, Vec<Note>) {
    if !matches!(format, FileFormat::Xlsx | FileFormat::Html) {
        return (None, Vec::new());
    }
    let query = "SELECT * FROM dump";
    let Ok(result) = session.query(query) else { return (None, Vec::new()) };
    let title = "dump".to_owned();
    match result.len() {
        0 => (None, Vec::new()),
        1 => {
            let each = result.fields().iter().enumerate();
            let rows = each.map(|(i, field)| (field.name.clone(), result.text(0, i))).collect();
            (None, vec![Note { title, rows }])
        }
        _ => {
            let about = "What each of the dumps is.".to_owned();
            let query = query.to_owned();
            (Some(Answer { title, query, result, about, chart: None }), Vec::new())
        }
    }
}

fn named(path: &Path, error: io::Error) -> io::Error {
    if is_stop(&error) {
        return error;
    }
    io::Error::new(error.kind(), format!("cannot write {}: {error}", shown(path)))
}

fn say_saved(path: &Path, rows: usize, results: usize, console: &Console) {
    let mut text = shown(path);
    let _ = write!(text, ": {} row{}", grouped(rows), if rows == 1 { "" } else { "s" });
    if results > 1 {
        let _ = write!(text, " of {results} results");
    }
    console.say(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Absent;
    use crate::export::samples::count;
    use crate::session::Footnote;

    #[test]
    fn absent_values_are_listed_by_reason() {
        let note = |column, reason, count| Footnote { table: "threads", column, reason, count };
        let result = count(1).with_footnotes(vec![
            note("name", Absent::NotInDump, 1200),
            note("teb", Absent::NoSymbols, 3),
            note("tid", Absent::NotInDump, 1200),
        ]);
        assert_eq!(
            absent(&result),
            [
                "absent: 1,200 × not in dump in each of threads: name, tid",
                "absent: threads.teb 3 × no symbols"
            ]
        );
    }

    #[test]
    fn file_names_are_numbered_before_the_extension() {
        let name = |path: &str, n| numbered(Path::new(path), n).display().to_string();
        assert_eq!(name("a.b/x.csv", 1), "a.b/x.csv");
        assert_eq!(name("a.b/x.csv", 2), "a.b/x-2.csv");
        assert_eq!(name("a.b/x", 3), "a.b/x-3");
    }

    #[test]
    fn text_is_wrapped_at_words() {
        assert_eq!(wrap("one two three", 8, "  "), ["one two", "  three"]);
        assert_eq!(wrap("overlongword x", 4, " "), ["overlongword", " x"]);
        assert_eq!(wrap("", 4, " "), [""]);
    }
}
