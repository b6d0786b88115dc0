//! Push locks and fast mutexes: owners, waiters, and the lock entries of threads since Windows 8.1.

use super::build::Builder;
use super::objects::Objects;
use super::spec::{SystemProcess, SystemSpec, SystemThread, ThreadState};
use crate::synth::layout::Object;

/// A lock that is not an executive resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadLock {
    /// Whether it is a fast mutex; otherwise it is a push lock.
    pub is_mutex: bool,
    /// Address of the lock.
    pub address: u64,
    /// Ids of the threads that own it; a mutex has one owner.
    pub owners: Vec<u64>,
    /// Ids of the threads that wait for it.
    pub waiters: Vec<u64>,
}

/// `WrPushLock` and `WrFastMutex`.
const REASONS: [u64; 2] = [28, 34];
/// Distance of the event that a thread waits for from the base of its stack.
const BELOW_BASE: u64 = 0x280;

/// The name by which a thread refers to its gate.
pub(super) fn gate_of(tid: u64) -> String {
    format!("Gate for {tid}")
}

/// Allocates the locks, writes mutexes, and makes the specified threads wait.
pub(super) fn prepare(builder: &mut Builder<'_>, objects: &mut Objects, spec: &mut SystemSpec) {
    let SystemSpec { thread_locks, processes, .. } = spec;
    for lock in thread_locks {
        let part = if lock.is_mutex {
            Some(mutex(builder, lock, processes))
        } else {
            let size = builder.layout.size("_EX_PUSH_LOCK") as u64;
            lock.address = builder.pool(false, *b"Push", size.max(8));
            None
        };
        for tid in &lock.owners {
            if let Some(thread) = find(processes, *tid) {
                thread.locks.push((lock.address, true));
            }
        }
        for tid in &lock.waiters {
            wait(builder, objects, processes, *tid, part);
            if let Some(thread) = find(processes, *tid) {
                thread.locks.push((lock.address, false));
            }
        }
    }
}

fn find(processes: &mut [SystemProcess], tid: u64) -> Option<&mut SystemThread> {
    let mut all = processes.iter_mut().flat_map(|process| process.threads.iter_mut());
    all.find(|thread| thread.tid == tid)
}

/// Writes a mutex; returns the object that its waiters wait for, and whether it is a gate.
fn mutex(
    builder: &mut Builder<'_>,
    lock: &mut ThreadLock,
    processes: &mut [SystemProcess],
) -> (u64, bool) {
    let size = builder.layout.size("_FAST_MUTEX") as u64;
    let is_gate = builder.layout.has("_FAST_MUTEX", "Gate");
    let (part, kind) = if is_gate { ("Gate", 7) } else { ("Event", 1) };
    lock.address = builder.pool(false, *b"FMtx", size);
    let owner = lock.owners.first().and_then(|tid| find(processes, *tid));
    let mut object = builder.new_object("_FAST_MUTEX");
    let at = object.address(part, lock.address);
    object.set("Owner", owner.map_or(0, |thread| thread.ethread));
    object.set("Contention", lock.waiters.len() as u64 + 3);
    object.set(&format!("{part}.Header.Type"), kind).set(&format!("{part}.Header.Size"), 4);
    object.empty_list(&format!("{part}.Header.WaitListHead"), at);
    builder.place(lock.address, object);
    (at, is_gate)
}

fn wait(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    processes: &mut [SystemProcess],
    tid: u64,
    part: Option<(u64, bool)>,
) {
    let Some(thread) = find(processes, tid) else { return };
    let reason = REASONS[usize::from(part.is_some())];
    if let Some((gate, true)) = part {
        objects.named.insert(gate_of(tid), gate);
        thread.state = ThreadState::Gate { reason };
        return;
    }
    let at = part.map_or(thread.stack.2 - BELOW_BASE, |(event, _)| event);
    if part.is_none() {
        let mut event = builder.new_object("_KEVENT");
        event.set("Header.Type", 1).set("Header.Size", 6).empty_list("Header.WaitListHead", at);
        builder.place(at, event);
    }
    let name = format!("Lock of {tid}");
    objects.named.insert(name.clone(), at);
    thread.state = ThreadState::Waiting { reason, all: false, objects: vec![name] };
}

/// Writes the lock entries of a thread. The highest bit of an entry is clear if the lock is in no
/// tree.
pub(super) fn note(builder: &Builder<'_>, object: &mut Object<'_>, thread: &SystemThread) {
    let Some(all) = ["LockEntries", "Tcb.LockEntries"]
        .into_iter()
        .find(|path| builder.layout.has("_ETHREAD", &format!("{path}.LockState.LockState")))
    else {
        return;
    };
    let top = 1 << (8 * builder.width() - 1);
    // The first entry is free, as after the release of a lock.
    for (i, (lock, is_owner)) in (1..6).zip(&thread.locks) {
        let path = |field: &str| format!("{all}[{i}].{field}");
        let marked = if *is_owner { lock & !top } else { *lock };
        object.set(&path("LockState.LockState"), marked);
        object.set(&path("AcquiredByte"), u64::from(*is_owner));
        for waiting in ["WaitingBit", "WaitingByte", "LockState.Waiting"] {
            object.opt(&path(waiting), u64::from(!is_owner));
        }
    }
}
