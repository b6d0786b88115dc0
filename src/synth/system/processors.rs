//! Processors: control regions, ready queues, DPCs and timers.

use std::collections::BTreeMap;

use super::build::Builder;
use super::spec::{Processor, SystemSpec, Timer};
use super::threads::Links;
use crate::synth::layout::Object;

/// Allocates the structures of the processors.
pub(super) fn choose(builder: &mut Builder<'_>, processors: &mut [Processor]) {
    let inside = prcb_offset(builder);
    let size = builder.layout.size("_KPCR").max(builder.layout.size("_KPRCB") + 0x180) as u64;
    for (i, processor) in processors.iter_mut().enumerate() {
        if !has_threaded(builder) {
            processor.threaded_dpcs.clear();
        }
        if processor.prcb == 0 {
            // Since Vista the first `_KPCR` has no fixed address.
            let is_fixed = !builder.version.is_64_bit() && builder.version.build < 6000;
            let region = match i {
                0 if is_fixed => 0xffdf_f000,
                _ => builder.pages(size.div_ceil(0x1000)),
            };
            processor.prcb = region + inside;
        }
    }
}

fn prcb_offset(builder: &mut Builder<'_>) -> u64 {
    let field = if builder.version.is_64_bit() { "Prcb" } else { "PrcbData" };
    builder.offset("_KPCR", field)
}

/// Writes the processors.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec, links: &Links, idle: &[u64]) {
    let inside = prcb_offset(builder);
    let array = builder.variable("KiProcessorBlock", 8 * 64);
    let width = builder.width();
    let mut timers = timers(builder, spec);
    let shared = shared_queue(builder, spec, links);
    global_queues(builder, links);
    for (i, processor) in spec.processors.iter().enumerate() {
        let prcb = processor.prcb;
        builder.put_pointer(array + i as u64 * width, prcb);
        let idle = idle.get(i).copied().unwrap_or(0);
        let running = links.threads.get(&processor.running).filter(|_| processor.running != 0);
        let next = links.threads.get(&processor.next).filter(|_| processor.next != 0);
        let mut object = builder.new_object("_KPRCB");
        object.set("CurrentThread", running.copied().unwrap_or(idle));
        object.set("NextThread", next.copied().unwrap_or(0)).set("IdleThread", idle);
        object.set("Number", i as u64).opt("LegacyNumber", i as u64).set("MHz", processor.mhz);
        object.set("MajorVersion", 1).set("MinorVersion", 1).set("CpuType", 6).set("CpuID", 1);
        object.put("VendorString", b"GenuineIntel\0");
        object.opt("SetMember", 1 << i).opt("GroupSetMember", 1 << i);
        let depth = ["DpcData[0].DpcQueueDepth", "DpcQueueDepth"];
        object.set_any(&depth, processor.dpcs.len() as u64);
        object.set_any(&["DpcData[0].DpcCount", "DpcCount"], processor.counts.0);
        object.set("InterruptCount", processor.counts.1);
        let (kernel, user, dpc, interrupt) = processor.times;
        object.set("KernelTime", kernel).set("UserTime", user);
        object.set("DpcTime", dpc).set("InterruptTime", interrupt);
        object
            .opt("DebuggerSavedIRQL", processor.irql)
            .set("KeSystemCalls", 1_000_000 + kernel * 50);
        if has_own_queues(builder) {
            object.empty_list("WaitListHead", prcb);
            let ready = |priority: &u64| links.ready.contains_key(&(i as u64, *priority));
            object.set("ReadySummary", (0..32).filter(ready).map(|priority| 1 << priority).sum());
        }
        if i == spec.crash_processor {
            let mut context = builder.new_object("_CONTEXT");
            context.set("ContextFlags", if width == 4 { 0x0001_003f } else { 0x0010_001f });
            for (name, value) in &spec.registers {
                context.set(name, *value);
            }
            object.put("ProcessorState.ContextFrame", &builder.finish(context));
        }
        object.opt("ProcessorState.SpecialRegisters.Cr3", builder.dtb);
        object.opt("Context", object.address("ProcessorState.ContextFrame", prcb));
        object.opt("SharedReadyQueue", shared);
        object.opt("DpcData[1].DpcQueueDepth", processor.threaded_dpcs.len() as u64);
        lock_queue(builder, &mut object, &spec.processors, i);
        builder.place(prcb, object);
        region(builder, prcb - inside, prcb, i as u64);
        queues(builder, processor, i as u64, links);
        timer_table(builder, prcb, i, &mut timers);
    }
}

/// The queued spin lock entries: locks that the processor owns or waits for, and some that are
/// free.
fn lock_queue(
    builder: &mut Builder<'_>,
    object: &mut Object<'_>,
    all: &[Processor],
    processor: usize,
) {
    let variables = builder.variable("KiSystemLocks", 64 * 16);
    let first = object.address("LockQueue", 0);
    let size = builder.layout.size("_KSPIN_LOCK_QUEUE") as u64;
    for place in 4..8 {
        object.set(&format!("LockQueue[{place}].Lock"), variables + 64 * place);
    }
    let Some(here) = all.get(processor) else { return };
    for (place, position) in &here.spin_locks {
        let mark = if *position == 0 { 2 } else { 1 };
        let path = |field: &str| format!("LockQueue[{place}].{field}");
        object.set(&path("Lock"), (variables + 64 * place) | mark);
        let is_next = |other: &&Processor| other.spin_locks.contains(&(*place, position + 1));
        if let Some(next) = all.iter().find(is_next) {
            object.set(&path("Next"), next.prcb + first + place * size);
        }
    }
}

/// The control region (`_KPCR`) around a processor's `_KPRCB`.
fn region(builder: &mut Builder<'_>, at: u64, prcb: u64, number: u64) {
    let mut object = builder.new_object("_KPCR");
    object.opt("Self", at).opt("SelfPcr", at).opt("Number", number);
    object.opt("CurrentPrcb", prcb);
    if !builder.version.is_64_bit() {
        object.opt("Prcb", prcb);
    }
    object.set("MajorVersion", 1).set("MinorVersion", 1);
    let version = builder.variable("KdVersionBlock", 0x28);
    object.opt("KdVersionBlock", version);
    let bytes = builder.finish(object);
    let inside = usize::try_from(prcb - at).unwrap_or(0);
    builder.put(at, &bytes[..inside.min(bytes.len())]);
}

/// The ready queues and the DPC queue.
fn queues(builder: &mut Builder<'_>, processor: &Processor, number: u64, links: &Links) {
    let prcb = processor.prcb;
    let entry = builder.offset("_KTHREAD", "WaitListEntry");
    let has_queues = has_own_queues(builder);
    for priority in (0..32u64).filter(|_| has_queues) {
        let head = builder.offset("_KPRCB", &format!("DispatcherReadyListHead[{priority}]"));
        let threads = links.ready.get(&(number, priority)).map_or(&[][..], Vec::as_slice);
        let entries: Vec<u64> = threads.iter().map(|at| at + entry).collect();
        builder.link(prcb + head, &entries);
    }
    let kinds = if has_threaded(builder) { 2 } else { 1 };
    let both = [&processor.dpcs, &processor.threaded_dpcs];
    for (queue, dpcs) in both.into_iter().enumerate().take(kinds) {
        dpc_queue(builder, prcb, (queue as u64, number), dpcs);
    }
}

/// Whether each processor has its own ready queues: Windows XP has one array for all.
fn has_own_queues(builder: &Builder<'_>) -> bool {
    builder.layout.has("_KPRCB", "DispatcherReadyListHead")
}

/// Whether a processor has a second queue, for threaded DPCs.
fn has_threaded(builder: &Builder<'_>) -> bool {
    builder.layout.has("_KPRCB", "DpcData[1]") && builder.layout.has("_KDPC_DATA", "DpcQueueDepth")
}

/// The only array of ready queues of Windows XP.
fn global_queues(builder: &mut Builder<'_>, links: &Links) {
    if has_own_queues(builder) {
        return;
    }
    let entry = builder.offset("_KTHREAD", "WaitListEntry");
    let step = 2 * builder.width();
    let heads = builder.variable("KiDispatcherReadyListHead", 32 * step);
    let mut summary = 0;
    for priority in 0..32u64 {
        let of = links.ready.iter().filter(|((_, of), _)| *of == priority);
        let entries: Vec<u64> = of.flat_map(|(_, all)| all).map(|at| at + entry).collect();
        summary |= u64::from(!entries.is_empty()) << priority;
        builder.link(heads + priority * step, &entries);
    }
    builder.number("KiReadySummary", 4, summary);
}

/// One of the two queues of DPCs of a processor.
fn dpc_queue(builder: &mut Builder<'_>, prcb: u64, which: (u64, u64), dpcs: &[(u64, u64)]) {
    let (queue, number) = which;
    let size = builder.layout.size("_KDPC") as u64;
    let entry = builder.offset("_KDPC", "DpcListEntry");
    let is_only = !has_threaded(builder);
    let data =
        if is_only { prcb } else { prcb + builder.offset("_KPRCB", &format!("DpcData[{queue}]")) };
    let mut entries = Vec::new();
    for (routine, context) in dpcs {
        let at = builder.pool(false, *b"Dpc ", size);
        let mut dpc = builder.new_object("_KDPC");
        dpc.set("Type", 0x13 + 7 * queue).set("Importance", 1).set("Number", number);
        dpc.set("DeferredRoutine", *routine).set("DeferredContext", *context);
        dpc.opt("DpcData", data);
        builder.place(at, dpc);
        entries.push(at + entry);
    }
    if is_only {
        let head = builder.offset("_KPRCB", "DpcListHead");
        return builder.link(data + head, &entries);
    }
    dpc_list(builder, data, &entries);
}

/// Writes the ready queue that all processors share; returns 0 for versions without one.
fn shared_queue(builder: &mut Builder<'_>, spec: &SystemSpec, links: &Links) -> u64 {
    if !builder.layout.has("_KPRCB", "SharedReadyQueue") {
        return 0;
    }
    let size = builder.layout.size("_KSHARED_READY_QUEUE") as u64;
    let at = builder.pool(false, *b"KSrq", size);
    let mut queue = builder.new_object("_KSHARED_READY_QUEUE");
    let summary = links.shared.keys().map(|priority| 1 << priority).sum();
    queue.set("ReadySummary", summary).set("ProcCount", spec.processors.len() as u64);
    builder.place(at, queue);
    let entry = builder.offset("_KTHREAD", "WaitListEntry");
    for priority in 0..32u64 {
        let head = builder.offset("_KSHARED_READY_QUEUE", &format!("ReadyListHead[{priority}]"));
        let threads = links.shared.get(&priority).map_or(&[][..], Vec::as_slice);
        let entries: Vec<u64> = threads.iter().map(|at| at + entry).collect();
        builder.link(at + head, &entries);
    }
    at
}

/// Since build 9200 the queue of DPCs is a singly linked list with a pointer to its end.
fn dpc_list(builder: &mut Builder<'_>, data: u64, dpcs: &[u64]) {
    if builder.layout.has("_KDPC_DATA", "DpcListHead") {
        let head = builder.offset("_KDPC_DATA", "DpcListHead");
        builder.link(data + head, dpcs);
        return;
    }
    let head = data + builder.offset("_KDPC_DATA", "DpcList.ListHead");
    let width = builder.width();
    let mut last = head;
    for dpc in dpcs {
        builder.put_pointer(last, *dpc);
        last = *dpc;
    }
    builder.put_pointer(last, 0);
    builder.put_pointer(head + width, last);
}

/// Writes the timers; returns each with the index of its list.
fn timers(builder: &mut Builder<'_>, spec: &SystemSpec) -> BTreeMap<u64, Vec<(u64, u64)>> {
    let buckets = if (3790..7600).contains(&builder.version.build) { 512 } else { 256 };
    let mut all: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    let keys = keys(builder);
    for timer in &spec.timers {
        let bucket = timer.due / 156_250 % buckets;
        let dpc = dpc_of(builder, timer);
        let mut object = builder.new_object("_KTIMER");
        object.set("Header.Type", 8).opt("Header.Inserted", 1).opt("Header.Hand", bucket);
        object.empty_list("Header.WaitListHead", timer.address);
        object.set("DueTime", timer.due).set("Period", timer.period);
        object.set("Dpc", hidden(keys, timer.address, dpc));
        builder.place(timer.address, object);
        all.entry(bucket).or_default().push((timer.due, timer.address));
    }
    if builder.version.build < 7600 {
        // In 64-bit kernels and since Windows Vista a time follows each list head.
        let has_time = builder.version.is_64_bit() || builder.version.build >= 6000;
        let size = 2 * builder.width() + if has_time { 8 } else { 0 };
        let table = builder.variable("KiTimerTableListHead", buckets * size);
        let entry = builder.offset("_KTIMER", "TimerListEntry");
        for bucket in 0..buckets {
            let timers = all.get(&bucket).map_or(&[][..], Vec::as_slice);
            let entries: Vec<u64> = timers.iter().map(|(_, at)| at + entry).collect();
            builder.link(table + bucket * size, &entries);
        }
        all.clear();
    }
    all
}

/// The two keys with which 64-bit kernels since Windows Vista SP1 encode the DPC pointer of a
/// timer.
fn keys(builder: &mut Builder<'_>) -> Option<(u64, u64)> {
    if !builder.version.is_64_bit() || builder.version.build <= 6000 {
        return None;
    }
    let keys = (0x37a1_9c04_e5d2_8b66, 0xfe12_4d90_7b3a_c58f);
    for (name, key) in [("KiWaitNever", keys.0), ("KiWaitAlways", keys.1)] {
        let at = builder.variable(name, 8);
        builder.put_pointer(at, key);
    }
    Some(keys)
}

/// The encoded pointer of a timer: the inverse of `rotate, exclusive or, swap, exclusive or`.
fn hidden(keys: Option<(u64, u64)>, timer: u64, dpc: u64) -> u64 {
    let Some((never, always)) = keys else { return dpc };
    let turned = (dpc ^ always).swap_bytes() ^ timer;
    turned.rotate_right(u32::from(never.to_le_bytes()[0])) ^ never
}

fn dpc_of(builder: &mut Builder<'_>, timer: &Timer) -> u64 {
    if timer.dpc.0 == 0 {
        return 0;
    }
    let at = builder.pool(false, *b"Dpc ", builder.layout.size("_KDPC") as u64);
    let mut dpc = builder.new_object("_KDPC");
    dpc.set("Type", 0x13).set("Importance", 1);
    dpc.set("DeferredRoutine", timer.dpc.0).set("DeferredContext", timer.dpc.1);
    builder.place(at, dpc);
    at
}

/// Writes the timer lists of a processor; all timers are on those of the first.
fn timer_table(
    builder: &mut Builder<'_>,
    prcb: u64,
    number: usize,
    timers: &mut BTreeMap<u64, Vec<(u64, u64)>>,
) {
    if !builder.layout.has("_KPRCB", "TimerTable") {
        return;
    }
    let link = builder.offset("_KTIMER", "TimerListEntry");
    // Since build 22000 there are two arrays of lists.
    let row =
        if builder.layout.has("_KTIMER_TABLE", "TimerEntries") { "TimerEntries" } else { return };
    let table = builder.offset("_KPRCB", "TimerTable") + builder.offset("_KTIMER_TABLE", row);
    let size = builder.layout.size("_KTIMER_TABLE_ENTRY") as u64;
    let rows = (builder.layout.size("_KTIMER_TABLE") as u64 / size / 256).max(1);
    let entry = builder.offset("_KTIMER_TABLE_ENTRY", "Entry");
    let time = builder.offset("_KTIMER_TABLE_ENTRY", "Time");
    for bucket in 0..256 * rows {
        let at = prcb + table + bucket * size;
        let mine = if number == 0 { timers.remove(&bucket) } else { None }.unwrap_or_default();
        let entries: Vec<u64> = mine.iter().map(|(_, at)| at + link).collect();
        builder.link(at + entry, &entries);
        let due = mine.iter().map(|(due, _)| *due).min().unwrap_or(u64::MAX);
        builder.put(at + time, &due.to_le_bytes());
    }
}
