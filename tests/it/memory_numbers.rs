//! Memory manager counters of whole synthetic systems: the values of the specification, published
//! listings, warnings and failures.

use dumpql::Options;
use dumpql::Session;
use dumpql::internals::session::find_query;
use dumpql::internals::synth::{self, Counters, Format, SystemSpec, Windows};

use crate::system::{self, ALL, ask};

fn small(spec: SystemSpec) -> SystemSpec {
    SystemSpec { physical_pages: 0x2_0000, ..spec }
}

/// What `vm` says of a system with these numbers.
fn expected(windows: Windows, physical: u64, facts: &Counters, has_names: bool) -> Vec<String> {
    let is_old = windows.build() < 6000;
    let is_new = windows.build() >= 10240;
    let mut rows = vec![
        ("Physical Memory".to_owned(), physical),
        ("Available Pages".to_owned(), facts.available),
        ("ResAvail Pages".to_owned(), facts.resident_available),
    ];
    let mut row = |is_there: bool, name: &str, pages: u64| {
        if is_there {
            rows.push((name.to_owned(), pages));
        }
    };
    row(is_old && has_names, "Locked IO Pages", facts.locked_io);
    row(is_new || has_names, "Free System PTEs", facts.free_system_ptes);
    row(is_old && has_names, "Free NP PTEs", facts.free_nonpaged_ptes);
    row(is_old && has_names, "Free Special NP", facts.free_special);
    row(true, "Modified Pages", facts.modified);
    row(is_new || has_names, "Modified PF Pages", facts.modified_page_file);
    row(true, "NonPagedPool Usage", facts.nonpaged);
    row(true, "NonPagedPool Max", facts.nonpaged_maximum);
    if !is_new {
        for (i, pages) in facts.paged.iter().enumerate() {
            row(true, &format!("PagedPool {i} Usage"), *pages);
        }
    }
    row(true, "PagedPool Usage", facts.paged_usage);
    row(true, "PagedPool Maximum", facts.paged_maximum);
    row(true, "Shared Commit", facts.shared_commit);
    // The structure of the first versions of Windows 10 has it; since 2004 it is gone.
    let has_special = (10240..18362).contains(&windows.build());
    row(has_special || !is_new && has_names, "Special Pool", facts.special_pool);
    row(true, "Shared Process", facts.process_commit);
    row(is_new, "NonPagedPool Commit", facts.nonpaged_commit);
    row(!is_new, "PagedPool Commit", facts.paged_commit);
    row(true, "Driver Commit", facts.driver_commit);
    row(true, "Committed pages", facts.committed);
    row(true, "Commit limit", facts.commit_limit);
    rows.into_iter().map(|(name, pages)| format!("{name}|{pages}|{}", pages * 4)).collect()
}

const NUMBERS: &str = "SELECT name, pages, bytes // 1024 FROM vm";

#[test]
fn counters_match_the_memory_manager() {
    for windows in ALL {
        let spec = small(synth::healthy(windows));
        let built = synth::system(&spec);
        assert!(built.missing.is_empty(), "{windows:?}: {:?}", built.missing);
        let facts = &spec.counters;
        let named = system::open(&built, Format::BitmapFull);
        assert_eq!(ask(&named, NUMBERS), expected(windows, 0x2_0000, facts, true), "{windows:?}");
        let alone = system::session(&built, Format::BitmapFull, &Options::default());
        let without = expected(windows, 0x2_0000, facts, false);
        assert_eq!(ask(&alone, NUMBERS), without, "{windows:?} without names");
        let lists = ask(&alone, "SELECT list, pages FROM memory_lists WHERE pages > 0");
        let list = |name: &str, pages: u64| format!("{name}|{pages}");
        let facts = [
            list("Zeroed", facts.zeroed),
            list("Free", facts.free),
            list("Standby", facts.standby),
            list("Modified", facts.modified),
        ];
        assert_eq!(lists, facts, "{windows:?}");
        let warnings = "SELECT count(*) FROM vm WHERE warning IS NOT NULL";
        assert_eq!(ask(&named, warnings), ["0"], "{windows:?}");
        assert_eq!(ask(&named, "SELECT count(*) FROM pool_failures"), ["0"], "{windows:?}");
    }
}

#[test]
fn exhausted_pools_have_warnings_and_failures() {
    for windows in ALL {
        let session = system::open(&synth::system(&small(synth::sick(windows))), Format::Full);
        let paged = "PagedPool Usage|Excessive Paged Pool Usage";
        let both = ["NonPagedPool Usage|Excessive NonPaged Pool Usage", paged];
        let warnings = "SELECT name, warning FROM vm WHERE warning IS NOT NULL";
        assert_eq!(ask(&session, warnings), both, "{windows:?}");
        let failures = "SELECT pool, session, count FROM pool_failures";
        assert_eq!(ask(&session, failures), ["all||429"], "{windows:?}");
    }
}

/// The listing of the server with a session whose pool is used up, as it was published.
#[test]
fn published_listings_are_reproduced() {
    let server = synth::system(&synth::server_2003());
    let session = system::open(&server, Format::KernelSummary);
    let sql = find_query("vm").unwrap().text.clone();
    let line = |line: &String| line.split('|').take(3).collect::<Vec<_>>().join(" ");
    let all = ask(&session, &sql);
    let (failed, numbers): (Vec<_>, Vec<_>) =
        all.iter().partition(|line| line.starts_with("Failed allocations"));
    assert_eq!(
        failed,
        [
            "Failed allocations|||||3441 pool allocations have failed",
            "Failed allocations, session 9|||||7837 pool allocations have failed"
        ]
    );
    let found: Vec<String> = numbers.into_iter().map(line).collect();
    assert_eq!(
        found,
        [
            "Physical Memory 1572637 6290548",
            "Available Pages 1317401 5269604",
            "ResAvail Pages 1478498 5913992",
            "Locked IO Pages 114 456",
            "Free System PTEs 194059 776236",
            "Free NP PTEs 32766 131064",
            "Free Special NP 0 0",
            "Modified Pages 443 1772",
            "Modified PF Pages 442 1768",
            "NonPagedPool Usage 13183 52732",
            "NonPagedPool Max 65215 260860",
            "PagedPool 0 Usage 11328 45312",
            "PagedPool 1 Usage 1473 5892",
            "PagedPool 2 Usage 1486 5944",
            "PagedPool 3 Usage 1458 5832",
            "PagedPool 4 Usage 1505 6020",
            "PagedPool Usage 17250 69000",
            "PagedPool Maximum 65536 262144",
            "Shared Commit 8137 32548",
            "Special Pool 0 0",
            "Shared Process 8954 35816",
            "PagedPool Commit 17312 69248",
            "Driver Commit 2095 8380",
            "Committed pages 212476 849904",
            "Commit limit 2312654 9250616",
        ]
    );
    let failures = "SELECT pool, session, count FROM pool_failures";
    assert_eq!(ask(&session, failures), ["all||3441", "session|9|7837"]);
}

/// Pools of servers whose listings were published, and the warning that came with them.
#[test]
fn published_warnings_are_reproduced() {
    let warned = |nonpaged, nonpaged_maximum, paged: Vec<u64>, paged_usage, paged_maximum| {
        let mut spec = small(synth::server_2003());
        let counters = spec.counters;
        spec.counters =
            Counters { nonpaged, nonpaged_maximum, paged, paged_usage, paged_maximum, ..counters };
        let session: Session = system::open(&synth::system(&spec), Format::KernelSummary);
        ask(&session, "SELECT name, pages FROM vm WHERE warning IS NOT NULL")
    };
    let paged = vec![26_820, 1_491, 1_521, 1_502, 1_516];
    assert_eq!(warned(10_042, 68_537, paged, 32_850, 40_960), ["PagedPool Usage|32850"]);
    assert!(warned(37_846, 65_215, vec![82_308, 12_700, 25_702], 120_710, 134_144).is_empty());
    let paged = vec![21_912, 691, 706, 704, 708];
    assert_eq!(warned(64_445, 64_640, paged, 24_721, 134_144), ["NonPagedPool Usage|64445"]);
    let paged = vec![19_666, 3_358, 3_306, 3_312, 3_309];
    assert_eq!(warned(22_948, 70_145, paged, 32_951, 40_960), ["PagedPool Usage|32951"]);
}

/// A server with two nodes, whose pools were printed one by one.
#[test]
fn pools_of_nodes_are_reproduced() {
    let mut spec = small(synth::server_2003());
    spec.counters.nonpaged = 37_846;
    spec.counters.nonpaged_nodes = vec![8_271, 13_828];
    let session = system::open(&synth::system(&spec), Format::KernelSummary);
    let sql = "SELECT name, pages, bytes // 1024 FROM vm WHERE name LIKE 'NonPagedPool%'";
    assert_eq!(
        ask(&session, sql)[..3],
        [
            "NonPagedPool 0 Used|8271|33084",
            "NonPagedPool 1 Used|13828|55312",
            "NonPagedPool Usage|37846|151384",
        ]
    );
}

/// The page file of the server, as it was published.
#[test]
fn the_published_page_file_is_reproduced() {
    let session = system::open(&synth::system(&synth::server_2003()), Format::KernelSummary);
    let sql = &find_query("page-files").unwrap().text;
    assert_eq!(ask(&session, sql), [r"\??\C:\pagefile.sys|3145728|3001132|3145728|3145728"]);
}

/// The sessions of the server, as they were published.
#[test]
fn published_sessions_are_reproduced() {
    let server = synth::system(&synth::server_2003());
    let session = system::open(&server, Format::KernelSummary);
    let sql = find_query("!vm 4").unwrap().text.clone();
    let line = |line: &String| {
        let cells: Vec<&str> = line.split('|').collect();
        [0, 1, 3, 4, 6, 7, 9].map(|cell| cells[cell]).join(" ")
    };
    let found: Vec<String> = ask(&session, &sql).iter().map(line).collect();
    assert_eq!(
        found,
        [
            "0 0xf79a1000 9824 32768 10148 0 20480",
            "2 0xf7989000 1212 32768 2180 0 20480",
            "9 0xf79b5000 32552 32768 33652 7837 20480",
        ]
    );
}
