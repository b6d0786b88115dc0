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
mod listing;
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

use std::sync::{Arc, OnceLock};

use minidump::system_info::{Cpu, Os};
use minidump::{MinidumpStream as _, MinidumpSystemInfo};

use crate::catalog::{Absent, Cell, PointerWidth, SourceKind, Value};
use crate::dump::{Error, Image};
use crate::model::{
    AddressSpace, Answers, DynTable, Emit, Located, Machine, Refused, Source, Unanswered,
};
use crate::source::suspects;
use crate::symbol::Store;
use memory::Memory;
use modules::ModuleMap;
use process::Facts;
use streams::{Streams, kind};

/// An open minidump.
#[derive(Debug)]
struct UserDump {
    streams: Streams,
    system: Option<MinidumpSystemInfo>,
    symbols: Store,
    modules: OnceLock<ModuleMap>,
    memory: OnceLock<Memory>,
    facts: OnceLock<Facts>,
    /// Ranges and names of modules that are unloaded; read when first asked for.
    gone: OnceLock<Vec<(u64, u64, String)>>,
}

/// Opens a minidump.
///
/// # Errors
/// [`Error::NotADump`] if the header or the stream directory is damaged beyond use.
pub fn open(image: Image, symbols: &Store) -> Result<Box<dyn Source>, Error> {
    let streams = Streams::open(image)?;
    // Given no file to look at, the crate leaves out the one string, which can be of any length.
    let system = streams
        .get(kind::SYSTEM)
        .ok()
        .and_then(|bytes| MinidumpSystemInfo::read(bytes, &[], streams.endian(), None).ok());
    let dump = Arc::new(UserDump {
        streams,
        system,
        symbols: symbols.clone(),
        modules: OnceLock::new(),
        memory: OnceLock::new(),
        facts: OnceLock::new(),
        gone: OnceLock::new(),
    });
    Ok(Box::new(UserSource { answers: answers(&dump), dump }))
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

    /// The pointer at an address.
    fn pointer(&self, address: u64) -> Cell<u64> {
        let mut bytes = [0; 8];
        let wanted = usize::try_from(self.pointer_bytes()).unwrap_or(bytes.len());
        let part = bytes.get_mut(..wanted).ok_or(Absent::NotInDump)?;
        self.read(address, part)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// The tables that a minidump fills.
fn answers(dump: &Arc<UserDump>) -> Answers {
    Answers::of(dump)
        .with(|dump, _, emit| one(dump.dump_info(), emit))
        .with(|dump, want, emit| one(dump.exception(suspects::of_exception(want))?, emit))
        .with(|dump, _, emit| dump.each_suspect(emit))
        .with(|dump, _, emit| dump.each_register(emit))
        .with(|dump, _, emit| one(dump.process(), emit))
        .with(UserDump::each_thread)
        .with(UserDump::each_word)
        .with(UserDump::each_frame)
        .with(|dump, _, emit| dump.each_processor(emit))
        .with(UserDump::each_module)
        .with(|dump, _, emit| dump.each_unloaded(emit))
        .with(|dump, _, emit| dump.each_region(emit))
        .with(|dump, _, emit| dump.each_handle(emit))
        .with(UserDump::each_section)
        .with(UserDump::each_needed)
        .with(|dump, _, emit| dump.each_range(emit))
        .with(|dump, _, emit| {
            let _ = dump.findings().into_iter().try_for_each(|problem| emit.row(problem));
            Ok(())
        })
        .build()
}

/// Hands on the only row of a table.
#[allow(clippy::unnecessary_wraps, reason = "what a reader of a table gives")]
fn one<R>(row: R, emit: Emit<'_, R>) -> Result<(), Unanswered> {
    let _ = emit.row(row);
    Ok(())
}

/// An open minidump and the tables that it fills.
#[derive(Debug)]
struct UserSource {
    dump: Arc<UserDump>,
    answers: Answers,
}

impl Source for UserSource {
    fn kind(&self) -> SourceKind {
        SourceKind::User
    }

    fn machine(&self) -> Machine {
        self.dump.machine()
    }

    fn answers(&self) -> &Answers {
        &self.answers
    }

    fn memory(&self) -> &dyn AddressSpace {
        &*self.dump
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        self.dump.call(name, args)
    }
}

impl AddressSpace for UserDump {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        self.memory().read(&self.streams, address, buffer)
    }

    fn locate(&self, address: u64) -> Cell<Located> {
        self.locate_module(address)
    }

    fn address_of(&self, symbol: &str) -> Cell<u64> {
        self.symbol_address(symbol).ok_or(Absent::NoSymbols)
    }
}
