//! The 32-bit part of a thread in a 64-bit process: its registers, its stack, and what its code sees.
//!
//! The layer for 32-bit programs (WoW64) keeps the registers with which 32-bit code called it, and the
//! 64-bit environment block of a thread leads to the 32-bit one.

use std::ops::Range;

use minidump::format as md;

use super::UserDump;
use super::stacks::stack;
use super::types::View;
use crate::catalog::{Absent, Cell};
use crate::model::Located;
use crate::source::context::{self, Context};
use crate::source::frames::Scene;
use crate::symbol::PdbId;
use crate::unwind::{self, Cpu, MAX_FRAMES, Registers, Walker};

/// Where the 32-bit part of a thread is.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    registers: Registers,
    /// The end of its stack, if the dump says.
    end: Option<u64>,
}

impl UserDump {
    /// The 32-bit part of a thread, if it has one.
    pub(super) fn guest_of(&self, thread: &md::MINIDUMP_THREAD) -> Option<Guest> {
        let bytes = self.guest_context(thread.teb).ok()?;
        let context = Context::new(context::Cpu::X86, &bytes)?;
        let registers = Registers::named(Cpu::X86, context.registers());
        // A thread that never ran 32-bit code has an empty record.
        registers.ip().filter(|ip| *ip != 0)?;
        Some(Guest { registers, end: self.guest_stack_end(thread.teb) })
    }

    /// The 32-bit environment block of a thread, to which the first pointer of the other leads.
    fn narrow_teb(&self, teb: u64) -> Cell<u64> {
        let view = self.narrow_view().ok_or(Absent::NotApplicable)?;
        let narrow = self.pointer(teb)?;
        // Each such block has its own address in it (`NT_TIB.Self`, the seventh pointer).
        let own = view.pointer(narrow.checked_add(6 * 4).ok_or(Absent::Unreadable)?)?;
        if own == narrow && own != 0 { Ok(narrow) } else { Err(Absent::NotInDump) }
    }

    fn guest_stack_end(&self, teb: u64) -> Option<u64> {
        let view = self.narrow_view()?;
        view.pointer(self.narrow_teb(teb).ok()?.checked_add(4)?).ok()
    }

    /// The environment block that 32-bit code has, by the first thread that leads to it.
    pub(super) fn narrow_peb(&self) -> Cell<u64> {
        let view = self.narrow_view().ok_or(Absent::NotApplicable)?;
        let layout = self.types(view.width).map_err(|_| Absent::NoSymbols)?;
        let list = self.streams.list::<md::MINIDUMP_THREAD>(super::streams::kind::THREADS)?;
        let mut tebs = list.iter().filter_map(|thread| self.narrow_teb(thread.teb).ok());
        tebs.find_map(|teb| view.number(&layout, "_TEB", teb, "ProcessEnvironmentBlock").ok())
            .ok_or(Absent::NotInDump)
    }
}

impl Guest {
    /// The frames of its stack.
    pub(super) fn frames(&self, walker: &mut Walker<'_>) -> Vec<unwind::Frame> {
        walker.walk(self.registers.clone(), &self.range(), MAX_FRAMES)
    }

    /// Its stack, from its pointer on.
    pub(super) fn range(&self) -> Range<u64> {
        stack(self.registers.sp(), self.end)
    }
}

/// What 32-bit code sees: words are narrower.
impl Scene for View<'_> {
    fn locate(&self, address: u64) -> Cell<Located> {
        self.dump.locate_module(address)
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        Scene::line(self.dump, address)
    }

    fn pdb(&self, address: u64) -> Option<PdbId> {
        Scene::pdb(self.dump, address)
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.pointer(address)
    }

    fn word_bytes(&self) -> u64 {
        self.width as u64
    }

    fn place(&self, address: u64) -> Option<(String, u64)> {
        Scene::place(self.dump, address)
    }

    fn bytes(&self, address: u64, most: usize) -> Vec<u8> {
        Scene::bytes(self.dump, address, most)
    }
}
