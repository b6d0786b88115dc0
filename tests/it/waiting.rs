//! What threads of whole systems wait for, and which are ready, against what the systems were built
//! from.

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, SystemSpec, SystemThread, ThreadState, Windows};
use dumpql::{Options, Session};

use crate::systems::{ALL, queued_for};

fn ask(session: &Session, sql: &str) -> Vec<String> {
    let result = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// A system of each version with a session on its dump, and the threads of its listed processes.
fn each_system(mut show: impl FnMut(Windows, &Session, &[SystemThread])) {
    for windows in ALL {
        let system =
            synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::healthy(windows) });
        let image = Image::from_bytes("made.dmp", system.to_vec(Format::Full));
        let session = Session::from_images(vec![image], &Options::default()).unwrap();
        let listed = system.facts.processes.iter().filter(|process| process.pid != 0);
        let threads: Vec<SystemThread> =
            listed.flat_map(|process| process.threads.iter().cloned()).collect();
        show(windows, &session, &threads);
    }
}

#[test]
fn threads_wait_for_the_objects_of_the_specification() {
    each_system(|what, session, threads| {
        let mut expected = Vec::new();
        for thread in threads {
            if let ThreadState::Gate { .. } = &thread.state {
                // Before Windows 7 a gate has no wait block, and so no type of wait.
                let wait = if (3790..7600).contains(&what.build()) { "" } else { "WaitAny" };
                expected.push(format!("{}|0|{wait}|true|true", thread.tid));
            }
            let ThreadState::Waiting { all, objects, .. } = &thread.state else { continue };
            let wait = if *all { "WaitAll" } else { "WaitAny" };
            for index in 0..objects.len().min(4) {
                expected.push(format!("{}|{index}|{wait}|true|true", thread.tid));
            }
        }
        assert!(!expected.is_empty(), "{what:?}: nothing waits");
        let sql = "SELECT tid, index, wait_type, object IS NOT NULL, type IS NOT NULL \
                   FROM wait_objects";
        assert_eq!(sorted(ask(session, sql)), sorted(expected), "{what:?}");
    });
}

#[test]
fn ready_threads_are_in_the_queue_of_their_processor_and_priority() {
    each_system(|what, session, threads| {
        let is_ready = |state| matches!(state, &ThreadState::Ready | &ThreadState::ReadyShared);
        let ready = threads.iter().filter(|thread| is_ready(&thread.state));
        let expected: Vec<String> = ready
            .map(|thread| {
                let processor =
                    queued_for(what, thread).map_or(String::new(), |number| number.to_string());
                format!("{processor}|{}|{}", thread.priority.0, thread.tid)
            })
            .collect();
        assert!(!expected.is_empty(), "{what:?}: nothing is ready");
        let found = ask(session, "SELECT processor, priority, tid FROM ready_threads");
        assert_eq!(sorted(found), sorted(expected), "{what:?}");
        let state = "SELECT count(*) FROM ready_threads JOIN threads USING (ethread) \
                     WHERE state <> 'Ready'";
        assert_eq!(ask(session, state), ["0"], "{what:?}");
    });
}
