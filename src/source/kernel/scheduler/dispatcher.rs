//! Dispatcher objects, and the wait blocks of threads that wait for them.

use crate::catalog::{Absent, Cell};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::scheduler::thread::{GATE_WAIT, WAITING};

/// A thread waits for at most this many objects (`MAXIMUM_WAIT_OBJECTS`).
const MAX_OBJECTS: u64 = 64;
pub(crate) const BLOCK: &str = "_KWAIT_BLOCK";
const HEADER: &str = "_DISPATCHER_HEADER";

/// Dispatcher objects by `_DISPATCHER_HEADER.Type`, as debuggers name them.
const TYPES: [&str; 10] = [
    "NotificationEvent",
    "SynchronizationEvent",
    "Mutant",
    "ProcessObject",
    "QueueObject",
    "Semaphore",
    "Thread",
    "Gate",
    "NotificationTimer",
    "SynchronizationTimer",
];

const THREAD: u64 = 6;

/// The type of a dispatcher object, from its header.
pub(crate) fn dispatcher_kind(core: &Core, object: u64) -> Cell<usize> {
    // The highest bit is a flag of timers and threads.
    let kind = core.structure(HEADER, object).unsigned("Type")? & 0x7f;
    usize::try_from(kind).map_err(|_| Absent::Unreadable)
}

/// The debuggers' name for the type of a dispatcher object.
pub(crate) fn dispatcher_name(core: &Core, object: u64) -> Cell<String> {
    let name = TYPES.get(dispatcher_kind(core, object)?);
    name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
}

/// The wait blocks of a thread. Before Windows 8 each points to the next and the last to the first;
/// since then they form an array and the thread has their count.
pub(crate) fn wait_blocks(core: &Core, thread: &Structure<'_>) -> Vec<u64> {
    let Ok(first) = thread.pointer("Tcb.WaitBlockList") else { return Vec::new() };
    if core.has_field(BLOCK, "NextWaitBlock") {
        let mut found = vec![first];
        let mut at = first;
        while (found.len() as u64) < MAX_OBJECTS {
            let next = core.structure(BLOCK, at).pointer("NextWaitBlock");
            let Ok(next) = next
                .map_err(|_| ())
                .and_then(|next| if found.contains(&next) { Err(()) } else { Ok(next) })
            else {
                break;
            };
            found.push(next);
            at = next;
        }
        return found;
    }
    let count = thread.unsigned("Tcb.WaitBlockCount").unwrap_or(1).clamp(1, MAX_OBJECTS);
    let size = core.structure(BLOCK, first).size().unwrap_or(0);
    (0..count).filter_map(|i| first.checked_add(i.checked_mul(size)?)).collect()
}

/// The objects that a waiting thread waits for.
pub(crate) fn awaited(core: &Core, thread: &Structure<'_>) -> Vec<u64> {
    if !matches!(thread.unsigned("Tcb.State"), Ok(WAITING | GATE_WAIT)) {
        return Vec::new();
    }
    let blocks = wait_blocks(core, thread).into_iter();
    blocks.filter_map(|block| core.structure(BLOCK, block).pointer("Object").ok()).collect()
}

/// Whether there is a thread object at an address.
pub(crate) fn is_thread(core: &Core, address: u64) -> bool {
    core.structure(HEADER, address).unsigned("Type").map(|kind| kind & 0x7f) == Ok(THREAD)
}
