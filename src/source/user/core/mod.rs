//! What every reader of a minidump needs: streams, memory, images, symbols and types.
//!
//! The core makes no rows. Everything except the directory is read on first use.

pub(crate) mod blocks;
pub(crate) mod facts;
pub(crate) mod memory;
pub(crate) mod modules;
pub(crate) mod names;
pub(crate) mod streams;
pub(crate) mod types;
pub(crate) mod walk;

use std::sync::OnceLock;

use minidump::system_info::{Cpu, Os};
use minidump::{MinidumpStream as _, MinidumpSystemInfo};

use self::facts::Facts;
use self::memory::Memory;
use self::modules::ModuleMap;
use self::streams::{Streams, kind};
use crate::catalog::{Absent, Cell, PointerWidth};
use crate::dump::{Error, Image};
use crate::model::{AddressSpace, Located, Machine};
use crate::symbol::Store;

/// What every reader of a minidump needs.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) streams: Streams,
    pub(crate) system: Option<MinidumpSystemInfo>,
    pub(crate) symbols: Store,
    pub(crate) modules: OnceLock<ModuleMap>,
    pub(crate) memory: OnceLock<Memory>,
    pub(crate) facts: OnceLock<Facts>,
    /// Ranges and names of unloaded modules, read on first use.
    pub(crate) gone: OnceLock<Vec<(u64, u64, String)>>,
}

impl Core {
    /// Reads the header, the directory and the system information.
    pub(crate) fn open(image: Image, symbols: &Store) -> Result<Self, Error> {
        let streams = Streams::open(image)?;
        // Without the file's bytes the crate omits the only string, whose length is unbounded.
        let system = streams
            .get(kind::SYSTEM)
            .ok()
            .and_then(|bytes| MinidumpSystemInfo::read(bytes, &[], streams.endian(), None).ok());
        Ok(Self {
            streams,
            system,
            symbols: symbols.clone(),
            modules: OnceLock::new(),
            memory: OnceLock::new(),
            facts: OnceLock::new(),
            gone: OnceLock::new(),
        })
    }

    pub(crate) const fn system(&self) -> Option<&MinidumpSystemInfo> {
        self.system.as_ref()
    }

    pub(crate) fn os(&self) -> Option<Os> {
        self.system().map(|system| system.os)
    }

    pub(crate) fn is_windows(&self) -> bool {
        matches!(self.os(), Some(Os::Windows) | None)
    }

    pub(crate) fn is_apple(&self) -> bool {
        matches!(self.os(), Some(Os::MacOs | Os::Ios))
    }

    pub(crate) fn module_map(&self) -> &ModuleMap {
        self.modules.get_or_init(|| ModuleMap::new(&self.streams))
    }

    pub(crate) fn memory(&self) -> &Memory {
        self.memory.get_or_init(|| Memory::new(&self.streams, self.address_mask()))
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::new(&self.streams))
    }

    /// 32-bit writers sign-extend some addresses; this mask removes the extension.
    pub(crate) fn address_mask(&self) -> u64 {
        match self.machine().width {
            PointerWidth::Bits32 => u32::MAX.into(),
            PointerWidth::Bits64 => u64::MAX,
        }
    }

    pub(crate) fn pointer_bytes(&self) -> u64 {
        match self.machine().width {
            PointerWidth::Bits32 => 4,
            PointerWidth::Bits64 => 8,
        }
    }

    pub(crate) fn machine(&self) -> Machine {
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
    pub(crate) fn pointer(&self, address: u64) -> Cell<u64> {
        let mut bytes = [0; 8];
        let wanted = usize::try_from(self.pointer_bytes()).unwrap_or(bytes.len());
        let part = bytes.get_mut(..wanted).ok_or(Absent::NotInDump)?;
        self.read(address, part)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

impl AddressSpace for Core {
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
