//! Dot-commands.

mod picked;
mod settings;

use settings::MAX_READS;
use std::path::{Path, PathBuf};

use super::{Next, Repl};
use crate::catalog::FunctionSpec;
use crate::cli::args::Mode;
use crate::cli::listing;
use crate::cli::output::{self, Target};
use crate::cli::script;
use crate::cli::table::push_clean;
use crate::diag::{Code, Diagnostic, nearest};
use crate::export::FileFormat;
use crate::export::chart::Spec;
use crate::session::Session;

/// Name, arguments and purpose of every command.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "chart",
        "[KIND x=C y=C…]",
        "Draw the last result: bar, column, line, area, scatter, heat or histogram.",
    ),
    (
        "columns",
        "[N-M NAME… | all]",
        "The columns of the last result, or show it with some of them.",
    ),
    ("describe", "TABLE", "What a table and its columns, or a saved query, hold."),
    ("dump", "", "What the open dumps say of themselves."),
    ("export", "FILE", "Write the last result to FILE; its ending picks the format."),
    ("functions", "[PATTERN]", "The functions, or those whose name holds PATTERN."),
    ("help", "", "This list."),
    ("last", "", "Show the last result again, in the current mode; FROM _ queries it."),
    ("maxrows", "[N]", "Show at most N rows of a result; 0 shows all."),
    (
        "mode",
        "[NAME]",
        "Set the format of results: auto, table, line, csv, tsv, json, jsonl, md or html.",
    ),
    ("nullvalue", "TEXT", "Set the text for NULL in tables."),
    ("open", "FILE…", "Open other dumps instead of the current ones."),
    (
        "output",
        "[FILE]",
        "Write results to FILE, its extension selects the format; without FILE, show them.",
    ),
    (
        "pager",
        "[on | off | PROGRAM]",
        "What shows results that the screen does not hold; on is built in, less -S a program.",
    ),
    ("param", "[NAME=VALUE]", "Give the query parameter $NAME a value, or list those given."),
    ("queries", "[PATTERN]", "List the saved queries, or those that match PATTERN."),
    ("quit", "", "Leave, as Ctrl-D does."),
    ("read", "FILE", "Run the statements and commands of a file."),
    ("run", "NAME [P=V…]", "Run a saved query with values for its parameters."),
    ("sql", "", "Show the SQL of the last debugger command or saved query."),
    ("tables", "[PATTERN]", "List the tables, or those whose name contains PATTERN."),
    ("timer", "on|off", "Set whether the time of each statement is shown."),
    ("width", "[N]", "Fit tables to N columns; without N, to the terminal."),
];

/// A command as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub(super) name: &'a str,
    pub(super) rest: &'a str,
}

impl Written<'_> {
    /// Whether the command exists.
    pub(super) fn is_known(&self) -> bool {
        let other = ["schema", "exit", "q", "qq"];
        COMMANDS.iter().any(|c| c.0 == self.name) || other.contains(&self.name)
    }
}

/// The dot-command in a line, if it is one. `quit`, `exit` and `help` need no dot.
pub(super) fn of(line: &str) -> Option<Written<'_>> {
    if let "q" | "qq" | "quit" | "exit" | "help" | "quit;" | "exit;" | "help;" = line {
        return Some(Written { name: line.trim_end_matches(';'), rest: "" });
    }
    let rest = line.strip_prefix('.')?;
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) || rest.contains('\n') {
        return None;
    }
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some(Written {
        name: name.trim_end_matches(';'),
        rest: rest.trim().trim_end_matches(';').trim(),
    })
}

/// The words of a text; blanks in quotes are part of a word.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(q) if q == c => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

impl Repl<'_> {
    pub(super) fn obey(&mut self, command: Written<'_>) -> Next {
        let Written { name, rest } = command;
        let file = || words(rest).first().map(PathBuf::from);
        match name {
            "quit" | "exit" | "q" | "qq" => return Next::Leave,
            "help" => self.help(),
            "tables" => self.tables(rest),
            "describe" | "schema" => self.describe(rest),
            "functions" => self.functions(rest),
            "queries" => {
                let text = listing::queries(self.library, rest, &self.console);
                if text.is_empty() {
                    self.complain(&format!("no query matches `{rest}`; .queries lists all"));
                } else {
                    self.print(&text);
                }
            }
            "last" => self.show_last(),
            "columns" => self.columns(rest),
            "pager" => self.set_pager(rest),
            "chart" => self.chart(rest),
            "export" => match file() {
                Some(path) => self.export(&path),
                None => self.complain("expected a file: .export threads.xlsx"),
            },
            "sql" => {
                let mut text = String::new();
                for line in &self.last_sql {
                    push_clean(line, &mut text);
                    text.push('\n');
                }
                if text.is_empty() {
                    self.complain("no debugger command or saved query has run yet");
                } else {
                    self.print(&text);
                }
            }
            "run" => self.run_named(rest),
            "dump" => {
                let mode = std::mem::replace(&mut self.mode, Mode::Line);
                self.answer("SELECT * FROM dump;");
                self.mode = mode;
            }
            "open" => self.open(&words(rest)),
            "read" => match file() {
                Some(path) => return self.read(&path),
                None => self.complain("expected a file: .read FILE"),
            },
            "mode" => self.set_mode(rest),
            "output" => self.set_output(file()),
            "param" => self.set_param(rest),
            "timer" => match rest {
                "on" | "" => self.timer = true,
                "off" => self.timer = false,
                _ => self.complain("expected on or off: .timer on"),
            },
            "maxrows" => match rest.parse() {
                Ok(rows) => self.max_rows = rows,
                Err(_) if rest.is_empty() => self.print(&format!("{}\n", self.max_rows)),
                Err(_) => self.complain("expected a number of rows: .maxrows 100, or 0 for all"),
            },
            "width" => match rest.parse() {
                Ok(width) if width > 0 => self.console.fixed_width = Some(width),
                Err(_) if !rest.is_empty() => {
                    self.complain("expected a number of columns: .width 120");
                }
                _ => self.console.fixed_width = None,
            },
            "nullvalue" => {
                self.null.clear();
                push_clean(&words(rest).concat(), &mut self.null);
            }
            _ => self.unknown(name),
        }
        Next::Ask
    }

    pub(super) fn complain(&mut self, message: &str) {
        self.failed = true;
        self.console.say(format!("error: {message}"));
    }

    fn unknown(&mut self, name: &str) {
        let near = nearest(name, COMMANDS.iter().map(|c| c.0));
        let forms = self.library.queries().flat_map(|query| &query.debugger);
        let dotted = forms.filter_map(|form| form.strip_prefix('.')?.split_whitespace().next());
        let near = near.into_iter().chain(nearest(name, dotted));
        let near: Vec<String> = near.map(|n| format!(".{n}")).collect();
        let hint = match near.as_slice() {
            [] => ".help lists the commands".to_owned(),
            near => format!("similar: {}", near.join(", ")),
        };
        self.complain(&format!("there is no command .{name}; {hint}"));
    }

    fn help(&mut self) {
        let names: Vec<String> = COMMANDS
            .iter()
            .map(|(n, args, _)| format!(".{n} {args}").trim_end().to_owned())
            .collect();
        let entries = names.iter().zip(COMMANDS).map(|(n, c)| (n.as_str(), c.2.to_owned()));
        let mut text = listing::columns(entries.collect(), &self.console);
        text += "\nStatements end with ; and may take several lines. Debugger commands (!locks, k, lm, \
                 !process 0 0)\nrun the saved query that answers them. Tab completes, Ctrl-R searches \
                 the history,\nCtrl-C stops what runs, Ctrl-D leaves.\n";
        self.print(&text);
    }

    fn tables(&mut self, pattern: &str) {
        let holds = |name: &str| name.contains(&pattern.to_ascii_lowercase());
        let catalog = self.session.catalog();
        let tables = catalog.tables().iter().filter(|t| holds(t.name));
        let text = listing::tables(tables, &self.console);
        if text.is_empty() {
            self.complain(&format!("no table name contains `{pattern}`; .tables lists all"));
        } else {
            self.print(&text);
        }
    }

    fn describe(&mut self, name: &str) {
        if name.is_empty() {
            return self.complain("expected a table: .describe threads");
        }
        let catalog = self.session.catalog();
        if let Some(table) = catalog.table(name) {
            let text = listing::describe(table, &self.console);
            return self.print(&text);
        }
        if let Ok(called) = self.library.find(name) {
            let text = listing::describe_query(called.query, &self.console);
            return self.print(&text);
        }
        let error = Diagnostic::new(Code::UnknownTable, format!("there is no table `{name}`"))
            .nearest(name, listing::table_names(&catalog))
            .help(".tables lists the tables");
        self.report(&error.into(), None);
    }

    fn functions(&mut self, pattern: &str) {
        let wanted = pattern.to_ascii_lowercase();
        let holds = |f: &&&FunctionSpec| {
            f.name.contains(&wanted)
                || f.aliases.iter().any(|a| a.contains(&wanted))
                || f.family == wanted
        };
        let catalog = self.session.catalog();
        let entries = catalog.functions().iter().filter(holds);
        let text =
            listing::columns(entries.map(|f| (f.name, f.doc.to_owned())).collect(), &self.console);
        if text.is_empty() {
            self.complain(&format!("no function name contains `{pattern}`; .functions lists all"));
        } else {
            self.print(&text);
        }
    }

    fn run_named(&mut self, rest: &str) {
        let mut words = words(rest).into_iter();
        let Some(name) = words.next() else {
            return self.complain("expected a name: .run overview; .queries lists them");
        };
        let script = match script::named(&name, self.library) {
            Ok(script) => script,
            Err(error) => return self.report(&error, None),
        };
        let before = self.params.clone();
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                self.params = before;
                return self.complain(&format!("expected NAME=VALUE, found {word}"));
            };
            self.params.insert(name.trim_start_matches('$').to_owned(), value.to_owned());
        }
        self.run(&script);
        self.params = before;
    }

    /// Draws the last result; `.export` uses the same chart.
    fn chart(&mut self, written: &str) {
        let Some(mut answer) = self.last.take() else {
            return self.complain("there is no result yet");
        };
        let drawn = if written.is_empty() {
            output::draw(&answer, &self.console)
        } else {
            Spec::parse(written).map_err(std::io::Error::other).and_then(|spec| {
                answer.chart = Some(spec);
                output::draw(&answer, &self.console)
            })
        };
        self.written(drawn);
        self.last = Some(answer);
    }

    /// Writes the last result to a file.
    fn export(&mut self, path: &Path) {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let format = FileFormat::from_extension(&extension);
        // A chart is one of all columns.
        let is_picture = format.is_some_and(FileFormat::is_picture);
        let Some(answer) = self.last.clone().filter(|_| is_picture).or_else(|| self.last_picked())
        else {
            return self.complain("there is no result yet");
        };
        let outcome = match format {
            Some(_) if !self.may_write(path) => Ok(()),
            Some(format) => {
                let answers = std::slice::from_ref(&answer);
                let target = Target { path, force: true };
                output::save(answers, Mode::File(format), target, &self.session, &self.console)
            }
            None => Err(std::io::Error::other(
                "the name does not say what format to write: end it in .csv, .tsv, .json, .jsonl, \
                 .md, .html, .xlsx, .parquet, .svg or .png",
            )),
        };
        self.written(outcome);
    }

    fn open(&mut self, files: &[String]) {
        if files.is_empty() {
            return self.complain("expected a dump: .open MEMORY.DMP");
        }
        let paths: Vec<&Path> = files.iter().map(Path::new).collect();
        let options = self.options.clone().cancel(&self.interrupt.arm());
        let (session, failures) = Session::open_each(&paths, false, &options);
        for (_, error) in &failures {
            self.report(error, None);
        }
        // If no file could be opened, the current session is kept.
        if failures.len() < files.len() {
            self.session = session.into();
            let line = self.opened();
            self.print(&format!("{line}\n"));
        }
    }

    fn read(&mut self, path: &Path) -> Next {
        if self.reading >= MAX_READS {
            self.complain("files that read files are nested too deep");
            return Next::Ask;
        }
        let is_sql = |text: &str| {
            !super::has_commands(text) && !text.lines().any(|line| self.library.is_command(line))
        };
        match script::read_file(path) {
            Ok(script) if is_sql(&script.query.text) => self.run(&script),
            Ok(script) => {
                self.reading += 1;
                let next = self.feed(self.pieces(&script.query.text));
                self.reading -= 1;
                return next;
            }
            Err(error) => self.report(&error, None),
        }
        Next::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_begin_with_a_dot_and_a_letter() {
        let written = |name, rest| Some(Written { name, rest });
        for (line, wanted) in [
            (".mode csv;", written("mode", "csv")),
            (".run x  a='b c'", written("run", "x  a='b c'")),
            ("quit", written("quit", "")),
            ("exit;", written("exit", "")),
            (".5 + 1;", None),
            ("select 1;", None),
            (".", None),
        ] {
            assert_eq!(of(line), wanted, "{line}");
        }
    }

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(words(r#" a "b c" d='e f' '' "#), ["a", "b c", "d=e f", ""]);
    }

    #[test]
    fn commands_are_sorted_for_reading() {
        assert!(COMMANDS.is_sorted());
    }
}
