//! Pool tags of whole synthetic systems, with and without symbols; published listings are
//! reproduced; damage is reported.

use dumpql::internals::synth::{self, Block, Format, SystemSpec, TagUse, Windows};
use dumpql::{Options, Session};

use crate::system::{self, ALL, ask};

const NUMBERS: &str = "SELECT tag, nonpaged_allocs, nonpaged_frees, nonpaged_diff, nonpaged_bytes, \
                       paged_allocs, paged_frees, paged_diff, paged_bytes FROM pool_tags WHERE session IS NULL";

fn lines(tags: &[TagUse]) -> Vec<String> {
    let line = |tag: &TagUse| {
        let text = String::from_utf8_lossy(&tag.tag);
        let part = |(allocs, frees, bytes): (u64, u64, u64)| {
            format!("{allocs}|{frees}|{}|{bytes}", allocs - frees)
        };
        format!("{text}|{}|{}", part(tag.nonpaged), part(tag.paged))
    };
    tags.iter()
        .filter(|tag| tag.nonpaged != (0, 0, 0) || tag.paged != (0, 0, 0))
        .map(line)
        .collect()
}

fn small(spec: SystemSpec) -> SystemSpec {
    SystemSpec { physical_pages: 0x4000, ..spec }
}

#[test]
fn tags_match_the_tracker_tables() {
    for windows in ALL {
        let built = synth::system(&small(synth::healthy(windows)));
        let expected = lines(&built.facts.pool_tags);
        assert!(expected.len() > 20, "{windows:?}: {expected:?}");
        let named = system::open(&built, Format::BitmapFull);
        assert_eq!(ask(&named, NUMBERS), expected, "{windows:?}");
        let alone = system::session(&built, Format::BitmapFull, &Options::default());
        assert_eq!(ask(&alone, NUMBERS), expected, "{windows:?} without names");
    }
}

#[test]
fn tags_that_do_not_fit_are_in_the_expansion_table() {
    for windows in ALL {
        let spec = SystemSpec { tracker_entries: 16, ..small(synth::healthy(windows)) };
        let built = synth::system(&spec);
        let facts = &built.facts.pool_tags;
        assert_eq!(facts.len(), 16 + 4 + 1, "{windows:?}");
        assert!(facts.iter().any(|tag| &tag.tag == b"Ovfl"), "{windows:?}");
        let named = system::open(&built, Format::Full);
        assert_eq!(ask(&named, NUMBERS), lines(facts), "{windows:?}");
        // Nothing names the other table then.
        let alone = system::session(&built, Format::Full, &Options::default());
        assert!(alone.query(NUMBERS).is_err(), "{windows:?}");
    }
}

#[test]
fn one_processor_has_one_table() {
    for windows in ALL {
        let mut spec = small(synth::healthy(windows));
        spec.processors.truncate(1);
        spec.crash_processor = 0;
        let built = synth::system(&spec);
        let alone = system::session(&built, Format::Full, &Options::default());
        assert_eq!(ask(&alone, NUMBERS), lines(&built.facts.pool_tags), "{windows:?}");
    }
}

fn query(session: &Session, name: &str) -> Vec<String> {
    system::shipped(session, name)
}

/// The listings of a workstation and of servers, as they were published.
#[test]
fn published_listings_are_reproduced() {
    let workstation = synth::system(&small(synth::healthy(Windows::Windows7)));
    let session = system::open(&workstation, Format::Full);
    let found = query(&session, "poolused-nonpaged");
    let head = |found: &[String], columns: usize, count: usize| -> Vec<String> {
        let line = |line: &String| {
            line.split('|').take(columns).map(str::trim).collect::<Vec<_>>().join(" ")
        };
        found.iter().take(count).map(line).collect()
    };
    assert_eq!(
        head(&found, 5, 14),
        [
            "EtwB 304 134 170 6550080",
            "File 32630649 32618671 11978 3752928",
            "Pool 16 11 5 3363472",
            "Ntfr 204791 187152 17639 2258704",
            "FMsl 199039 187685 11354 2179968",
            "MmCa 250092 240351 9741 2134368",
            "ViMm 135503 134021 1482 1783824",
            "Cont 53 12 41 1567664",
            "Thre 72558 71527 1031 1234064",
            "VoSm 872 851 21 1220544",
            "NtFs 8122505 8110933 11572 1190960",
            "AmlH 1 0 1 1048576",
            "SaSc 20281 14820 5461 1048512",
            "RaRS 1000 0 1000 960000",
        ]
    );
    let server = synth::system(&synth::server_2003());
    let session = system::open(&server, Format::KernelSummary);
    let paged = query(&session, "poolused-paged");
    let columns = "SELECT tag, nonpaged_diff, nonpaged_bytes, paged_diff, paged_bytes FROM pool_tags \
                   WHERE session IS NULL ORDER BY paged_bytes DESC LIMIT 5";
    assert_eq!(
        ask(&session, columns),
        [
            "CM  |85|5440|11045|47915424",
            "MyAV|0|0|186|14391520",
            "MmSt|0|0|11795|13235744",
            "Obtb|709|90752|2712|11108352",
            "Ntff|5|1120|9886|8541504",
        ]
    );
    let tags: Vec<&str> = paged.iter().filter_map(|line| line.split('|').next()).take(5).collect();
    assert_eq!(tags, ["CM  ", "MyAV", "MmSt", "Obtb", "Ntff"]);
    let nonpaged = query(&session, "poolused-nonpaged");
    assert_eq!(head(&nonpaged, 4, 1), ["Ddk 9074558 3859522 5215036"]);
    for line in ["MmCm 43787 42677 1110", "LSwi 1 0 1", "TCPt 3281838 3281808 30"] {
        assert!(head(&nonpaged, 4, 99).iter().any(|found| found == line), "{line}");
    }
    let other = SystemSpec {
        pool_tags: vec![
            TagUse::paged(*b"MmSt", 85_622, 0, 140_642_616),
            TagUse::paged(*b"Ntff", 63_715, 0, 51_991_440).and_nonpaged(5, 0, 1040),
        ],
        ..small(synth::server_2003())
    };
    let session = system::open(&synth::system(&other), Format::KernelSummary);
    assert_eq!(
        ask(&session, columns)[..2],
        ["MmSt|0|0|85622|140642616", "Ntff|5|1040|63715|51991440"]
    );
}

#[test]
fn an_unknown_tag_names_the_driver_whose_image_contains_it() {
    let mut spec = small(synth::healthy(Windows::Windows10));
    spec.pool_tags.push(TagUse::nonpaged(*b"zAvF", 5, 1, 4096));
    let driver = spec.drivers.iter().find(|driver| driver.path.ends_with("AvFilter.sys")).unwrap();
    // On the boundary of two pages.
    let address = driver.base + 0x1ffe;
    spec.blocks.push(Block { address, bytes: b"zAvF".to_vec() });
    let session = system::open(&synth::system(&spec), Format::Full);
    let sql = "SELECT owner_modules, binary, description FROM pool_tags WHERE tag = 'zAvF'";
    assert_eq!(ask(&session, sql), ["AvFilter||"]);
    let known = "SELECT binary, description IS NOT NULL FROM pool_tags WHERE tag = 'Ntfr'";
    assert_eq!(ask(&session, known), ["ntfs.sys|true"]);
}

#[test]
fn the_users_tag_list_has_priority() {
    let built = synth::system(&small(synth::healthy(Windows::Windows10)));
    let path = std::env::temp_dir().join(format!("dumpql-pooltag-{}.txt", std::process::id()));
    std::fs::write(&path, "rem mine\nEtw* - mine.sys - My own words\n").unwrap();
    let options = Options::default().pool_tags(&path);
    let session = system::session(&built, Format::Full, &options);
    let sql = "SELECT tag, binary, description FROM pool_tags WHERE tag IN ('EtwB', 'Thre')";
    let found = ask(&session, sql);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(found[0], "EtwB|mine.sys|My own words");
    assert!(found[1].starts_with("Thre|nt!ps|"), "{found:?}");
}

/// Sizes that no table has, tables that lead anywhere, and pages that are missing.
#[test]
fn damaged_tables_are_reported() {
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let spec = small(synth::healthy(windows));
        let sound = synth::system(&spec);
        let put = |name: &str, bytes: &[u8]| {
            let block = Block { address: sound.symbols[name], bytes: bytes.to_vec() };
            let blocks = vec![block];
            system::open(&synth::system(&SystemSpec { blocks, ..spec.clone() }), Format::Full)
        };
        let wide = if windows == Windows::Windows10 { 8 } else { 4 };
        for size in [0u64, 1, 1 << 20, 1 << 31, 0xffff_ffff] {
            let session = put("PoolTrackTableSize", &size.to_le_bytes()[..wide]);
            let error = session.query(NUMBERS).expect_err("no table has such a size");
            let said = error.render(None, false);
            assert!(said.contains("size of the table of pool tags"), "{said}");
        }
        let session = put("PoolTrackTable", &[0x11; 8][..wide]);
        // What the other processors count is there, and no sum is whole.
        let whole = "SELECT count(nonpaged_bytes) FROM pool_tags WHERE session IS NULL";
        assert!(session.query(whole).is_err() || ask(&session, whole) == ["0"], "{windows:?}");
        let session = put("PoolTrackTableExpansionSize", &[0xff; 8][..wide]);
        assert_eq!(ask(&session, NUMBERS), lines(&sound.facts.pool_tags), "{windows:?}");
    }
}
