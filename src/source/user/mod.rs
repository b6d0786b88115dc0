//! Minidumps of one process, of Windows and of the systems for which Breakpad, Crashpad and LLDB
//! write the same format.
//!
//! Opening reads the header, the directory and the system information; every table then reads the
//! streams that it needs. Records and contexts of rare processors are decoded by the crate
//! `minidump`; lists are walked here, because one broken element must cost one cell and not the
//! list, and because a count or a string in a damaged file must not decide how much memory is used.

mod critical_sections;
mod guest;
mod handles;
mod memory;
mod modules;
mod overview;
mod process;
mod registers;
mod stacks;
mod streams;
mod symbols;
#[cfg(test)]
mod tests;
mod threads;
mod types;

use std::sync::OnceLock;

use minidump::system_info::{Cpu, Os};
use minidump::{MinidumpStream as _, MinidumpSystemInfo};

use crate::catalog::{Absent, Cell, PointerWidth, SourceKind, Value};
use crate::dump::{Error, Image};
use crate::model::{
    CoverageRange, CriticalSection, DumpInfo, DynTable, Emit, Exception, Frame, Handle, Located,
    Machine, MemoryRegion, Module, NeededSymbol, Problem, Process, Processor, Refused, Register,
    Source, StackWord, Thread, Unanswered, UnloadedModule, Want,
};
use crate::symbol::Store;
use memory::Memory;
use modules::ModuleMap;
use process::Facts;
use streams::{Streams, kind};

/// An open minidump.
#[derive(Debug)]
pub struct UserDump {
    streams: Streams,
    system: Option<MinidumpSystemInfo>,
    symbols: Store,
    modules: OnceLock<ModuleMap>,
    memory: OnceLock<Memory>,
    facts: OnceLock<Facts>,
}

/// Opens a minidump.
///
/// # Errors
/// [`Error::NotADump`] if the header or the stream directory is damaged beyond use.
pub fn open(image: Image, symbols: &Store) -> Result<UserDump, Error> {
    let streams = Streams::open(image)?;
    // Given no file to look at, the crate leaves out the one string, which can be of any length.
    let system = streams
        .get(kind::SYSTEM)
        .ok()
        .and_then(|bytes| MinidumpSystemInfo::read(bytes, &[], streams.endian(), None).ok());
    Ok(UserDump {
        streams,
        system,
        symbols: symbols.clone(),
        modules: OnceLock::new(),
        memory: OnceLock::new(),
        facts: OnceLock::new(),
    })
}

impl UserDump {
    const fn system(&self) -> Option<&MinidumpSystemInfo> {
        self.system.as_ref()
    }

    fn os(&self) -> Option<Os> {
        self.system().map(|system| system.os)
    }

    fn is_windows(&self) -> bool {
        matches!(self.os(), Some(Os::Windows) | None)
    }

    fn is_apple(&self) -> bool {
        matches!(self.os(), Some(Os::MacOs | Os::Ios))
    }

    fn module_map(&self) -> &ModuleMap {
        self.modules.get_or_init(|| ModuleMap::new(&self.streams))
    }

    fn memory(&self) -> &Memory {
        self.memory.get_or_init(|| Memory::new(&self.streams, self.address_mask()))
    }

    fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::new(&self.streams))
    }

    /// 32-bit writers sign-extend some addresses; this takes the extension off.
    fn address_mask(&self) -> u64 {
        match self.machine().width {
            PointerWidth::Bits32 => u32::MAX.into(),
            PointerWidth::Bits64 => u64::MAX,
        }
    }

    fn pointer_bytes(&self) -> u64 {
        match self.machine().width {
            PointerWidth::Bits32 => 4,
            PointerWidth::Bits64 => 8,
        }
    }

    /// The pointer at an address.
    fn pointer(&self, address: u64) -> Cell<u64> {
        let mut bytes = [0; 8];
        let wanted = usize::try_from(self.pointer_bytes()).unwrap_or(bytes.len());
        let part = bytes.get_mut(..wanted).ok_or(Absent::NotInDump)?;
        self.read(address, part)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

impl Source for UserDump {
    fn kind(&self) -> SourceKind {
        SourceKind::User
    }

    fn machine(&self) -> Machine {
        let (arch, width) = match self.system().map(|system| system.cpu) {
            Some(Cpu::X86) => ("x86", PointerWidth::Bits32),
            Some(Cpu::X86_64) => ("x64", PointerWidth::Bits64),
            Some(Cpu::Arm) => ("arm", PointerWidth::Bits32),
            Some(Cpu::Arm64) => ("arm64", PointerWidth::Bits64),
            Some(Cpu::Ppc) => ("ppc", PointerWidth::Bits32),
            Some(Cpu::Ppc64) => ("ppc64", PointerWidth::Bits64),
            Some(Cpu::Sparc) => ("sparc", PointerWidth::Bits32),
            Some(Cpu::Mips) => ("mips", PointerWidth::Bits32),
            Some(Cpu::Mips64) => ("mips64", PointerWidth::Bits64),
            _ => ("", PointerWidth::Bits64),
        };
        Machine { width, arch }
    }

    fn dump(&self, _: &Want<'_>) -> Result<DumpInfo, Unanswered> {
        Ok(self.dump_info())
    }

    fn exceptions(&self, _: &Want<'_>, emit: Emit<'_, Exception>) -> Result<(), Unanswered> {
        let _ = emit(self.exception()?);
        Ok(())
    }

    fn registers(&self, _: &Want<'_>, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
        self.each_register(emit)
    }

    fn processes(&self, _: &Want<'_>, emit: Emit<'_, Process>) -> Result<(), Unanswered> {
        let _ = emit(self.process());
        Ok(())
    }

    fn threads(&self, want: &Want<'_>, emit: Emit<'_, Thread>) -> Result<(), Unanswered> {
        self.each_thread(want, emit)
    }

    fn raw_stack(&self, want: &Want<'_>, emit: Emit<'_, StackWord>) -> Result<(), Unanswered> {
        self.each_word(want, emit)
    }

    fn stacks(&self, want: &Want<'_>, emit: Emit<'_, Frame>) -> Result<(), Unanswered> {
        self.each_frame(want, emit)
    }

    fn processors(&self, _: &Want<'_>, emit: Emit<'_, Processor>) -> Result<(), Unanswered> {
        self.each_processor(emit)
    }

    fn modules(&self, want: &Want<'_>, emit: Emit<'_, Module>) -> Result<(), Unanswered> {
        self.each_module(want, emit)
    }

    fn unloaded_modules(
        &self,
        _: &Want<'_>,
        emit: Emit<'_, UnloadedModule>,
    ) -> Result<(), Unanswered> {
        self.each_unloaded(emit)
    }

    fn memory_regions(&self, _: &Want<'_>, emit: Emit<'_, MemoryRegion>) -> Result<(), Unanswered> {
        self.each_region(emit)
    }

    fn handles(&self, _: &Want<'_>, emit: Emit<'_, Handle>) -> Result<(), Unanswered> {
        self.each_handle(emit)
    }

    fn critical_sections(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, CriticalSection>,
    ) -> Result<(), Unanswered> {
        self.each_section(want, emit)
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        self.call(name, args)
    }

    fn coverage(&self, _: &Want<'_>, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
        self.each_range(emit)
    }

    fn problems(&self, emit: Emit<'_, Problem>) {
        for problem in self.findings() {
            if emit(problem).is_break() {
                break;
            }
        }
    }

    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        self.memory().read(&self.streams, address, buffer)
    }

    fn needed_symbols(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, NeededSymbol>,
    ) -> Result<(), Unanswered> {
        self.each_needed(want, emit);
        Ok(())
    }

    fn address_of(&self, symbol: &str) -> Cell<u64> {
        self.symbol_address(symbol).ok_or(Absent::NoSymbols)
    }

    fn locate(&self, address: u64) -> Cell<Located> {
        self.locate_module(address)
    }
}
