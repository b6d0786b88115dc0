//! Kernel dumps with targeted damage: every number in the triage block, in the lists behind it and
//! in the debugger data block is set to extreme values, and files are truncated anywhere.
//!
//! Random edits of whole files are in `hostile.rs`; these tests know the format.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Block, TriageSpec, Unloaded};
use dumpql::{Options, Session};
use rayon::prelude::*;

use super::{corpus, hostile};
use crate::watchdog::watch;

/// Numbers that break careless arithmetic.
const EXTREMES: [u32; 9] = [0, 1, 3, 0xff, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, u32::MAX];

const TABLES: [&str; 15] = [
    "dump",
    "bugcheck",
    "exception",
    "registers",
    "modules",
    "unloaded_modules",
    "threads",
    "stacks",
    "raw_stack",
    "processors",
    "processes",
    "memory_regions",
    "handles",
    "coverage",
    "problems",
];

/// Opens the bytes and reads everything; errors may be reported, but nothing else may happen.
fn read_everything(name: &str, what: &str, bytes: &[u8]) {
    let _watched = watch(format!("{name}: {what}"));
    let read = catch_unwind(AssertUnwindSafe(|| {
        let image = Image::from_bytes(name, bytes);
        let Ok(session) = Session::from_images(vec![image], &Options::default()) else { return };
        for table in TABLES {
            let _ = session.query(&format!("SELECT * FROM {table}"));
        }
    }));
    assert!(read.is_ok(), "{name}: {what}: panicked");
}

/// A 32-bit dump with something in every list.
fn narrow() -> Vec<u8> {
    let spec = TriageSpec::x86();
    let base = spec.kernel_base;
    synth::triage(&TriageSpec {
        unloaded: vec![Unloaded { name: "old.sys".to_owned(), start: base, end: base + 0x1000 }],
        blocks: vec![Block { address: base + 0x1000, bytes: vec![0x90; 64] }],
        stack: (0..64).map(|i| base + 16 * i).collect(),
        ..spec
    })
}

/// Dumps that are made here, with their names.
fn made() -> Vec<(String, Vec<u8>)> {
    vec![("sample".to_owned(), synth::triage_sample()), ("32-bit".to_owned(), narrow())]
}

/// Those of the corpus.
fn real() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for path in corpus::dumps("kernel") {
        let bytes = std::fs::read(&path).expect("the corpus is readable");
        all.push((path.display().to_string(), bytes));
    }
    all
}

fn number(bytes: &[u8], at: usize) -> usize {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, |word| u32::from_le_bytes(word) as usize)
}

/// The positions of the numbers that a reader follows: headers, triage block, and the starts of the
/// lists and structures that the triage block points to.
fn places(bytes: &[u8]) -> Vec<usize> {
    let wide = bytes.starts_with(b"PAGEDU64");
    let (triage, room) = if wide { (0x2000, 0x80) } else { (0x1000, 0x68) };
    let mut places: Vec<usize> = (8..0x88).step_by(4).collect();
    places.extend(if wide { [0xf18, 0xf98, 0xfa8, 0x1030] } else { [0x7e0, 0xf88, 0xfc0, 0xfb8] });
    places.extend((triage..triage + room).step_by(4));
    for field in (triage + 0xc..triage + room).step_by(4) {
        let target = number(bytes, field);
        if target > triage && target < bytes.len() {
            places.extend((target..target + 0xa0).step_by(8));
        }
    }
    places.retain(|at| at + 4 <= bytes.len());
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn any_field_may_be_wrong() {
    edit_numbers(made());
}

#[test]
fn any_list_may_be_circular() {
    edit_counts(made());
}

#[test]
fn a_file_may_end_anywhere() {
    cut(made());
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn any_number_of_a_real_dump_may_be_wrong() {
    edit_numbers(real());
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn any_list_of_a_real_dump_may_be_circular() {
    edit_counts(real());
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_real_dump_may_end_anywhere() {
    cut(real());
}

fn edit_numbers(dumps: Vec<(String, Vec<u8>)>) {
    dumps.into_par_iter().for_each(|(name, bytes)| {
        let mut edited = bytes.clone();
        for (i, at) in places(&bytes).into_iter().enumerate() {
            // Each place gets some of the extremes; together the places see them all.
            let share = if bytes.len() > 1 << 19 { 1 } else { 3 };
            for extreme in EXTREMES.iter().cycle().skip(i * share).take(share) {
                edited[at..at + 4].copy_from_slice(&extreme.to_le_bytes());
                read_everything(&name, &format!("{extreme:#x} at {at:#x}"), &edited);
            }
            edited[at..at + 4].copy_from_slice(&bytes[at..at + 4]);
        }
    });
}

fn edit_counts(dumps: Vec<(String, Vec<u8>)>) {
    for (name, bytes) in dumps {
        let triage = if bytes.starts_with(b"PAGEDU64") { 0x2000 } else { 0x1000 };
        let mut edited = bytes.clone();
        // The driver count, the counts of the debugger block's list, and the sizes, all at once.
        let counts = [0x2c, 0x34, 0x3c, 0x5c, 0x64, 0x74, 0x7c].map(|field| triage + field);
        for at in counts.into_iter().filter(|at| at + 4 <= bytes.len()) {
            edited[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        }
        read_everything(&name, "every count at its most", &edited);
    }
}

fn cut(dumps: Vec<(String, Vec<u8>)>) {
    for (name, bytes) in dumps {
        for percent in 0..100 {
            let end = bytes.len() * percent / 100;
            read_everything(&name, &format!("cut at {percent} %"), &bytes[..end]);
        }
        for end in (0..0x2100.min(bytes.len())).step_by(0x41) {
            read_everything(&name, &format!("cut at {end:#x}"), &bytes[..end]);
        }
    }
}

#[test]
fn edited_synthetic_dumps_do_no_harm() {
    hostile::alone("hostile_kernel::edited_synthetic_dumps_do_no_harm", || {
        hostile::hammer_bytes("sample", &synth::triage_sample());
        hostile::hammer_bytes("32-bit", &narrow());
    });
}
