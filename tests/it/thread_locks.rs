//! Push locks, mutexes and queued spin locks of whole synthetic systems: owners and waiters.

use dumpql::internals::dump::Image;
use dumpql::internals::session::library;
use dumpql::internals::synth::{
    self, Format, System, SystemSpec, SystemThread, ThreadLock, Windows,
};
use dumpql::{Options, Session};

use crate::systems::ALL;

/// A shared push lock, a mutex, and a cycle of a push lock and a mutex.
fn locks() -> Vec<ThreadLock> {
    let lock = |is_mutex, owners: &[u64], waiters: &[u64]| ThreadLock {
        is_mutex,
        owners: owners.to_vec(),
        waiters: waiters.to_vec(),
        ..ThreadLock::default()
    };
    vec![
        lock(false, &[748, 752], &[756]),
        lock(true, &[752], &[760, 764]),
        lock(false, &[768], &[772]),
        lock(true, &[772], &[768]),
        lock(false, &[748], &[]),
    ]
}

fn open(windows: Windows) -> (System, Session) {
    let spec = synth::healthy(windows);
    let system =
        synth::system(&SystemSpec { physical_pages: 0x2000, thread_locks: locks(), ..spec });
    let image = Image::from_bytes("made.dmp", system.to_vec(Format::Full));
    (system, Session::from_images(vec![image], &Options::default()).unwrap())
}

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    let mut lines: Vec<String> = (0..result.len()).map(line).collect();
    lines.sort();
    lines
}

fn notes_locks(windows: Windows) -> bool {
    windows.build() >= 9600
}

/// An address as it is shown.
fn shown(windows: Windows, address: u64) -> String {
    let digits = 2 * windows.pointer_bytes();
    format!("0x{address:0digits$x}")
}

fn thread(system: &System, tid: u64) -> &SystemThread {
    let mut threads = system.facts.processes.iter().flat_map(|process| &process.threads);
    threads.find(|thread| thread.tid == tid).unwrap()
}

#[test]
fn lock_entries_match_the_threads_locks() {
    for windows in ALL {
        let (system, session) = open(windows);
        let sql = "SELECT lock, tid, state, process, wait_ms IS NULL FROM lock_entries";
        if !notes_locks(windows) {
            let error = session.query(sql).unwrap_err().to_string();
            assert!(error.contains("E0301"), "{windows:?}: {error}");
            continue;
        }
        let mut expected = Vec::new();
        for lock in &system.facts.thread_locks {
            let at = shown(windows, lock.address);
            for tid in &lock.owners {
                expected.push(format!("{at}|{tid}|owner|svchost.exe|true"));
            }
            for tid in &lock.waiters {
                expected.push(format!("{at}|{tid}|waiting|svchost.exe|false"));
            }
        }
        expected.sort();
        assert_eq!(ask(&session, sql), expected, "{windows:?}");
        let sql = "SELECT lock, type FROM lock_entries WHERE state = 'owner' AND type IS NOT NULL";
        let kinds = system.facts.thread_locks.iter().flat_map(|lock| {
            let kind = if lock.is_mutex { "FastMutex" } else { "PushLock" };
            let owners = lock.owners.iter().filter(|_| !lock.waiters.is_empty());
            owners.map(move |_| format!("{}|{kind}", shown(windows, lock.address)))
        });
        let mut kinds: Vec<String> = kinds.collect();
        kinds.sort();
        assert_eq!(ask(&session, sql), kinds, "{windows:?}");
    }
}

#[test]
fn wait_objects_name_the_lock_and_its_owner() {
    for windows in ALL {
        let (system, session) = open(windows);
        let digits = if windows.is_64_bit() { 16 } else { 8 };
        let mut expected = Vec::new();
        for lock in &system.facts.thread_locks {
            let (kind, owner) = match lock.owners.as_slice() {
                [owner] => {
                    (lock.is_mutex, format!("0x{:0digits$x}", thread(&system, *owner).ethread))
                }
                _ => (lock.is_mutex, String::new()),
            };
            for tid in &lock.waiters {
                let kind = if kind { "FastMutex" } else { "PushLock" };
                // Nothing says which push lock it is before threads note it.
                if lock.is_mutex || notes_locks(windows) {
                    expected.push(format!("{tid}|0x{:0digits$x}|{kind}|{owner}", lock.address));
                }
            }
        }
        expected.sort();
        let sql = "SELECT tid, lock, lock_type, owner_ethread FROM wait_objects \
                   WHERE lock IS NOT NULL AND process = 'svchost.exe'";
        assert_eq!(ask(&session, sql), expected, "{windows:?}");
    }
}

#[test]
fn a_cycle_of_a_push_lock_and_a_mutex_is_a_deadlock() {
    for windows in ALL {
        let (system, session) = open(windows);
        let query = library().iter().find(|query| query.name == "wait-chains").unwrap();
        let result = session.query(&query.text).unwrap();
        let found: Vec<String> = (0..result.len()).map(|row| result.text(row, 0)).collect();
        let first = thread(&system, 768).ethread.min(thread(&system, 772).ethread);
        let expected = notes_locks(windows).then(|| shown(windows, first));
        assert_eq!(found, Vec::from_iter(expected), "{windows:?}");
    }
}

#[test]
fn queued_spin_locks_have_owners_and_waiters_in_order() {
    for windows in ALL {
        let spec = SystemSpec { physical_pages: 0x2000, ..synth::sick(windows) };
        let image = Image::from_bytes("made.dmp", synth::system(&spec).to_vec(Format::Full));
        let session = Session::from_images(vec![image], &Options::default()).unwrap();
        let found = ask(&session, "SELECT processor, name, state, position FROM queued_locks");
        let expected = [
            "0|CC   - Vacb|owner|",
            "1|CC   - Vacb|waiting|2",
            "2|CC   - Vacb|waiting|1",
            "3|IO   - Cancel|owner|",
        ];
        assert_eq!(found, expected, "{windows:?}");
        let found = ask(&session, "SELECT processor, queued_locks FROM processors");
        let expected = [
            "0|....O...........",
            "1|....2...........",
            "2|....1...........",
            "3|.......O........",
        ];
        assert_eq!(found, expected, "{windows:?}");
    }
}
