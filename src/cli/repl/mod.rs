//! The prompt: reads statements and dot-commands, and runs each before it reads the next.

mod call;
mod command;
mod complete;
mod greeting;
mod helper;
mod history;
mod paging;
mod pasted;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustyline::error::ReadlineError;
use rustyline::{CompletionType, Config, Editor, history::FileHistory};

use super::args::{Invocation, Mode};
use super::console::Console;
use super::interrupt::{Interrupt, is_stop};
use super::output::{self, Answer, Target};
use super::pager::Pager;
use super::progress::with_progress;
use super::script::{self, Script};
use super::table::{Look, push_clean};
use crate::session::{self, Error, Library, Options, QueryProgress, Session};
use complete::Vocabulary;
use helper::Helper;
use paging::Typed;

/// The maximum number of rows that are shown; if there are more, the middle is omitted.
const MAX_ROWS: usize = 1000;

/// Whether to continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Ask,
    Leave,
}

/// What stays from one statement to the next.
#[allow(clippy::struct_excessive_bools, reason = "independent settings of a prompt")]
struct Repl<'a> {
    session: Arc<Session>,
    library: &'a Library,
    options: Options,
    console: Console,
    interrupt: &'a Interrupt,
    shows_progress: bool,
    mode: Mode,
    max_rows: usize,
    null: String,
    timer: bool,
    params: std::collections::BTreeMap<String, String>,
    output: Option<OutputFile>,
    /// How many results there were, for their titles.
    count: usize,
    failed: bool,
    /// Whether files that are there are replaced.
    force: bool,
    /// Whether a person is there to be asked.
    asks: bool,
    /// How deep files that read files are nested.
    reading: usize,
    /// The mode that `.output` replaced.
    mode_before: Option<Mode>,
    /// The last result, for commands that use it.
    last: Option<Answer>,
    /// The columns of the last result that are shown, where they were picked.
    picked: Option<Vec<usize>>,
    /// The SQL of the last debugger command or saved query.
    last_sql: Vec<String>,
    /// Whether a person reads what is printed.
    interactive: bool,
    /// What shows results that the screen does not hold.
    pager: Pager,
    /// What was typed while a pager was open.
    typed_ahead: String,
}

/// The file that results go to, and those that went there.
struct OutputFile {
    path: PathBuf,
    answers: Vec<Answer>,
}

/// Runs the prompt until the user exits. Returns the exit code.
pub(super) fn ask(
    invocation: &Invocation,
    session: Session,
    library: &Library,
    console: &Console,
    interrupt: &Interrupt,
) -> u8 {
    interrupt.install(false);
    let mut repl = Repl::new(invocation, session, library, console, interrupt);
    repl.asks = true;
    if invocation.args.output.as_ref().is_some_and(|path| !repl.may_write(path)) {
        return 2;
    }
    if invocation.args.format.is_none() && repl.mode == Mode::Table {
        repl.mode = Mode::Auto;
    }
    repl.interactive = true;
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_prompt_limit(200)
        .history_ignore_space(true)
        .bracketed_paste(true)
        .build();
    let editor = Editor::<Helper, FileHistory>::with_config(config);
    let mut editor = match editor {
        Ok(editor) => editor,
        Err(error) => {
            console.say(format!("error: the terminal cannot be used: {error}"));
            return 1;
        }
    };
    let history = history::path();
    if let Some(path) = &history {
        // There is no history before the first session.
        let _ = editor.load_history(path);
    }
    let session = Arc::clone(&repl.session);
    let helper = Helper::new(repl.vocabulary(), session, library.clone(), console.out_colour);
    editor.set_helper(Some(helper));
    repl.greet();
    let colour = console.out_colour;
    let styled = if colour { "\x1b[1mdumpql>\x1b[0m " } else { "dumpql> " };
    loop {
        let line = match repl.typed() {
            Typed::Whole(line) => {
                repl.print(&format!("dumpql> {line}\n"));
                Ok(line)
            }
            Typed::Begun(text) => {
                editor.readline_with_initial(&("dumpql> ", styled), (text.as_str(), ""))
            }
        };
        match line {
            Ok(line) => {
                if line.trim().is_empty() {
                    continue;
                }
                remember(&mut editor, &line, history.as_deref());
                if repl.answer(&line) == Next::Leave {
                    return 0;
                }
                if let Some(helper) = editor.helper_mut() {
                    helper.learn(repl.vocabulary(), &repl.session);
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return 0,
            Err(error) => {
                console.say(format!("error: cannot read the line: {error}"));
                return 1;
            }
        }
    }
}

fn remember(editor: &mut Editor<Helper, FileHistory>, line: &str, path: Option<&std::path::Path>) {
    // The history is optional, so an error is ignored.
    let _ = editor.add_history_entry(line);
    if let Some(path) = path {
        let _ = editor.append_history(path);
    }
}

/// Runs text with dot-commands between its statements. Returns the exit code.
pub(super) fn run_text(
    text: &str,
    invocation: &Invocation,
    session: Session,
    library: &Library,
    console: &Console,
    interrupt: &Interrupt,
) -> u8 {
    interrupt.install(true);
    let mut repl = Repl::new(invocation, session, library, console, interrupt);
    repl.max_rows = 0;
    repl.feed(repl.pieces(text));
    u8::from(repl.failed)
}

/// Whether a line of the text is a dot-command.
pub(super) fn has_commands(text: &str) -> bool {
    text.lines().any(is_command)
}

fn is_command(line: &str) -> bool {
    line.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

impl<'a> Repl<'a> {
    fn new(
        invocation: &Invocation,
        session: Session,
        library: &'a Library,
        console: &Console,
        interrupt: &'a Interrupt,
    ) -> Self {
        let args = &invocation.args;
        let target = |path: &PathBuf| OutputFile { path: path.clone(), answers: Vec::new() };
        Self {
            session: Arc::new(session),
            library,
            options: args.options(),
            console: console.clone(),
            interrupt,
            shows_progress: console.err_is_terminal && !args.no_progress,
            mode: invocation.mode,
            max_rows: MAX_ROWS,
            null: "NULL".to_owned(),
            timer: false,
            params: args.params.iter().cloned().collect(),
            output: args.output.as_ref().map(target),
            count: 0,
            failed: false,
            force: args.force,
            asks: false,
            reading: 0,
            mode_before: None,
            last: None,
            picked: None,
            last_sql: Vec::new(),
            interactive: false,
            pager: Pager::of_environment(),
            typed_ahead: String::new(),
        }
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::new(&self.session.catalog(), self.library)
    }

    /// Runs a dot-command, a debugger command or a text with statements.
    fn answer(&mut self, text: &str) -> Next {
        let text = text.trim();
        if let Some(command) = command::of(text)
            && (command.is_known() || !self.library.is_command(text))
        {
            return self.obey(command);
        }
        if text.contains('\n') {
            let pieces = self.pieces(text);
            if pasted::has_command(&pieces) {
                return self.feed(pieces);
            }
        } else if self.library.is_command(text) {
            for command in text.split(';').map(str::trim).filter(|command| !command.is_empty()) {
                match script::by_command(command, self.library) {
                    Ok(script) => self.run(&script),
                    Err(error) => self.report(&error, None),
                }
            }
            return Next::Ask;
        }
        self.count += 1;
        let title = format!("query {}", self.count);
        match Script::new(title, None, text) {
            Ok(script) => self.run(&script),
            Err(error) => self.report(&error, None),
        }
        Next::Ask
    }

    fn run(&mut self, script: &Script) {
        let started = Instant::now();
        let mut results = Vec::new();
        if !script.query.title.is_empty() {
            self.last_sql = script.lesson(&self.params);
        }
        if script.by_command && self.console.out_is_terminal && self.output.is_none() {
            let outcome = output::show_lesson(&self.last_sql, &self.console);
            self.written(outcome);
        }
        let values = script.values(&self.params);
        let outcome = session::parameters(&script.query, &values).and_then(|params| {
            let watched = QueryProgress::new();
            let query = self.session.prepare(&script.query.text)?.with(&params);
            let query = query.cancel(&self.interrupt.arm()).progress(&watched);
            with_progress(&watched, self.shows_progress, |_| {
                query.run_each(&mut |result| {
                    results.push(result);
                    true
                })
            })
        });
        let elapsed = started.elapsed();
        // Results that precede an error are shown before it.
        for (count, result) in (1..).zip(results) {
            self.give(Answer::of(script, count, None, result, &self.params));
        }
        if let Err(error) = outcome {
            self.report(&error, script.origin.as_deref());
        }
        if self.timer {
            self.console.say(format!("{:.3} s", elapsed.as_secs_f64()));
        }
    }

    fn report(&mut self, error: &Error, origin: Option<&str>) {
        self.failed = true;
        self.console.say(error.render(origin, self.console.err_colour));
    }

    /// Shows a result, or writes it to the file of `.output`.
    fn give(&mut self, answer: Answer) {
        let outcome = if let Some(target) = &mut self.output {
            target.answers.push(answer);
            // Whether it may be replaced was asked when it was named.
            let to = Target { path: &target.path, force: true };
            output::save(&target.answers, self.mode, to, &self.session, &self.console)
        } else {
            // Where the columns cannot be those of a table, there is no table of the last result.
            if self.session.attach_result("_", &answer.result).is_err() {
                let _ = self.session.attach_rows("_", Vec::new());
            }
            let outcome = self.show(&answer);
            self.last = Some(answer);
            self.picked = None;
            outcome
        };
        self.written(outcome);
    }

    /// Shows a result on the terminal, or in the pager where it is larger.
    fn show(&mut self, answer: &Answer) -> io::Result<()> {
        let look = Look {
            width: self.console.out_width(),
            max_rows: (self.max_rows > 0).then_some(self.max_rows),
            colour: self.console.out_colour,
            null: self.null.clone(),
        };
        if let Some(outcome) = self.page(answer, &look) {
            return outcome;
        }
        output::show(answer, self.mode, &look, &self.console)
    }

    fn written(&mut self, outcome: io::Result<()>) {
        match outcome {
            Ok(()) => {}
            Err(error) if is_stop(&error) => self.console.say("interrupted"),
            Err(error) => {
                self.failed = true;
                self.console.say(format!("error: {error}"));
            }
        }
    }

    /// Whether a file may be written, which is said or asked where it may not be so.
    fn may_write(&mut self, path: &Path) -> bool {
        let target = Target { path, force: self.force };
        let is_asked = self.asks && !self.force && target.exists();
        if let Err(error) =
            (Target { force: self.force || is_asked, ..target }).check(&self.session)
        {
            self.complain(&error.to_string());
            return false;
        }
        if !is_asked {
            return true;
        }
        let mut clean = String::new();
        push_clean(&path.display().to_string(), &mut clean);
        let mut answer = String::new();
        let asked = write!(io::stderr(), "{clean} exists. Replace it? [y/N] ");
        asked.is_ok()
            && io::stdin().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Writes continuous text to standard output.
    fn print(&mut self, text: &str) {
        let mut out = self.console.out();
        let outcome = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        self.written(outcome);
    }
}
