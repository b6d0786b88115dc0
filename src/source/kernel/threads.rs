//! Threads and processes whose objects the dump holds.

use super::KernelDump;
use super::object::{Object, first};
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::{Emit, Flow, Process, Thread, Unanswered, Want};
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
/// No list of IRPs is longer; a longer one runs in a circle.
/// No process has more threads, no system more processes; more is a damaged list.
const MAX_THREADS: usize = 1 << 20;
const MAX_PROCESSES: usize = 1 << 18;
const MAX_IRPS: i64 = 4096;

/// `DISPATCHER_HEADER.Type` of the two objects.
const PROCESS_OBJECT: u8 = 3;
const THREAD_OBJECT: u8 = 6;

fn name_of(names: &[&str], index: u64) -> Cell<String> {
    let name = usize::try_from(index).ok().and_then(|index| names.get(index));
    name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
}

/// Why a thread waits, or last waited.
pub(super) fn wait_reason(thread: &Object<'_>) -> Cell<String> {
    thread.unsigned("Tcb.WaitReason").and_then(|reason| name_of(&REASONS, reason))
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
    fn thread_objects(&self) -> Vec<Object<'_>> {
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
        want: &Want<'_>,
        emit: Emit<'_, Thread>,
    ) -> Result<(), Unanswered> {
        let wants_stacks = want.has_any(&["stack_id", "blocker"]);
        let mut walks = if wants_stacks { self.walks().ok() } else { None };
        self.for_each_thread(&mut |thread, is_crash| {
            let mut row = self.thread_row(want, thread, is_crash);
            if let Some(walks) = &mut walks {
                (row.stack_id, row.blocker) = self.verdict(walks, thread, is_crash);
            }
            emit(row)
        })
    }

    /// Visits the threads: of whole memory those of every process, else those whose objects the dump
    /// holds. Says of each whether it is the one that was current on the processor that wrote the
    /// dump.
    pub(super) fn for_each_thread(
        &self,
        visit: &mut dyn FnMut(&Object<'_>, bool) -> Flow,
    ) -> Result<(), Unanswered> {
        self.has_memory()?;
        if self.triage.is_none() {
            return self.for_each_listed_thread(visit);
        }
        let threads = self.thread_objects();
        if threads.is_empty() {
            return Err(Unanswered::because("the dump holds no thread object"));
        }
        for (i, thread) in threads.iter().enumerate() {
            if visit(thread, i == 0).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn thread_row(&self, want: &Want<'_>, thread: &Object<'_>, is_crash: bool) -> Thread {
        // What is not in the thread's own structure is looked for only if it is wanted.
        let wanted = |name| if want.has(name) { Ok(()) } else { Err(Absent::NotApplicable) };
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
        let symbol = |name, at: Cell<u64>| {
            wanted(name).and(at).and_then(|at| self.place_of(at)).map(|place| place.display())
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
            process: wanted("process").and_then(|()| self.process_name(owner)),
            name: wanted("name")
                .and_then(|()| thread.pointer("ThreadName"))
                .and_then(|at| self.unicode_string(at)),
            state: state.and_then(|state| name_of(&STATES, state)),
            wait_reason: while_waiting().and_then(|()| wait_reason(thread)),
            wait_mode: while_waiting()
                .and_then(|()| thread.unsigned("Tcb.WaitMode"))
                .and_then(|mode| name_of(&["KernelMode", "UserMode"], mode)),
            is_alertable: thread.flag("Tcb.Alertable"),
            wait_ticks,
            wait_ms: while_waiting().and_then(|()| self.waited_ms(thread)),
            priority: thread.int("Tcb.Priority"),
            base_priority: thread.int("Tcb.BasePriority"),
            priority_decrement: thread.int("Tcb.PriorityDecrement"),
            processor: self.processor_of(thread),
            ideal_processor: thread.int("Tcb.IdealProcessor"),
            context_switches: thread.int("Tcb.ContextSwitches"),
            user_time_ms: thread.tick_ms("Tcb.UserTime"),
            kernel_time_ms: thread.tick_ms("Tcb.KernelTime"),
            start_address: start,
            start_symbol: symbol("start_symbol", start),
            win32_start_address: win32_start,
            win32_start_symbol: symbol("win32_start_symbol", win32_start),
            teb: thread.pointer("Tcb.Teb"),
            win32_thread: thread.pointer("Tcb.Win32Thread"),
            stack_base: thread.pointer("Tcb.StackBase"),
            stack_limit: thread.pointer("Tcb.StackLimit"),
            stack_pointer: self.stack_pointer(thread, is_crash),
            is_stack_resident: thread.flag("Tcb.KernelStackResident"),
            trap_frame: thread.pointer("Tcb.TrapFrame"),
            irp_count: wanted("irp_count").and_then(|()| self.irp_count(thread)),
            wait_object,
            wait_object_type: wanted("wait_object_type")
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
        let ticks = self.ticks_since(thread)?;
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
    fn for_each_listed_thread(
        &self,
        visit: &mut dyn FnMut(&Object<'_>, bool) -> Flow,
    ) -> Result<(), Unanswered> {
        let offset = self.types().field(self, Ty::Thread, "ThreadListEntry");
        let offset = offset
            .map(|field| field.offset as u64)
            .map_err(|_| Unanswered::because("no layout of the kernel's threads is known"))?;
        for process in self.process_objects() {
            for address in self.listed(process.address_of("ThreadListHead"), offset, MAX_THREADS) {
                let Some(thread) = self.object(Ty::Thread, address) else { continue };
                if visit(&thread, false).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The processes on `PsActiveProcessHead`.
    fn listed_processes(&self) -> Vec<Object<'_>> {
        let block = || self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PROCESS_HEAD));
        let head = self.header.process_head.or_else(block).ok_or(Absent::NotInDump);
        let links = self.types().field(self, Ty::Process, "ActiveProcessLinks");
        let Ok(links) = links else { return Vec::new() };
        let found = self.listed(head, links.offset as u64, MAX_PROCESSES).into_iter();
        let objects = found.filter_map(|address| self.object(Ty::Process, address));
        objects.filter(|process| process.dispatcher_type() == Some(PROCESS_OBJECT)).collect()
    }

    pub(super) fn process_objects(&self) -> Vec<Object<'_>> {
        if self.triage.is_none() {
            return self.listed_processes();
        }
        let mut found: Vec<Object<'_>> = self.crash_process().into_iter().collect();
        for thread in self.thread_objects() {
            for path in ["Tcb.Process", "ThreadsProcess", "Tcb.ApcState.Process"] {
                let Ok(address) = thread.pointer(path) else { continue };
                if found.iter().any(|process| process.address == Ok(address)) {
                    continue;
                }
                let process = self.object(Ty::Process, address);
                found.extend(process.filter(|p| p.dispatcher_type() == Some(PROCESS_OBJECT)));
            }
        }
        found
    }

    pub(super) fn each_process(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, Process>,
    ) -> Result<(), Unanswered> {
        self.has_memory()?;
        let processes = self.process_objects();
        if processes.is_empty() {
            return Err(Unanswered::because("the dump holds no process object"));
        }
        for process in &processes {
            if emit(self.process_row(want, process)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn process_row(&self, want: &Want<'_>, process: &Object<'_>) -> Process {
        let object_table = process.pointer("ObjectTable");
        let handle_count = if want.has("handle_count") {
            object_table.and_then(|table| self.handle_count(table))
        } else {
            Err(Absent::NotApplicable)
        };
        let image = process.pointer("SeAuditProcessCreationInfo.ImageFileName");
        // A reference's lowest bits are its count: 4 of them in 64-bit kernels, 3 in others.
        let counted = !(2 * self.header.width.bytes() as u64 - 1);
        let quota = |i: usize| self.quota(process, i);
        Process {
            eprocess: process.address,
            pid: process.int("UniqueProcessId"),
            ppid: process.int("InheritedFromUniqueProcessId"),
            name: process.text("ImageFileName"),
            path: image.and_then(|at| self.unicode_string(at)),
            command_line: process.pointer("Peb").and(Err(Absent::NotInDump)),
            session: self.session(process),
            is_wow64: first(&["WoW64Process", "Wow64Process"], |path| process.raw_pointer(path))
                .map(|at| at != 0),
            dtb: process.pointer("Pcb.DirectoryTableBase"),
            peb: process.pointer("Peb"),
            object_table,
            handle_count,
            thread_count: process.int("ActiveThreads"),
            create_time: process.time("CreateTime", 0),
            exit_time: process.time("ExitTime", 0),
            user_time_ms: process.tick_ms("Pcb.UserTime"),
            kernel_time_ms: process.tick_ms("Pcb.KernelTime"),
            working_set_bytes: process.pages(&["Vm.Instance.WorkingSetSize", "Vm.WorkingSetSize"]),
            peak_working_set_bytes: process
                .pages(&["Vm.Instance.PeakWorkingSetSize", "Vm.PeakWorkingSetSize"]),
            private_bytes: process.pages(&["NumberOfPrivatePages", "PrivatePageCount"]),
            commit_bytes: process.pages(&["CommitCharge"]),
            virtual_bytes: process.int("VirtualSize"),
            page_faults: process.int_of(&["Vm.Instance.PageFaultCount", "Vm.PageFaultCount"]),
            base_priority: process.int("Pcb.BasePriority"),
            token: process.pointer("Token").map(|token| token & counted),
            job: process.pointer("Job"),
            vad_root: Self::vad_root(process),
            paged_quota_bytes: quota(1),
            nonpaged_quota_bytes: quota(0),
            ..Process::default()
        }
    }

    /// Charged pool: the first element is of the non-paged pool, the second of the paged one.
    fn quota(&self, process: &Object<'_>, index: usize) -> Cell<i64> {
        let width = self.header.width.bytes();
        let at = first(&["ProcessQuotaUsage", "QuotaUsage"], |path| process.address_of(path))?;
        let at = at.checked_add((index * width) as u64).ok_or(Absent::Unreadable)?;
        i64::try_from(self.pointer_at(at)?).map_err(|_| Absent::Unreadable)
    }

    fn session(&self, process: &Object<'_>) -> Cell<i64> {
        let space = process.pointer("Session")?;
        let field =
            self.types().other("_MM_SESSION_SPACE", "SessionId").ok_or(Absent::NotInDump)?;
        let at = space.checked_add(field.offset as u64).ok_or(Absent::Unreadable)?;
        self.u32_at(at).map(i64::from)
    }
}
