//! Threads that wait for executive resources.
//!
//! Up to the first versions of Windows 10 shared waiters wait for the resource's semaphore and
//! exclusive waiters for its event, so the queue is the wait block list of that object. Later
//! versions give each waiter an event on its own stack, in a chain of entries: a ring without a
//! head that the resource points into or, in some versions, a null-terminated list. The reader
//! distinguishes them by what the pointer refers to: an entry begins with an address, a dispatcher
//! object with its type.

use std::collections::{HashMap, HashSet};

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, LockWaiter, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::locks::resources;
use crate::source::kernel::scheduler::{dispatcher, thread};

/// Upper limit on threads.
const MAX_WAITERS: usize = 1 << 20;
/// `DISPATCHER_HEADER.Type` of the objects that waiters of resources wait for, and of threads.
const SYNCHRONIZATION_EVENT: u64 = 1;
const SEMAPHORE: u64 = 5;
const HEADER: &str = "_DISPATCHER_HEADER";
const BLOCK: &str = "_KWAIT_BLOCK";
const ENTRY: &str = "_KWAIT_CHAIN_ENTRY";

/// A thread in a queue.
struct Queued {
    ethread: u64,
    /// Absent where the queue's list is broken and only the thread says that it waits.
    position: Cell<i64>,
}

/// What is read once for all resources.
struct Search<'a> {
    core: &'a Core,
    /// Threads that were found already; a thread waits for one resource at most.
    seen: HashSet<u64>,
    /// How many more list entries may be followed.
    left: usize,
    /// Waiting threads by the objects that they wait for, and threads by their stacks.
    threads: Option<Threads>,
}

/// Threads by what leads to them.
#[derive(Default)]
struct Threads {
    by_object: HashMap<u64, Vec<u64>>,
    /// Limit, base and thread of each stack, sorted.
    by_stack: Vec<(u64, u64, u64)>,
}

/// A kind of access, and where a resource keeps its waiters.
#[derive(Clone, Copy)]
struct Access {
    field: &'static str,
    count: &'static str,
    /// The type of the dispatcher object that its waiters wait for in early versions.
    kind: u64,
    is_exclusive: bool,
}

const ACCESSES: [Access; 2] = [
    Access {
        field: "SharedWaiters",
        count: "NumberOfSharedWaiters",
        kind: SEMAPHORE,
        is_exclusive: false,
    },
    Access {
        field: "ExclusiveWaiters",
        count: "NumberOfExclusiveWaiters",
        kind: SYNCHRONIZATION_EVENT,
        is_exclusive: true,
    },
];

impl Threads {
    fn of(core: &Core) -> Self {
        let mut all = Self::default();
        // Without threads there are no waiters.
        let _ = thread::for_each_thread(core, &mut |thread, _| {
            let Ok(ethread) = thread.address else { return Flow::Continue(()) };
            if let (Ok(limit), Ok(base)) =
                (thread.pointer("Tcb.StackLimit"), thread.pointer("Tcb.StackBase"))
            {
                all.by_stack.push((limit, base, ethread));
            }
            for object in dispatcher::awaited(core, thread) {
                all.by_object.entry(object).or_default().push(ethread);
            }
            Flow::Continue(())
        });
        all.by_stack.sort_unstable();
        all
    }

    fn on_stack(&self, address: u64) -> Option<u64> {
        let next = self.by_stack.partition_point(|(limit, ..)| *limit <= address);
        let (_, base, ethread) = self.by_stack.get(next.checked_sub(1)?)?;
        (address < *base).then_some(*ethread)
    }
}

impl Search<'_> {
    fn threads(&mut self) -> &Threads {
        let core = self.core;
        self.threads.get_or_insert_with(|| Threads::of(core))
    }

    /// The threads that wait for one kind of access to a resource.
    fn waiters(&mut self, resource: Structure<'_>, access: Access) -> Vec<Queued> {
        let Ok(queue) = resource.pointer(access.field) else { return Vec::new() };
        let kind = self.core.structure(HEADER, queue).unsigned("Type").map(|kind| kind & 0x7f);
        let found = if kind == Ok(access.kind) {
            let count = resource.unsigned(access.count).unwrap_or(0);
            self.of_object(queue, count)
        } else {
            self.of_chain(queue)
        };
        found.into_iter().filter(|queued| self.seen.insert(queued.ethread)).collect()
    }

    /// The threads on the wait list of an object, and threads that wait for it and are missing from
    /// the list.
    fn of_object(&mut self, object: u64, count: u64) -> Vec<Queued> {
        let core = self.core;
        let head = core.structure(HEADER, object).at("WaitListHead");
        let link = core.field(BLOCK, "WaitListEntry").map(|field| field.offset as u64);
        let (Ok(head), Some(link)) = (head, link) else { return Vec::new() };
        let list = core.kernel_space().list(head, self.left);
        self.left -= list.entries.len();
        let blocks = list.entries.iter().filter_map(|entry| entry.checked_sub(link));
        let thread = |block| core.structure(BLOCK, block).pointer("Thread").ok();
        let threads =
            blocks.filter_map(thread).filter(|thread| dispatcher::is_thread(core, *thread));
        let mut found: Vec<Queued> =
            threads.zip(0..).map(|(ethread, i)| Queued { ethread, position: Ok(i) }).collect();
        if !list.is_whole || (found.len() as u64) < count {
            let known: HashSet<u64> = found.iter().map(|queued| queued.ethread).collect();
            let others = self.threads().by_object.get(&object).cloned().unwrap_or_default();
            let others = others.into_iter().filter(|ethread| !known.contains(ethread));
            found.extend(
                others.map(|ethread| Queued { ethread, position: Err(Absent::Unreadable) }),
            );
        }
        found
    }

    /// The threads on whose stacks the entries of a chain are.
    fn of_chain(&mut self, first: u64) -> Vec<Queued> {
        let mut entries = HashSet::new();
        let mut found = Vec::new();
        let mut at = first;
        while self.left > 0 && entries.insert(at) {
            self.left -= 1;
            let Some(ethread) = self.owner_of_entry(at) else { break };
            let position = i64::try_from(found.len()).map_err(|_| Absent::Unreadable);
            found.push(Queued { ethread, position });
            let Ok(next) = self.core.pointer_at(at) else { break };
            if next == 0 {
                break;
            }
            at = next;
        }
        found
    }

    /// The thread that a chain entry names, or else the one whose stack contains the entry.
    fn owner_of_entry(&mut self, entry: u64) -> Option<u64> {
        let named = self.core.structure(ENTRY, entry).pointer("Thread").ok();
        let named = named.filter(|thread| dispatcher::is_thread(self.core, *thread));
        named.or_else(|| self.threads().on_stack(entry))
    }
}

pub(crate) fn each_lock_waiter(
    core: &Core,
    want: &Want<'_, LockWaiter>,
    emit: Emit<'_, LockWaiter>,
) -> Result<(), Unanswered> {
    let mut search = Search { core, seen: HashSet::new(), left: MAX_WAITERS, threads: None };
    for address in resources::resources(core)? {
        for access in ACCESSES {
            let resource = core.structure(super::resources::RESOURCE, address);
            for queued in search.waiters(resource, access) {
                if emit.row(waiter_row(core, want, address, access, &queued)).is_break() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn waiter_row(
    core: &Core,
    want: &Want<'_, LockWaiter>,
    resource: u64,
    access: Access,
    queued: &Queued,
) -> LockWaiter {
    let row = LockWaiter {
        resource: Ok(resource),
        ethread: Ok(queued.ethread),
        position: queued.position,
        is_exclusive: Ok(access.is_exclusive),
        ..LockWaiter::default()
    };
    if !want.has_any(|c| [c.tid, c.pid, c.process, c.wait_ms]) {
        return row;
    }
    let thread = core.object(THREAD, queued.ethread).ok_or(Absent::NotInDump);
    let thread: Cell<&Structure<'_>> = thread.as_ref().map_err(|absent| *absent);
    let named = match thread {
        Ok(thread) => thread::named(core, thread),
        Err(_) => thread::named_thread(core, queued.ethread),
    };
    LockWaiter {
        tid: named.tid,
        pid: named.pid,
        process: named.process,
        wait_ms: thread.and_then(|thread| thread::waited_ms(core, thread)),
        ..row
    }
}
