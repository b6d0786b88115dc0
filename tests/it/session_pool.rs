//! Session pool of whole synthetic systems: usage by tag, with and without symbols, and damage in
//! one session that leaves the others intact.

use dumpql::internals::synth::{self, Block, Format, SystemSpec, TagUse, Windows};
use dumpql::{Options, Session};

use crate::system::{self, ALL, ask};

const NUMBERS: &str = "SELECT session, tag, nonpaged_allocs, nonpaged_frees, nonpaged_bytes, \
                       paged_allocs, paged_frees, paged_bytes FROM pool_tags WHERE session IS NOT NULL";

fn lines(system: &synth::System) -> Vec<String> {
    let line = |id: u32, tag: &TagUse| {
        let text = String::from_utf8_lossy(&tag.tag);
        let part = |(allocs, frees, bytes): (u64, u64, u64)| format!("{allocs}|{frees}|{bytes}");
        format!("{id}|{text}|{}|{}", part(tag.nonpaged), part(tag.paged))
    };
    let sessions = system.facts.sessions.iter();
    sessions.flat_map(|session| session.pool_tags.iter().map(|tag| line(session.id, tag))).collect()
}

fn small(spec: SystemSpec) -> SystemSpec {
    SystemSpec { physical_pages: 0x4000, ..spec }
}

fn alone(system: &synth::System) -> Session {
    system::session(system, Format::BitmapFull, &Options::default())
}

#[test]
fn session_tags_match_the_tracker_tables() {
    for windows in ALL {
        let built = synth::system(&small(synth::healthy(windows)));
        let expected = lines(&built);
        assert!(expected.len() > 12, "{windows:?}: {expected:?}");
        for tag in ["Gh05", "Uspi", "Gla5"] {
            assert!(expected.iter().any(|line| line.contains(tag)), "{windows:?}: {expected:?}");
        }
        let named = system::open(&built, Format::BitmapFull);
        assert_eq!(ask(&named, NUMBERS), expected, "{windows:?}");
        assert_eq!(ask(&alone(&built), NUMBERS), expected, "{windows:?} without names");
        let kernel = system::open(&built, Format::KernelSummary);
        assert_eq!(ask(&kernel, NUMBERS), expected, "{windows:?} without the pages of processes");
    }
}

/// Tags that do not fit in a session's table go into the expansion table; if that is full, they are
/// counted as one.
#[test]
fn session_tags_that_do_not_fit_are_in_the_expansion_table() {
    for windows in ALL {
        let mut spec = small(synth::healthy(windows));
        let tag = |i: u32| {
            TagUse::paged((u32::from_le_bytes(*b"Ga00") + (i << 16)).to_le_bytes(), 9, 2, 64)
        };
        spec.sessions[1].pool_tags = (0..300).map(tag).collect();
        let built = synth::system(&spec);
        let facts = &built.facts.sessions[1].pool_tags;
        assert!(facts.iter().any(|tag| &tag.tag == b"Ovfl"), "{windows:?}");
        let named = system::open(&built, Format::Full);
        assert_eq!(ask(&named, NUMBERS).len(), lines(&built).len(), "{windows:?}");
        let sum = "SELECT sum(paged_allocs) FROM pool_tags WHERE session = 1";
        let all: u64 = facts.iter().map(|tag| tag.paged.0).sum();
        assert_eq!(ask(&named, sum), [all.to_string()], "{windows:?}");
    }
}

#[test]
fn the_shipped_query_shows_them() {
    let built = synth::system(&small(synth::healthy(Windows::Windows7)));
    let session = system::open(&built, Format::Full);
    let found = system::shipped(&session, "!poolused 8");
    assert!(found[0].starts_with("0|Gcac|292|402944|2|512|"), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("1|Gla5|323|214016|0|0|")), "{found:?}");
    // What sessions count is not in the numbers of the system.
    let paged = system::shipped(&session, "!poolused 4");
    assert!(!paged.iter().any(|line| line.starts_with("Gla5")));
}

#[test]
fn damage_in_a_session_leaves_the_others_alone() {
    for windows in ALL {
        let spec = small(synth::healthy(windows));
        let sound = synth::system(&spec);
        let whole = lines(&sound);
        let others: Vec<&String> = whole.iter().filter(|line| line.starts_with("0|")).collect();
        let address = sound.facts.sessions[1].address;
        for byte in [0u8, 0x11, 0x80, 0xff] {
            // The id stays, so that the session is known by it.
            let block = Block { address: address + 0x28, bytes: vec![byte; 0x1000] };
            let built = synth::system(&SystemSpec { blocks: vec![block], ..spec.clone() });
            for session in [system::open(&built, Format::Full), alone(&built)] {
                let found = ask(&session, NUMBERS);
                let kept: Vec<&String> =
                    found.iter().filter(|line| line.starts_with("0|")).collect();
                assert_eq!(kept, others, "{windows:?} {byte:#x}");
                let count = "SELECT count(*) FROM pool_allocations WHERE session = 0";
                let blocks: usize = ask(&session, count)[0].parse().unwrap();
                assert!(blocks > 30, "{windows:?} {byte:#x}: {blocks}");
            }
        }
    }
}
