//! The law of the budget: no query of a megabyte of text exceeds its memory by more than 100 MB, whatever
//! it asks. `just budget` runs a thousand over four inputs; here are a few of each kind, in processes of
//! their own with a limit on their address space.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cli::Folder;
use crate::queries::{KINDS, query};
use crate::watchdog::watch;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dumpql");
/// What the law allows a query of 32 MB, in KB.
const ALLOWED: u64 = (32 + 100) << 10;
/// What an allocator may reserve for a thread and never touch.
const RESERVED: u64 = 64 << 10;

fn limited(limit: Option<u64>, dump: &str) -> Command {
    let limits = limit.map_or(String::new(), |kilobytes| format!("ulimit -v {kilobytes};"));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits} exec \"$0\" \"$@\""), PROGRAM, dump, "--no-index"]);
    command.env("MALLOC_ARENA_MAX", "1").env("RAYON_NUM_THREADS", "2").stdout(Stdio::null());
    command
}

/// The address space of the program with the dump open, in KB.
fn opened(dump: &str) -> u64 {
    let mut command = limited(None, dump);
    let mut child = command.args(["-c", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let path = format!("/proc/{}/status", child.id());
    let peak = || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmPeak:").map(str::to_owned));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
    };
    // It waits for its input once the dump is open.
    let mut last = 0;
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = peak();
        if now == last && now > 0 {
            break;
        }
        last = now;
    }
    drop(child.stdin.take());
    let _ = child.wait();
    last
}

#[test]
#[cfg(target_os = "linux")]
fn no_query_exceeds_its_memory_by_much() {
    let folder = Folder::new("budget");
    let dump = folder.file("a.dmp");
    fs::write(&dump, dumpql::sample_file()).unwrap();
    let limit = opened(&dump) + ALLOWED + RESERVED;
    let file = folder.file("q.sql");
    for number in
        (0..KINDS).chain([KINDS, 3 * KINDS + 4, 5 * KINDS + 6, 7 * KINDS + 10, 9 * KINDS + 12])
    {
        let _watched = watch(format!("query {number}"));
        fs::write(&file, format!("SET timeout = '30s';\n{}", query(number))).unwrap();
        let mut command = limited(Some(limit), &dump);
        command.args(["--memory", "32MB", "--format", "csv", "-f", &file]);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        let end: String =
            told.chars().rev().take(500).collect::<Vec<_>>().into_iter().rev().collect();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{number}: {} {end}", output.status);
        assert!(!told.contains("E0901"), "{number}: {end}");
    }
}
