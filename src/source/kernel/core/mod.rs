//! What every reader of a kernel dump needs: memory, header facts, structure layouts, symbols,
//! loaded images, and the accessor for structures.
//!
//! This module is independent of tables and readers. Readers take a [`Core`] as argument and add
//! nothing to it.

pub(crate) mod arch;
mod believed;
mod calls;
pub(crate) mod clock;
pub(crate) mod code;
pub(crate) mod codeview;
pub(crate) mod data;
mod debugger_data;
pub(crate) mod declared;
mod exported;
mod facts;
mod fit;
mod known;
mod lists;
mod loaded;
pub(crate) mod memory;
pub(crate) mod modules;
mod opening;
pub(crate) mod pieces;
mod published;
pub(crate) mod structure;
mod symbols;
pub(crate) mod time;
pub(crate) mod types;
pub(crate) mod unloaded;
mod value;
mod values;

use std::sync::OnceLock;

use self::arch::Arch;
use self::data::Sections;
use self::memory::Memory;
use self::modules::Modules;
use self::opening::Opened;
use self::pieces::{Objects, Placed};
use self::symbols::Symbols;
use self::types::Types;
use crate::catalog::{Cell, PointerWidth};
use crate::dump::header::{DumpType, KernelHeader};
use crate::dump::kdbg::Kdbg;
use crate::dump::pages::Facts;
use crate::dump::triage::{self, Triage};
use crate::dump::{Error, Format, Image, Stopped, Width};
use crate::model::{Machine, Unanswered};
use crate::symbol::{PdbId, Store};

/// A kernel dump, without what readers find in it.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) image: Image,
    pub(crate) header: KernelHeader,
    pub(crate) arch: Arch,
    pub(crate) triage: Option<Triage>,
    /// The memory ranges of a triage dump.
    pub(crate) placed: Vec<Placed>,
    /// The objects that the triage block gives.
    pub(crate) objects: Objects,
    pub(crate) memory: Memory,
    /// What is known about the physical pages, if the dump has any.
    pub(crate) pages: Option<Facts>,
    /// The processor state that a hypervisor saved; empty if Windows wrote the dump itself.
    pub(crate) stopped: Vec<Stopped>,
    pub(crate) symbols: Store,
    /// The debugger data block of a dump with physical pages, read on first use.
    debugger_data: OnceLock<Vec<u8>>,
    modules: OnceLock<Modules>,
    names: Symbols,
    types: OnceLock<Types>,
    /// The length of a clock tick, in units of 100 ns, read on first use.
    tick: OnceLock<Cell<u64>>,
    /// The low part of the tick count, read on first use.
    tick_count: OnceLock<Cell<u64>>,
    /// The sections of the kernel image, read on first use.
    sections: OnceLock<Option<Sections>>,
    /// Ranges and names of unloaded drivers, read on first use.
    gone: OnceLock<Vec<(u64, u64, String)>>,
}

impl Core {
    /// Opens a kernel dump.
    ///
    /// # Errors
    /// [`Error::NotADump`] if the file is raw memory without Windows in it.
    pub(crate) fn open(image: Image, format: Format, symbols: &Store) -> Result<Self, Error> {
        let Opened { header, memory, pages, stopped } = opening::open(&image, format)?;
        let width = header.width;
        let is_triage = header.dump_type == DumpType::Triage;
        let triage = if is_triage { triage::parse(&image, width) } else { None };
        let (placed, objects) = match &triage {
            Some(triage) => pieces::place(&image, width, triage, header.kdbg),
            None => Default::default(),
        };
        let modules = match &triage {
            Some(triage) => Modules::new(triage.drivers(&image, width).collect()).into(),
            None => OnceLock::new(),
        };
        let memory = memory.unwrap_or_else(|| Memory::Pieces(pieces::regions(&placed)));
        Ok(Self {
            arch: header.machine.map_or(Arch::Other, Arch::from_machine),
            memory,
            pages,
            stopped,
            image,
            header,
            triage,
            placed,
            objects,
            symbols: symbols.clone(),
            modules,
            debugger_data: OnceLock::new(),
            names: Symbols::default(),
            types: OnceLock::new(),
            tick: OnceLock::new(),
            tick_count: OnceLock::new(),
            sections: OnceLock::new(),
            gone: OnceLock::new(),
        })
    }

    /// The machine that the dump is from.
    pub(crate) const fn machine(&self) -> Machine {
        let width = match self.header.width {
            Width::W32 => PointerWidth::Bits32,
            Width::W64 => PointerWidth::Bits64,
        };
        Machine { width, arch: self.arch.name() }
    }

    /// The triage block, or why there is none.
    pub(crate) fn triage(&self) -> Result<&Triage, Unanswered> {
        self.triage.as_ref().ok_or_else(|| match self.header.dump_type {
            DumpType::Triage => Unanswered::because("the triage block of the dump is cut off"),
            _ => Unanswered::because("the dump has no triage block"),
        })
    }

    /// Whether the dump holds any memory, or why not.
    pub(crate) fn has_memory(&self) -> Result<(), Unanswered> {
        match &self.pages {
            Some(pages) if pages.held == 0 => {
                Err(Unanswered::because("the dump holds no page of memory"))
            }
            Some(_) => Ok(()),
            None => self.triage().map(|_| ()),
        }
    }

    /// Whether the dump holds the kernel's address space, not only ranges of memory.
    pub(crate) fn whole_memory(&self) -> Result<(), Unanswered> {
        let small = || Unanswered::because("a triage dump holds only pieces of memory");
        self.pages.as_ref().map(|_| ()).ok_or_else(small)
    }

    /// The loaded drivers, listed on first use.
    pub(crate) fn modules(&self) -> &Modules {
        self.modules.get_or_init(|| self.loaded_modules())
    }

    /// The debugger data block.
    pub(crate) fn kdbg(&self) -> Option<Kdbg<'_>> {
        let bytes = match &self.triage {
            Some(triage) => triage.debugger_data.bytes(&self.image),
            None => self.debugger_data.get_or_init(|| self.read_debugger_data()),
        };
        Kdbg::new(bytes, self.header.width)
    }

    /// The kernel's base, from the debugger data block.
    fn kernel_base_stated(&self) -> Option<u64> {
        let stated = self.kdbg().and_then(|kdbg| kdbg.pointer(crate::dump::kdbg::KERN_BASE));
        stated.or(self.header.kernel_base)
    }

    /// The structure layouts of this kernel, chosen on first use.
    pub(crate) fn types(&self) -> &Types {
        self.types.get_or_init(|| Types::choose(self, &self.symbols))
    }

    /// GUID and age of the kernel's PDB, if the dump holds them.
    pub(crate) fn kernel_pdb(&self) -> Option<PdbId> {
        match self.kernel_driver() {
            Some(driver) => {
                self.pdb_of(driver.base, driver.base.saturating_add(driver.size.into()))
            }
            None => self.pdb_of(self.kernel_base()?, 0),
        }
    }
}
