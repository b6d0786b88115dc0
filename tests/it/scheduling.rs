//! Queues of processors and worker threads of whole synthetic systems: DPCs, timers, work items,
//! and gate waits.

use std::sync::Arc;

use dumpql::internals::catalog::Absent;
use dumpql::internals::model::{
    Bugcheck, Dpc, Processor, Source, Thread, Timer, WaitObject, Want, WorkItem, WorkQueue,
};
use dumpql::internals::synth::{
    self, Format, KernelFile, System, SystemSpec, ThreadState, Windows,
};

use crate::objects::{ALL, each_system, open, open_with, rows, signed, symbols};

/// Every version, with the names of its variables.
fn each_named_system(mut check: impl FnMut(&str, &System, &dyn Source)) {
    for windows in ALL {
        let system = synth::system(&synth::healthy(windows));
        let source = open_with(&system, Format::BitmapFull, &symbols(&system));
        check(&format!("{windows:?}"), &system, &*source);
    }
}

#[test]
fn dpcs_are_in_the_queues_of_their_processors() {
    each_system(|what, system, source| {
        let found: Vec<_> = rows(|emit| source.answers().read::<Dpc>(&Want::ALL, emit))
            .into_iter()
            .map(|d| {
                let place = (d.processor.ok(), d.position.ok(), d.kind.ok());
                (place, d.routine.ok(), d.context.ok())
            })
            .collect();
        let mut facts = Vec::new();
        for (number, processor) in (0..).zip(&system.facts.processors) {
            let queues = [("Normal", &processor.dpcs), ("Threaded", &processor.threaded_dpcs)];
            for (kind, dpcs) in queues {
                for (position, (routine, context)) in (0..).zip(dpcs) {
                    let place = (Some(number), Some(position), Some(kind.to_owned()));
                    facts.push((place, Some(*routine), Some(*context)));
                }
            }
        }
        // Windows XP has no calls that a thread makes.
        let count = if what.starts_with("Xp") { 2 } else { 3 };
        assert!(what == "the server" || facts.len() == count, "{what}");
        assert_eq!(found, facts, "{what}");
    });
}

/// The fields at the start of a processor block keep their values, whatever is queued for the
/// processor.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn dpc_queues_do_not_overlap_the_processor_block() {
    let spec = synth::crowded(Windows::Windows10, 60, 1500, 0x4_0000);
    hold_blocks(&synth::system(&spec));
    let Some(corpus) = crate::corpus::folder() else { return };
    let path = "layouts/isf/windows/ntkrnlmp.pdb/5278AFF86C341677D7D7835C85B7B844-1.json.xz";
    let file = KernelFile::parse(&crate::volatility::unpack(&corpus.join(path))).unwrap();
    hold_blocks(&synth::system(&SystemSpec { kernel: Some(Arc::new(file)), ..spec }));
}

fn hold_blocks(system: &System) {
    let source = open(system, Format::BitmapFull);
    for processor in rows(|emit| source.answers().read::<Processor>(&Want::ALL, emit)) {
        let mut start = [0; 16];
        source.memory().read(processor.prcb.unwrap(), &mut start).unwrap();
        assert_eq!(start[..4], [0; 4], "{processor:?}");
        assert_eq!(start[8..], processor.current_ethread.unwrap().to_le_bytes());
        let current = processor.current_ethread.unwrap();
        assert!(
            system.facts.processes.iter().any(|p| p.threads.iter().any(|t| t.ethread == current))
        );
    }
}

/// When the systems were started, in microseconds since 1970.
fn due_time(system: &System, due: u64) -> Option<i64> {
    let boot = system.facts.system_time - system.facts.ticks * 156_250;
    signed((boot + due - 116_444_736_000_000_000) / 10)
}

#[test]
fn timers_have_their_encoded_dpcs() {
    each_named_system(|what, system, source| {
        let mut found: Vec<_> = rows(|emit| source.answers().read::<Timer>(&Want::ALL, emit))
            .into_iter()
            .map(|t| {
                let when = (t.due.ok(), t.due_time.ok(), t.period_ms.ok(), t.is_periodic.ok());
                (t.timer.ok(), when, t.routine.ok(), t.ethread.ok())
            })
            .collect();
        let threads = || system.facts.processes.iter().flat_map(|process| &process.threads);
        let mut facts: Vec<_> = system
            .facts
            .timers
            .iter()
            .map(|t| {
                let period = (signed(t.period), Some(t.period != 0));
                let when = (Some(t.due), due_time(system, t.due), period.0, period.1);
                let thread = threads().find(|thread| thread.tid == t.thread && t.thread != 0);
                let routine = Some(t.dpc.0).filter(|routine| *routine != 0);
                (Some(t.address), when, routine, thread.map(|thread| thread.ethread))
            })
            .collect();
        found.sort_unstable();
        facts.sort_unstable();
        assert_eq!(found.len(), 6, "{what}");
        assert_eq!(found, facts, "{what}");
    });
}

/// If symbols do not give the encoding keys, they are derived from the timers, unless too many are
/// damaged.
#[test]
fn timers_are_found_without_symbols() {
    for windows in ALL {
        let spec = synth::healthy(windows);
        let system = synth::system(&spec);
        let calls = |system: &System| {
            let source = open(system, Format::BitmapFull);
            let timers = rows(|emit| source.answers().read::<Timer>(&Want::ALL, emit));
            assert_eq!(timers.len(), 6, "{windows:?}");
            timers.into_iter().map(|timer| (timer.dpc, timer.routine)).collect::<Vec<_>>()
        };
        // The keys are derived only since Windows 7.
        if windows.is_64_bit() && windows.build() < 7600 {
            continue;
        }
        let found = calls(&system).into_iter().filter(|call| call.0.is_ok() && call.1.is_ok());
        assert_eq!(found.count(), 4, "{windows:?}");
        if !windows.is_64_bit() {
            continue;
        }
        // If half of the timers are damaged, no keys are derived.
        let timers = system.facts.timers.iter().take(3);
        let garbage = |timer: &synth::Timer| synth::Block {
            address: timer.address + 0x30,
            bytes: vec![0x5a; 8],
        };
        let blocks = timers.map(garbage).collect();
        let damaged = synth::system(&SystemSpec { blocks, ..spec.clone() });
        let none = (Err(Absent::NoSymbols), Err(Absent::NoSymbols));
        assert!(calls(&damaged).iter().all(|call| *call == none), "{windows:?}");
    }
}

fn build_of(windows: &str) -> u16 {
    let found = ALL.into_iter().find(|known| format!("{known:?}") == windows);
    found.map_or(3790, Windows::build)
}

fn queue_name(windows: &str, number: usize) -> &'static str {
    let names = match build_of(windows) {
        0..9600 => ["Critical", "Delayed"],
        9600 => ["ExPoolUntrusted", "ExPoolTrusted"],
        // The first versions of Windows 10 have two kinds of each pool that nobody trusts.
        _ => ["ExPoolUntrusted", "IoPoolUntrusted"],
    };
    names[number]
}

#[test]
fn work_queues_match_the_system() {
    each_named_system(|what, system, source| {
        let is_early = build_of(what) < 9200;
        let mut found = rows(|emit| source.answers().read::<WorkQueue>(&Want::ALL, emit));
        // Before Windows 8 there are three queues; Windows 8 has seven in each node.
        if is_early {
            let third = found.pop().unwrap();
            assert_eq!(third.name.as_deref(), Ok("HyperCritical"), "{what}");
        } else if build_of(what) == 9200 {
            let others = found.split_off(2);
            assert_eq!(others.len(), 5, "{what}");
            assert!(others.iter().all(|queue| queue.pending_count == Ok(0)), "{what}");
        }
        let found: Vec<_> = found
            .into_iter()
            .map(|q| {
                let threads = (q.thread_count.ok(), q.maximum_thread_count.ok());
                let running = (q.current_count.ok(), q.maximum_count.ok());
                (q.queue.ok(), q.name.ok(), threads, running, q.pending_count.ok())
            })
            .collect();
        let queues = system.facts.work_queues.iter().enumerate();
        let facts: Vec<_> = queues
            .map(|(number, q)| {
                let (running, at_once, most) = q.counts;
                // The first Windows 8.1 has no limit of its own for each queue.
                let most = signed(most).filter(|_| build_of(what) > 9600);
                let threads = (signed(q.threads.len() as u64), most);
                let name = Some(queue_name(what, number).to_owned());
                let running = (signed(running), signed(at_once));
                (Some(q.address), name, threads, running, signed(q.items.len() as u64))
            })
            .collect();
        assert_eq!(found, facts, "{what}");
    });
}

#[test]
fn work_items_name_their_drivers() {
    each_named_system(|what, system, source| {
        let found: Vec<_> = rows(|emit| source.answers().read::<WorkItem>(&Want::ALL, emit))
            .into_iter()
            .map(|i| {
                (i.queue.ok(), i.position.ok(), i.work_item.ok(), i.routine.ok(), i.parameter.ok())
            })
            .collect();
        let mut facts = Vec::new();
        for queue in &system.facts.work_queues {
            // Where priorities have lists of their own, these items stand in that order already.
            for (position, item) in (0..).zip(&queue.items) {
                let (routine, argument) = item.call;
                let queue = Some(queue.address);
                facts.push((
                    queue,
                    Some(position),
                    Some(item.address),
                    Some(routine),
                    Some(argument),
                ));
            }
        }
        assert_eq!(facts.len(), 5, "{what}");
        assert_eq!(found, facts, "{what}");
    });
}

#[test]
fn a_gate_wait_names_the_gate() {
    each_system(|what, system, source| {
        let at_gate = |t: &&synth::SystemThread| matches!(t.state, ThreadState::Gate { .. });
        let mut threads = system.facts.processes.iter().flat_map(|process| &process.threads);
        let Some(fact) = threads.find(at_gate) else {
            assert_eq!(what, "the server");
            return;
        };
        let waits = rows(|emit| source.answers().read::<WaitObject>(&Want::ALL, emit));
        let mut waits = waits.iter().filter(|wait| wait.ethread == Ok(fact.ethread));
        let (wait, none) = (waits.next().unwrap(), waits.next());
        assert!(none.is_none(), "{what}");
        let is_early = (3790..7600).contains(&build_of(what));
        let kind = if is_early { "Gate" } else { "SynchronizationEvent" };
        assert_eq!(wait.kind.as_deref(), Ok(kind), "{what}");
        let threads = rows(|emit| source.answers().read::<Thread>(&Want::ALL, emit));
        let thread = threads.iter().find(|thread| thread.ethread == Ok(fact.ethread)).unwrap();
        assert_eq!(thread.wait_object, wait.object, "{what}");
        assert_eq!(thread.wait_object_type.as_deref(), Ok(kind), "{what}");
        assert_eq!(thread.wait_reason.as_deref(), Ok("WrGuardedMutex"), "{what}");
    });
}

#[test]
fn wait_objects_have_object_names() {
    each_system(|what, system, source| {
        let mut count = 0;
        for wait in rows(|emit| {
            source
                .answers()
                .read::<WaitObject>(&Want::<WaitObject>::only(|c| [c.object, c.name, c.kind]), emit)
        }) {
            let address = wait.object.unwrap();
            let fact = system.facts.objects.iter().find(|object| object.address == address);
            let named = fact.filter(|object| object.path.starts_with('\\'));
            if let Some(fact) = named {
                assert_eq!(wait.name.as_deref(), Ok(fact.path.as_str()), "{what}");
                count += 1;
            }
            let threads = || {
                system.facts.processes.iter().flat_map(|p| p.threads.iter().map(move |t| (p, t)))
            };
            if let Some((process, thread)) = threads().find(|(_, t)| t.ethread == address) {
                let name = format!("{} ({}.{})", process.name, process.pid, thread.tid);
                assert_eq!(wait.name, Ok(name), "{what}");
            }
            if fact.is_none() && wait.kind.as_deref() == Ok("SynchronizationEvent") {
                assert!(wait.name.is_err(), "{what}: {:?} is part of something", wait.name);
            }
        }
        assert!(count > 5, "{what}");
    });
}

/// The header's context is on the stack of the thread that the crashed processor was running.
#[test]
fn the_crash_thread_is_the_one_whose_stack_contains_the_context() {
    for windows in ALL {
        let spec = SystemSpec { stacks: true, ..synth::healthy(windows) };
        let system = synth::system(&SystemSpec { physical_pages: 0x2000, ..spec });
        let source = open(&system, Format::BitmapFull);
        let found = rows(|emit| source.answers().read::<Bugcheck>(&Want::ALL, emit));
        let running = system.facts.processors[system.facts.crash_processor].running;
        let owners =
            system.facts.processes.iter().flat_map(|p| p.threads.iter().map(move |t| (p, t)));
        let (process, thread) = owners.clone().find(|(_, t)| t.tid == running).unwrap();
        let row = (found[0].ethread, found[0].process.as_deref());
        assert_eq!(row, (Ok(thread.ethread), Ok(process.name.as_str())), "{windows:?}");
        // A context that is on no thread's stack belongs to no thread.
        let registers =
            system.facts.registers.iter().map(|(name, _)| (name.clone(), 0x1234)).collect();
        let elsewhere = synth::system(&SystemSpec { registers, ..synth::healthy(windows) });
        let found = rows(|emit| {
            open(&elsewhere, Format::BitmapFull).answers().read::<Bugcheck>(&Want::ALL, emit)
        });
        assert_eq!(found[0].ethread, Err(Absent::NotInDump), "{windows:?}");
    }
}
