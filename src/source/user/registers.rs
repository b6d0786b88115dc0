//! Contexts of threads and the registers in them.

use minidump::format as md;
use minidump::system_info::Cpu as DumpCpu;
use minidump::{Endian, MinidumpContext};

use super::UserDump;
use super::streams::kind;
use crate::catalog::{Absent, Cell};
use crate::model::{AddressSpace as _, Emit, Flow, Register, Unanswered};
use crate::source::context::{Context, Cpu};
use crate::source::printable;

/// The registers of one thread.
pub(super) enum Registers<'a> {
    /// A record of a processor that Windows runs on.
    Windows(Context<'a>),
    /// One of the others that Breakpad writes.
    Other(Box<MinidumpContext>),
}

impl Registers<'_> {
    pub(super) fn sp(&self) -> Cell<u64> {
        match self {
            Self::Windows(context) => context.sp().ok_or(Absent::NotInDump),
            Self::Other(context) => Ok(context.get_stack_pointer()),
        }
    }

    pub(super) fn ip(&self) -> Cell<u64> {
        match self {
            Self::Windows(context) => context.ip().ok_or(Absent::NotInDump),
            Self::Other(context) => Ok(context.get_instruction_pointer()),
        }
    }

    pub(super) fn all(&self) -> Vec<(&'static str, u64)> {
        match self {
            Self::Windows(context) => context.registers().collect(),
            Self::Other(context) => context.valid_registers().collect(),
        }
    }
}

impl UserDump {
    /// The context of a thread: at the time of the exception for the thread that raised it, since
    /// by the time of the dump that one was busy writing it.
    pub(super) fn context_of(&self, thread: &md::MINIDUMP_THREAD) -> Cell<Registers<'_>> {
        if let Ok(raised) = self.exception_stream()
            && raised.thread_id == thread.thread_id
            && let Ok(context) = self.context_at(raised.thread_context)
        {
            return Ok(context);
        }
        self.context_at(thread.thread_context)
    }

    pub(super) fn context_at(
        &self,
        location: md::MINIDUMP_LOCATION_DESCRIPTOR,
    ) -> Cell<Registers<'_>> {
        if location.data_size == 0 || location.rva == 0 {
            return Err(Absent::NotInDump);
        }
        let bytes = self.streams.bytes(location).ok_or(Absent::Unreadable)?;
        let system = self.system().ok_or(Absent::NotInDump)?;
        let is_old = system.raw.processor_architecture == OLD_ARM64;
        let cpu = match system.cpu {
            DumpCpu::X86 => Some(Cpu::X86),
            DumpCpu::X86_64 => Some(Cpu::X64),
            DumpCpu::Arm => Some(Cpu::Arm),
            DumpCpu::Arm64 if !is_old => Some(Cpu::Arm64),
            _ => None,
        };
        if let Some(cpu) = cpu.filter(|_| self.streams.endian() == Endian::Little) {
            let context = Context::new(cpu, bytes).ok_or(Absent::Unreadable)?;
            return Ok(Registers::Windows(context));
        }
        MinidumpContext::read(bytes, self.streams.endian(), system, None)
            .map(|context| Registers::Other(Box::new(context)))
            .map_err(|_| Absent::Unreadable)
    }

    pub(super) fn each_register(&self, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
        let list = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS);
        let raised = self.exception_stream().ok();
        let list = match (list, &raised) {
            (Ok(list), _) => Some(list),
            (Err(gap), None) => return Err(gap.into()),
            (Err(_), Some(_)) => None,
        };
        let mut seen = false;
        for thread in list.iter().flat_map(super::streams::List::iter) {
            seen |= raised.as_ref().is_some_and(|raised| raised.thread_id == thread.thread_id);
            let Ok(context) = self.context_of(&thread) else { continue };
            if self.emit_context(thread.thread_id, &context, emit).is_break()
                || self.emit_guest(&thread, emit).is_break()
            {
                return Ok(());
            }
        }
        if let Some(raised) = raised.filter(|_| !seen)
            && let Ok(context) = self.context_at(raised.thread_context)
        {
            let _ = self.emit_context(raised.thread_id, &context, emit);
        }
        Ok(())
    }

    fn emit_context(&self, tid: u32, context: &Registers<'_>, emit: Emit<'_, Register>) -> Flow {
        for (name, value) in context.all() {
            emit.row(self.register(tid, name, value))?;
        }
        Flow::Continue(())
    }

    /// The registers of the 32-bit program in a thread of a 64-bit process, under the names that the
    /// 64-bit context does not have.
    fn emit_guest(&self, thread: &md::MINIDUMP_THREAD, emit: Emit<'_, Register>) -> Flow {
        if let Ok(bytes) = self.guest_context(thread.teb)
            && let Some(context) = Context::new(Cpu::X86, &bytes)
        {
            for (name, value) in context.registers().filter(|(name, _)| name.starts_with('e')) {
                if name != "efl" && name != "es" {
                    emit.row(self.register(thread.thread_id, name, value))?;
                }
            }
        }
        Flow::Continue(())
    }

    /// The `WOW64_CONTEXT` that the layer for 32-bit programs keeps behind a word of flags and of
    /// the machine, at the address in slot 1 of the thread's local storage.
    pub(super) fn guest_context(&self, teb: u64) -> Cell<Vec<u8>> {
        const SLOT_1: u64 = 0x1488;
        const I386: u16 = 0x14c;
        const CONTEXT_BYTES: usize = 0x2cc;
        if self.machine().arch != "x64" || !self.is_windows() || teb == 0 {
            return Err(Absent::NotApplicable);
        }
        let reserved = self.pointer(teb.checked_add(SLOT_1).ok_or(Absent::Unreadable)?)?;
        let machine_at = reserved.checked_add(2).ok_or(Absent::Unreadable)?;
        let mut machine = [0; 2];
        self.read(machine_at, &mut machine)?;
        // Windows 7 leaves the machine at 0; the flags of the context tell there.
        if !matches!(u16::from_le_bytes(machine), 0 | I386) {
            return Err(Absent::NotApplicable);
        }
        let mut bytes = vec![0; CONTEXT_BYTES];
        self.read(machine_at.checked_add(2).ok_or(Absent::Unreadable)?, &mut bytes)?;
        Ok(bytes)
    }

    fn register(&self, tid: u32, name: &str, value: u64) -> Register {
        let text = |found: Option<String>| found.ok_or(Absent::NotApplicable);
        Register {
            tid: Ok(tid.into()),
            name: Ok(name.to_owned()),
            value: Ok(value),
            symbol: self.symbol_text(value),
            ascii: text(printable::ascii(value)),
            utf16: text(printable::utf16(value)),
            is_in_module: Ok(self.is_in_module(value)),
            ..Register::default()
        }
    }
}

/// The architecture number of the record that Breakpad used before Windows ran on arm64.
const OLD_ARM64: u16 = 0x8003;
