//! A generated debugger log of 500 MB: how fast it is opened (its commands found) and read (their
//! output parsed into rows), on one core, and how much memory is the process's own.
//!
//! `cargo bench --bench logs` writes the log into the folder for temporary files and removes it at
//! the end. `DUMPQL_BENCH_MB` sets another size.

#![allow(clippy::print_stdout, reason = "a benchmark prints its times")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may stop at the first surprise"
)]

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    Frame, LogCommand, PoolTag, Register, Source, Thread, Unanswered, Want,
};
use dumpql::internals::source;
use dumpql::internals::symbol::Store;

const RUNS: usize = 3;

/// A debugger session: every process with its threads and stacks, then lists of the kernel.
fn block(n: u64) -> String {
    let mut text = String::new();
    let thread = 0xffff_9f8b_0000_0000 + n * 0x1080;
    writeln!(text, "0: kd> !thread {thread:016x}").unwrap();
    writeln!(
        text,
        "THREAD {thread:016x}  Cid {:04x}.{:04x}  Teb: 000000c8262c4000 Win32Thread: 0000000000000000 WAIT: (UserRequest) UserMode Non-Alertable",
        n % 0xffff * 4,
        n % 0xfff0 * 4 + 8
    )
    .unwrap();
    writeln!(text, "    {:016x}  SynchronizationEvent", thread + 0x40).unwrap();
    text.push_str("Not impersonating\nOwning Process            ffff9f8b0c5d9080       Image:         svchost.exe\n");
    writeln!(
        text,
        "Wait Start TickCount      {}          Ticks: {} (0:00:00:01.000)",
        n * 3,
        n % 7000
    )
    .unwrap();
    text.push_str("Child-SP          RetAddr               : Args to Child                                                           : Call Site\n");
    for frame in 0..24u64 {
        writeln!(
            text,
            "ffffae03`936f{:04x} fffff803`44a2{:04x}     : 00000000`0000000a fffff803`712e5000 00000000`{:08x} 00000000`00000008 : nt!KeWaitForMultipleObjects{}+0x{:x}",
            frame * 0x60,
            frame * 16,
            n & 0xffff_ffff,
            frame,
            frame * 7 + 1
        )
        .unwrap();
    }
    text.push_str("\n0: kd> r\n");
    writeln!(text, "rax={n:016x} rbx={thread:016x} rcx=0000000000000000").unwrap();
    text.push_str("iopl=0         nv up ei pl zr na po nc\n0: kd> !poolused 2\n   Sorting by  NonPaged Pool Consumed\n\n  Pool Used:\n            NonPaged            Paged\n Tag    Allocs     Used    Allocs     Used\n");
    for tag in 0..8u64 {
        writeln!(text, " T{tag:03}  {:6} {:8}        {} {:8}\tUNKNOWN pooltag 'T{tag:03}', please update pooltag.txt", n + tag, n * 64, tag, tag * 32).unwrap();
    }
    text
}

fn generate(path: &Path, bytes: u64) -> u64 {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    let (mut written, mut n) = (0, 0);
    while written < bytes {
        let text = block(n);
        file.write_all(text.as_bytes()).unwrap();
        written += text.len() as u64;
        n += 1;
    }
    file.flush().unwrap();
    written
}

/// Private memory of the process, if the system gives it.
fn private_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? >> 10)
}

fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let once = |run: &mut dyn FnMut() -> T| {
        let begun = Instant::now();
        let value = run();
        (begun.elapsed(), value)
    };
    let first = once(&mut run);
    (1..RUNS).map(|_| once(&mut run)).fold(first, |a, b| if b.0 < a.0 { b } else { a })
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn tell(what: &str, bytes: u64, took: Duration, rows: u64) {
    let rate = bytes as f64 / 1e6 / took.as_secs_f64();
    let memory = private_mb().map(|mb| format!(", {mb} MB of its own")).unwrap_or_default();
    println!("{what:14} {:7.3} s {rate:7.0} MB/s {rows:10} rows{memory}", took.as_secs_f64());
}

type Count = fn(&dyn Source) -> Result<u64, Unanswered>;

macro_rules! count {
    ($row:ty) => {
        |source| {
            let mut rows = 0;
            source.answers().read::<$row>(&Want::ALL, &mut |_| {
                rows += 1;
                ControlFlow::Continue(())
            })?;
            Ok(rows)
        }
    };
}

const TABLES: &[(&str, Count)] = &[
    ("stacks", count!(Frame)),
    ("threads", count!(Thread)),
    ("registers", count!(Register)),
    ("pool_tags", count!(PoolTag)),
    ("log_commands", count!(LogCommand)),
];

fn main() {
    let megabytes: u64 =
        std::env::var("DUMPQL_BENCH_MB").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let path = std::env::temp_dir().join(format!("dumpql-bench-{}.log", std::process::id()));
    let bytes = generate(&path, megabytes * 1_000_000);
    let store = Store::default();
    let open = || source::open(Image::open(&path).unwrap(), &store).unwrap();
    let (took, source) = best(open);
    tell("open", bytes, took, 0);
    for (name, count) in TABLES {
        let (took, rows) = best(|| count(&*source));
        if let Ok(rows) = rows {
            tell(name, bytes, took, rows);
        }
    }
    drop(source);
    std::fs::remove_file(&path).unwrap();
}
