//! Queues of worker threads, at the locations of each Windows version.

use super::build::Builder;
use super::spec::{SystemSpec, WorkQueue};
use super::threads::Links;

const QUEUE: &str = "_EX_WORK_QUEUE";

/// Writes the queues and their work items.
pub(super) fn write(builder: &mut Builder<'_>, links: &Links, spec: &mut SystemSpec) {
    let prcbs: Vec<u64> = spec.processors.iter().map(|processor| processor.prcb).collect();
    let device = spec.io.devices.first().map_or(0, |device| device.address);
    let queues = &mut spec.work_queues[..];
    let size = builder.layout.size(QUEUE) as u64;
    if size == 0 {
        return;
    }
    if builder.layout.has("_EX_PARTITION", "WorkQueues") {
        in_partition(builder, queues, size);
    } else if builder.layout.size("_ENODE") > 0 {
        in_node(builder, queues, size, &prcbs);
    } else {
        let first = builder.variable("ExWorkerQueue", 3 * size);
        for (i, queue) in queues.iter_mut().enumerate() {
            queue.address = first + i as u64 * size;
        }
        for number in queues.len() as u64..3 {
            let counts = (0, prcbs.len() as u64, 0);
            let nothing =
                WorkQueue { address: first + number * size, counts, ..WorkQueue::default() };
            write_queue(builder, links, &nothing, number);
        }
    }
    for (number, queue) in queues.iter_mut().enumerate() {
        items(builder, queue, device);
        write_queue(builder, links, queue, number as u64);
    }
}

/// Writes a node with its queues, or with pointers to them; all processors belong to it.
fn in_node(builder: &mut Builder<'_>, queues: &mut [WorkQueue], size: u64, prcbs: &[u64]) {
    let node_size = builder.layout.size("_ENODE") as u64;
    let node = builder.pages(node_size.div_ceil(0x1000));
    let mut object = builder.new_object("_ENODE");
    let inside = ["ExWorkerQueues", "ExWorkQueue"]
        .into_iter()
        .find(|path| builder.layout.has("_ENODE", path))
        .filter(|_| !builder.layout.has("_ENODE", "ExWorkQueues"));
    for (i, queue) in queues.iter_mut().enumerate() {
        if let Some(inside) = inside {
            queue.address = object.address(inside, node) + i as u64 * size;
            continue;
        }
        // The first queues of each kind are part of the node.
        let own = ["ExWorkQueue", "IoWorkQueue"].get(i);
        queue.address = match own.filter(|path| builder.layout.has("_ENODE", path)) {
            Some(path) => object.address(path, node),
            None => builder.pool(false, *b"ExWq", size),
        };
        object.set(&format!("ExWorkQueues[{i}]"), queue.address);
    }
    builder.place(node, object);
    let parent = builder.offset("_KPRCB", "ParentNode");
    for prcb in prcbs {
        builder.put_pointer(prcb + parent, node);
    }
    let block = builder.variable("KeNodeBlock", 8 * 64);
    builder.put_pointer(block, node);
    builder.number("KeNumberNodes", 2, 1);
}

/// Writes a partition with an array of pointers for its only node.
fn in_partition(builder: &mut Builder<'_>, queues: &mut [WorkQueue], size: u64) {
    let row = builder.pool(false, *b"ExWq", 8 * builder.width());
    let rows = builder.pool(false, *b"ExWq", builder.width());
    builder.put_pointer(rows, row);
    let width = builder.width();
    for (i, queue) in queues.iter_mut().enumerate() {
        queue.address = builder.pool(false, *b"ExWq", size);
        builder.put_pointer(row + i as u64 * width, queue.address);
    }
    let system = builder.pool(false, *b"Part", builder.layout.size("_EPARTITION") as u64);
    let inner = builder.pool(false, *b"ExPt", builder.layout.size("_EX_PARTITION") as u64);
    let mut object = builder.new_object("_EPARTITION");
    object.set("ExPartition", inner).empty_list("ActivePartitionLinks", system);
    builder.place(system, object);
    let mut object = builder.new_object("_EX_PARTITION");
    object.set("PartitionObject", system).set("WorkQueues", rows);
    builder.place(inner, object);
    let variable = builder.variable("PspSystemPartition", width);
    builder.put_pointer(variable, system);
    builder.number("KeNumberNodes", 2, 1);
}

/// Writes the work items; their list links follow later.
fn items(builder: &mut Builder<'_>, queue: &mut WorkQueue, device: u64) {
    let through = builder.variable("IopProcessWorkItem", 16);
    for item in &mut queue.items {
        // Before Windows 7 the layout has no type for work items of drivers.
        item.is_driver &= builder.layout.size("_IO_WORKITEM") > 0;
        let structure = if item.is_driver { "_IO_WORKITEM" } else { "_WORK_QUEUE_ITEM" };
        let at = builder.pool(false, *b"IoWI", builder.layout.size(structure) as u64);
        let (routine, argument) = item.call;
        item.address = at;
        if item.is_driver {
            let mut object = builder.new_object("_IO_WORKITEM");
            object.set("Routine", routine).set("Context", argument).set("IoObject", device);
            builder.place(at, object);
            item.address += builder.offset("_IO_WORKITEM", "WorkItem");
        }
        let (routine, argument) = if item.is_driver { (through, at) } else { item.call };
        let address = item.address;
        for (path, value) in [("WorkerRoutine", routine), ("Parameter", argument)] {
            let offset = builder.offset("_WORK_QUEUE_ITEM", path);
            builder.put_pointer(address + offset, value);
        }
    }
}

fn write_queue(builder: &mut Builder<'_>, links: &Links, queue: &WorkQueue, number: u64) {
    let at = queue.address;
    let (running, maximum, threads) = queue.counts;
    let is_wide = builder.layout.has(QUEUE, "WorkPriQueue");
    let inner = if is_wide { "WorkPriQueue" } else { "WorkerQueue" };
    let path = |field: &str| format!("{inner}.{field}");
    let mut object = builder.new_object(QUEUE);
    let own = builder.layout.size(if is_wide { "_KPRIQUEUE" } else { "_KQUEUE" }) as u64;
    object.set(&path("Header.Type"), if is_wide { 21 } else { 4 });
    object.set(&path("Header.Size"), own / 4).empty_list(&path("Header.WaitListHead"), at);
    object.set(&path("MaximumCount"), maximum);
    object.set(&path(if is_wide { "CurrentCount[12]" } else { "CurrentCount" }), running);
    object.opt("ThreadCount", queue.threads.len() as u64).opt("MaxThreads", threads);
    object.opt("QueueIndex", number);
    if let Some(variable) = builder.symbols.get("PspSystemPartition").copied() {
        let system = builder.memory.read(builder.dtb, variable, 8);
        let inner = builder.offset("_EPARTITION", "ExPartition");
        object.opt("Partition", builder.memory.read(builder.dtb, system + inner, 8));
    }
    builder.place(at, object);
    let entry = builder.offset("_WORK_QUEUE_ITEM", "List");
    for priority in 0..if is_wide { 32 } else { 1 } {
        let list =
            if is_wide { format!("EntryListHead[{priority}]") } else { "EntryListHead".into() };
        let head = builder.offset(QUEUE, &path(&list));
        let here = queue.items.iter().filter(|item| !is_wide || item.priority == priority);
        let entries: Vec<u64> = here.map(|item| item.address + entry).collect();
        builder.link(at + head, &entries);
    }
    let head = builder.offset(QUEUE, &path("ThreadListHead"));
    let entry = builder.offset("_KTHREAD", "QueueListEntry");
    let threads = queue.threads.iter().filter_map(|tid| links.threads.get(tid));
    let entries: Vec<u64> = threads.map(|at| at + entry).collect();
    builder.link(at + head, &entries);
    let served = builder.offset("_KTHREAD", "Queue");
    let inner = at + builder.offset(QUEUE, inner);
    for thread in entries {
        builder.put_pointer(thread - entry + served, inner);
    }
}
