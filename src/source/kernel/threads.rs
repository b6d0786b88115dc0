//! Threads whose objects the dump holds.

use std::borrow::Cow;

use super::KernelDump;
use super::batches;
use super::object::{Object, first};
use super::types::Ty;
use super::walks::Stacks;
use crate::catalog::{Absent, Cell};
use crate::model::{Flow, RowSink, Thread, Unanswered, Want};
use crate::source::context::Context;

/// `KTHREAD_STATE`.
const STATES: [&str; 10] = [
    "Initialized",
    "Ready",
    "Running",
    "Standby",
    "Terminated",
    "Waiting",
    "Transition",
    "DeferredReady",
    "GateWait",
    "WaitingForProcessInSwap",
];
const TERMINATED: u64 = 4;
const WAITING: u64 = 5;
const GATE_WAIT: u64 = 8;

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

/// So many rows are made at a time.
const BATCH: usize = 512;
/// So many by one core in one go.
const PART: usize = 64;
/// No process has more threads; more is a damaged list.
const MAX_THREADS: usize = 1 << 20;
/// No list of IRPs is longer; a longer one runs in a circle.
const MAX_IRPS: i64 = 4096;

/// `DISPATCHER_HEADER.Type` of threads.
const THREAD_OBJECT: u8 = 6;

fn name_of(names: &[&str], index: u64) -> Cell<String> {
    let name = usize::try_from(index).ok().and_then(|index| names.get(index));
    name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
}

/// Why a thread waits, or last waited.
pub(super) fn wait_reason(thread: &Object<'_>) -> Cell<String> {
    thread.unsigned("Tcb.WaitReason").and_then(|reason| name_of(&REASONS, reason))
}

/// Which columns are wanted that do not stand in the thread's own structure.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "one for each column")]
struct Far {
    process: bool,
    name: bool,
    start_symbol: bool,
    win32_start_symbol: bool,
    irp_count: bool,
    wait_object_type: bool,
}

/// A thread that was come upon.
pub(super) enum Seen<'a> {
    /// A list leads to it.
    Listed(u64),
    /// It was read already; and whether it is the one that was current on the processor that wrote
    /// the dump.
    Held(Object<'a>, bool),
}

impl<'a> Seen<'a> {
    /// The thread's object; `None` if the dump does not hold it.
    pub(super) fn object(&self, dump: &'a KernelDump) -> Option<Cow<'_, Object<'a>>> {
        match self {
            Self::Listed(address) => dump.object(Ty::Thread, *address).map(Cow::Owned),
            Self::Held(thread, _) => Some(Cow::Borrowed(thread)),
        }
    }

    /// Whether it was current on the processor that wrote the dump, as far as that is known.
    pub(super) const fn is_crash(&self) -> bool {
        matches!(self, Self::Held(_, true))
    }
}

impl KernelDump {
    /// The thread that the triage block names.
    pub(super) fn crash_thread(&self) -> Option<Object<'_>> {
        let triage = self.triage.as_ref()?;
        self.object_of(Ty::Thread, triage.thread, self.objects.thread)
    }

    /// The process that the triage block names.
    pub(super) fn crash_process(&self) -> Option<Object<'_>> {
        let triage = self.triage.as_ref()?;
        self.object_of(Ty::Process, triage.process, self.objects.process)
    }

    /// The thread of the crash: that of the triage block, else the one that a processor was running
    /// and on whose stack the header's context is.
    fn crashed(&self) -> Cell<Object<'_>> {
        if self.triage.is_some() {
            return self.crash_thread().ok_or(Absent::NotInDump);
        }
        let sp = self.crash_context().and_then(Context::sp).ok_or(Absent::NotInDump)?;
        let running = self.prcbs().into_iter().flatten();
        let running = running.filter_map(|prcb| prcb.pointer("CurrentThread").ok());
        let running = running.filter_map(|at| self.object(Ty::Thread, at));
        let mut here = running.filter(|thread| Self::bounds(thread).contains(&sp));
        match (here.next(), here.next()) {
            (Some(thread), None) => Ok(thread),
            _ => Err(Absent::NotInDump),
        }
    }

    pub(super) fn current_thread(&self) -> Cell<u64> {
        self.crashed()?.address
    }

    pub(super) fn current_tid(&self) -> Cell<i64> {
        self.crashed()?.int("Cid.UniqueThread")
    }

    pub(super) fn current_process_name(&self) -> Cell<String> {
        if self.triage.is_some() {
            return self.crash_process().ok_or(Absent::NotInDump)?.text("ImageFileName");
        }
        self.process_name(self.crashed()?.pointer("Tcb.ApcState.Process"))
    }

    /// The threads that the dump holds: the current one of the processor that wrote the dump, then
    /// those of the others.
    pub(super) fn thread_objects(&self) -> Vec<Object<'_>> {
        let mut found: Vec<Object<'_>> = self.crash_thread().into_iter().collect();
        for prcb in self.prcbs().into_iter().flatten() {
            for path in ["CurrentThread", "NextThread", "IdleThread"] {
                let Ok(address) = prcb.pointer(path) else { continue };
                if found.iter().any(|thread| thread.address == Ok(address)) {
                    continue;
                }
                let thread = self.object(Ty::Thread, address);
                // Of some threads a dump holds no more than what a debugger needs to name them.
                let is_thread = |t: &Object<'_>| {
                    t.dispatcher_type() == Some(THREAD_OBJECT) && t.unsigned("Tcb.State").is_ok()
                };
                found.extend(thread.filter(is_thread));
            }
        }
        found
    }

    pub(super) fn each_thread(
        &self,
        want: &Want<'_, Thread>,
        into: &mut dyn RowSink<Thread>,
    ) -> Result<(), Unanswered> {
        let wants_stacks = want.has_any(|c| [c.stack_id, c.blocker]);
        let far = Far {
            process: want.has(|c| c.process),
            name: want.has(|c| c.name),
            start_symbol: want.has(|c| c.start_symbol),
            win32_start_symbol: want.has(|c| c.win32_start_symbol),
            irp_count: want.has(|c| c.irp_count),
            wait_object_type: want.has(|c| c.wait_object_type),
        };
        let stacks = if wants_stacks { Stacks::of(self).ok() } else { None };
        let rows = |batch: Vec<Seen<'_>>| {
            self.fetch_start_symbols(want, stacks.as_ref(), &batch);
            let make = |part: &[Seen<'_>], push: &mut dyn FnMut(Thread)| {
                let mut walks = stacks.as_ref().map(Stacks::take);
                for seen in part {
                    let Some(thread) = seen.object(self) else { continue };
                    let mut row = self.thread_row(far, &thread, seen.is_crash());
                    if let Some(walks) = &mut walks {
                        (row.stack_id, row.blocker) = self.verdict(walks, &thread, seen.is_crash());
                    }
                    push(row);
                }
                stacks.iter().zip(walks).for_each(|(stacks, walks)| stacks.give(walks));
            };
            let flow = batches::hand_on(&batch, PART, make, into);
            stacks.iter().for_each(Stacks::settle);
            flow
        };
        batches::of_walk(BATCH, |visit| self.for_each_seen(visit), rows)
    }

    /// Visits the threads: of whole memory those of every process, else those whose objects the dump
    /// holds. Says of each whether it is the one that was current on the processor that wrote the
    /// dump.
    pub(super) fn for_each_thread(
        &self,
        visit: &mut dyn FnMut(&Object<'_>, bool) -> Flow,
    ) -> Result<(), Unanswered> {
        self.for_each_seen(&mut |seen| match seen.object(self) {
            Some(thread) => visit(&thread, seen.is_crash()),
            None => Flow::Continue(()),
        })
    }

    /// The same without reading those that lists lead to.
    pub(super) fn for_each_seen<'a>(
        &'a self,
        visit: &mut dyn FnMut(Seen<'a>) -> Flow,
    ) -> Result<(), Unanswered> {
        self.has_memory()?;
        if self.triage.is_none() {
            return self.for_each_listed_thread(visit);
        }
        let threads = self.thread_objects();
        if threads.is_empty() {
            return Err(Unanswered::because("the dump holds no thread object"));
        }
        for (i, thread) in threads.into_iter().enumerate() {
            if visit(Seen::Held(thread, i == 0)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn thread_row(&self, far: Far, thread: &Object<'_>, is_crash: bool) -> Thread {
        // What is not in the thread's own structure is looked for only if it is wanted.
        let wanted = |is_wanted| if is_wanted { Ok(()) } else { Err(Absent::NotApplicable) };
        let state = thread.unsigned("Tcb.State");
        let is_waiting = state.map(|state| matches!(state, WAITING | GATE_WAIT));
        let while_waiting = || match is_waiting {
            Ok(true) => Ok(()),
            Ok(false) => Err(Absent::NotApplicable),
            Err(absent) => Err(absent),
        };
        let attached = thread.pointer("Tcb.ApcState.Process");
        let owner = first(&["Tcb.Process", "ThreadsProcess"], |path| thread.pointer(path))
            .or_else(|absent| if absent == Absent::NoSymbols { attached } else { Err(absent) });
        let start = thread.pointer("StartAddress");
        let win32_start = thread.pointer("Win32StartAddress");
        let symbol = |is_wanted, at: Cell<u64>| {
            wanted(is_wanted).and(at).and_then(|at| self.place_of(at)).map(|place| place.display())
        };
        let is_over = state == Ok(TERMINATED);
        let wait_ticks = while_waiting().and_then(|()| self.ticks_since(thread));
        let wait_object = while_waiting().and_then(|()| self.wait_object(thread));
        // Early kernels keep flags in the lowest bits of the time.
        let shift = if thread.has("NestedFaultCount") && thread.has("ApcNeeded") { 3 } else { 0 };
        Thread {
            ethread: thread.address,
            tid: thread.int("Cid.UniqueThread"),
            pid: thread.int("Cid.UniqueProcess"),
            eprocess: owner,
            process: wanted(far.process).and_then(|()| self.process_name(owner)),
            name: wanted(far.name)
                .and_then(|()| thread.pointer("ThreadName"))
                .and_then(|at| self.unicode_string(at)),
            state: state.and_then(|state| name_of(&STATES, state)),
            wait_reason: while_waiting().and_then(|()| wait_reason(thread)),
            wait_mode: while_waiting()
                .and_then(|()| thread.unsigned("Tcb.WaitMode"))
                .and_then(|mode| name_of(&["KernelMode", "UserMode"], mode)),
            is_alertable: thread.flag("Tcb.Alertable"),
            wait_ticks,
            wait_ms: wait_ticks.and_then(|ticks| self.ticks_ms(ticks)),
            priority: thread.int("Tcb.Priority"),
            base_priority: thread.int("Tcb.BasePriority"),
            priority_decrement: thread.int("Tcb.PriorityDecrement"),
            processor: self.processor_of(thread),
            ideal_processor: thread.int("Tcb.IdealProcessor"),
            context_switches: thread.int("Tcb.ContextSwitches"),
            user_time_ms: thread.tick_ms("Tcb.UserTime"),
            kernel_time_ms: thread.tick_ms("Tcb.KernelTime"),
            start_address: start,
            start_symbol: symbol(far.start_symbol, start),
            win32_start_address: win32_start,
            win32_start_symbol: symbol(far.win32_start_symbol, win32_start),
            teb: thread.pointer("Tcb.Teb"),
            win32_thread: thread.pointer("Tcb.Win32Thread"),
            stack_base: thread.pointer("Tcb.StackBase"),
            stack_limit: thread.pointer("Tcb.StackLimit"),
            stack_pointer: self.stack_pointer(thread, is_crash),
            is_stack_resident: thread.flag("Tcb.KernelStackResident"),
            trap_frame: thread.pointer("Tcb.TrapFrame"),
            irp_count: wanted(far.irp_count).and_then(|()| self.irp_count(thread)),
            wait_object,
            wait_object_type: wanted(far.wait_object_type)
                .and(wait_object)
                .and_then(|at| self.dispatcher_name(at)),
            is_impersonating: thread.flag("ActiveImpersonationInfo"),
            attached_eprocess: match (attached, owner) {
                (Ok(attached), Ok(owner)) if attached == owner => Err(Absent::NotApplicable),
                _ => owner.and(attached),
            },
            suspend_count: thread.int("Tcb.SuspendCount"),
            create_time: thread.time("CreateTime", shift),
            // The field holds something else while the thread runs.
            exit_time: if is_over {
                thread.time("ExitTime", 0)
            } else {
                state.and(Err(Absent::NotApplicable))
            },
            ..Thread::default()
        }
    }

    /// The name of a process whose object the dump holds.
    pub(super) fn process_name(&self, eprocess: Cell<u64>) -> Cell<String> {
        let eprocess = eprocess?;
        if let Some(current) = self.crash_process().filter(|p| p.address == Ok(eprocess)) {
            return current.text("ImageFileName");
        }
        self.text_of(Ty::Process, eprocess, "ImageFileName")
    }

    /// The processor that a thread runs on or ran on last.
    fn processor_of(&self, thread: &Object<'_>) -> Cell<i64> {
        let number = thread.int_of(&["Tcb.NextProcessorNumber", "Tcb.NextProcessor"])?;
        // Without a layout the size of the field is a guess.
        let count = i64::from(self.header.processors.unwrap_or(u32::MAX));
        [number, number & 0xff].into_iter().find(|n| *n < count).ok_or(Absent::Unreadable)
    }

    fn stack_pointer(&self, thread: &Object<'_>, is_crash: bool) -> Cell<u64> {
        let sp = self.crash_context().filter(|_| is_crash).and_then(Context::sp);
        sp.map_or_else(|| thread.pointer("Tcb.KernelStack"), Ok)
    }

    /// The length of the thread's list of IRPs.
    fn irp_count(&self, thread: &Object<'_>) -> Cell<i64> {
        let head = thread.address_of("IrpList")?;
        let mut at = thread.raw_pointer("IrpList")?;
        for count in 0..MAX_IRPS {
            if at == head {
                return Ok(count);
            }
            at = self.pointer_at(at)?;
        }
        Err(Absent::Unreadable)
    }

    /// The object of the first wait block.
    fn wait_object(&self, thread: &Object<'_>) -> Cell<u64> {
        if let Some(gate) = Self::gate(thread) {
            return gate;
        }
        let block = thread.pointer("Tcb.WaitBlockList")?;
        let object = self.types().other("_KWAIT_BLOCK", "Object").ok_or(Absent::NoSymbols)?;
        self.pointer_at(block.checked_add(object.offset as u64).ok_or(Absent::Unreadable)?)
    }

    /// Milliseconds since the thread began to wait.
    pub(super) fn waited_ms(&self, thread: &Object<'_>) -> Cell<i64> {
        self.ticks_since(thread).and_then(|ticks| self.ticks_ms(ticks))
    }

    /// Clock ticks as milliseconds.
    fn ticks_ms(&self, ticks: i64) -> Cell<i64> {
        let tick = i64::try_from(self.tick()?).map_err(|_| Absent::Unreadable)?;
        ticks.checked_mul(tick).map(|time| time / 10_000).ok_or(Absent::Unreadable)
    }

    /// Clock ticks since the thread began to wait.
    fn ticks_since(&self, thread: &Object<'_>) -> Cell<i64> {
        let began = thread.unsigned("Tcb.WaitTime")?;
        // Both are the low 32 bits of a counter.
        let ticks = self.tick_count()?.wrapping_sub(began) & 0xffff_ffff;
        i64::try_from(ticks).map_err(|_| Absent::Unreadable)
    }

    /// The threads of every process, of dumps with whole memory.
    fn for_each_listed_thread<'a>(
        &'a self,
        visit: &mut dyn FnMut(Seen<'a>) -> Flow,
    ) -> Result<(), Unanswered> {
        let offset = self.types().field(self, Ty::Thread, "ThreadListEntry");
        let offset = offset
            .map(|field| field.offset as u64)
            .map_err(|_| Unanswered::because("no layout of the kernel's threads is known"))?;
        for process in self.process_objects() {
            for address in self.listed(process.address_of("ThreadListHead"), offset, MAX_THREADS) {
                if visit(Seen::Listed(address)).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
