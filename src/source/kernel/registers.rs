//! The contexts of a kernel dump: that of its header, which is the crash, and those that the
//! processors saved when they were stopped; of a hypervisor's file those that it kept of each.

use super::KernelDump;
use super::object::Object;
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Register, Unanswered};
use crate::source::context::Context;
use crate::source::printable;

/// No context record is read further: general registers stand before its extended ones.
const MAX_CONTEXT: usize = 0x4d0;

/// Whose context it is.
struct Owner {
    ethread: Cell<u64>,
    tid: Cell<i64>,
    processor: Cell<i64>,
}

impl KernelDump {
    /// The context of the crash.
    pub(super) fn crash_context(&self) -> Option<Context<'_>> {
        let (offset, len) = self.header.context;
        let end = offset.saturating_add(len).min(self.image.len());
        Context::new(self.arch.cpu()?, self.image.get(offset..end)?)
    }

    pub(super) fn each_register(&self, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
        if self.arch.cpu().is_none() {
            return Err(Unanswered::because("contexts of its machine are not known"));
        }
        if !self.stopped.is_empty() {
            let _ = self.stopped_processors(emit);
            return Ok(());
        }
        let Some(context) = self.crash_context() else {
            return Err(Unanswered::because("the header of the dump holds no context record"));
        };
        let owner = Owner {
            ethread: self.current_thread(),
            tid: self.current_tid(),
            processor: self.current_processor(),
        };
        if self.emit_context(context, &owner, emit).is_continue() {
            let _ = self.other_processors(owner.processor, emit);
        }
        Ok(())
    }

    /// What the processors ran when their hypervisor stopped them.
    fn stopped_processors(&self, emit: Emit<'_, Register>) -> Flow {
        let prcbs = self.prcbs();
        for (number, stopped) in (0..).zip(&self.stopped) {
            let prcb = usize::try_from(number).ok().and_then(|at| prcbs.get(at)?.as_ref());
            let missing = Absent::NotInDump;
            let unknown = Owner { ethread: Err(missing), tid: Err(missing), processor: Ok(number) };
            let owner = prcb.map_or(unknown, |prcb| self.owner_of_processor(number, prcb));
            self.emit_registers(stopped.registers(self.header.width), &owner, emit)?;
        }
        Flow::Continue(())
    }

    /// The thread that a processor runs.
    fn owner_of_processor(&self, number: i64, prcb: &Object<'_>) -> Owner {
        let thread = prcb.pointer("CurrentThread");
        let object = thread.and_then(|at| self.object(Ty::Thread, at).ok_or(Absent::NotInDump));
        let tid = object.and_then(|thread| thread.int("Cid.UniqueThread"));
        Owner { ethread: thread, tid, processor: Ok(number) }
    }

    /// What the other processors ran when they were stopped.
    fn other_processors(&self, crashed: Cell<i64>, emit: Emit<'_, Register>) -> Flow {
        let (Some(cpu), Ok(crashed)) = (self.arch.cpu(), crashed) else {
            return Flow::Continue(());
        };
        for (number, prcb) in (0..).zip(self.prcbs()) {
            let Some(prcb) = prcb.filter(|_| number != crashed) else { continue };
            let Ok(at) = prcb.pointer("Context") else { continue };
            let Ok(bytes) = self.prefix(at, MAX_CONTEXT) else { continue };
            let Some(context) = Context::new(cpu, &bytes) else { continue };
            // A processor that was never stopped has an empty record.
            if context.ip().is_none_or(|ip| ip == 0) {
                continue;
            }
            let owner = self.owner_of_processor(number, &prcb);
            self.emit_context(context, &owner, emit)?;
        }
        Flow::Continue(())
    }

    fn emit_context(&self, context: Context<'_>, owner: &Owner, emit: Emit<'_, Register>) -> Flow {
        self.emit_registers(context.registers(), owner, emit)
    }

    fn emit_registers(
        &self,
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
                symbol: self.place_of(value).map(|place| place.display()),
                ascii: text(printable::ascii(value)),
                utf16: text(printable::utf16(value)),
                is_in_module: Ok(self.drivers().contains(value)),
                ..Register::default()
            })?;
        }
        Flow::Continue(())
    }
}
