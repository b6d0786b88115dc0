//! The law of the budget: no query exceeds its limit of memory by more than 100 MB, on any input.
//!
//! ```text
//! cargo run --example budget                   1,000 generated queries, each against four inputs
//! cargo run --example budget -- 50             so many
//! cargo run --example budget -- 50 --from 7    from the seventh on
//! cargo run --example budget -- --show 7       the text of one query
//! ```
//!
//! Queries run in a child process with a limit on its address space. What ends the child, or takes more
//! resident memory than the law allows, is printed; then the exit code is 1.

#[path = "../fuzz/process.rs"]
mod process;
mod queries;
#[path = "../fuzz/seeds.rs"]
#[allow(dead_code, reason = "the corpus of the fuzz targets, of which this needs some")]
mod seeds;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use dumpql::{Options, Session};
use process::{print, status};

/// What a query may fill.
const LIMIT: u64 = 32 << 20;
/// What it may exceed that by.
const MORE: u64 = 100 << 20;
/// Address space that an allocator may reserve and never touch.
const RESERVED: u64 = 64 << 20;
/// What a query may take; it ends with an error then.
const DEADLINE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| given.get(at).and_then(|text| text.parse::<u64>().ok());
    match given.first().map(String::as_str) {
        Some("--child") => child(Path::new(&given[1])),
        Some("--show") => {
            print(&queries::query(number(1).unwrap_or(0)));
            ExitCode::SUCCESS
        }
        _ => {
            let from = given.iter().position(|word| word == "--from").and_then(|at| number(at + 1));
            parent(from.unwrap_or(0), number(0).unwrap_or(1000))
        }
    }
}

/// Answers numbers of queries with their outcome, until its input ends.
fn child(input: &Path) -> ExitCode {
    let is_table = input.extension().is_some_and(|ending| ending == "csv");
    let options = Options::default().offline(true).files(is_table);
    let (session, failures) = Session::open_each(&[input], false, &options);
    if let Some((path, error)) = failures.first() {
        print(&format!("{path}: {error}"));
        return ExitCode::FAILURE;
    }
    let _ = session.query("SELECT count(*) FROM range(200000) WHERE range % 7 = 1");
    print(&format!("{} {}", bytes("VmPeak:"), bytes("VmRSS:")));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let Ok(number) = line.parse() else { break };
        let sql = queries::query(number);
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let begun = Instant::now();
        let query = session.prepare(&sql).map(|query| {
            query.memory(usize::try_from(LIMIT).unwrap_or(usize::MAX)).timeout(DEADLINE)
        });
        let outcome = match query.and_then(|query| query.run()) {
            Ok(result) => format!("{} rows", result.len()),
            Err(error) => error.code().as_str().to_owned(),
        };
        let (peak, took) = (bytes("VmHWM:"), begun.elapsed().as_millis());
        print(&format!("{peak} {took} {outcome}"));
    }
    ExitCode::SUCCESS
}

/// A child over one input.
struct Worker {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
    /// What it had mapped, and resident, before the first query.
    before: (u64, u64),
}

impl Worker {
    fn start(input: &Path, limit: Option<u64>) -> Option<Self> {
        let program = std::env::current_exe().ok()?;
        let limited = match limit {
            Some(bytes) => format!("ulimit -v {}; exec \"$0\" \"$@\"", bytes >> 10),
            None => "exec \"$0\" \"$@\"".to_owned(),
        };
        let mut child = Command::new("sh")
            .args(["-c", &limited])
            .arg(program)
            .arg("--child")
            .arg(input)
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let answers = BufReader::new(child.stdout.take()?);
        let mut worker = Self { child, answers, before: (0, 0) };
        let told = worker.line()?;
        let mut numbers = told.split(' ').filter_map(|number| number.parse().ok());
        worker.before = (numbers.next()?, numbers.next()?);
        Some(worker)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The most resident memory, the milliseconds, and the outcome; `None` if the child ended.
    fn ask(&mut self, number: u64) -> Option<(u64, u64, String)> {
        writeln!(self.child.stdin.as_mut()?, "{number}").ok()?;
        let line = self.line()?;
        let mut words = line.splitn(3, ' ');
        let mut number = || words.next()?.parse().ok();
        Some((number()?, number()?, words.next()?.to_owned()))
    }
}

fn parent(from: u64, count: u64) -> ExitCode {
    let folder = std::env::temp_dir().join(format!("dumpql-budget-{}", std::process::id()));
    let inputs = match inputs(&folder) {
        Ok(inputs) => inputs,
        Err(error) => {
            print(&format!("{}: {error}", folder.display()));
            return ExitCode::FAILURE;
        }
    };
    let mut broken = 0;
    for input in &inputs {
        let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
        broken += over(input, &name, from, count);
    }
    let _ = std::fs::remove_dir_all(&folder);
    print(&format!("{broken} of {} runs broke the law", count * inputs.len() as u64));
    ExitCode::from(u8::from(broken > 0))
}

/// Runs the queries over one input; returns how many broke the law.
fn over(input: &Path, name: &str, from: u64, count: u64) -> u64 {
    let Some(free) = Worker::start(input, None) else {
        print(&format!("{name}: cannot be opened"));
        return count;
    };
    let (mapped, resident) = free.before;
    drop(free.child.stdin);
    let most = resident + LIMIT + MORE;
    let start = || Worker::start(input, Some(mapped + LIMIT + MORE + RESERVED));
    let (mut broken, mut errors, mut peak, mut slowest) = (0, 0, 0, 0);
    let mut worker = start();
    for number in from..from + count {
        let answer = worker.as_mut().and_then(|worker| worker.ask(number));
        let Some((memory, took, outcome)) = answer else {
            let status = worker.and_then(|mut worker| worker.child.wait().ok());
            print(&format!("{name}: query {number} ended the process: {status:?}"));
            broken += 1;
            worker = start();
            continue;
        };
        if memory > most || outcome == "E0901" {
            let over = memory.saturating_sub(resident) >> 20;
            print(&format!("{name}: query {number} took {over} MB, {took} ms: {outcome}"));
            broken += 1;
            // What the allocator keeps is not the next one's.
            worker = start();
        }
        errors += u64::from(outcome.starts_with('E'));
        (peak, slowest) = (peak.max(memory), slowest.max(took));
    }
    print(&format!(
        "{name}: {count} queries, {errors} ended in an error, peak {} MB above {} MB, longest {slowest} ms",
        peak.saturating_sub(resident) >> 20,
        resident >> 20
    ));
    broken
}

/// A kernel dump, a minidump, a debugger log, and a table of 100,000 rows.
fn inputs(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let log = seeds::files("tests/log/own", "txt").into_iter().max_by_key(Vec::len);
    let mut table = String::from("n,s\n");
    for number in 0..100_000 {
        // Writing to a `String` cannot fail.
        let _ = writeln!(table, "{number},text {}", number % 1000);
    }
    let files = [
        ("kernel.dmp", dumpql::sample_file()),
        ("user.dmp", seeds::minidump(true)),
        ("session.log", log.unwrap_or_default()),
        ("t.csv", table.into_bytes()),
    ];
    files
        .into_iter()
        .map(|(name, bytes)| {
            let path = folder.join(name);
            std::fs::write(&path, bytes)?;
            Ok(path)
        })
        .collect()
}

/// A line of the process's status, in bytes.
fn bytes(key: &str) -> u64 {
    status(key).unwrap_or(0)
}
