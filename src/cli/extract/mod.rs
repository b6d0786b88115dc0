//! `dumpql extract`: writes tables of many dumps as Parquet files, which other engines read.
//!
//! One file holds one table of one dump. It is written under a temporary name, renamed, and then
//! recorded in the manifest. A recorded file of an unchanged dump is not written again, so an
//! interrupted run can be continued. A dump that cannot be read gives rows of `problems`.

mod dump;
mod inputs;
mod manifest;
mod problems;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use self::dump::{Done, Job};
use self::inputs::Input;
use self::manifest::Manifest;
use super::args::{Colour, size};
use super::commands;
use super::console::Console;
use super::interrupt::Interrupt;
use crate::diag::{Code, Diagnostic};
use crate::session::{CancelToken, Error, Options, Session, Urls};

/// The table that every run writes: what could not be read, and why.
const PROBLEMS: &str = "problems";

const EXAMPLES: &str = "\
Examples:
  dumpql extract crash/ --tables bugcheck,modules,threads -o out --partition-by dump
  dumpql extract --from list.txt --tables irps,pool_tags -o out --jobs 8
  duckdb -c \"FROM read_parquet('out/threads/**/*.parquet', hive_partitioning = true) LIMIT 5\"

Files are OUT/TABLE/dump=NAME/data.parquet with --partition-by dump, else OUT/TABLE/NAME.parquet with
the column dump. OUT/manifest.jsonl states each file: its dump (path, size, time), rows, and what was
absent. OUT/problems has the dumps and tables that could not be read. A run that was ended goes on
where it was: files that the manifest states and that are still there are not made again.

Exit code: 0 done, also if dumps could not be read; 1 files cannot be written; 2 the command line is
wrong; 130 Ctrl-C.";

/// Write tables of many dumps as Parquet files, for DuckDB, Spark, polars and similar engines
#[derive(Debug, Parser)]
#[command(name = "extract", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct ExtractArgs {
    /// Dumps, folders with dumps (.dmp, .mdmp, .hdmp, .kdmp; also in subfolders), and URLs of dumps
    #[arg(value_name = "DUMP", required_unless_present = "from")]
    dumps: Vec<PathBuf>,

    /// Read the paths and URLs of dumps from a file, one per line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// The tables to write, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    tables: Vec<String>,

    /// The folder for the files; it is created if it does not exist
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    /// Write each dump to its own partition, in the folder layout of Hive
    #[arg(long, value_name = "COLUMN", value_enum)]
    partition_by: Option<Partition>,

    /// How many dumps are processed in parallel; the default is the number of cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Symbols and layouts: a folder, a file, or a path such as srv*CACHE*URL; may be repeated
    #[arg(long, value_name = "PATH")]
    symbols: Vec<PathBuf>,

    /// Use no symbol server, not even one that --symbols names
    #[arg(long)]
    offline: bool,

    /// The memory limit of functions for one table, such as 2GB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<usize>,

    /// Show no progress
    #[arg(long)]
    no_progress: bool,
}

/// Columns by which files are partitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Partition {
    /// One folder per dump.
    Dump,
}

/// Runs the subcommand, and returns the exit code.
pub(super) fn main(arguments: &[OsString]) -> u8 {
    let args: ExtractArgs = match commands::parse(arguments, "extract") {
        Ok(args) => args,
        Err(code) => return code,
    };
    let interrupt = Interrupt::default();
    let console = Console::new(Colour::Auto, interrupt.clone());
    let tables = match tables(&args.tables) {
        Ok(tables) => tables,
        Err(error) => {
            console.say(error.render(None, console.err_colour));
            return 2;
        }
    };
    interrupt.install(true);
    let token = interrupt.arm();
    match run(&args, &tables, &token, &console) {
        _ if interrupt.pressed() => {
            console.say("interrupted; the same command goes on from here");
            130
        }
        Ok(()) => 0,
        Err(error) => {
            console.say(format!("error: {error}"));
            1
        }
    }
}

/// The tables by their names in the catalog, without duplicates.
fn tables(names: &[String]) -> Result<Vec<&'static str>, Error> {
    let catalog = Session::from_images(Vec::new(), &Options::default())?.catalog();
    let mut tables = Vec::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let Some(table) = catalog.table(name).filter(|table| !table.kinds.is_empty()) else {
            let of_dumps = catalog.tables().iter().filter(|table| !table.kinds.is_empty());
            let message = format!("dumps have no table `{name}`");
            return Err(Diagnostic::new(Code::UnknownTable, message)
                .nearest(name, of_dumps.map(|table| table.name))
                .help("`dumpql --list` lists the tables")
                .into());
        };
        if !tables.contains(&table.name) {
            tables.push(table.name);
        }
    }
    if tables.is_empty() {
        return Err(Diagnostic::new(Code::UnknownTable, "--tables names no table").into());
    }
    Ok(tables)
}

/// The totals, for the last line.
#[derive(Debug, Default)]
struct Counts {
    written: AtomicUsize,
    kept: AtomicUsize,
    unread: AtomicUsize,
}

impl Counts {
    fn add(&self, done: &Done) {
        self.written.fetch_add(done.written, Ordering::Relaxed);
        self.kept.fetch_add(done.kept, Ordering::Relaxed);
        self.unread.fetch_add(usize::from(done.is_unread), Ordering::Relaxed);
    }
}

fn run(
    args: &ExtractArgs,
    tables: &[&'static str],
    token: &CancelToken,
    console: &Console,
) -> io::Result<()> {
    let began = Instant::now();
    let paths = inputs::paths(&args.dumps, args.from.as_deref())?;
    std::fs::create_dir_all(&args.output)?;
    let manifest = Manifest::open(&args.output)?;
    let inputs = inputs::named(paths, &manifest);
    let job = Job {
        tables,
        output: &args.output,
        is_parted: args.partition_by.is_some(),
        options: Options {
            symbols: args.symbols.clone(),
            offline: args.offline,
            memory: args.memory,
            handle_faults: true,
            urls: Urls::Named,
            ..Options::default()
        },
        manifest: &manifest,
        token,
    };
    let shown = console.err_is_terminal && !args.no_progress;
    let bar = shown.then(|| bar(inputs.len()));
    let counts = Counts::default();
    let failure = work(&job, &inputs, jobs(args, inputs.len()), &counts, bar.as_ref());
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    failure?;
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    console.say(format!(
        "{}: {} dumps in {:.1} s, {} files written, {} already there, {} dumps could not be read",
        args.output.display(),
        inputs.len(),
        began.elapsed().as_secs_f64(),
        count(&counts.written),
        count(&counts.kept),
        count(&counts.unread),
    ));
    Ok(())
}

fn jobs(args: &ExtractArgs, dumps: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    args.jobs.map_or(cores, usize::from).clamp(1, dumps.max(1))
}

fn bar(dumps: usize) -> ProgressBar {
    let bar = ProgressBar::new(dumps as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} dumps, {per_sec}, {eta}")
    {
        bar.set_style(style);
    }
    bar
}

/// Processes all dumps, several in parallel, until all are done, a file cannot be written, or the
/// token is cancelled.
fn work(
    job: &Job<'_>,
    inputs: &[Input],
    jobs: usize,
    counts: &Counts,
    bar: Option<&ProgressBar>,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<io::Error>> = Mutex::new(None);
    let worker = || {
        while !job.token.is_cancelled() {
            let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            match job.extract(input) {
                Ok(done) => counts.add(&done),
                Err(error) => {
                    next.store(inputs.len(), Ordering::Relaxed);
                    let mut first = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    first.get_or_insert(error);
                    return;
                }
            }
            if let Some(bar) = bar {
                bar.inc(1);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            // If no thread can be started, the others do the work.
            let _ = std::thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// The path of the file of a table of a dump, relative to the output folder.
fn place(table: &str, name: &str, is_parted: bool) -> PathBuf {
    let name = file_name(name);
    if is_parted {
        Path::new(table).join(format!("dump={name}")).join("data.parquet")
    } else {
        Path::new(table).join(format!("{name}.parquet"))
    }
}

/// The name of a dump as the name of a file or of a partition; readers of Hive's layout decode the
/// escapes.
fn file_name(name: &str) -> String {
    let is_kept =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+' | b'@');
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_kept(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // `.` and `..` are folders, and many readers skip names that start with a dot.
    match out.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => out,
    }
}

/// The tables that are written in addition to [`PROBLEMS`].
fn beside<'a>(tables: &[&'a str]) -> BTreeSet<&'a str> {
    tables.iter().copied().filter(|table| *table != PROBLEMS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_paths_are_safe_and_distinct() {
        let parted = |name| place("threads", name, true).display().to_string();
        assert_eq!(parted("a b.dmp"), "threads/dump=a%20b.dmp/data.parquet");
        assert_eq!(parted("../x"), "threads/dump=%2E.%2Fx/data.parquet");
        assert_eq!(parted("a=b%"), "threads/dump=a%3Db%25/data.parquet");
        assert_eq!(place("irps", "é", false).display().to_string(), "irps/%C3%A9.parquet");
    }

    #[test]
    fn only_tables_of_dumps_are_accepted() {
        let named = |names: &[&str]| {
            tables(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(named(&["Threads", " irps ", "threads"]).unwrap(), ["threads", "irps"]);
        assert!(named(&["thread"]).unwrap_err().to_string().contains("thread"));
        assert!(named(&["meta.tables"]).is_err());
        assert!(named(&[""]).is_err());
    }
}
