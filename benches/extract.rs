//! How many dumps a second one program takes: 1,000 triage dumps, asked for equal crashes, for the
//! report over all, and extracted as eight Parquet tables each.
//!
//! `cargo bench --bench extract` writes the dumps into the folder for temporary files and removes
//! them at the end. A second run over the same output measures the check that everything is up to
//! date.

#![allow(clippy::print_stdout, reason = "a benchmark prints its times")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use dumpql::internals::synth::{triage, triage_sample_spec};

const DUMPS: u32 = 1000;
const TABLES: &str =
    "bugcheck,exception,modules,unloaded_modules,threads,processes,processors,registers";

fn main() {
    let folder = std::env::temp_dir().join(format!("dumpql-extract-{}", std::process::id()));
    let (crash, out) = (folder.join("crash"), folder.join("out"));
    std::fs::create_dir_all(&crash).unwrap();
    let mut bytes = 0;
    for i in 0..DUMPS {
        let mut spec = triage_sample_spec();
        spec.system_time += u64::from(i) * 600_000_000;
        let dump = triage(&spec);
        bytes += dump.len();
        std::fs::write(crash.join(format!("{i:04}.dmp")), dump).unwrap();
    }
    println!("{DUMPS} dumps, {} MB", bytes >> 20);
    let report = folder.join("report.html").display().to_string();
    timed("-q buckets", || ask(&crash, &["-q", "buckets", "--format", "csv"]));
    timed("--report", || ask(&crash, &["--report", &report]));
    timed("extract: all new", || run(&crash, &out));
    timed("extract: all there", || run(&crash, &out));
    std::fs::remove_dir_all(&folder).unwrap();
}

fn timed(what: &str, work: impl Fn()) {
    let began = Instant::now();
    work();
    let seconds = began.elapsed().as_secs_f64();
    println!("{what:20} {seconds:8.2} s  {:8.1} dumps/s", f64::from(DUMPS) / seconds);
}

/// Asks all dumps at once.
fn ask(crash: &Path, arguments: &[&str]) {
    let mut dumps: Vec<_> =
        std::fs::read_dir(crash).unwrap().map(|entry| entry.unwrap().path()).collect();
    dumps.sort();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dumpql"));
    command.args(dumps).args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
}

fn run(crash: &Path, out: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dumpql"));
    command.arg("extract").arg(crash).args(["--tables", TABLES, "--partition-by", "dump", "-o"]);
    command.arg(out).stdin(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
}
