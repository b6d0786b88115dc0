//! Finds `ExWorkerQueue`, the worker queues before Windows 8, and the system partition, which owns
//! the queues in late builds of Windows 10; and recognizes a worker queue by its contents.

use std::sync::OnceLock;

use crate::catalog::Absent;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::{Missing, Sought, only};
use crate::source::kernel::core::types::THREAD;

pub(crate) const QUEUE: &str = "_EX_WORK_QUEUE";
pub(crate) const PARTITION: &str = "_EX_PARTITION";
/// The number of lists of a queue, one per priority.
pub(crate) const PRIORITIES: u64 = 32;
pub(crate) const EARLY: usize = 3;

/// `_DISPATCHER_HEADER.Type` of a queue, and of a priority queue.
const KINDS: [(&str, &str, u64); 2] =
    [("WorkerQueue", "_KQUEUE", 4), ("WorkPriQueue", "_KPRIQUEUE", 21)];
/// How many threads of a queue are checked for the queue that they serve.
const ASKED: usize = 64;

/// What is determined once for work queues, on first use.
#[derive(Debug, Default)]
pub(crate) struct WorkQueues {
    queues: OnceLock<Sought<u64>>,
    partition: OnceLock<Sought<u64>>,
}

/// The fields by which a work queue is recognized.
struct QueueShape {
    /// Offset of the kernel queue inside the work queue. Threads point to the kernel queue.
    inner: u64,
    /// Offsets of type and size of the kernel queue, and their values.
    header: [(u64, u64); 2],
    /// Offsets of the list heads; the first is the list of threads.
    lists: Vec<u64>,
    /// Offsets in a thread: the list entry, and the queue that it serves.
    thread: (u64, u64),
}

/// Address of the worker queues before Windows 8.
///
/// # Errors
/// Why they were not found.
pub(crate) fn found_queues(core: &Core, queues: &WorkQueues) -> Sought<u64> {
    *queues.queues.get_or_init(|| {
        let shape = queue_shape(core).ok_or(Missing::NoData)?;
        let size = core.size_of(QUEUE).filter(|size| *size > 0);
        let size = size.ok_or(Missing::NoData)?;
        let places = core.slots()?.map(|(at, _)| at);
        only(places.filter(|at| is_row_of_queues(core, &shape, *at, size).is_some()))
    })
}

/// Exactly three consecutive queues that have threads.
fn is_row_of_queues(core: &Core, shape: &QueueShape, at: u64, size: u64) -> Option<()> {
    let mut threads = 0;
    let place = |i: u64| at.checked_add(i.checked_mul(size)?);
    for i in 0..EARLY as u64 {
        threads += queue_threads_seen(core, shape, place(i)?)?;
    }
    let beside = [at.checked_sub(size), place(EARLY as u64)];
    let is_more = |at: u64| queue_threads_seen(core, shape, at).is_some();
    (threads > 0 && !beside.into_iter().flatten().any(is_more)).then_some(())
}

/// The system partition of late builds of Windows 10.
///
/// # Errors
/// Why it was not found.
pub(crate) fn found_partition(core: &Core, queues: &WorkQueues) -> Sought<u64> {
    *queues.partition.get_or_init(|| {
        let shape = queue_shape(core).ok_or(Missing::NoData)?;
        let is_it = |at: u64| is_partition(core, &shape, at).is_some();
        only(core.pointer_slots()?.map(|(_, value)| value).filter(|at| is_it(*at)))
    })
}

/// A partition and its executive part point to each other, and its first queue points to it.
fn is_partition(core: &Core, shape: &QueueShape, at: u64) -> Option<()> {
    let inner = core.structure("_EPARTITION", at).pointer("ExPartition").ok()?;
    let executive = core.structure(PARTITION, inner);
    if !core.is_system(inner) || executive.pointer("PartitionObject") != Ok(at) {
        return None;
    }
    let row = core.pointer_at(executive.pointer("WorkQueues").ok()?).ok()?;
    let queue = core.pointer_at(row).ok()?;
    queue_threads_seen(core, shape, queue)?;
    (core.structure(QUEUE, queue).pointer("Partition") == Ok(inner)).then_some(())
}

/// Whether a work queue is at an address.
pub(crate) fn is_work_queue(core: &Core, at: u64) -> bool {
    queue_shape(core).is_some_and(|shape| queue_threads_seen(core, &shape, at).is_some())
}

fn queue_shape(core: &Core) -> Option<QueueShape> {
    let (name, ty, kind) = KINDS.into_iter().find(|(name, ..)| core.has_field(QUEUE, name))?;
    let place = |path: &str| {
        let field = core.types().made_up(QUEUE, &format!("{name}.{path}"))?;
        Some(field.offset as u64)
    };
    let heads = place("EntryListHead")?;
    let step = 2 * core.header.width.bytes() as u64;
    let priorities = if ty == "_KPRIQUEUE" { PRIORITIES } else { 1 };
    let mut lists = vec![place("ThreadListHead")?, place("Header.WaitListHead")?];
    lists.extend((0..priorities).filter_map(|priority| heads.checked_add(priority * step)));
    let of_thread = |path: &'static str| core.known_field(THREAD, path).ok();
    let thread = of_thread("Tcb.QueueListEntry").zip(of_thread("Tcb.Queue"))?;
    let size = core.size_of(ty)?;
    Some(QueueShape {
        inner: core.field(QUEUE, name)?.offset as u64,
        header: [(place("Header.Type")?, kind), (place("Header.Size")?, size / 4)],
        lists,
        thread: (thread.0.offset as u64, thread.1.offset as u64),
    })
}

/// How many of the checked threads a queue has; `None` if there is no queue, or one of its threads
/// serves another.
fn queue_threads_seen(core: &Core, shape: &QueueShape, at: u64) -> Option<usize> {
    let space = core.kernel_space();
    let is_right = |(offset, expected): &(u64, u64)| {
        let byte = at.checked_add(*offset).ok_or(Absent::Unreadable);
        let byte = byte.and_then(|at| space.slice(at, 1));
        byte.is_ok_and(|byte| byte.first().is_some_and(|byte| u64::from(*byte) == *expected))
    };
    let is_list = |offset: &u64| at.checked_add(*offset).is_some_and(|at| is_list(core, at));
    if !shape.header.iter().all(is_right) || !shape.lists.iter().all(is_list) {
        return None;
    }
    let head = at.checked_add(*shape.lists.first()?)?;
    let (entry, queue) = shape.thread;
    let threads = core.listed(Ok(head), entry, ASKED);
    let served = at.checked_add(shape.inner)?;
    let serves = |thread: &u64| {
        let place = thread.checked_add(queue);
        place.is_some_and(|place| core.pointer_at(place) == Ok(served))
    };
    threads.iter().all(serves).then_some(threads.len())
}

/// Whether both neighbours of a list head point back to it.
fn is_list(core: &Core, head: u64) -> bool {
    let step = core.header.width.bytes() as u64;
    let last = head.checked_add(step).and_then(|at| core.pointer_at(at).ok());
    core.is_list_head(head) && last.is_some_and(|last| core.pointer_at(last) == Ok(head))
}
