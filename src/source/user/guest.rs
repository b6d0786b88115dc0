//! The 32-bit part of a thread in a 64-bit process: its registers and its stack.
//!
//! WoW64, the layer for 32-bit programs, saves the registers of 32-bit code when it is entered, and
//! the 64-bit TEB of a thread points to the 32-bit one.

use std::ops::Range;

use minidump::format as md;

use super::bounds;
use super::core::Core;
use crate::catalog::{Absent, Cell};
use crate::model::AddressSpace as _;
use crate::source::context::{self, Context};
use crate::unwind::{self, Cpu, MAX_FRAMES, Registers, Walker};

/// The 32-bit state of a thread.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    registers: Registers,
    /// The base of its stack, if the dump gives it.
    end: Option<u64>,
}

/// The 32-bit part of a thread, if it has one.
pub(super) fn guest_of(core: &Core, thread: &md::MINIDUMP_THREAD) -> Option<Guest> {
    let bytes = guest_context(core, thread.teb).ok()?;
    let context = Context::new(context::Cpu::X86, &bytes)?;
    let registers = Registers::named(Cpu::X86, context.registers());
    // A thread that never ran 32-bit code has an empty context record.
    registers.ip().filter(|ip| *ip != 0)?;
    Some(Guest { registers, end: guest_stack_end(core, thread.teb) })
}

fn guest_stack_end(core: &Core, teb: u64) -> Option<u64> {
    let view = core.narrow_view()?;
    view.pointer(core.narrow_teb(teb).ok()?.checked_add(4)?).ok()
}

/// The `WOW64_CONTEXT`, which WoW64 keeps behind flags and machine type at the address in TLS slot
/// 1.
pub(super) fn guest_context(core: &Core, teb: u64) -> Cell<Vec<u8>> {
    const SLOT_1: u64 = 0x1488;
    const I386: u16 = 0x14c;
    const CONTEXT_BYTES: usize = 0x2cc;
    if core.machine().arch != "x64" || !core.is_windows() || teb == 0 {
        return Err(Absent::NotApplicable);
    }
    let reserved = core.pointer(teb.checked_add(SLOT_1).ok_or(Absent::Unreadable)?)?;
    let machine_at = reserved.checked_add(2).ok_or(Absent::Unreadable)?;
    let mut machine = [0; 2];
    core.read(machine_at, &mut machine)?;
    // Windows 7 leaves the machine type 0; there the context flags identify the record.
    if !matches!(u16::from_le_bytes(machine), 0 | I386) {
        return Err(Absent::NotApplicable);
    }
    let mut bytes = vec![0; CONTEXT_BYTES];
    core.read(machine_at.checked_add(2).ok_or(Absent::Unreadable)?, &mut bytes)?;
    Ok(bytes)
}

impl Guest {
    /// The frames of its stack.
    pub(super) fn frames(&self, walker: &mut Walker<'_>) -> Vec<unwind::Frame> {
        walker.walk(self.registers.clone(), &self.range(), MAX_FRAMES)
    }

    /// The range of its stack, from the stack pointer on.
    pub(super) fn range(&self) -> Range<u64> {
        bounds::range(self.registers.sp(), self.end)
    }
}
