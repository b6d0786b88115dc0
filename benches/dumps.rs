//! Large kernel dumps with known contents: how long a query takes as a process and in a session,
//! compared with Volatility 3 for the same query on the same file.
//!
//! `cargo bench --bench dumps` writes the dumps (8 GB each, mostly holes) into the folder for
//! temporary files and removes them at the end. With `DUMPQL_CORPUS` the query also runs with an
//! ISF file, with `DUMPQL_PYTHON` also in Volatility. A name limits the run to one part.

#![allow(clippy::print_stdout, reason = "a benchmark prints its times")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may stop at the first surprise"
)]

use std::io::{BufWriter, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dumpql::internals::synth::{self, Format, KernelFile, SystemSpec, Windows};
use dumpql::{Options, Session};

const RUNS: usize = 7;
/// 8 GB of physical memory.
const PAGES: u64 = 0x20_0000;
/// The kernel for the comparison with Volatility, from the corpus.
const ISF: &str = "ntkrnlmp.pdb/5278AFF86C341677D7D7835C85B7B844-1.json.xz";

/// Cheap columns of a thread: fields of its structure, without symbols or stacks.
const THREADS: &str = "SELECT ethread, tid, pid, eprocess, state, wait_reason, wait_mode, is_alertable, \
    wait_ticks, priority, base_priority, processor, ideal_processor, context_switches, user_time_ms, \
    kernel_time_ms, start_address, win32_start_address, teb, stack_base, stack_limit, stack_pointer, \
    trap_frame, suspend_count, create_time FROM threads";
/// The columns that Volatility's plugin prints.
const PRINTED: &str = "SELECT ethread, pid, tid, start_address, start_symbol, win32_start_address, \
    win32_start_symbol, create_time, exit_time FROM threads";
const MODULES: &str = "SELECT name, base FROM modules";

fn best(mut run: impl FnMut()) -> Duration {
    let mut once = || {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    (0..RUNS).map(|_| once()).min().unwrap_or_default()
}

fn tell(what: &str, took: Duration) {
    println!("{what:58} {:9.1} ms", took.as_secs_f64() * 1e3);
}

/// A dump that is removed at the end.
struct Dump(PathBuf);

impl Dump {
    fn write(name: &str, spec: &SystemSpec, format: Format) -> Self {
        let path = std::env::temp_dir().join(format!("dumpql-{name}-{}.dmp", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        synth::system(spec).write(format, &mut BufWriter::new(file)).unwrap();
        Self(path)
    }

    /// How long the process takes from start to end: in the first run, without caches of earlier
    /// runs, and the best of later runs.
    fn process(&self, sql: &str, symbols: Option<&Path>) -> [Duration; 2] {
        let cache = self.0.with_extension("cache");
        let _ = std::fs::remove_dir_all(&cache);
        let run = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dumpql"));
            command.arg(&self.0).args(["--format", "csv", "-c", sql]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).env("XDG_CACHE_HOME", &cache);
            if let Some(path) = symbols {
                command.arg("--symbols").arg(path);
            }
            assert!(command.status().unwrap().success());
        };
        let begun = Instant::now();
        run();
        let first = begun.elapsed();
        let later = best(run);
        let _ = std::fs::remove_dir_all(&cache);
        [first, later]
    }

    /// How long a query takes in an open session; the first run, which opens the dump, is not
    /// counted.
    fn query(&self, sql: &str) -> (Duration, usize) {
        let session = Session::open_with(&[&self.0], &Options::default()).unwrap();
        let rows = session.query(sql).unwrap().len();
        (best(|| drop(session.query(sql).unwrap())), rows)
    }

    /// How long Volatility takes from start to end; `None` if it is not installed.
    fn volatility(&self, folder: &Path, plugin: &str) -> Option<Duration> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/volatility.py");
        let begun = Instant::now();
        let mut command = Command::new(std::env::var_os("DUMPQL_PYTHON")?);
        command.arg(script).arg("run").arg(folder).arg(&self.0).arg(plugin);
        let out = command.output().unwrap();
        let listed = out.status.success() && out.stdout.len() > 100;
        assert!(listed, "{plugin}: {}", String::from_utf8_lossy(&out.stderr));
        Some(begun.elapsed())
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn unpack(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    liblzma::read::XzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn modules() {
    let spec = SystemSpec { physical_pages: PAGES, ..synth::healthy(Windows::Windows10) };
    let dump = Dump::write("modules", &spec, Format::Full);
    let [first, later] = dump.process(MODULES, None);
    tell("8 GB, modules, built-in layout, process", first.min(later));
}

fn threads(count: u64, format: Format) {
    let spec = synth::crowded(Windows::Windows10, count / 25, count, PAGES);
    let dump = Dump::write("threads", &spec, format);
    let (took, rows) = dump.query(THREADS);
    tell(&format!("8 GB, {rows} threads, cheap columns, session"), took);
    let [first, later] = dump.process(THREADS, None);
    tell(&format!("8 GB, {rows} threads, cheap columns, process"), first.min(later));
    let (took, rows) = dump.query("FROM threads");
    tell(&format!("8 GB, {rows} threads, every column, session"), took);
    let (took, rows) = dump.query("FROM processes");
    tell(&format!("8 GB, {rows} processes, every column, session"), took);
}

fn volatility() {
    let Some(corpus) = std::env::var_os("DUMPQL_CORPUS").map(PathBuf::from) else {
        println!("with ISF files: set DUMPQL_CORPUS");
        return;
    };
    let isf = corpus.join("layouts/isf/windows").join(ISF);
    let kernel = Some(Arc::new(KernelFile::parse(&unpack(&isf)).unwrap()));
    let spec = SystemSpec {
        kernel,
        kernel_code: true,
        ..synth::crowded(Windows::Windows10, 200, 5000, PAGES)
    };
    let dump = Dump::write("volatility", &spec, Format::Full);
    let [first, later] = dump.process(MODULES, Some(&isf));
    tell("8 GB, modules, ISF file, process, first time", first);
    tell("8 GB, modules, ISF file, process, again", later);
    // Volatility deletes symbol files that do not match, and caches those that it has read.
    let folder = std::env::temp_dir().join(format!("dumpql-isf-{}", std::process::id()));
    let copy = folder.join("windows").join(ISF);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(&isf, &copy).unwrap();
    let [_, again] = dump.process("FROM threads", Some(&isf));
    tell("8 GB, every column of threads, process, again", again);
    for (plugin, sql) in [("windows.pslist", "FROM processes"), ("windows.threads", PRINTED)] {
        let [first, ours] = dump.process(sql, Some(&isf));
        tell(&format!("8 GB, {plugin}'s rows, process, first time"), first);
        tell(&format!("8 GB, {plugin}'s rows, process, again"), ours);
        let Some(theirs) = dump.volatility(&folder, plugin) else {
            println!("ratios: set DUMPQL_PYTHON");
            break;
        };
        tell(&format!("8 GB, {plugin}"), theirs);
        println!("{plugin:58} {:9.0} times as long", theirs.as_secs_f64() / ours.as_secs_f64());
    }
    let _ = std::fs::remove_dir_all(&folder);
}

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_asked = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if is_asked("modules") {
        modules();
    }
    if is_asked("threads") {
        threads(5000, Format::Full);
        threads(100_000, Format::BitmapFull);
    }
    if is_asked("volatility") {
        volatility();
    }
}
