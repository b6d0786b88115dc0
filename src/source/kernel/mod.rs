//! Kernel dumps: what their header, their triage block and the memory they hold say.
//!
//! Triage dumps are answered from the pieces of memory they hold, all others from their physical
//! pages, through page tables.

mod arch;
mod autoboost;
mod batches;
mod callbacks;
mod calls;
mod codeview;
mod counters;
mod crash;
mod debugger_data;
mod declared;
mod devices;
mod directory;
mod dpcs;
mod drivers;
mod failures;
mod fields;
mod found;
mod handles;
mod interrupts;
mod irps;
mod lists;
mod loaded;
mod manager;
mod memory;
mod memory_state;
mod modules;
mod names;
mod object;
mod opening;
mod overview;
mod pieces;
mod pool;
mod pool_tags;
mod process_images;
mod processes;
mod processors;
mod ready;
mod records;
mod registers;
mod requests;
mod resources;
mod services;
mod session_tags;
mod sessions;
mod spin_locks;
mod stacks;
mod structure;
mod symbols;
mod tag_owners;
mod threads;
mod timers;
mod traces;
mod trackers;
mod types;
mod unloaded;
mod vads;
mod waiters;
mod waits;
mod walks;
mod work;

use std::sync::{Arc, OnceLock};

use self::arch::Arch;
use self::drivers::Io;
use self::found::Found;
use self::manager::Manager;
use self::memory::Memory;
use self::modules::Modules;
use self::opening::Opened;
use self::pieces::{Objects, Placed};
use self::symbols::Symbols;
use self::types::Types;
use crate::catalog::{Absent, Cell, PointerWidth, SourceKind, Value};
use crate::dump::header::{DumpType, KernelHeader};
use crate::dump::kdbg::{self, Kdbg};
use crate::dump::pages::Facts;
use crate::dump::triage::{self, Triage};
use crate::dump::{Error, Format, Image, Stopped, Width};
use crate::model::{
    AddressSpace, Answers, DynTable, Emit, Located, Machine, Refused, Row, Source, Unanswered,
    UnloadedModule, Want,
};
use crate::symbol::{PdbId, Store};

/// An open kernel dump.
#[derive(Debug)]
pub(crate) struct KernelDump {
    image: Image,
    header: KernelHeader,
    arch: Arch,
    triage: Option<Triage>,
    placed: Vec<Placed>,
    objects: Objects,
    memory: Memory,
    /// What is known of the physical pages, where there are any.
    pages: Option<Facts>,
    /// The processors, as a hypervisor stopped them; none where Windows wrote the dump itself.
    stopped: Vec<Stopped>,
    /// The debugger data block of a dump with physical pages; read when first asked for.
    debugger_data: OnceLock<Vec<u8>>,
    modules: OnceLock<Modules>,
    symbols: Store,
    names: Symbols,
    types: OnceLock<Types>,
    /// The length of a clock tick, in units of 100 ns; read when first asked for.
    tick: OnceLock<Cell<u64>>,
    /// The low part of the tick counter; read when first asked for.
    tick_count: OnceLock<Cell<u64>>,
    /// Where `MiState` is; looked for when first asked for.
    memory_state: OnceLock<Option<u64>>,
    /// What is known of the pools.
    pool: pool::Pool,
    /// What is known of objects; found when first asked for.
    manager: OnceLock<Option<Manager>>,
    /// Drivers and devices; found when first asked for.
    io: Io,
    /// Variables that no symbols name; found when first asked for.
    found: Found,
}

/// Opens a kernel dump.
///
/// # Errors
/// [`Error::NotADump`] if there is only memory, and no Windows in it.
pub fn open(image: Image, format: Format, symbols: &Store) -> Result<Box<dyn Source>, Error> {
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
    let dump = Arc::new(KernelDump {
        arch: header.machine.map_or(Arch::Other, Arch::from_machine),
        memory,
        pages,
        stopped,
        debugger_data: OnceLock::new(),
        modules,
        image,
        header,
        triage,
        placed,
        objects,
        symbols: symbols.clone(),
        names: Symbols::default(),
        types: OnceLock::new(),
        tick: OnceLock::new(),
        tick_count: OnceLock::new(),
        memory_state: OnceLock::new(),
        pool: pool::Pool::default(),
        manager: OnceLock::new(),
        io: Io::default(),
        found: Found::default(),
    });
    Ok(Box::new(KernelSource { answers: answers(&dump), dump }))
}

impl KernelDump {
    /// The triage block, or why there is none.
    fn triage(&self) -> Result<&Triage, Unanswered> {
        self.triage.as_ref().ok_or_else(|| match self.header.dump_type {
            DumpType::Triage => Unanswered::because("the triage block of the dump is cut off"),
            _ => Unanswered::because("the dump has no triage block"),
        })
    }

    /// Whether the dump holds memory at all, or why not.
    fn has_memory(&self) -> Result<(), Unanswered> {
        match &self.pages {
            Some(pages) if pages.held == 0 => {
                Err(Unanswered::because("the dump holds no page of memory"))
            }
            Some(_) => Ok(()),
            None => self.triage().map(|_| ()),
        }
    }

    /// The loaded drivers; listed when first asked for.
    fn drivers(&self) -> &Modules {
        self.modules.get_or_init(|| self.loaded_modules())
    }

    /// That the dump has the kernel's memory, and not only pieces of it.
    fn whole_memory(&self) -> Result<(), Unanswered> {
        let small = || Unanswered::because("a triage dump holds only pieces of memory");
        self.pages.as_ref().map(|_| ()).ok_or_else(small)
    }

    /// The debugger data block.
    fn kdbg(&self) -> Option<Kdbg<'_>> {
        let bytes = match &self.triage {
            Some(triage) => triage.debugger_data.bytes(&self.image),
            None => self.debugger_data.get_or_init(|| self.read_debugger_data()),
        };
        Kdbg::new(bytes, self.header.width)
    }

    /// The kernel's base by the debugger data block.
    fn kernel_base_stated(&self) -> Option<u64> {
        self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::KERN_BASE)).or(self.header.kernel_base)
    }

    /// The structures of this kernel; chosen when first asked for.
    fn types(&self) -> &Types {
        self.types.get_or_init(|| Types::choose(self, &self.symbols))
    }

    /// GUID and age of the kernel's PDB, if the dump holds them.
    fn kernel_pdb(&self) -> Option<PdbId> {
        match self.kernel_driver() {
            Some(driver) => {
                self.pdb_of(driver.base, driver.base.saturating_add(driver.size.into()))
            }
            None => self.pdb_of(self.kernel_base()?, 0),
        }
    }

    fn machine(&self) -> Machine {
        let width = match self.header.width {
            Width::W32 => PointerWidth::Bits32,
            Width::W64 => PointerWidth::Bits64,
        };
        Machine { width, arch: self.arch.name() }
    }

    fn each_unloaded_module(
        &self,
        _: &Want<'_, UnloadedModule>,
        emit: Emit<'_, UnloadedModule>,
    ) -> Result<(), Unanswered> {
        if self.pages.is_some() {
            return self.each_remembered(emit);
        }
        self.each_unloaded(emit)
    }
}

/// A reader of rows that needs the kernel's memory, and not only pieces of it.
fn whole<R: Row>(
    read: impl Fn(&KernelDump, &Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered>
    + Send
    + Sync
    + 'static,
) -> impl Fn(&KernelDump, &Want<'_, R>, Emit<'_, R>) -> Result<(), Unanswered> + Send + Sync + 'static
{
    move |dump, want, emit| {
        dump.whole_memory()?;
        read(dump, want, emit)
    }
}

/// The tables that a kernel dump fills.
fn answers(dump: &Arc<KernelDump>) -> Answers {
    Answers::of(dump)
        .with(|dump, _, emit| one(dump.dump_row(), emit))
        .with(|dump, _, emit| one(dump.bugcheck_row()?, emit))
        .with(|dump, _, emit| one(dump.exception_row()?, emit))
        .with(|dump, _, emit| dump.each_register(emit))
        .with(KernelDump::each_process)
        .with(KernelDump::each_thread)
        .with(KernelDump::each_word)
        .with(KernelDump::each_frame)
        .with(|dump, _, emit| dump.each_processor(emit))
        .with(KernelDump::each_module)
        .with(KernelDump::each_unloaded_module)
        .with(KernelDump::each_wait)
        .with(whole(|dump, _, emit| dump.each_ready(emit)))
        .with(whole(KernelDump::each_dpc))
        .with(whole(KernelDump::each_timer))
        .with(whole(KernelDump::each_work_queue))
        .with(whole(KernelDump::each_work_item))
        .with(whole(KernelDump::each_handle))
        .with(whole(KernelDump::each_object))
        .with(whole(|dump, _, emit| dump.each_object_type(emit)))
        .with(whole(KernelDump::each_region))
        .with(whole(KernelDump::each_vad))
        .with(whole(|dump, _, emit| dump.each_session(emit)))
        .with(whole(KernelDump::each_page_file))
        .with(whole(KernelDump::each_driver))
        .with(whole(KernelDump::each_dispatch))
        .with(whole(KernelDump::each_device))
        .with(whole(KernelDump::each_callback))
        .with(whole(KernelDump::each_service))
        .with(whole(KernelDump::each_vector))
        .with(whole(KernelDump::each_trace))
        .with(whole(KernelDump::each_irp))
        .with(whole(KernelDump::each_irp_location))
        .with(whole(KernelDump::each_pool_tag))
        .with(whole(KernelDump::each_lock))
        .with(whole(KernelDump::each_lock_owner))
        .with(whole(KernelDump::each_lock_waiter))
        .with(|dump, _, emit| dump.each_queued_lock(emit))
        .with(KernelDump::each_lock_entry)
        .with(KernelDump::each_pool_block)
        .with(KernelDump::each_pool_page)
        .with(KernelDump::each_big_block)
        .with(whole(|dump, _, emit| dump.each_counter(emit)))
        .with(whole(|dump, _, emit| dump.each_pool_failure(emit)))
        .with(whole(|dump, _, emit| dump.each_page_list(emit)))
        .with(|dump, want, emit| {
            dump.each_needed(want, emit);
            Ok(())
        })
        .with(|dump, _, emit| {
            dump.each_range(emit);
            Ok(())
        })
        .with(|dump, _, emit| {
            dump.each_problem(emit);
            Ok(())
        })
        .build()
}

/// Hands on the only row of a table.
fn one<R>(row: R, emit: Emit<'_, R>) -> Result<(), Unanswered> {
    let _ = emit.row(row);
    Ok(())
}

/// An open kernel dump and the tables that it fills.
#[derive(Debug)]
struct KernelSource {
    dump: Arc<KernelDump>,
    answers: Answers,
}

impl Source for KernelSource {
    fn kind(&self) -> SourceKind {
        match self.dump.header.dump_type {
            DumpType::Triage => SourceKind::Triage,
            _ => SourceKind::Kernel,
        }
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

impl AddressSpace for KernelDump {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        self.kernel_space().read(address, buffer)
    }

    fn locate(&self, address: u64) -> Cell<Located> {
        self.place_of(self.plain(address))
    }

    fn address_of(&self, symbol: &str) -> Cell<u64> {
        match symbol.split_once('!') {
            Some((module, name)) => self.symbol_address(module, name).ok_or(Absent::NoSymbols),
            None => self.base_of(symbol).ok_or(Absent::NoSymbols),
        }
    }
}
