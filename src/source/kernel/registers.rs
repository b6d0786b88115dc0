//! The contexts of a kernel dump: that of its header, which is the crash, and those that the
//! processors saved when they were stopped.

use super::KernelDump;
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
            let thread = prcb.pointer("CurrentThread");
            let object = thread.and_then(|at| self.object(Ty::Thread, at).ok_or(Absent::NotInDump));
            let tid = object.and_then(|thread| thread.int("Cid.UniqueThread"));
            let owner = Owner { ethread: thread, tid, processor: Ok(number) };
            self.emit_context(context, &owner, emit)?;
        }
        Flow::Continue(())
    }

    fn emit_context(&self, context: Context<'_>, owner: &Owner, emit: Emit<'_, Register>) -> Flow {
        for (name, value) in context.registers() {
            let text = |found: Option<String>| found.ok_or(Absent::NotApplicable);
            emit(Register {
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
