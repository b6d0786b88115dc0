//! The `dumpql` program: arguments, batch mode, the prompt, printing, progress.
//!
//! Results are written to standard output, everything else to standard error.

mod args;
mod batch;
mod commands;
mod console;
mod extract;
mod interrupt;
mod listing;
mod output;
mod pager;
mod progress;
mod repl;
mod report;
mod script;
#[cfg(feature = "mcp")]
mod serve;
mod table;
mod terminate;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use args::{Args, Invocation};
use console::Console;
use interrupt::Interrupt;
use output::Target;

use crate::diag::{Code, Diagnostic};
use crate::export;
use crate::session::{self, Error, Library, SavedQuery, Session};

/// Runs the program with its arguments, the first being its name. Returns the exit code: 0 success,
/// 1 a query or a source failed, 2 wrong command line, 130 ended by Ctrl-C.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    terminate::install();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = commands::run(&arguments) {
        return code;
    }
    let invocation = match args::parse(arguments) {
        Ok(invocation) => invocation,
        Err(error) => return commands::printed(&error),
    };
    let interrupt = Interrupt::default();
    let console = Console::new(invocation.args.color, interrupt.clone());
    if let Some(reason) = batch::refusal(&invocation, &console) {
        console.say(format!("error: {reason}"));
        return 2;
    }
    if let Some(page) = args::page(&invocation.args) {
        let mut out = console.out();
        let written = page.and_then(|page| out.write_all(&page)).and_then(|()| out.flush());
        drop(out);
        return shown(written, &console);
    }
    if let Err(error) = std::thread::Builder::new().spawn(|| {}) {
        console.say(format!("error: the system allows no thread: {error}"));
        return 1;
    }
    if let Some(path) = &invocation.args.save_sample {
        let target = Target { path, force: invocation.args.force };
        if let Err(error) = save_sample(target, &console) {
            console.say(format!("error: {error}"));
            return if error.kind() == io::ErrorKind::AlreadyExists { 2 } else { 1 };
        }
    }
    let asks = invocation.args.list
        || invocation.args.list_queries.is_some()
        || !invocation.args.describe_query.is_empty()
        || !invocation.args.describe.is_empty();
    let reports = invocation.args.report.is_some();
    let only_saves = invocation.args.save_sample.is_some()
        && invocation.steps.is_empty()
        && invocation.args.dumps.is_empty()
        && !invocation.args.sample
        && !reports;
    if only_saves && !asks {
        return 0;
    }
    let library = match script::library(&invocation.args.own_queries()) {
        Ok(library) => library,
        Err(error) => {
            console.say(error.render(None, console.err_colour));
            return 1;
        }
    };
    let (session, complete) = open(&invocation.args, &console);
    let code = if asks && invocation.steps.is_empty() {
        list(&invocation.args, &session, &library, &console)
    } else {
        let listed = if asks { list(&invocation.args, &session, &library, &console) } else { 0 };
        let answerable = complete || !session.source_names().is_empty();
        listed.max(if answerable {
            work(&invocation, session, &library, &console, &interrupt)
        } else {
            1
        })
    };
    if complete { code } else { code.max(1) }
}

fn save_sample(target: Target<'_>, console: &Console) -> io::Result<()> {
    target.refuse_existing()?;
    let (path, bytes) = (target.path, session::sample_file());
    export::write_file(path, |out| out.write_all(&bytes)).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
    })?;
    console.say(format!("{}: the sample, {} bytes", path.display(), bytes.len()));
    Ok(())
}

/// Opens all dumps that can be opened and reports the errors of the others; also returns whether
/// all failed.
fn open(args: &Args, console: &Console) -> (Session, bool) {
    let options = args.options();
    let named: Vec<PathBuf> = args.dumps.iter().flat_map(|path| session::expanded(path)).collect();
    let paths: Vec<&Path> = named.iter().map(PathBuf::as_path).collect();
    let (session, failures) = Session::open_each(&paths, args.sample, &options);
    for (_, error) in &failures {
        console.say(error.render(None, console.err_colour));
    }
    (session, failures.is_empty())
}

/// Runs the queries of the command line, the prompt, or standard input.
fn work(
    invocation: &Invocation,
    session: Session,
    library: &Library,
    console: &Console,
    interrupt: &Interrupt,
) -> u8 {
    // At a prompt a person is asked.
    let asks = invocation.steps.is_empty() && invocation.args.report.is_none();
    let force = invocation.args.force || asks && io::stdin().is_terminal();
    for path in invocation.args.output.iter().chain(&invocation.args.report) {
        if let Err(error) = (Target { path, force }).check(&session) {
            console.say(format!("error: {error}"));
            return 2;
        }
    }
    let mut code = 0;
    if let Some(path) = &invocation.args.report {
        interrupt.install(true);
        let target = Target { path, force };
        code = report::run(target, &session, library, &interrupt.arm(), console);
        if invocation.steps.is_empty() {
            return code;
        }
    }
    if !invocation.steps.is_empty() {
        let scripts =
            (1..).zip(&invocation.steps).flat_map(|(n, step)| script::read(step, n, library));
        let done = batch::run(invocation, scripts.collect(), &session, console, interrupt);
        return code.max(done);
    }
    if io::stdin().is_terminal() {
        return repl::ask(invocation, session, library, console, interrupt);
    }
    match script::read_stdin() {
        Ok(script) if repl::has_commands(&script.query.text) => {
            let text = &script.query.text;
            repl::run_text(text, invocation, session, library, console, interrupt)
        }
        Ok(script) => {
            let parts = script::parts(script, library);
            batch::run(invocation, parts, &session, console, interrupt)
        }
        Err(error) => batch::run(invocation, vec![Err(error)], &session, console, interrupt),
    }
}

/// Answers `--list`, `--describe`, `--queries` and `--describe-query`.
fn list(args: &Args, session: &Session, library: &Library, console: &Console) -> u8 {
    let mut code = 0;
    let mut text = String::new();
    let catalog = session.catalog();
    if args.list {
        text += &listing::tables(catalog.tables(), console);
    }
    if let Some(pattern) = &args.list_queries {
        let listed = listing::queries(library, pattern, console);
        if listed.is_empty() {
            console.say(format!("error: no query has to do with `{pattern}`; --queries lists all"));
            code = 1;
        }
        text += &listed;
    }
    for name in &args.describe_query {
        match library.find(name) {
            Ok(called) => text += &listing::describe_query(called.query, console),
            Err(error) => {
                // A command alone may lack the arguments that its query needs.
                let begun: Vec<&SavedQuery> = library.begun_by(name).collect();
                text.extend(begun.iter().map(|query| listing::describe_query(query, console)));
                if begun.is_empty() {
                    console.say(error.render(None, console.err_colour));
                    code = 1;
                }
            }
        }
    }
    for name in &args.describe {
        if let Some(table) = catalog.table(name) {
            text += &listing::describe(table, console);
            continue;
        }
        let error = Diagnostic::new(Code::UnknownTable, format!("there is no table `{name}`"))
            .nearest(name, listing::table_names(&catalog))
            .help("--list lists the tables");
        console.say(Error::from(error).render(None, console.err_colour));
        code = 1;
    }
    let mut out = console.out();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    drop(out);
    code.max(shown(written, console))
}

/// The exit code of text that was shown. A reader that has seen enough is no failure.
fn shown(written: io::Result<()>, console: &Console) -> u8 {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            console.say(format!("error: standard output cannot be written: {error}"));
            1
        }
        _ => 0,
    }
}
