//! Context records of threads, and their registers.

use minidump::format as md;
use minidump::system_info::Cpu as DumpCpu;
use minidump::{Endian, MinidumpContext};

use super::core::Core;
use super::core::streams::{List, kind};
use super::guest;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Register, Unanswered};
use crate::source::context::{Context, Cpu};
use crate::source::printable;

/// The registers of one thread.
pub(super) enum Registers<'a> {
    /// A context record of a processor that Windows supports.
    Windows(Context<'a>),
    /// A context record of another processor, which Breakpad writes.
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

/// The context record of a thread. For the thread that raised the exception it is the exception's
/// context, because that thread was writing the dump when its own context was saved.
pub(super) fn context_of<'a>(core: &'a Core, thread: &md::MINIDUMP_THREAD) -> Cell<Registers<'a>> {
    if let Ok(raised) = core.exception_stream()
        && raised.thread_id == thread.thread_id
        && let Ok(context) = context_at(core, raised.thread_context)
    {
        return Ok(context);
    }
    context_at(core, thread.thread_context)
}

pub(super) fn context_at(
    core: &Core,
    location: md::MINIDUMP_LOCATION_DESCRIPTOR,
) -> Cell<Registers<'_>> {
    if location.data_size == 0 || location.rva == 0 {
        return Err(Absent::NotInDump);
    }
    let bytes = core.streams.bytes(location).ok_or(Absent::Unreadable)?;
    let system = core.system().ok_or(Absent::NotInDump)?;
    let is_old = system.raw.processor_architecture == OLD_ARM64;
    let cpu = match system.cpu {
        DumpCpu::X86 => Some(Cpu::X86),
        DumpCpu::X86_64 => Some(Cpu::X64),
        DumpCpu::Arm => Some(Cpu::Arm),
        DumpCpu::Arm64 if !is_old => Some(Cpu::Arm64),
        _ => None,
    };
    if let Some(cpu) = cpu.filter(|_| core.streams.endian() == Endian::Little) {
        let context = Context::new(cpu, bytes).ok_or(Absent::Unreadable)?;
        return Ok(Registers::Windows(context));
    }
    MinidumpContext::read(bytes, core.streams.endian(), system, None)
        .map(|context| Registers::Other(Box::new(context)))
        .map_err(|_| Absent::Unreadable)
}

pub(super) fn each_register(core: &Core, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
    let list = core.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS);
    let raised = core.exception_stream().ok();
    let list = match (list, &raised) {
        (Ok(list), _) => Some(list),
        (Err(gap), None) => return Err(gap.into()),
        (Err(_), Some(_)) => None,
    };
    let mut seen = false;
    for thread in list.iter().flat_map(List::iter) {
        seen |= raised.as_ref().is_some_and(|raised| raised.thread_id == thread.thread_id);
        let Ok(context) = context_of(core, &thread) else { continue };
        if emit_context(core, thread.thread_id, &context, emit).is_break()
            || emit_guest(core, &thread, emit).is_break()
        {
            return Ok(());
        }
    }
    if let Some(raised) = raised.filter(|_| !seen)
        && let Ok(context) = context_at(core, raised.thread_context)
    {
        let _ = emit_context(core, raised.thread_id, &context, emit);
    }
    Ok(())
}

fn emit_context(core: &Core, tid: u32, context: &Registers<'_>, emit: Emit<'_, Register>) -> Flow {
    for (name, value) in context.all() {
        emit.row(register(core, tid, name, value))?;
    }
    Flow::Continue(())
}

/// The 32-bit registers of a thread in a 64-bit process, under the names that the 64-bit context
/// does not use.
fn emit_guest(core: &Core, thread: &md::MINIDUMP_THREAD, emit: Emit<'_, Register>) -> Flow {
    if let Ok(bytes) = guest::guest_context(core, thread.teb)
        && let Some(context) = Context::new(Cpu::X86, &bytes)
    {
        for (name, value) in context.registers().filter(|(name, _)| name.starts_with('e')) {
            if name != "efl" && name != "es" {
                emit.row(register(core, thread.thread_id, name, value))?;
            }
        }
    }
    Flow::Continue(())
}

fn register(core: &Core, tid: u32, name: &str, value: u64) -> Register {
    let text = |found: Option<String>| found.ok_or(Absent::NotApplicable);
    Register {
        tid: Ok(tid.into()),
        name: Ok(name.to_owned()),
        value: Ok(value),
        symbol: core.symbol_text(value),
        ascii: text(printable::ascii(value)),
        utf16: text(printable::utf16(value)),
        is_in_module: Ok(core.is_in_module(value)),
        ..Register::default()
    }
}

/// The architecture number of the record that Breakpad used before Windows ran on ARM64.
const OLD_ARM64: u16 = 0x8003;
