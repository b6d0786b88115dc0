//! Whole synthetic systems: every version, every dump format, the archive's numbers, and damage.

use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    Module, Process, ReadyThread, Thread, UnloadedModule, VmCounter, WaitObject, Want,
};
use dumpql::internals::source;
use dumpql::internals::symbol::Store;
use dumpql::internals::synth::{self, Damage, Format, Lie, SystemSpec, ThreadState, Windows};
use dumpql::{Options, Session};

use crate::systems::{ALL, queued_for, rows};

#[test]
fn every_version_has_every_field_that_is_laid_out() {
    let missing = |windows| (windows, synth::system(&synth::healthy(windows)).missing);
    let lacking = Windows::ALL.into_iter().map(missing).filter(|(_, missing)| !missing.is_empty());
    assert_eq!(lacking.collect::<Vec<_>>(), Vec::new());
}

#[test]
fn the_same_specification_gives_the_same_bytes() {
    let build = || synth::system(&synth::server_2003()).to_vec(Format::KernelSummary);
    assert_eq!(build(), build());
}

#[test]
fn objects_of_the_server_do_not_overlap() {
    let system = synth::system(&synth::server_2003());
    let processes = system.facts.processes.iter().map(|process| (process.eprocess, 0x278));
    let threads = system.facts.processes.iter().flat_map(|process| &process.threads);
    let mut places: Vec<(u64, u64)> =
        processes.chain(threads.clone().map(|thread| (thread.ethread, 0x250))).collect();
    places.sort_unstable();
    for pair in places.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{:x} and {:x}", pair[0].0, pair[1].0);
    }
    let mut ids: Vec<u64> = threads.map(|thread| thread.tid).filter(|tid| *tid != 0).collect();
    ids.extend(system.facts.processes.iter().map(|process| process.pid));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is used twice");
}

#[test]
fn a_large_file_is_sparse() {
    let spec = SystemSpec { physical_pages: 0x20_0000, ..synth::healthy(Windows::Windows10) };
    let path = std::env::temp_dir().join(format!("dumpql-large-{}.dmp", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    synth::system(&spec).write(Format::Full, &mut std::io::BufWriter::new(file)).unwrap();
    let session = Session::open_with(&[&path], &Options::default());
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::remove_file(&path).unwrap();
    assert!(session.is_ok());
    assert_eq!(length, 0x2000 + 0x20_0000 * 0x1000);
}

#[test]
fn damage_is_survived() {
    let path = std::env::temp_dir().join(format!("dumpql-damage-{}.dmp", std::process::id()));
    let ask = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let Ok(session) = Session::open_with(&[&path], &Options::default()) else { return };
        for table in [
            "dump",
            "processes",
            "threads",
            "modules",
            "unloaded_modules",
            "handles",
            "stacks",
            "raw_stack",
            "objects",
            "object_types",
            "vads",
            "sessions",
            "wait_objects",
            "ready_threads",
            "dpcs",
            "timers",
        ] {
            // An answer or an error, and in time.
            let _ = session.query(&format!("SELECT * FROM {table}"));
        }
    };
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        for damage in Damage::ALL {
            let mut system = synth::system(&synth::healthy(windows));
            system.damage(damage);
            ask(&system.to_vec(Format::BitmapKernel));
        }
        let system = synth::system(&synth::healthy(windows));
        for format in [Format::KernelSummary, Format::BitmapFull] {
            for lie in Lie::ALL {
                let mut file = system.to_vec(format);
                lie.tell(&mut file);
                ask(&file);
            }
        }
    }
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_crowd_has_the_requested_number_of_threads() {
    let spec = synth::crowded(Windows::Windows10, 60, 1500, 0x4_0000);
    let system = synth::system(&spec);
    let threads: usize = system.facts.processes.iter().skip(1).map(|p| p.threads.len()).sum();
    assert_eq!((system.facts.processes.len(), threads + 4), (60, 1500));
    assert!(system.missing.is_empty(), "{:?}", system.missing);
    let file = system.to_vec(Format::BitmapFull);
    assert!(file.len() < 24 << 20, "{} bytes", file.len());
}

/// The processes and threads in a dump are those of the system, in order; Idle is on no list of the
/// kernel, so its rows are left out.
fn compare(what: &str, spec: &SystemSpec, format: Format) {
    let system = synth::system(spec);
    let image = Image::from_bytes("it", system.to_vec(format));
    let source = source::open(image, &Store::default()).expect("it is a kernel dump");
    let processes: Vec<_> = rows(|emit| source.answers().read::<Process>(&Want::ALL, emit))
        .into_iter()
        .filter(|process| process.pid != Ok(0))
        .map(|p| (p.eprocess.ok(), p.pid.ok(), p.ppid.ok(), p.dtb.ok(), p.create_time.is_ok()))
        .collect();
    let listed = || system.facts.processes.iter().skip(1);
    let facts: Vec<_> = listed()
        .map(|p| {
            let has_time = p.create_time != 0;
            (Some(p.eprocess), signed(p.pid), signed(p.ppid), Some(p.dtb), has_time)
        })
        .collect();
    assert_eq!(processes, facts, "{what}: processes");
    let mut threads: Vec<_> = rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit))
        .into_iter()
        .filter(|thread| thread.tid != Ok(0))
        .map(|t| (t.pid.ok(), t.tid.ok(), t.ethread.ok(), t.context_switches.ok(), t.priority.ok()))
        .collect();
    let mut facts: Vec<_> = listed()
        .flat_map(|p| p.threads.iter().map(move |t| (p.pid, t)))
        .map(|(pid, t)| {
            let switches = signed(t.context_switches);
            (signed(pid), signed(t.tid), Some(t.ethread), switches, signed(t.priority.0))
        })
        .collect();
    threads.sort_unstable();
    facts.sort_unstable();
    assert_eq!(threads, facts, "{what}: threads");
    let modules = rows(|emit| source.answers().read::<Module>(&Want::ALL, emit));
    let bases: Vec<_> = modules.iter().filter_map(|module| module.base.ok()).collect();
    let kernel = std::iter::once(system.kernel.0);
    let facts = kernel.chain(system.facts.drivers.iter().skip(1).map(|driver| driver.base));
    assert_eq!(bases, facts.collect::<Vec<_>>(), "{what}: modules");
}

/// Whether threads wait at gates in their own way.
fn has_gates(windows: Windows) -> bool {
    (3790..7600).contains(&windows.build())
}

/// Waiting threads, ready threads, unloaded drivers, and memory manager counters.
fn compare_lists(what: &str, spec: &SystemSpec, format: Format) {
    let system = synth::system(spec);
    let image = Image::from_bytes("it", system.to_vec(format));
    let source = source::open(image, &Store::default()).expect("it is a kernel dump");
    let listed = || system.facts.processes.iter().skip(1);
    let threads = || listed().flat_map(|p| p.threads.iter().map(move |t| (p.pid, t)));

    let mut ready: Vec<_> = rows(|emit| source.answers().read::<ReadyThread>(&Want::ALL, emit))
        .into_iter()
        .map(|r| (r.processor.ok(), r.priority.ok(), r.ethread.ok(), r.pid.ok(), r.tid.ok()))
        .collect();
    let mut facts: Vec<_> = threads()
        .filter(|(_, t)| matches!(t.state, ThreadState::Ready | ThreadState::ReadyShared))
        .map(|(pid, t)| {
            let cpu = queued_for(spec.windows, t).and_then(signed);
            let priority = signed(t.priority.0);
            (cpu, priority, Some(t.ethread), signed(pid), signed(t.tid))
        })
        .collect();
    ready.sort_unstable();
    facts.sort_unstable();
    assert_eq!(ready, facts, "{what}: ready threads");

    let mut waits: Vec<_> = rows(|emit| source.answers().read::<WaitObject>(&Want::ALL, emit))
        .into_iter()
        .map(|w| (w.ethread.ok(), w.index.ok(), w.wait_type.ok()))
        .collect();
    let mut facts = Vec::new();
    for (_, thread) in threads() {
        if let ThreadState::Gate { .. } = &thread.state {
            // A gate has no wait block, and so no type of wait.
            let kind = (!has_gates(spec.windows)).then(|| "WaitAny".to_owned());
            facts.push((Some(thread.ethread), Some(0), kind));
        }
        if let ThreadState::Waiting { all, objects, .. } = &thread.state {
            let kind = if *all { "WaitAll" } else { "WaitAny" };
            for index in 0..objects.len().max(1) {
                facts.push((Some(thread.ethread), signed(index as u64), Some(kind.to_owned())));
            }
        }
    }
    waits.sort_unstable();
    facts.sort_unstable();
    assert_eq!(waits, facts, "{what}: objects that are waited for");

    let mut unloaded: Vec<_> =
        rows(|emit| source.answers().read::<UnloadedModule>(&Want::ALL, emit))
            .into_iter()
            .map(|u| (u.name.ok(), u.start.ok(), u.end.ok(), u.unload_time.is_ok()))
            .collect();
    let of =
        |u: &synth::UnloadedDriver| (Some(u.name.clone()), Some(u.start), Some(u.end), u.time != 0);
    let mut facts: Vec<_> = system.facts.unloaded.iter().map(of).collect();
    unloaded.sort_unstable();
    facts.sort_unstable();
    assert_eq!(unloaded, facts, "{what}: unloaded drivers");

    let counters = rows(|emit| source.answers().read::<VmCounter>(&Want::ALL, emit));
    let pages = |name: &str| {
        let row = counters.iter().find(|row| row.name.as_deref() == Ok(name));
        row.and_then(|row| row.pages.ok())
    };
    let facts = &system.facts.counters;
    assert_eq!(pages("Available Pages"), signed(facts.available), "{what}");
    assert_eq!(pages("Committed pages"), signed(facts.committed), "{what}");
    assert_eq!(pages("Commit limit"), signed(facts.commit_limit), "{what}");
    assert_eq!(pages("NonPagedPool Max"), signed(facts.nonpaged_maximum), "{what}");
}

#[test]
fn lists_and_counters_match_the_specification() {
    for windows in ALL {
        compare_lists(&format!("{windows:?}"), &synth::healthy(windows), Format::BitmapFull);
    }
    compare_lists("the server", &synth::server_2003(), Format::KernelSummary);
}

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

#[test]
fn tables_match_the_specification() {
    for windows in ALL {
        compare(&format!("{windows:?}"), &synth::healthy(windows), Format::BitmapFull);
    }
    let forms = [Format::KernelSummary, Format::BitmapKernel];
    for format in forms {
        compare(&format!("the server as {format:?}"), &synth::server_2003(), format);
    }
    for format in [Format::KernelMemory, Format::KernelAndUserMemory, Format::CompleteMemory] {
        compare(&format!("{format:?}"), &synth::healthy(Windows::Windows10), format);
    }
}
