//! Rows of the `threads` table, for the threads whose objects the dump holds.

use crate::catalog::{Absent, Cell};
use crate::model::{RowSink, Thread, Unanswered, Want};
use crate::source::context::Context;
use crate::source::kernel::batches;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::{Structure, first};
use crate::source::kernel::scheduler::thread::{FoundThread, name_of, wait_reason};
use crate::source::kernel::scheduler::{dispatcher, thread};
use crate::source::kernel::stack::walks::Stacks;
use crate::source::kernel::stack::{fetch, stacks};

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

/// Rows per batch.
const BATCH: usize = 512;
/// Rows per parallel task.
const PART: usize = 64;
/// Upper limit on a list of IRPs; a longer one is circular.
const MAX_IRPS: i64 = 4096;

/// Which wanted columns need more than the thread object.
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

pub(crate) fn each_thread(
    core: &Core,
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
    let stacks = if wants_stacks { Stacks::of(core).ok() } else { None };
    let rows = |batch: Vec<FoundThread<'_>>| {
        fetch::fetch_start_symbols(core, want, stacks.as_ref(), &batch);
        let make = |part: &[FoundThread<'_>], push: &mut dyn FnMut(Thread)| {
            let mut walks = stacks.as_ref().map(Stacks::take);
            for seen in part {
                let Some(thread) = seen.object(core) else { continue };
                let mut row = thread_row(core, far, &thread, seen.is_crash());
                if let Some(walks) = &mut walks {
                    (row.stack_id, row.blocker) =
                        stacks::verdict(core, walks, &thread, seen.is_crash());
                }
                push(row);
            }
            stacks.iter().zip(walks).for_each(|(stacks, walks)| stacks.give(walks));
        };
        let flow = batches::hand_on(&batch, PART, make, into);
        stacks.iter().for_each(Stacks::settle);
        flow
    };
    batches::of_walk(BATCH, |visit| thread::for_each_seen(core, visit), rows)
}

fn thread_row(core: &Core, far: Far, thread: &Structure<'_>, is_crash: bool) -> Thread {
    // What is outside the thread object is read only if it is wanted.
    let wanted = |is_wanted| if is_wanted { Ok(()) } else { Err(Absent::NotApplicable) };
    let state = thread.unsigned("Tcb.State");
    let is_waiting = state.map(|state| matches!(state, WAITING | GATE_WAIT));
    let while_waiting = || match is_waiting {
        Ok(true) => Ok(()),
        Ok(false) => Err(Absent::NotApplicable),
        Err(absent) => Err(absent),
    };
    let attached = thread.pointer("Tcb.ApcState.Process");
    // A thread is nearly always attached to its own process, so this is used if the layout is
    // unknown.
    let is_unknown = core.types().source().is_none();
    let owner = first(&["Tcb.Process", "ThreadsProcess"], |path| thread.pointer(path))
        .or_else(|absent| if is_unknown { attached } else { Err(absent) });
    let start = thread.pointer("StartAddress");
    let win32_start = thread.pointer("Win32StartAddress");
    let symbol = |is_wanted, at: Cell<u64>| {
        wanted(is_wanted).and(at).and_then(|at| core.place_of(at)).map(|place| place.display())
    };
    let is_over = state == Ok(TERMINATED);
    let wait_ticks = while_waiting().and_then(|()| thread::ticks_since(core, thread));
    let wait_object = while_waiting().and_then(|()| wait_object(core, thread));
    // Early kernels keep flags in the lowest bits of the time.
    let shift = if thread.has("NestedFaultCount") && thread.has("ApcNeeded") { 3 } else { 0 };
    Thread {
        ethread: thread.address,
        tid: thread.int("Cid.UniqueThread"),
        pid: thread.int("Cid.UniqueProcess"),
        eprocess: owner,
        process: wanted(far.process).and_then(|()| thread::process_name(core, owner)),
        name: wanted(far.name)
            .and_then(|()| thread.pointer("ThreadName"))
            .and_then(|at| core.unicode_string(at)),
        state: state.and_then(|state| name_of(&STATES, state)),
        wait_reason: while_waiting().and_then(|()| wait_reason(thread)),
        wait_mode: while_waiting()
            .and_then(|()| thread.unsigned("Tcb.WaitMode"))
            .and_then(|mode| name_of(&["KernelMode", "UserMode"], mode)),
        is_alertable: thread.flag("Tcb.Alertable"),
        wait_ticks,
        wait_ms: wait_ticks.and_then(|ticks| thread::ticks_ms(core, ticks)),
        priority: thread.int("Tcb.Priority"),
        base_priority: thread.int("Tcb.BasePriority"),
        priority_decrement: thread.int("Tcb.PriorityDecrement"),
        processor: processor_of(core, thread),
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
        stack_pointer: stack_pointer(core, thread, is_crash),
        is_stack_resident: thread.flag("Tcb.KernelStackResident"),
        trap_frame: thread.pointer("Tcb.TrapFrame"),
        irp_count: wanted(far.irp_count).and_then(|()| irp_count(core, thread)),
        wait_object,
        wait_object_type: wanted(far.wait_object_type)
            .and(wait_object)
            .and_then(|at| dispatcher::dispatcher_name(core, at)),
        is_impersonating: thread.flag("ActiveImpersonationInfo"),
        attached_eprocess: match (attached, owner) {
            (Ok(attached), Ok(owner)) if attached == owner => Err(Absent::NotApplicable),
            _ => owner.and(attached),
        },
        suspend_count: thread.int("Tcb.SuspendCount"),
        create_time: thread.time("CreateTime", shift),
        // While the thread runs the field has another meaning.
        exit_time: if is_over {
            thread.time("ExitTime", 0)
        } else {
            state.and(Err(Absent::NotApplicable))
        },
        ..Thread::default()
    }
}

/// The processor that a thread runs on or ran on last.
fn processor_of(core: &Core, thread: &Structure<'_>) -> Cell<i64> {
    let number = thread.int_of(&["Tcb.NextProcessorNumber", "Tcb.NextProcessor"])?;
    // Without type information the size of the field is a guess.
    let count = i64::from(core.header.processors.unwrap_or(u32::MAX));
    [number, number & 0xff].into_iter().find(|n| *n < count).ok_or(Absent::Unreadable)
}

fn stack_pointer(core: &Core, thread: &Structure<'_>, is_crash: bool) -> Cell<u64> {
    let sp = core.crash_context().filter(|_| is_crash).and_then(Context::sp);
    sp.map_or_else(|| thread.pointer("Tcb.KernelStack"), Ok)
}

/// The length of the thread's IRP list.
fn irp_count(core: &Core, thread: &Structure<'_>) -> Cell<i64> {
    let head = thread.at("IrpList")?;
    let mut at = thread.raw_pointer("IrpList")?;
    for count in 0..MAX_IRPS {
        if at == head {
            return Ok(count);
        }
        at = core.pointer_at(at)?;
    }
    Err(Absent::Unreadable)
}

/// The object of the first wait block.
fn wait_object(core: &Core, thread: &Structure<'_>) -> Cell<u64> {
    if let Some(gate) = thread::gate(thread) {
        return gate;
    }
    let block = thread.pointer("Tcb.WaitBlockList")?;
    let object = core.field("_KWAIT_BLOCK", "Object").ok_or(Absent::NoSymbols)?;
    core.pointer_at(block.checked_add(object.offset as u64).ok_or(Absent::Unreadable)?)
}
