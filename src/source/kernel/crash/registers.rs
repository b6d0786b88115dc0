//! The context records of a kernel dump: the one of the crash, in the header, and those that
//! processors saved when they were stopped. In a hypervisor's file, the hypervisor saved one for
//! each processor.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Register, Unanswered};
use crate::source::context::Context;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::scheduler::{prcbs, thread};
use crate::source::printable;

/// How much of a context record is read: the general registers come before the extended state.
const MAX_CONTEXT: usize = 0x4d0;

/// The processor and thread of a context record.
struct Owner {
    ethread: Cell<u64>,
    tid: Cell<i64>,
    processor: Cell<i64>,
}

pub(crate) fn each_register(core: &Core, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
    if core.arch.cpu().is_none() {
        return Err(Unanswered::because(
            "context records of the dump's processor architecture are not supported",
        ));
    }
    if !core.stopped.is_empty() {
        let _ = stopped_processors(core, emit);
        return Ok(());
    }
    let Some(context) = core.crash_context() else {
        return Err(Unanswered::because("the header of the dump holds no context record"));
    };
    let owner = Owner {
        ethread: thread::current_thread(core),
        tid: thread::current_tid(core),
        processor: prcbs::current_processor(core),
    };
    if emit_context(core, context, &owner, emit).is_continue() {
        let _ = other_processors(core, owner.processor, emit);
    }
    Ok(())
}

/// The registers of the processors when their hypervisor stopped them.
fn stopped_processors(core: &Core, emit: Emit<'_, Register>) -> Flow {
    let prcbs = prcbs::prcbs(core);
    for (number, stopped) in (0..).zip(&core.stopped) {
        let prcb = usize::try_from(number).ok().and_then(|at| prcbs.get(at)?.as_ref());
        let missing = Absent::NotInDump;
        let unknown = Owner { ethread: Err(missing), tid: Err(missing), processor: Ok(number) };
        let owner = prcb.map_or(unknown, |prcb| owner_of_processor(core, number, prcb));
        emit_registers(core, stopped.registers(core.header.width), &owner, emit)?;
    }
    Flow::Continue(())
}

/// The thread that a processor runs.
fn owner_of_processor(core: &Core, number: i64, prcb: &Structure<'_>) -> Owner {
    let thread = prcb.pointer("CurrentThread");
    let object = thread.and_then(|at| core.object(THREAD, at).ok_or(Absent::NotInDump));
    let tid = object.and_then(|thread| thread.int("Cid.UniqueThread"));
    Owner { ethread: thread, tid, processor: Ok(number) }
}

/// The registers of the other processors when they were stopped.
fn other_processors(core: &Core, crashed: Cell<i64>, emit: Emit<'_, Register>) -> Flow {
    let (Some(cpu), Ok(crashed)) = (core.arch.cpu(), crashed) else {
        return Flow::Continue(());
    };
    for (number, prcb) in (0..).zip(prcbs::prcbs(core)) {
        let Some(prcb) = prcb.filter(|_| number != crashed) else { continue };
        let Ok(at) = prcb.pointer("Context") else { continue };
        let Ok(bytes) = core.prefix(at, MAX_CONTEXT) else { continue };
        let Some(context) = Context::new(cpu, &bytes) else { continue };
        // A processor that was never stopped has an empty context record.
        if context.ip().is_none_or(|ip| ip == 0) {
            continue;
        }
        let owner = owner_of_processor(core, number, &prcb);
        emit_context(core, context, &owner, emit)?;
    }
    Flow::Continue(())
}

fn emit_context(
    core: &Core,
    context: Context<'_>,
    owner: &Owner,
    emit: Emit<'_, Register>,
) -> Flow {
    emit_registers(core, context.registers(), owner, emit)
}

fn emit_registers(
    core: &Core,
    registers: impl Iterator<Item = (&'static str, u64)>,
    owner: &Owner,
    emit: Emit<'_, Register>,
) -> Flow {
    for (name, value) in registers {
        let text = |found: Option<String>| found.ok_or(Absent::NotApplicable);
        emit.row(Register {
            ethread: owner.ethread,
            tid: owner.tid,
            processor: owner.processor,
            name: Ok(name.to_owned()),
            value: Ok(value),
            symbol: core.place_of(value).map(|place| place.display()),
            ascii: text(printable::ascii(value)),
            utf16: text(printable::utf16(value)),
            is_in_module: Ok(core.modules().contains(value)),
            ..Register::default()
        })?;
    }
    Flow::Continue(())
}
