//! Reading threads one by one: how they are found, their IDs and process, and how long they have
//! waited.
//!
//! This module is independent of tables; `threads` makes the rows of the `threads` table.

use crate::source::kernel::core::structure::first;
use std::borrow::Cow;
use std::ops::Range;

use crate::catalog::{Absent, Cell};
use crate::model::{Flow, Unanswered};
use crate::source::context::Context;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::{PROCESS, THREAD};
use crate::source::kernel::process::list;
use crate::source::kernel::scheduler::{held, held_threads, prcbs};

/// Upper limit on the size of a kernel stack, used where the thread does not give it.
pub(crate) const LARGEST_STACK: u64 = 0x1_8000;

/// `KTHREAD_STATE`.
pub(crate) const WAITING: u64 = 5;
pub(crate) const GATE_WAIT: u64 = 8;

/// The IDs and the process of a thread.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) tid: Cell<i64>,
    pub(crate) pid: Cell<i64>,
    pub(crate) process: Cell<String>,
}

/// `KWAIT_REASON`.
const REASONS: [&str; 42] = [
    "Executive",
    "FreePage",
    "PageIn",
    "PoolAllocation",
    "DelayExecution",
    "Suspended",
    "UserRequest",
    "WrExecutive",
    "WrFreePage",
    "WrPageIn",
    "WrPoolAllocation",
    "WrDelayExecution",
    "WrSuspended",
    "WrUserRequest",
    "WrEventPair",
    "WrQueue",
    "WrLpcReceive",
    "WrLpcReply",
    "WrVirtualMemory",
    "WrPageOut",
    "WrRendezvous",
    "WrKeyedEvent",
    "WrTerminated",
    "WrProcessInSwap",
    "WrCpuRateControl",
    "WrCalloutStack",
    "WrKernel",
    "WrResource",
    "WrPushLock",
    "WrMutex",
    "WrQuantumEnd",
    "WrDispatchInt",
    "WrPreempted",
    "WrYieldExecution",
    "WrFastMutex",
    "WrGuardedMutex",
    "WrRundown",
    "WrAlertByThreadId",
    "WrDeferredPreempt",
    "WrPhysicalFault",
    "WrIoRing",
    "WrMdlCache",
];
/// Upper limit on the threads of a process; a longer list is damaged.
const MAX_THREADS: usize = 1 << 20;

/// A thread that was found.
pub(crate) enum FoundThread<'a> {
    /// A thread list leads to it; it was not read yet.
    Listed(u64),
    /// Already read; and whether it was the current thread of the processor that wrote the dump.
    Held(Structure<'a>, bool),
}

/// The address range of a thread's kernel stack.
pub(crate) fn bounds(thread: &Structure<'_>) -> Range<u64> {
    let base = thread.pointer("Tcb.StackBase").or_else(|_| thread.pointer("Tcb.InitialStack"));
    let limit = thread.pointer("Tcb.StackLimit");
    match (limit, base) {
        (Ok(limit), Ok(base)) if limit < base => limit..base,
        (_, Ok(base)) => base.saturating_sub(LARGEST_STACK)..base,
        _ => 0..0,
    }
}

/// IDs and process of the thread at an address.
pub(crate) fn named_thread(core: &Core, ethread: u64) -> Named {
    let Some(thread) = core.object(THREAD, ethread) else {
        let missing = Absent::NotInDump;
        return Named { tid: Err(missing), pid: Err(missing), process: Err(missing) };
    };
    named(core, &thread)
}

/// The same for a thread that was read already.
pub(crate) fn named(core: &Core, thread: &Structure<'_>) -> Named {
    let owner = first(&["Tcb.Process", "ThreadsProcess"], |p| thread.pointer(p));
    Named {
        tid: thread.int("Cid.UniqueThread"),
        pid: thread.int("Cid.UniqueProcess"),
        process: process_name(core, owner),
    }
}

/// The gate that a thread waits for, if it waits for one.
pub(crate) fn gate(thread: &Structure<'_>) -> Option<Cell<u64>> {
    let at_gate = thread.unsigned("Tcb.State") == Ok(GATE_WAIT);
    (at_gate && thread.has("Tcb.GateObject")).then(|| thread.pointer("Tcb.GateObject"))
}

pub(crate) fn name_of(names: &[&str], index: u64) -> Cell<String> {
    let name = usize::try_from(index).ok().and_then(|index| names.get(index));
    name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
}

/// The reason why a thread waits or last waited.
pub(crate) fn wait_reason(thread: &Structure<'_>) -> Cell<String> {
    thread.unsigned("Tcb.WaitReason").and_then(|reason| name_of(&REASONS, reason))
}

impl<'a> FoundThread<'a> {
    /// The thread object, or `None` if the dump does not hold it.
    pub(crate) fn object(&self, core: &'a Core) -> Option<Cow<'_, Structure<'a>>> {
        match self {
            Self::Listed(address) => core.object(THREAD, *address).map(Cow::Owned),
            Self::Held(thread, _) => Some(Cow::Borrowed(thread)),
        }
    }

    /// Whether it was the current thread of the processor that wrote the dump, as far as that is
    /// known.
    pub(crate) const fn is_crash(&self) -> bool {
        matches!(self, Self::Held(_, true))
    }
}

/// The thread that crashed: the one that the triage block gives, or else the one that a processor
/// was running and whose stack contains the header's context.
pub(crate) fn crashed(core: &Core) -> Cell<Structure<'_>> {
    if core.triage.is_some() {
        return held::crash_thread(core).ok_or(Absent::NotInDump);
    }
    let sp = core.crash_context().and_then(Context::sp).ok_or(Absent::NotInDump)?;
    let running = prcbs::prcbs(core).into_iter().flatten();
    let running = running.filter_map(|prcb| prcb.pointer("CurrentThread").ok());
    let running = running.filter_map(|at| core.object(THREAD, at));
    let mut here = running.filter(|thread| bounds(thread).contains(&sp));
    match (here.next(), here.next()) {
        (Some(thread), None) => Ok(thread),
        _ => Err(Absent::NotInDump),
    }
}

pub(crate) fn current_thread(core: &Core) -> Cell<u64> {
    crashed(core)?.address
}

pub(crate) fn current_tid(core: &Core) -> Cell<i64> {
    crashed(core)?.int("Cid.UniqueThread")
}

pub(crate) fn current_process_name(core: &Core) -> Cell<String> {
    if core.triage.is_some() {
        return held::crash_process(core).ok_or(Absent::NotInDump)?.text("ImageFileName");
    }
    process_name(core, crashed(core)?.pointer("Tcb.ApcState.Process"))
}

/// Visits the threads: every process's threads if the dump holds all memory, else the thread
/// objects that the dump holds. The flag says whether it was the current thread of the processor
/// that wrote the dump.
pub(crate) fn for_each_thread(
    core: &Core,
    visit: &mut dyn FnMut(&Structure<'_>, bool) -> Flow,
) -> Result<(), Unanswered> {
    for_each_seen(core, &mut |seen| match seen.object(core) {
        Some(thread) => visit(&thread, seen.is_crash()),
        None => Flow::Continue(()),
    })
}

/// The same, without reading the threads that lists lead to.
pub(crate) fn for_each_seen<'a>(
    core: &'a Core,
    visit: &mut dyn FnMut(FoundThread<'a>) -> Flow,
) -> Result<(), Unanswered> {
    core.has_memory()?;
    if core.triage.is_none() {
        return for_each_listed_thread(core, visit);
    }
    let threads = held_threads::thread_objects(core);
    if threads.is_empty() {
        return Err(Unanswered::because("the dump holds no thread object"));
    }
    for (i, thread) in threads.into_iter().enumerate() {
        if visit(FoundThread::Held(thread, i == 0)).is_break() {
            break;
        }
    }
    Ok(())
}

/// The name of a process whose object the dump holds.
pub(crate) fn process_name(core: &Core, eprocess: Cell<u64>) -> Cell<String> {
    let eprocess = eprocess?;
    if let Some(current) = held::crash_process(core).filter(|p| p.address == Ok(eprocess)) {
        return current.text("ImageFileName");
    }
    core.structure(PROCESS, eprocess).text("ImageFileName")
}

/// Milliseconds since the thread began to wait.
pub(crate) fn waited_ms(core: &Core, thread: &Structure<'_>) -> Cell<i64> {
    ticks_since(core, thread).and_then(|ticks| ticks_ms(core, ticks))
}

/// Converts clock ticks to milliseconds.
pub(crate) fn ticks_ms(core: &Core, ticks: i64) -> Cell<i64> {
    let tick = i64::try_from(core.tick()?).map_err(|_| Absent::Unreadable)?;
    ticks.checked_mul(tick).map(|time| time / 10_000).ok_or(Absent::Unreadable)
}

/// Clock ticks since the thread began to wait.
pub(crate) fn ticks_since(core: &Core, thread: &Structure<'_>) -> Cell<i64> {
    let began = thread.unsigned("Tcb.WaitTime")?;
    // Both are the low 32 bits of a counter.
    let ticks = core.tick_count()?.wrapping_sub(began) & 0xffff_ffff;
    i64::try_from(ticks).map_err(|_| Absent::Unreadable)
}

/// The threads of every process, for dumps that hold all memory.
fn for_each_listed_thread<'a>(
    core: &'a Core,
    visit: &mut dyn FnMut(FoundThread<'a>) -> Flow,
) -> Result<(), Unanswered> {
    let offset = core.known_field(THREAD, "ThreadListEntry");
    let offset = offset
        .map(|field| field.offset as u64)
        .map_err(|_| Unanswered::because("no layout of the kernel's threads is known"))?;
    for process in list::process_objects(core) {
        for address in core.listed(process.at("ThreadListHead"), offset, MAX_THREADS) {
            if visit(FoundThread::Listed(address)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
