//! The queues of system worker threads, and the work items in them.
//!
//! Before Windows 8 there are three queues. Windows 8 has several per node, and in late builds of
//! Windows 10 they belong to a partition. Kernel symbols give their addresses; without symbols the
//! queues are found by their contents and the nodes through the processors. Since Windows 8.1 a
//! queue has a list for each priority.

use std::collections::{BTreeMap, HashSet};

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Unanswered, Want, WorkItem, WorkQueue};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::data::Missing;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::io::drivers::DEVICE;
use crate::source::kernel::scheduler::work_queues::{
    EARLY, PARTITION, PRIORITIES, QUEUE, WorkQueues,
};
use crate::source::kernel::scheduler::{prcbs, work_queues};

const NODE: &str = "_ENODE";
const ITEM: &str = "_WORK_QUEUE_ITEM";
const IO_ITEM: &str = "_IO_WORKITEM";
/// `IO_TYPE_DEVICE` and `IO_TYPE_DRIVER`.
const IO: [u64; 2] = [3, 4];
/// The number of queues of a node of a partition (`ExPoolMax`).
const POOLS: u64 = 8;
const MAX_NODES: u64 = 64;
const MAX_ITEMS: usize = 1 << 20;
/// `WORK_QUEUE_TYPE`; before Windows 8 only the first three exist.
const NAMES: [&str; 7] =
    ["Critical", "Delayed", "HyperCritical", "Normal", "Background", "RealTime", "SuperCritical"];
/// The names of the two queues per node in the first release of Windows 8.1.
const POOL_NAMES: [&str; 2] = ["ExPoolUntrusted", "ExPoolTrusted"];

/// A queue, and its name if its position gives one.
struct FoundQueue {
    at: u64,
    name: Option<&'static str>,
}

fn worker_queues(core: &Core, queues: &WorkQueues) -> Result<Vec<FoundQueue>, Unanswered> {
    if core.size_of(QUEUE).is_none_or(|size| size == 0) {
        return Err(Unanswered::because("no layout of _EX_WORK_QUEUE is known"));
    }
    let found = if core.has_field(PARTITION, "WorkQueues") {
        queues_of_partition(core, queues)
    } else if core.size_of(NODE).is_some() {
        queues_of_nodes(core)
    } else {
        let first = core.symbol_address("nt", "ExWorkerQueue");
        let first = first.map_or_else(|| work_queues::found_queues(core, queues), Ok);
        first.map(|first| queues_in_row(core, first, NAMES.get(..EARLY).unwrap_or_default()))
    };
    found.map_err(|why| why.because("the worker queues"))
}

/// Consecutive queues.
fn queues_in_row(core: &Core, first: u64, names: &[&'static str]) -> Vec<FoundQueue> {
    let size = core.size_of(QUEUE).unwrap_or(0);
    let place = |i: u64| first.checked_add(i.checked_mul(size)?);
    let queues = (0..).zip(names.iter().copied());
    queues.filter_map(|(i, name)| Some(FoundQueue { at: place(i)?, name: Some(name) })).collect()
}

fn nodes(core: &Core) -> u64 {
    let count = core.symbol_address("nt", "KeNumberNodes");
    let count = count.and_then(|at| core.u32_at(at).ok()).map_or(1, |count| count & 0xffff);
    u64::from(count).clamp(1, MAX_NODES)
}

/// The pointers of an array, without those that are not valid.
fn pointers(core: &Core, row: u64, count: u64) -> Vec<u64> {
    let step = core.header.width.bytes() as u64;
    let places = (0..count).filter_map(|i| row.checked_add(i * step));
    places.filter_map(|at| core.pointer_at(at).ok()).filter(|at| *at != 0).collect()
}

fn queues_of_partition(core: &Core, queues: &WorkQueues) -> Result<Vec<FoundQueue>, Missing> {
    let named = core.symbol_address("nt", "PspSystemPartition");
    let named = named.map(|at| core.pointer_at(at).ok().filter(|at| *at != 0));
    let system = match named {
        Some(named) => named.ok_or(Missing::NoData)?,
        None => work_queues::found_partition(core, queues)?,
    };
    let partition = core.structure("_EPARTITION", system).pointer("ExPartition");
    let partition = partition.map_err(|_| Missing::NoData)?;
    let rows = core.structure(PARTITION, partition).pointer("WorkQueues");
    let rows = rows.map_err(|_| Missing::NoData)?;
    let mut seen = HashSet::new();
    let rows = pointers(core, rows, nodes(core));
    let queues = rows.into_iter().flat_map(|row| pointers(core, row, POOLS));
    let own = |at: &u64| core.structure(QUEUE, *at).raw_pointer("Partition") == Ok(partition);
    let new = queues.filter(own).filter(|at| seen.insert(*at));
    Ok(new.map(|at| FoundQueue { at, name: None }).collect())
}

/// The nodes, from the kernel's node array or from the processors.
fn node_blocks(core: &Core) -> Result<Vec<u64>, Missing> {
    if let Some(block) = core.symbol_address("nt", "KeNodeBlock") {
        return Ok(pointers(core, block, nodes(core)));
    }
    let mut nodes = BTreeMap::new();
    for prcb in prcbs::prcbs(core).into_iter().flatten() {
        if let Ok(at) = prcb.pointer("ParentNode") {
            let number = core.structure(NODE, at).unsigned("Ncb.NodeNumber");
            nodes.insert(number.map_err(|_| Missing::NoData)?, at);
        }
    }
    let is_node = |at: &u64| {
        let node = core.structure(NODE, *at);
        let places = ["ExWorkerQueues", "ExWorkQueue"].map(|path| node.at(path).ok());
        places.into_iter().flatten().any(|queue| work_queues::is_work_queue(core, queue))
    };
    let nodes: Vec<u64> = nodes.into_values().collect();
    if nodes.is_empty() || !nodes.iter().all(is_node) {
        return Err(Missing::Nowhere);
    }
    Ok(nodes)
}

fn queues_of_nodes(core: &Core) -> Result<Vec<FoundQueue>, Missing> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for node in node_blocks(core)? {
        let structure = core.structure(NODE, node);
        if let Ok(first) = structure.at("ExWorkerQueues") {
            found.extend(queues_in_row(core, first, &NAMES));
        } else if let Ok(row) = structure.at("ExWorkQueues") {
            let queues = pointers(core, row, POOLS).into_iter();
            let new = queues.filter(|at| seen.insert(*at));
            found.extend(new.map(|at| FoundQueue { at, name: None }));
        } else if let Ok(first) = structure.at("ExWorkQueue") {
            found.extend(queues_in_row(core, first, &POOL_NAMES));
        }
    }
    Ok(found)
}

/// The name of a queue, from its position or from its number.
fn queue_name(core: &Core, queue: &FoundQueue) -> Cell<String> {
    if let Some(name) = queue.name {
        return Ok(name.to_owned());
    }
    let number = core.structure(QUEUE, queue.at).int("QueueIndex")?;
    let layout = core.types().layout_of(QUEUE);
    let named = layout.and_then(|layout| layout.value_name(QUEUE, "QueueIndex", number));
    Ok(named.unwrap_or_else(|| number.to_string()))
}

/// The work items of a queue, in the order in which they will run.
fn queue_items(core: &Core, queue: &Structure<'_>) -> Vec<u64> {
    let Some(links) = core.field(ITEM, "List").map(|field| field.offset as u64) else {
        return Vec::new();
    };
    if let Ok(head) = queue.at("WorkerQueue.EntryListHead") {
        return core.listed(Ok(head), links, MAX_ITEMS);
    }
    let Ok(heads) = queue.at("WorkPriQueue.EntryListHead") else { return Vec::new() };
    let step = 2 * core.header.width.bytes() as u64;
    let priorities = (0..PRIORITIES).rev();
    let heads = priorities.filter_map(|priority| heads.checked_add(priority * step));
    heads.flat_map(|head| core.listed(Ok(head), links, MAX_ITEMS)).collect()
}

/// The number of threads that run items of a queue: one counter, or one for each priority.
fn queue_running(core: &Core, queue: &Structure<'_>) -> Cell<i64> {
    if core.has_field(QUEUE, "WorkerQueue") {
        return queue.int("WorkerQueue.CurrentCount");
    }
    let counts = queue.at("WorkPriQueue.CurrentCount")?;
    (0..PRIORITIES).try_fold(0, |sum: i64, priority| {
        let at = counts.checked_add(4 * priority).ok_or(Absent::Unreadable)?;
        Ok(sum + i64::from(core.u32_at(at)?.cast_signed()))
    })
}

/// The number of threads of a queue, from its counter or its thread list.
fn queue_threads(core: &Core, queue: &Structure<'_>) -> Cell<i64> {
    if core.has_field(QUEUE, "ThreadCount") {
        return queue.int("ThreadCount");
    }
    let head = queue.at("WorkerQueue.ThreadListHead")?;
    core.pointer_at(head)?;
    let threads = core.listed(Ok(head), 0, MAX_ITEMS).len();
    i64::try_from(threads).map_err(|_| Absent::Unreadable)
}

pub(crate) fn each_work_queue(
    core: &Core,
    queues: &WorkQueues,
    want: &Want<'_, WorkQueue>,
    emit: Emit<'_, WorkQueue>,
) -> Result<(), Unanswered> {
    for found in worker_queues(core, queues)? {
        let queue = core.structure(QUEUE, found.at);
        let most = ["WorkerQueue.MaximumCount", "WorkPriQueue.MaximumCount"];
        let most = most.into_iter().find(|path| core.has_field(QUEUE, path));
        let pending = || i64::try_from(queue_items(core, &queue).len());
        let row = WorkQueue {
            queue: Ok(found.at),
            name: queue_name(core, &found),
            thread_count: queue_threads(core, &queue),
            maximum_thread_count: if core.has_field(QUEUE, "MaxThreads") {
                queue.int("MaxThreads")
            } else {
                Err(Absent::NotApplicable)
            },
            current_count: queue_running(core, &queue),
            maximum_count: most.map_or(Err(Absent::NoSymbols), |path| queue.int(path)),
            pending_count: if want.has(|c| c.pending_count) {
                pending().map_err(|_| Absent::Unreadable)
            } else {
                Err(Absent::NotApplicable)
            },
            ..WorkQueue::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

pub(crate) fn each_work_item(
    core: &Core,
    queues: &WorkQueues,
    want: &Want<'_, WorkItem>,
    emit: Emit<'_, WorkItem>,
) -> Result<(), Unanswered> {
    let driver_routine = core.symbol_address("nt", "IopProcessWorkItem");
    let mut seen = HashSet::new();
    for found in worker_queues(core, queues)? {
        let name = queue_name(core, &found);
        let items = queue_items(core, &core.structure(QUEUE, found.at)).into_iter();
        let new = items.filter(|item| seen.insert(*item));
        for (position, item) in (0..).zip(new) {
            let row = WorkItem {
                queue: Ok(found.at),
                queue_name: name.clone(),
                position: Ok(position),
                ..work_item_row(core, want, item, driver_routine)
            };
            if emit.row(row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether a work item is embedded in the driver's work item (`_IO_WORKITEM`) that is its
/// parameter.
fn is_io_item(core: &Core, item: u64, parameter: Cell<u64>) -> bool {
    let Ok(outer) = parameter.map(|at| core.structure(IO_ITEM, at)) else { return false };
    let object = outer.pointer("IoObject").map(|at| core.structure(DEVICE, at));
    outer.at("WorkItem") == Ok(item)
        && object.and_then(|object| object.unsigned("Type")).is_ok_and(|kind| IO.contains(&kind))
        && outer.pointer("Routine").is_ok_and(|at| core.modules().contains(at))
}

fn work_item_row(
    core: &Core,
    want: &Want<'_, WorkItem>,
    at: u64,
    driver_routine: Option<u64>,
) -> WorkItem {
    let item = core.structure(ITEM, at);
    let mut routine = item.pointer("WorkerRoutine");
    let mut parameter = item.pointer("Parameter");
    // The work items of drivers run through a routine of the kernel.
    let is_driver = match driver_routine {
        Some(known) => routine == Ok(known),
        None => {
            routine.and_then(|at| core.is_in_kernel(at)) == Ok(true)
                && is_io_item(core, at, parameter)
        }
    };
    if let (Ok(inner), true) = (parameter, is_driver && core.has_field(IO_ITEM, "Routine")) {
        let inner = core.structure(IO_ITEM, inner);
        (routine, parameter) = (inner.pointer("Routine"), inner.pointer("Context"));
    }
    WorkItem {
        work_item: Ok(at),
        routine,
        routine_symbol: if want.has(|c| c.routine_symbol) {
            core.symbol_text(routine)
        } else {
            Err(Absent::NotApplicable)
        },
        parameter,
        ..WorkItem::default()
    }
}
