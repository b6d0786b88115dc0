//! Processors, and the clock.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Processor, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::locks::spin_locks;
use crate::source::kernel::scheduler::{held, prcbs, thread};

pub(crate) fn each_processor(core: &Core, emit: Emit<'_, Processor>) -> Result<(), Unanswered> {
    core.has_memory()?;
    let prcbs = prcbs::prcbs(core);
    let locks = spin_locks::queued_spin_locks(core, &prcbs);
    for (index, prcb) in prcbs.iter().enumerate() {
        let number = i64::try_from(index).map_err(|_| Absent::Unreadable);
        let row = match prcb {
            Some(prcb) => Processor {
                queued_locks: spin_locks::lock_marks(locks.as_deref(), index),
                ..processor_row(core, number, prcb)
            },
            None => missing_row(number),
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn processor_row(core: &Core, number: Cell<i64>, prcb: &Structure<'_>) -> Processor {
    let current = prcb.pointer("CurrentThread");
    let idle = prcb.pointer("IdleThread");
    let is_idle = current.and_then(|current| Ok(current == idle?));
    Processor {
        processor: number,
        prcb: prcb.address,
        current_ethread: current,
        next_ethread: prcb.pointer("NextThread"),
        idle_ethread: idle,
        is_idle,
        current_process: process_of(core, current),
        irql: prcb.int("DebuggerSavedIRQL"),
        dpc_queue_depth: prcb.int_of(&["DpcData.DpcQueueDepth", "DpcQueueDepth"]),
        dpc_count: prcb.int_of(&["DpcData.DpcCount", "DpcCount"]),
        dpc_time_ms: prcb.tick_ms("DpcTime"),
        interrupt_count: prcb.int("InterruptCount"),
        interrupt_time_ms: prcb.tick_ms("InterruptTime"),
        user_time_ms: prcb.tick_ms("UserTime"),
        kernel_time_ms: prcb.tick_ms("KernelTime"),
        mhz: prcb.int("MHz"),
        vendor: prcb.text("VendorString"),
        ..Processor::default()
    }
}

fn missing_row(processor: Cell<i64>) -> Processor {
    let missing = Absent::NotInDump;
    Processor {
        processor,
        prcb: Err(missing),
        current_ethread: Err(missing),
        next_ethread: Err(missing),
        idle_ethread: Err(missing),
        is_idle: Err(missing),
        current_process: Err(missing),
        irql: Err(missing),
        dpc_queue_depth: Err(missing),
        dpc_count: Err(missing),
        dpc_time_ms: Err(missing),
        interrupt_count: Err(missing),
        interrupt_time_ms: Err(missing),
        user_time_ms: Err(missing),
        kernel_time_ms: Err(missing),
        mhz: Err(missing),
        vendor: Err(missing),
        queued_locks: Err(missing),
        ..Processor::default()
    }
}

/// The name of the process of a thread.
fn process_of(core: &Core, thread: Cell<u64>) -> Cell<String> {
    let address = thread?;
    let current = held::crash_thread(core).filter(|thread| thread.address == Ok(address));
    let thread = current.or_else(|| core.object(THREAD, address));
    let owner = thread.ok_or(Absent::NotInDump)?.pointer("Tcb.ApcState.Process");
    thread::process_name(core, owner)
}
