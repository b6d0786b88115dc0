//! The tests that need what a clean clone does not have: real dumps, DuckDB, Volatility,
//! minidump-stackwalk, the Python SDK of the Model Context Protocol, a validator of workbooks, a
//! browser, a terminal. They stand in the other test program, where they are ignored; this one runs
//! each of them in a process of its own if what it needs is there, and else counts it as ignored, so
//! that the summary of `cargo test` says how many were left out.

#![allow(clippy::print_stderr, reason = "a test program says why it cannot run")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

/// What a test may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Corpus,
    DuckDb,
    Volatility,
    Stackwalk,
    Mcp,
    Ooxml,
    Chromium,
    Tmux,
}

/// What the tests of a module need beside the corpus; those of programs on this machine need
/// no corpus.
const MODULES: [(&str, &[Need]); 8] = [
    ("browser::", &[Need::Chromium]),
    ("prompt::", &[Need::Tmux]),
    ("workbooks::", &[Need::Ooxml]),
    ("fleet::", &[Need::DuckDb]),
    ("mcp::", &[Need::Mcp]),
    ("duckdb::", &[Need::DuckDb]),
    ("volatility::", &[Need::Corpus, Need::Volatility]),
    ("stackwalk::tables_agree_with_stackwalk", &[Need::Corpus, Need::Stackwalk]),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests = match program() {
        Ok(tests) => tests,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    };
    let has = |need: &Need| is_there(*need);
    let all = [
        Need::Corpus,
        Need::DuckDb,
        Need::Volatility,
        Need::Stackwalk,
        Need::Mcp,
        Need::Ooxml,
        Need::Chromium,
        Need::Tmux,
    ];
    let present: Vec<Need> = all.into_iter().filter(has).collect();
    let trial = |name: String| {
        let needs = MODULES.iter().find(|(start, _)| name.starts_with(start));
        let needs = needs.map_or(&[Need::Corpus][..], |(_, needs)| needs);
        let missing = needs.iter().any(|need| !present.contains(need));
        let (program, test) = (tests.clone(), name.clone());
        let kind = needs.iter().map(|need| format!("{need:?}").to_lowercase());
        Trial::test(name, move || run(&program, &test))
            .with_kind(kind.collect::<Vec<_>>().join(", "))
            .with_ignored_flag(missing)
    };
    let trials: Vec<Trial> = names(&tests).into_iter().map(trial).collect();
    if trials.is_empty() {
        eprintln!("no test of {} is marked as ignored", tests.display());
        return ExitCode::FAILURE;
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The other test program, built as cargo builds it now.
fn program() -> Result<PathBuf, String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--test", "it", "--no-run", "--message-format=json"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().map_err(|error| format!("cargo does not run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_tests = messages.filter(|message| message["target"]["name"] == "it");
    let mut programs = of_tests.filter_map(|message| Some(message["executable"].as_str()?.into()));
    programs.next_back().ok_or_else(|| "cargo names no program of the tests".to_owned())
}

/// The tests that are ignored there.
fn names(program: &Path) -> Vec<String> {
    let output = Command::new(program).args(["--list", "--ignored"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

fn run(program: &Path, test: &str) -> Result<(), Failed> {
    let output =
        Command::new(program).args([test, "--exact", "--ignored", "--nocapture"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.contains("1 passed") {
        return Ok(());
    }
    Err(format!("{said}\n{}", String::from_utf8_lossy(&output.stderr)).into())
}

fn is_there(need: Need) -> bool {
    let runs = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    let named = |variable: &str, default: &str| {
        std::env::var(variable).unwrap_or_else(|_| default.to_owned())
    };
    match need {
        Need::Corpus => {
            let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
            Path::new(&named("DUMPQL_CORPUS", default)).join("dumps").is_dir()
        }
        Need::DuckDb => runs(&named("DUMPQL_PYTHON", "python3"), &["-c", "import duckdb"]),
        Need::Volatility => runs(&named("DUMPQL_PYTHON", "python3"), &["-c", "import volatility3"]),
        Need::Mcp => runs(&named("DUMPQL_PYTHON", "python3"), &["-c", "import mcp"]),
        // It says what is wrong with a file of any kind; whether it runs is what is asked.
        Need::Ooxml => {
            let output =
                Command::new(named("DUMPQL_OOXML", "ooxml-validator")).arg("none").output();
            output.is_ok_and(|output| output.stdout.starts_with(b"{"))
        }
        Need::Chromium => runs(&named("DUMPQL_CHROMIUM", "chromium"), &["--version"]),
        Need::Tmux => runs("tmux", &["-V"]),
        Need::Stackwalk => runs(&named("DUMPQL_STACKWALK", "minidump-stackwalk"), &["--version"]),
    }
}
