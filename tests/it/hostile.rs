//! Damaged files: thousands of random edits of every real dump; each variant is opened and
//! everything in it is read. No edit may cause a panic, a hang, more rows than the file has bytes,
//! or half a gigabyte of memory.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use dumpql::internals::catalog::Catalog;
use dumpql::internals::dump::Image;
use dumpql::internals::model::{Problem, Want};
use dumpql::internals::source;
use dumpql::internals::symbol::Store;
use dumpql::internals::table::{ALL, Cx, NamedSource, Progress, ScanRequest};
use rayon::prelude::*;

use crate::corpus;
use crate::watchdog::watch;

const EDITS: u64 = 10_000;
/// Edits of each user minidump of the corpus, which has more than twenty.
const EDITS_OF_ONE_OF_MANY: u64 = 2_500;
/// No table has more rows than its file has bytes, except for what every machine has, such as
/// registers.
const ROWS_OF_ANY: usize = 4096;
const MAX_BYTES: u64 = 500 << 20;

/// Edits `bytes` in `edits` ways and hands each variant to `open_and_query`. Variants are numbered,
/// and the number alone decides what is edited, so that a failure can be repeated: `DUMPQL_VARIANT`
/// names the one that is made.
pub(crate) fn hammer(
    name: &str,
    bytes: &[u8],
    edits: u64,
    open_and_query: impl Fn(Image, u64) + Sync,
) {
    let only = std::env::var("DUMPQL_VARIANT").ok().and_then(|number| number.parse::<u64>().ok());
    let is_made = |number: &u64| only.is_none_or(|only| only == *number);
    let workers = rayon::current_num_threads() as u64;
    (0..workers).into_par_iter().for_each(|worker| {
        let mut file: Arc<[u8]> = bytes.into();
        for number in (worker..edits).step_by(usize::try_from(workers).unwrap()).filter(is_made) {
            let told = TellOnPanic { name, number };
            let mut random = Random(number);
            let _watched = watch(format!("{name}: variant {number}"));
            if random.below(16) == 0 {
                let end = random.place(&file);
                open_and_query(Image::from_bytes(name, &file[..end]), number);
            } else {
                let mut undo = Vec::new();
                let own = Arc::get_mut(&mut file).expect("the last variant was dropped");
                for _ in 0..=random.below(8) {
                    let (at, new) = random.edit(own);
                    undo.push((at, write(own, at, &new)));
                }
                open_and_query(Image::from_bytes(name, Arc::clone(&file)), number);
                let own = Arc::get_mut(&mut file).expect("the source was dropped");
                for (at, old) in undo.into_iter().rev() {
                    write(own, at, &old);
                }
            }
            drop(told);
        }
        assert!(*file == *bytes, "edits were not undone");
    });
}

/// Overwrites as far as the file goes, and returns what was there.
fn write(file: &mut [u8], at: usize, new: &[u8]) -> Vec<u8> {
    let end = (at + new.len()).min(file.len());
    let old = file[at..end].to_vec();
    file[at..end].copy_from_slice(&new[..end - at]);
    old
}

/// Names the variant when a thread panics over it.
struct TellOnPanic<'a> {
    name: &'a str,
    number: u64,
}

impl Drop for TellOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: variant {} failed", self.name, self.number);
        }
    }
}

/// `SplitMix64`: small, good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    /// An offset, by preference where structure is: in the header, or where the header points.
    fn place(&mut self, file: &[u8]) -> usize {
        let at = match self.below(8) {
            0 => self.below(256),
            1 | 2 => self.below(0x1_0000),
            3 => self.below(file.len()),
            _ => {
                let pointer = self.below(0x200) & !3;
                let target = file
                    .get(pointer..pointer + 4)
                    .map_or(0, |b| u32::from_le_bytes(b.try_into().expect("four bytes")) as usize);
                target.saturating_add(self.below(0x100))
            }
        };
        at % file.len().max(1)
    }

    fn range(&mut self, file: &[u8], longest: usize) -> Range<usize> {
        let start = self.place(file);
        start..(start + 1 + self.below(longest)).min(file.len())
    }

    /// What is written where.
    fn edit(&mut self, file: &[u8]) -> (usize, Vec<u8>) {
        match self.below(8) {
            0 | 1 => {
                let at = self.place(file);
                (at, vec![file[at] ^ (1 << self.below(8))])
            }
            2..=4 => (self.place(file) & !3, self.extreme(file.len()).to_le_bytes().into()),
            5 => {
                let value = u64::from(self.extreme(file.len())) << self.below(33);
                (self.place(file) & !7, value.to_le_bytes().into())
            }
            6 => {
                let from = self.range(file, 0x400);
                (self.place(file), file[from].to_vec())
            }
            _ => {
                let range = self.range(file, 0x400);
                (range.start, vec![0; range.len()])
            }
        }
    }

    /// A number that breaks careless arithmetic.
    fn extreme(&mut self, len: usize) -> u32 {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        match self.below(10) {
            0 => 0,
            1 => 1,
            2 => u32::MAX,
            3 => u32::MAX - 1,
            4 => 0x7fff_ffff,
            5 => 0x8000_0000,
            6 => len,
            7 => len - 1,
            8 => u32::try_from(self.below(0x1000)).unwrap(),
            _ => u32::try_from(self.next() >> 32).unwrap(),
        }
    }
}

/// The columns and tables that walk all stacks, which takes far longer than all other tables
/// together.
const WALKED: [&str; 4] = ["stacks", "raw_stack", "stack_id", "blocker"];
/// One of this many variants is read with stack walks.
const WALK_EVERY: u64 = 16;

/// Opens an image and reads every column of every table; what walks stacks only of some variants.
pub(crate) fn read_everything(image: Image, number: u64) {
    let is_read = |name: &str| number.is_multiple_of(WALK_EVERY) || !WALKED.contains(&name);
    let most = image.len() + ROWS_OF_ANY;
    let Ok(source) = source::open(image, &Store::default()) else { return };
    let catalog = Catalog::default();
    let cx = Cx {
        catalog: &catalog,
        sources: &[NamedSource { name: "hostile", source: &*source }],
        cancelled: &AtomicBool::new(false),
        progress: &Progress::default(),
        room: usize::MAX,
    };
    // That table would scan all others once more.
    let _ = source.answers().read::<Problem>(&Want::ALL, &mut |_| ControlFlow::Continue(()));
    let is_own = |name: &str| name != "problems" && !name.starts_with("meta.");
    for table in ALL.iter().filter(|table| is_own(table.name()) && is_read(table.name())) {
        let names = table.spec(false).columns;
        let columns: Vec<usize> = (0..names.len()).filter(|at| is_read(names[*at].name)).collect();
        let request = ScanRequest { columns: &columns, ..ScanRequest::default() };
        // A table that a damaged dump cannot answer says so; that is no failure.
        let rows = table.scan(&cx, &request).map_or(0, |scan| scan.batch.rows);
        assert!(rows <= most, "{}: {rows} rows of {most} bytes", table.name());
    }
}

/// The most memory that the process had so far, and what it has now, where the system tells.
fn memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
    };
    Some((field("VmHWM:")?, field("VmRSS:")?))
}

/// Makes ten thousand edits of a dump and reads everything of each.
pub(crate) fn hammer_bytes(name: &str, bytes: &[u8]) {
    hammer_within_bounds(name, bytes, EDITS);
}

fn hammer_within_bounds(name: &str, bytes: &[u8], edits: u64) {
    let before = memory();
    hammer(name, bytes, edits, read_everything);
    let grown = memory().zip(before).map_or(0, |(now, before)| now.0.saturating_sub(before.1));
    println!("{name}: {} MB", grown >> 20);
    assert!(grown < MAX_BYTES, "{name}: {} MB", grown >> 20);
}

fn hammer_file(path: &Path, edits: u64) {
    let bytes = std::fs::read(path).expect("the dump can be read");
    hammer_within_bounds(&path.display().to_string(), &bytes, edits);
}

/// Runs a test in a process of its own, where the memory that it measures is nobody else's.
pub(crate) fn alone(test: &str, run: impl FnOnce()) {
    const CHILD: &str = "DUMPQL_TEST_ALONE";
    if std::env::var_os(CHILD).is_some() {
        return run();
    }
    let mut command = Command::new(std::env::current_exe().expect("the tests have a file"));
    let out = command
        .args([test, "--exact", "--nocapture", "--include-ignored"])
        .env(CHILD, "1")
        .output();
    let out = out.expect("the tests can be run");
    let (said, wrong) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    println!("{said}");
    assert!(out.status.success() && said.contains("1 passed"), "{test}: {wrong}");
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn edited_user_dumps_do_no_harm() {
    alone("hostile::edited_user_dumps_do_no_harm", || {
        for path in corpus::dumps("user") {
            hammer_file(&path, EDITS_OF_ONE_OF_MANY);
        }
    });
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn edited_kernel_dumps_do_no_harm() {
    alone("hostile::edited_kernel_dumps_do_no_harm", || {
        for path in corpus::dumps("kernel") {
            hammer_file(&path, EDITS);
        }
    });
}
