//! Executive resources: their owners and the threads that wait for them. Up to early versions of
//! Windows 10, threads wait for a semaphore or an event of the resource; later each thread waits
//! for an event on its own stack, in an entry of a chain.

use super::build::Builder;
use super::objects::Objects;
use super::spec::{SystemProcess, SystemSpec, SystemThread, ThreadState};
use super::threads::Links;

/// An executive resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// The kernel variable that is this resource; empty for a resource in pool.
    pub symbol: String,
    /// Address of the `_ERESOURCE`.
    pub address: u64,
    /// Whether its owner has exclusive access.
    pub is_exclusive: bool,
    /// How many times a thread had to wait for it.
    pub contention: u64,
    /// Ids of the threads that own it, and how many times each holds it.
    pub owners: Vec<(u64, u64)>,
    /// Ids of the threads that wait for shared access; after building, in queue order.
    pub shared_waiters: Vec<u64>,
    /// Ids of the threads that wait for exclusive access; after building, in queue order.
    pub exclusive_waiters: Vec<u64>,
}

/// `WrResource`.
const WAIT_REASON: u64 = 27;
/// `ResourceOwnedExclusive`.
const OWNED_EXCLUSIVE: u64 = 0x80;
/// Distance of a chain entry from the base of its thread's stack.
const BELOW_BASE: u64 = 0x300;

/// Whether each thread waits for its own event: since Windows 10 1703.
const fn has_chains(builder: &Builder<'_>) -> bool {
    builder.version.build >= 15063
}

fn threads(processes: &[SystemProcess]) -> impl Iterator<Item = &SystemThread> {
    processes.iter().flat_map(|process| &process.threads)
}

/// The name by which waits refer to the semaphore or the event of a resource.
fn target(index: usize, is_exclusive: bool) -> String {
    format!("Resource {index} {}", if is_exclusive { "exclusive" } else { "shared" })
}

fn own_target(index: usize, tid: u64) -> String {
    format!("Resource {index} for {tid}")
}

/// Allocates the resources, and makes the specified threads wait.
pub(super) fn prepare(builder: &mut Builder<'_>, objects: &mut Objects, spec: &mut SystemSpec) {
    let size = builder.layout.size("_ERESOURCE") as u64;
    let SystemSpec { resources, processes, .. } = spec;
    for (index, resource) in resources.iter_mut().enumerate() {
        if resource.address == 0 {
            resource.address = match resource.symbol.as_str() {
                "" => builder.pool(false, *b"Ntfr", size),
                symbol => builder.variable(symbol, size),
            };
        }
        for is_exclusive in [false, true] {
            let waiters = if is_exclusive {
                &mut resource.exclusive_waiters
            } else {
                &mut resource.shared_waiters
            };
            // Threads are written, and so enter the queue, in the order of their processes.
            let all: Vec<u64> = threads(processes).map(|thread| thread.tid).collect();
            waiters.sort_by_key(|tid| all.iter().position(|id| id == tid));
            if !has_chains(builder) && !waiters.is_empty() {
                let at = dispatcher(builder, is_exclusive);
                objects.named.insert(target(index, is_exclusive), at);
            }
            for tid in waiters.iter() {
                wait(builder, objects, processes, (index, *tid, is_exclusive));
            }
        }
    }
}

/// Creates the semaphore or the event of a resource.
fn dispatcher(builder: &mut Builder<'_>, is_exclusive: bool) -> u64 {
    let (name, kind) = if is_exclusive { ("_KEVENT", 1) } else { ("_KSEMAPHORE", 5) };
    let size = builder.layout.size(name) as u64;
    let at = builder.pool(false, *b"ExRe", size);
    let mut object = builder.new_object(name);
    object.set("Header.Type", kind).set("Header.Size", size / 4);
    object.empty_list("Header.WaitListHead", at).opt("Limit", 0x7fff_ffff);
    builder.place(at, object);
    at
}

fn wait(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    processes: &mut [SystemProcess],
    (index, tid, is_exclusive): (usize, u64, bool),
) {
    let mut all = processes.iter_mut().flat_map(|process| process.threads.iter_mut());
    let Some(thread) = all.find(|thread| thread.tid == tid) else { return };
    let mut name = target(index, is_exclusive);
    if has_chains(builder) {
        name = own_target(index, tid);
        let at = entry_of(thread) + entry_offsets(builder).2;
        let mut event = builder.new_object("_KEVENT");
        event.set("Header.Type", 1).set("Header.Size", 6).empty_list("Header.WaitListHead", at);
        builder.place(at, event);
        objects.named.insert(name.clone(), at);
    }
    thread.state = ThreadState::Waiting { reason: WAIT_REASON, all: false, objects: vec![name] };
}

const fn entry_of(thread: &SystemThread) -> u64 {
    thread.stack.2 - BELOW_BASE
}

/// Offsets of the links, the thread and the event in a chain entry.
fn entry_offsets(builder: &mut Builder<'_>) -> (u64, u64, u64) {
    const ENTRY: &str = "_KWAIT_CHAIN_ENTRY";
    if builder.layout.has(ENTRY, "Thread") {
        let mut of = |path| builder.offset(ENTRY, path);
        return (of("ListEntry"), of("Thread"), of("Event"));
    }
    let width = builder.width();
    (0, 2 * width, 3 * width)
}

/// Writes the resources, their owners, and the chains of their waiters.
pub(super) fn write(
    builder: &mut Builder<'_>,
    objects: &Objects,
    links: &Links,
    spec: &mut SystemSpec,
) {
    let mut entries = Vec::new();
    let link = builder.offset("_ERESOURCE", "SystemResourcesList");
    for (index, resource) in spec.resources.iter().enumerate() {
        let mut object = builder.new_object("_ERESOURCE");
        let count = if resource.is_exclusive { 1 } else { resource.owners.len() as u64 };
        object.set("ActiveCount", count).opt("ActiveEntries", count);
        object.set("Flag", if resource.is_exclusive { OWNED_EXCLUSIVE } else { 0 });
        object.set("ContentionCount", resource.contention);
        object.set("NumberOfSharedWaiters", resource.shared_waiters.len() as u64);
        object.set("NumberOfExclusiveWaiters", resource.exclusive_waiters.len() as u64);
        for (path, is_exclusive, waiters) in [
            ("SharedWaiters", false, &resource.shared_waiters),
            ("ExclusiveWaiters", true, &resource.exclusive_waiters),
        ] {
            let at = if has_chains(builder) {
                chain(builder, &spec.processes, waiters)
            } else {
                objects.named.get(&target(index, is_exclusive)).copied().unwrap_or(0)
            };
            object.set(path, at);
        }
        owners(builder, &mut object, links, resource);
        builder.place(resource.address, object);
        entries.push(resource.address + link);
    }
    let head = builder.variable("ExpSystemResourcesList", 16);
    builder.link(head, &entries);
}

/// Writes the owners; before Windows 7 the first owner entry is that of an exclusive owner.
fn owners(
    builder: &mut Builder<'_>,
    object: &mut crate::synth::layout::Object<'_>,
    links: &Links,
    resource: &Resource,
) {
    let places: &[&str] =
        match (builder.layout.has("_ERESOURCE", "OwnerEntry"), resource.is_exclusive) {
            (true, _) => &["OwnerEntry"],
            (false, true) => &["OwnerThreads[0]"],
            (false, false) => &["OwnerThreads[1]"],
        };
    let thread = |tid: u64| links.threads.get(&tid).copied().unwrap_or(0);
    let mut rest = resource.owners.iter();
    for (place, (tid, count)) in places.iter().zip(rest.by_ref().take(places.len())) {
        object.set(&format!("{place}.OwnerThread"), thread(*tid));
        object.set(&format!("{place}.OwnerCount"), *count);
    }
    let rest: Vec<&(u64, u64)> = rest.collect();
    if rest.is_empty() {
        return;
    }
    let size = builder.layout.size("_OWNER_ENTRY") as u64;
    // The size includes the first element, which holds it; tables grow by four.
    let count = (rest.len() as u64 + 1).next_multiple_of(4) + 3;
    let table = builder.pool(false, *b"ExRe", count * size);
    builder.put(table, &vec![0; usize::try_from(count * size).unwrap_or(0)]);
    let mut first = builder.new_object("_OWNER_ENTRY");
    first.set("TableSize", count);
    builder.place(table, first);
    for (i, (tid, count)) in (1..).zip(rest) {
        let mut entry = builder.new_object("_OWNER_ENTRY");
        entry.set("OwnerThread", thread(*tid)).set("OwnerCount", *count);
        builder.place(table + i * size, entry);
    }
    object.set("OwnerTable", table);
}

/// Links the entries on the threads' stacks into a ring; returns the first.
fn chain(builder: &mut Builder<'_>, processes: &[SystemProcess], waiters: &[u64]) -> u64 {
    let (links, owner, _) = entry_offsets(builder);
    let find = |tid: &u64| threads(processes).find(|thread| thread.tid == *tid);
    let threads: Vec<&SystemThread> = waiters.iter().filter_map(find).collect();
    let Some(first) = threads.first().map(|thread| entry_of(thread)) else { return 0 };
    let rest: Vec<u64> = threads.iter().skip(1).map(|thread| entry_of(thread) + links).collect();
    // The ring has no head; the resource points to the first entry.
    builder.link(first + links, &rest);
    for thread in threads {
        builder.put_pointer(entry_of(thread) + owner, thread.ethread);
    }
    first
}
