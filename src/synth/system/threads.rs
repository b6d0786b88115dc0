//! Threads: their structures, stacks, and what they wait for.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::build::Builder;
use super::objects::Objects;
use super::spec::{SystemProcess, SystemThread, ThreadState};
use super::thread_locks::{gate_of, note};
use crate::synth::layout::Object;

/// Objects that are linked with threads while threads are written.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Processes and threads by id.
    pub(super) processes: HashMap<u64, u64>,
    pub(super) threads: HashMap<u64, u64>,
    /// Processes by thread ID.
    pub(super) process_of: HashMap<u64, u64>,
    /// Module list entries by image base.
    pub(super) modules: HashMap<u64, u64>,
    /// IRPs that were already written.
    pub(super) requests: HashSet<u64>,
    /// Wait blocks by object.
    waits: BTreeMap<u64, Vec<u64>>,
    /// Threads that are ready, by processor and priority.
    pub(super) ready: BTreeMap<(u64, u64), Vec<u64>>,
    /// Threads that are ready on any processor, by priority.
    pub(super) shared: BTreeMap<u64, Vec<u64>>,
}

impl Links {
    /// The object to which a name in a handle or a wait refers.
    pub(super) fn object(&self, objects: &Objects, name: &str) -> Option<(u64, &'static str)> {
        let id = |kind: &str| name.strip_prefix(kind).and_then(|id| id.parse::<u64>().ok());
        if let Some(id) = id("Thread ") {
            return self.threads.get(&id).map(|at| (*at, "Thread"));
        }
        if let Some(id) = id("Process ") {
            return self.processes.get(&id).map(|at| (*at, "Process"));
        }
        objects.named.get(name).map(|at| (*at, ""))
    }

    /// Links the wait blocks into the wait lists of their objects.
    pub(super) fn finish(&self, builder: &mut Builder<'_>) {
        let head = builder.offset("_DISPATCHER_HEADER", "WaitListHead");
        let entry = builder.offset("_KWAIT_BLOCK", "WaitListEntry");
        for (object, blocks) in &self.waits {
            let blocks: Vec<u64> = blocks.iter().map(|block| block + entry).collect();
            builder.link(object + head, &blocks);
        }
    }
}

/// Writes a thread.
pub(super) fn write(
    builder: &mut Builder<'_>,
    objects: &Objects,
    links: &mut Links,
    process: &SystemProcess,
    thread: &SystemThread,
    now: u64,
) {
    let at = thread.ethread;
    let mut object = builder.new_object("_ETHREAD");
    object.set("Tcb.Header.Type", 6).set("Tcb.Header.Size", 0x6c);
    object.empty_list("Tcb.Header.WaitListHead", at).empty_list("Tcb.MutantListHead", at);
    let state = match &thread.state {
        ThreadState::Ready | ThreadState::ReadyShared => 1,
        ThreadState::Running => 2,
        ThreadState::Terminated => 4,
        ThreadState::Gate { .. } if builder.layout.has("_KTHREAD", "GateObject") => 8,
        ThreadState::Gate { .. } | ThreadState::Waiting { .. } => 5,
    };
    object.set("Tcb.State", state).set("Tcb.WaitTime", now.saturating_sub(thread.waited));
    object.set("Tcb.Priority", thread.priority.0).set("Tcb.BasePriority", thread.priority.1);
    object.set("Tcb.PriorityDecrement", thread.priority.2);
    object.set("Tcb.NextProcessor", thread.processor).set("Tcb.IdealProcessor", thread.processor);
    object.set("Tcb.ContextSwitches", thread.context_switches);
    object.set("Tcb.KernelTime", thread.ticks.0).set("Tcb.UserTime", thread.ticks.1);
    let (initial, current, base, limit) = thread.stack;
    object.set("Tcb.InitialStack", initial).set("Tcb.KernelStack", current);
    object.set("Tcb.StackBase", base).set("Tcb.StackLimit", limit);
    object
        .set("Tcb.KernelStackResident", 1)
        .opt("Tcb.LargeStack", u64::from(base - limit > 0x3000));
    if thread.trap_frame != 0 {
        object.set("Tcb.TrapFrame", thread.trap_frame);
    }
    object.set("Tcb.Teb", thread.teb).set("Tcb.Win32Thread", thread.win32_thread);
    object
        .set("Tcb.SuspendCount", thread.suspended)
        .set("Tcb.Alertable", u64::from(thread.alertable));
    object
        .set("Tcb.WaitMode", u64::from(thread.alertable))
        .set("Tcb.PreviousMode", u64::from(thread.teb != 0));
    object.set("Cid.UniqueProcess", process.pid).set("Cid.UniqueThread", thread.tid);
    object.set("StartAddress", thread.start.0).set("Win32StartAddress", thread.start.1);
    object.set("CreateTime", thread.create_time);
    owners(&mut object, links, process, thread);
    lists(&mut object, at);
    if let ThreadState::Waiting { reason, all, objects: names } = &thread.state {
        object.set("Tcb.WaitReason", *reason);
        waits(builder, (objects, links), &mut object, at, (names, *all));
    }
    if let ThreadState::Gate { reason } = thread.state {
        object.set("Tcb.WaitReason", reason);
        if builder.layout.has("_KTHREAD", "GateObject") {
            let there = objects.named.get(&gate_of(thread.tid)).copied();
            object.set("Tcb.GateObject", there.unwrap_or_else(|| gate(builder)));
        } else {
            waits(builder, (objects, links), &mut object, at, (&[String::new()], false));
        }
    }
    match thread.state {
        ThreadState::ReadyShared if builder.layout.has("_KPRCB", "SharedReadyQueue") => {
            links.shared.entry(thread.priority.0).or_default().push(at);
        }
        ThreadState::Ready | ThreadState::ReadyShared => {
            links.ready.entry((thread.processor, thread.priority.0)).or_default().push(at);
        }
        _ => {}
    }
    name(builder, &mut object, &thread.name);
    note(builder, &mut object, thread);
    builder.place(at, object);
    irps(builder, links, at, &thread.irps);
    let width = builder.width();
    for (i, word) in thread.words.iter().enumerate() {
        builder.put_pointer(current + i as u64 * width, *word);
    }
}

fn owners(object: &mut Object<'_>, links: &Links, process: &SystemProcess, thread: &SystemThread) {
    let attached = links.processes.get(&thread.attached).filter(|_| thread.attached != 0);
    object.set("Tcb.ApcState.Process", attached.copied().unwrap_or(process.eprocess));
    object.opt("Tcb.ApcStateIndex", u64::from(attached.is_some()));
    object.opt("Tcb.SavedApcState.Process", if attached.is_some() { process.eprocess } else { 0 });
    object.opt("Tcb.Process", process.eprocess).opt("ThreadsProcess", process.eprocess);
    if thread.impersonation != 0 {
        object.set("ActiveImpersonationInfo", 1);
    }
    if thread.lpc_message != 0 {
        object.opt("LpcReceivedMessageId", thread.lpc_message).opt("LpcReceivedMsgIdValid", 1);
        object.opt("AlpcMessageId", thread.lpc_message);
    }
    if process.pid <= 4 {
        object.opt("Tcb.SystemThread", 1).opt("SystemThread", 1);
    }
}

fn lists(object: &mut Object<'_>, at: u64) {
    for path in [
        "IrpList",
        "ActiveTimerListHead",
        "Tcb.ApcState.ApcListHead[0]",
        "Tcb.ApcState.ApcListHead[1]",
        "Tcb.Timer.Header.WaitListHead",
    ] {
        object.empty_list(path, at);
    }
    object.set("Tcb.Timer.Header.Type", 8);
}

fn waits(
    builder: &mut Builder<'_>,
    (objects, links): (&Objects, &mut Links),
    object: &mut Object<'_>,
    at: u64,
    (names, all): (&[String], bool),
) {
    let first = object.address("Tcb.WaitBlock", at);
    let size = builder.layout.size("_KWAIT_BLOCK") as u64;
    object.set("Tcb.WaitBlockList", first).opt("Tcb.WaitBlockCount", names.len() as u64);
    for (i, name) in names.iter().take(4).enumerate() {
        let target = match links.object(objects, name) {
            Some((target, _)) => target,
            None => own_event(builder),
        };
        let block = first + i as u64 * size;
        let next = if i + 1 == names.len().min(4) { first } else { block + size };
        let path = |field: &str| format!("Tcb.WaitBlock[{i}].{field}");
        object.set(&path("Object"), target).set(&path("Thread"), at);
        object.set(&path("WaitType"), u64::from(!all)).set(&path("WaitKey"), i as u64);
        object.opt(&path("NextWaitBlock"), next).opt(&path("BlockState"), 4);
        links.waits.entry(target).or_default().push(block);
    }
}

/// Writes a gate, which never has an object header.
fn gate(builder: &mut Builder<'_>) -> u64 {
    let size = builder.layout.size("_KGATE") as u64;
    let at = builder.pool(false, *b"Gate", size);
    let mut gate = builder.new_object("_KGATE");
    gate.set("Header.Type", 7).set("Header.Size", size / 4);
    gate.empty_list("Header.WaitListHead", at);
    builder.place(at, gate);
    at
}

/// Writes an event that is embedded in another structure and so has no object header.
fn own_event(builder: &mut Builder<'_>) -> u64 {
    let size = builder.layout.size("_KEVENT") as u64;
    let at = builder.pool(false, *b"Even", size);
    let mut event = builder.new_object("_KEVENT");
    event.set("Header.Type", 1).set("Header.Size", size / 4);
    event.empty_list("Header.WaitListHead", at);
    builder.place(at, event);
    at
}

fn name(builder: &mut Builder<'_>, object: &mut Object<'_>, name: &str) {
    if name.is_empty() || !builder.layout.has("_ETHREAD", "ThreadName") {
        return;
    }
    let at = builder.pool(false, *b"ThNm", 16 + 2 * name.len() as u64 + 2);
    let bytes = builder.string_bytes(at, name);
    builder.put(at, &bytes);
    object.set("ThreadName", at);
}

/// Links IRPs into the thread's list; an IRP that was specified only by address gets one stack
/// location.
fn irps(builder: &mut Builder<'_>, links: &Links, thread: u64, irps: &[u64]) {
    let head = builder.offset("_ETHREAD", "IrpList");
    let entry = builder.offset("_IRP", "ThreadListEntry");
    let tail = builder.offset("_IRP", "Tail.Overlay.Thread");
    let packet = builder.layout.size("_IRP") as u64;
    let size = packet + builder.layout.size("_IO_STACK_LOCATION") as u64;
    for irp in irps.iter().filter(|irp| !links.requests.contains(irp)) {
        let mut object = builder.new_object("_IRP");
        object.set("Type", 6).set("Size", size).set("StackCount", 1).set("CurrentLocation", 1);
        object.set("Tail.Overlay.CurrentStackLocation", irp + packet);
        builder.place(*irp, object);
        builder.put_pointer(irp + tail, thread);
    }
    let entries: Vec<u64> = irps.iter().map(|irp| irp + entry).collect();
    builder.link(thread + head, &entries);
}
