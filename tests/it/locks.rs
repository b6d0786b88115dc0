//! Executive resources of whole synthetic systems: owners and waiters match, a deadlock is found, a
//! published registry lock queue is reproduced, and damage does no harm.

use std::collections::{BTreeMap, HashMap};

use dumpql::Session;
use dumpql::internals::session::{find_query, parameters};
use dumpql::internals::synth::{self, Block, Format, System, SystemSpec, Windows};

use crate::system::{self, ALL, ask};

fn small(spec: SystemSpec) -> SystemSpec {
    SystemSpec { physical_pages: 0x4000, ..spec }
}

/// Addresses of threads by id.
fn threads(system: &System) -> HashMap<u64, (u64, u64)> {
    let all = system.facts.processes.iter();
    let threads = all.flat_map(|p| p.threads.iter().map(move |t| (t.tid, (t.ethread, p.pid))));
    threads.collect()
}

fn address(system: &System, at: u64) -> String {
    if system.facts.windows.is_64_bit() { format!("0x{at:016x}") } else { format!("0x{at:08x}") }
}

/// What the tables say, sorted, against what was put in.
fn compare(what: &str, system: &System, session: &Session) {
    let known = threads(system);
    let mut waiters = Vec::new();
    let mut owners = Vec::new();
    let mut locks = Vec::new();
    for resource in &system.facts.resources {
        let at = address(system, resource.address);
        for (list, is_exclusive) in
            [(&resource.shared_waiters, false), (&resource.exclusive_waiters, true)]
        {
            for (position, tid) in list.iter().enumerate() {
                let (ethread, pid) = known[tid];
                let ethread = address(system, ethread);
                waiters.push(format!("{at}|{ethread}|{tid}|{pid}|{position}|{is_exclusive}|true"));
            }
        }
        for (tid, count) in &resource.owners {
            let (ethread, pid) = known[tid];
            let ethread = address(system, ethread);
            owners.push(format!("{at}|{ethread}|{tid}|{pid}|{count}|{}", resource.is_exclusive));
        }
        let state = match (resource.owners.is_empty(), resource.is_exclusive) {
            (true, _) => "free",
            (false, true) => "exclusive",
            (false, false) => "shared",
        };
        locks.push(format!(
            "{at}|{state}|{}|{}|{}|{}",
            resource.owners.len(),
            resource.contention,
            resource.shared_waiters.len(),
            resource.exclusive_waiters.len()
        ));
    }
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let sql = "SELECT resource, ethread, tid, pid, position, is_exclusive, wait_ms >= 0 FROM lock_waiters";
    assert_eq!(sorted(ask(session, sql)), sorted(waiters), "{what}: waiters");
    let sql = "SELECT resource, ethread, tid, pid, count, is_exclusive FROM lock_owners";
    assert_eq!(sorted(ask(session, sql)), sorted(owners), "{what}: owners");
    let sql = "SELECT resource, state, owner_count, contention_count, shared_waiters, exclusive_waiters \
               FROM locks";
    assert_eq!(ask(session, sql), locks, "{what}: locks");
}

#[test]
fn owners_and_waiters_match_the_system() {
    for windows in ALL {
        for spec in [synth::healthy(windows), synth::sick(windows)] {
            let built = synth::system(&small(spec));
            assert!(built.missing.is_empty(), "{:?}", built.missing);
            compare(&format!("{windows:?}"), &built, &system::open(&built, Format::BitmapFull));
        }
    }
    let server = synth::system(&synth::server_2003());
    compare("the server", &server, &system::open(&server, Format::KernelSummary));
}

#[test]
fn waiting_times_match_the_threads() {
    let built = synth::system(&small(synth::sick(Windows::Windows10)));
    let session = system::open(&built, Format::Full);
    let sql = "SELECT count(*) FROM lock_waiters AS w JOIN threads AS t USING (ethread) \
               WHERE w.wait_ms = t.wait_ms AND t.wait_reason = 'WrResource'";
    assert_eq!(ask(&session, sql), ["11"]);
}

fn query(session: &Session, name: &str) -> Vec<String> {
    let query = find_query(name).expect("it is shipped");
    let params = parameters(query, &BTreeMap::new()).expect("it has defaults");
    let result = session.query_with(&query.text, &params).unwrap_or_else(|e| panic!("{name}: {e}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

#[test]
fn diagnostic_queries_return_no_rows_for_a_healthy_system() {
    for windows in ALL {
        let healthy = synth::system(&small(synth::healthy(windows)));
        let session = system::open(&healthy, Format::Full);
        for name in ["pool-leak", "high-contention", "wait-chains"] {
            assert_eq!(query(&session, name), Vec::<String>::new(), "{windows:?} {name}");
        }
        let sick = synth::system(&small(synth::sick(windows)));
        let session = system::open(&sick, Format::Full);
        let leaks = query(&session, "pool-leak");
        let ddk = leaks.iter().any(|leak| leak.starts_with("Ddk |nonpaged|9074558|5215036|"));
        assert!(ddk, "{windows:?}: {leaks:?}");
        let locks = query(&session, "high-contention");
        assert!(locks[0].contains("nt!CmpRegistryLock|shared|2|9149810|6|2|"), "{locks:?}");
        let known = threads(&sick);
        let at = |tid: u64| address(&sick, known[&tid].0);
        let chains = query(&session, "wait-chains");
        assert_eq!(chains.len(), 1, "{windows:?}: {chains:?}");
        for tid in [1184, 1188, 1192] {
            assert!(chains[0].contains(&at(tid)), "{windows:?}: {chains:?} lacks {tid}");
        }
        let waits = query(&session, "who-waits");
        for tid in [1184, 1188, 1192] {
            assert!(waits.iter().any(|line| line.starts_with(&at(tid))), "{windows:?}: {waits:?}");
        }
    }
}

#[test]
fn the_published_registry_lock_queue_is_reproduced() {
    let server = synth::system(&synth::server_2003());
    let session = system::open(&server, Format::KernelSummary);
    let found = query(&session, "high-contention");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("|nt!CmpRegistryLock|shared|10|9149810|718|21|739"), "{found:?}");
    let sql = "SELECT is_exclusive, count(*), count(DISTINCT ethread) FROM lock_waiters \
               JOIN locks USING (resource) WHERE symbol = 'nt!CmpRegistryLock' GROUP BY 1 ORDER BY 1";
    assert_eq!(ask(&session, sql), ["false|718|718", "true|21|21"]);
    assert_eq!(query(&session, "wait-chains"), Vec::<String>::new());
    // The tags that use most of the pools, the largest first.
    let leaks = query(&session, "pool-leak");
    for (leak, tag) in leaks.iter().zip(["CM  ", "Ddk ", "Gh05", "MyAV"]) {
        assert!(leak.starts_with(tag), "{leaks:?}");
    }
    // Whose threads have it, and whose wait for it.
    let waits = query(&session, "who-waits");
    let all = "EXCEL.EXE 155, OUTLOOK.EXE 155, iexplore.exe 155, wfshell.exe 145, WINWORD.EXE 129";
    assert!(waits[0].contains(&format!("|24580|wfshell.exe|739|{all}|resource|")), "{waits:?}");
}

/// Queues that lead nowhere, into each other, or into themselves.
#[test]
fn damaged_queues_end() {
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let spec = small(synth::sick(windows));
        let sound = synth::system(&spec);
        let known = threads(&sound);
        let width = if windows == Windows::Server2003Pae { 4 } else { 8 };
        let registry =
            sound.facts.resources.iter().find(|r| r.symbol == "CmpRegistryLock").unwrap();
        let first = known[&registry.shared_waiters[0]].0;
        for value in [1u64, registry.address, first, u64::MAX] {
            for offset in (0..13 * width).step_by(width) {
                let bytes = value.to_le_bytes()[..width].to_vec();
                let address = registry.address + offset as u64;
                let blocks = vec![Block { address, bytes }];
                let built = synth::system(&SystemSpec { blocks, ..spec.clone() });
                let session = system::open(&built, Format::Full);
                for table in ["locks", "lock_owners", "lock_waiters"] {
                    let sql = format!("SELECT count(*) FROM {table}");
                    let count: u64 = ask(&session, &sql)[0].parse().unwrap();
                    assert!(count < 100_000, "{windows:?} {table}: {count}");
                }
            }
        }
    }
}
