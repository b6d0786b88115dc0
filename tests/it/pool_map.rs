//! A published map of nonpaged pool and the listings that came with it: the shipped queries
//! reproduce the picture and the numbers.

use dumpql::internals::synth::{self, Format};
use dumpql::{Options, Session};

use crate::corpus;
use crate::system;

fn query(session: &Session, name: &str) -> Vec<String> {
    system::shipped(session, name)
}

/// The lines of the archive that are rows of a map.
fn published() -> Vec<String> {
    let Some(folder) = corpus::folder() else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join("reference/dump-analysis-archive-2007-11.txt"));
    let text = text.expect("the archive is there").replace('\u{a0}', " ");
    let is_row = |line: &&str| {
        line.split_once(": ").is_some_and(|(address, marks)| {
            address.len() == 8
                && u32::from_str_radix(address, 16).is_ok()
                && marks.chars().all(|mark| "OP<>={}-. ".contains(mark))
        })
    };
    text.lines().map(str::trim).filter(is_row).map(str::to_owned).collect()
}

/// The rows of the map of the server that was published, as they were.
fn shown(lone: &Session) -> Vec<String> {
    let map = query(lone, "pool-map");
    let rows = map.iter().filter_map(|line| line.strip_prefix("nonpaged||0x"));
    rows.map(|line| line.replacen('|', ": ", 1)).collect()
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn every_published_map_row_is_reproduced() {
    let system = synth::system(&synth::mapped());
    let shown = shown(&system::session(&system, Format::KernelSummary, &Options::default()));
    let rows = published();
    assert_eq!(rows.len(), 23, "{rows:?}");
    for row in &rows {
        assert!(shown.contains(row), "{row}");
    }
}

#[test]
fn the_published_map_is_reproduced() {
    let system = synth::system(&synth::mapped());
    assert!(system.missing.is_empty(), "{:?}", system.missing);
    let lone = system::session(&system, Format::KernelSummary, &Options::default());
    let shown = shown(&lone);
    // Every row from the first page to the last, those without any page in use too.
    assert_eq!(shown.len(), 64_640 / 64, "{:?}", shown.first());
    let of = |row: &str| shown.iter().find(|line| line.starts_with(row)).cloned();
    for row in [
        "82780000: ..OO.OO.OO..O.OO .O..OO.OO.OO..O. OO.O..OO.O..OO.. ..OO.O..OO.OO.OO",
        "82840000: ................ ................ ................ ................",
        "89480000: ....==......=.=. .........=...... ====.=.=........ ................",
    ] {
        assert_eq!(of(&row[..8]).as_deref(), Some(row));
    }
    let summary = query(&lone, "pool-summary");
    assert!(summary[0].starts_with("nonpaged||64640|36721|56.8|"), "{summary:?}");
    assert!(summary.iter().any(|line| line.starts_with("paged||134144|")), "{summary:?}");
    assert!(summary.iter().any(|line| line.starts_with("paged session|1|8192|")), "{summary:?}");
}

/// What was printed of the same server.
#[test]
fn the_listings_of_the_same_server_are_reproduced() {
    let system = synth::system(&synth::mapped());
    let session = system::open(&system, Format::KernelSummary);
    let head = |name: &str, columns: usize| -> Vec<String> {
        let line = |line: &String| {
            line.split('|').take(columns).map(str::trim).collect::<Vec<_>>().join(" ")
        };
        query(&session, name).iter().map(line).collect()
    };
    let vm = head("vm", 3);
    for line in [
        "Physical Memory 851775 3407100",
        "Available Pages 147274 589096",
        "ResAvail Pages 769287 3077148",
        "Locked IO Pages 118 472",
        "Free System PTEs 184910 739640",
        "Free NP PTEs 110 440",
        "Free Special NP 0 0",
        "Modified Pages 168 672",
        "Modified PF Pages 168 672",
        "NonPagedPool Usage 64445 257780",
        "NonPagedPool Max 64640 258560",
        "PagedPool 0 Usage 21912 87648",
        "PagedPool 4 Usage 708 2832",
        "PagedPool Usage 24721 98884",
        "PagedPool Maximum 134144 536576",
        "Shared Commit 5274 21096",
        "Special Pool 0 0",
        "Shared Process 3958 15832",
        "PagedPool Commit 24785 99140",
        "Driver Commit 19289 77156",
        "Committed pages 646282 2585128",
        "Commit limit 1860990 7443960",
    ] {
        assert!(vm.iter().any(|found| found == line), "{line}: {vm:#?}");
    }
    let files = [r"\??\C:\pagefile.sys|4190208|4175708|4190208|4190208"];
    assert_eq!(query(&session, "page-files"), files);
    let failures = query(&session, "pool-failures");
    assert!(failures.iter().any(|line| line.starts_with("all||429|")), "{failures:?}");
    let excessive = "NonPagedPool Usage|||Excessive NonPaged Pool Usage";
    assert!(failures.iter().any(|line| line == excessive), "{failures:?}");
    let tags = head("!poolused 3", 4);
    for line in ["Ddk 9074558 3859522 5215036", "MmCm 43787 42677 1110", "LSwi 1 0 1"] {
        assert!(tags.iter().any(|found| found == line), "{line}: {tags:?}");
    }
}
