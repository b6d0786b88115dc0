//! Non-interactive mode: runs the queries of the command line and exits.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use super::args::{Args, Invocation, Mode};
use super::console::Console;
use super::interrupt::{INTERRUPTED, Interrupt, is_stop};
use super::output::{self, Answer, Target};
use super::progress::with_progress;
use super::script::Script;
use super::table::Look;
use crate::export::FileFormat;
use crate::session::{self, CancelToken, Error, QueryProgress, Session, Token, TokenKind, tokens};

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything succeeded.
    Done,
    /// Something failed and was reported.
    Failed,
    /// The reader of the results closed the pipe, or Ctrl-C was pressed.
    Stop(u8),
}

/// Runs all scripts in order; returns the exit code.
pub(super) fn run(
    invocation: &Invocation,
    scripts: Vec<Result<Script, Error>>,
    session: &Session,
    console: &Console,
    interrupt: &Interrupt,
) -> u8 {
    let given: BTreeMap<String, String> = invocation.args.params.iter().cloned().collect();
    if let Some(name) = unused(&given, &scripts) {
        console.say(format!("error: no query uses the parameter `${name}` that -p gives"));
        return 2;
    }
    let args = &invocation.args;
    let mut batch =
        Batch { session, console, args, mode: invocation.mode, given, kept: Vec::new() };
    interrupt.install(true);
    let mut code = 0;
    for script in scripts {
        let token = interrupt.arm();
        match batch.run_read(script, &token) {
            End::Done => {}
            End::Failed => code = 1,
            End::Stop(with) => return with,
        }
        if interrupt.pressed() {
            return INTERRUPTED;
        }
    }
    match batch.finish() {
        End::Done => code,
        End::Failed => 1,
        End::Stop(with) => code.max(with),
    }
}

/// A parameter that no script has. It is reported, because otherwise a default would silently be
/// used instead of a misspelt parameter.
fn unused<'a>(
    given: &'a BTreeMap<String, String>,
    scripts: &[Result<Script, Error>],
) -> Option<&'a str> {
    if scripts.iter().any(Result::is_err) {
        return None;
    }
    let uses = |name: &str, script: &Script| {
        let text = &script.query.text;
        let is = |t: &Token| {
            t.kind == TokenKind::Parameter
                && t.text(text).strip_prefix('$').is_some_and(|n| n.eq_ignore_ascii_case(name))
        };
        tokens(text).iter().any(is)
    };
    let scripts = || scripts.iter().flatten();
    given.keys().map(String::as_str).find(|name| !scripts().any(|script| uses(name, script)))
}

struct Batch<'a> {
    session: &'a Session,
    console: &'a Console,
    args: &'a Args,
    mode: Mode,
    /// The given parameters, by name.
    given: BTreeMap<String, String>,
    /// Results that are collected to be written together.
    kept: Vec<Answer>,
}

impl Batch<'_> {
    /// Whether results are collected and written at the end.
    fn keeps(&self) -> bool {
        let together = matches!(self.mode, Mode::File(format) if format.holds_several());
        self.args.output.is_some() || together
    }

    fn run_read(&mut self, script: Result<Script, Error>, token: &CancelToken) -> End {
        match script {
            Ok(script) => self.run_script(&script, token),
            Err(error) => {
                self.console.say(error.render(None, self.console.err_colour));
                End::Failed
            }
        }
    }

    fn run_script(&mut self, script: &Script, token: &CancelToken) -> End {
        let shown = self.console.err_is_terminal && !self.args.no_progress;
        if script.by_command && self.console.out_is_terminal && !self.keeps() {
            let lesson = script.lesson(&self.given);
            if let Err(error) = output::show_lesson(&lesson, self.console) {
                return self.written(Err(error));
            }
        } else if let Some(note) = script.without_effect() {
            self.console.say(format!("note: {note}"));
        }
        let query = match session::parameters(&script.query, &script.values(&self.given))
            .and_then(|params| Ok(self.session.prepare(&script.query.text)?.with(&params)))
        {
            Ok(query) => query.cancel(token),
            Err(error) => {
                self.report(&error, script);
                return End::Failed;
            }
        };
        let mut end = End::Done;
        let mut count = 0;
        let watched = QueryProgress::new();
        let query = query.progress(&watched);
        let outcome = with_progress(&watched, shown, |progress| {
            query.run_each(&mut |result| {
                count += 1;
                let answer = Answer::of(script, count, self.args.chart_spec(), result, &self.given);
                if self.keeps() {
                    self.kept.push(answer);
                    return true;
                }
                end = progress.paused(|| self.written(self.show(&answer)));
                end == End::Done
            })
        });
        match outcome {
            Ok(_) => end,
            Err(error) => {
                self.report(&error, script);
                End::Failed
            }
        }
    }

    fn report(&self, error: &Error, script: &Script) {
        self.console.say(error.render(script.origin.as_deref(), self.console.err_colour));
    }

    fn show(&self, answer: &Answer) -> io::Result<()> {
        let look = Look {
            width: self.console.out_width(),
            max_rows: None,
            colour: self.console.out_colour,
            null: "NULL".to_owned(),
        };
        if self.args.chart.is_some() && !matches!(self.mode, Mode::File(_)) {
            return output::draw(answer, self.console);
        }
        output::show(answer, self.mode, &look, self.console)
    }

    fn finish(&self) -> End {
        if self.kept.is_empty() {
            return End::Done;
        }
        self.written(match (&self.args.output, self.mode) {
            (Some(path), mode) => {
                let target = Target { path, force: self.args.force };
                output::save(&self.kept, mode, target, self.session, self.console)
            }
            (None, Mode::File(format)) => {
                output::print_document(&self.kept, format, self.session, self.console)
            }
            (None, Mode::Auto | Mode::Table | Mode::Line) => Ok(()),
        })
    }

    /// A reader that closes the pipe early (`head`) is not a failure.
    fn written(&self, outcome: io::Result<()>) -> End {
        match outcome {
            Ok(()) => End::Done,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => End::Stop(0),
            Err(error) if is_stop(&error) => End::Stop(INTERRUPTED),
            Err(error) => {
                self.console.say(format!("error: {error}"));
                End::Stop(1)
            }
        }
    }
}

/// The reason that the output cannot be written as requested, if there is one.
pub(super) fn refusal(invocation: &Invocation, console: &Console) -> Option<&'static str> {
    let is_stdin = |dump: &PathBuf| dump.as_os_str() == "-";
    if invocation.args.dumps.iter().any(is_stdin) && io::stdin().is_terminal() {
        return Some(
            "standard input is a terminal: a dump is piped in, as in zcat x.gz | dumpql -",
        );
    }
    let shown = invocation.args.output.is_none() && console.out_is_terminal;
    match invocation.mode {
        Mode::File(FileFormat::Xlsx) if shown => {
            return Some("a workbook cannot be shown in a terminal: add -o NAME.xlsx");
        }
        Mode::File(FileFormat::Parquet) if shown => {
            return Some("Parquet cannot be shown in a terminal: add -o NAME.parquet");
        }
        Mode::File(FileFormat::Png) if shown => {
            return Some("a picture is no text for a terminal: add -o NAME.png");
        }
        _ => {}
    }
    None
}
