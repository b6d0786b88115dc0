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

use std::sync::OnceLock;

use self::arch::Arch;
use self::batches::OneByOne;
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
    BigBlock, Bugcheck, Callback, CoverageRange, Device, Dispatch, Dpc, Driver, DumpInfo, DynTable,
    Emit, Exception, Frame, Handle, InterruptVector, Irp, IrpLocation, KernelObject, Located, Lock,
    LockEntry, LockOwner, LockWaiter, Machine, MemoryList, MemoryRegion, Module, NeededSymbol,
    ObjectType, PageFile, Parts, PoolBlock, PoolFailure, PoolPage, PoolTag, Problem, Process,
    Processor, QueuedLock, ReadyThread, Refused, Register, SessionSpace, Source, StackWord,
    SystemCall, Thread, Timer, Unanswered, UnloadedModule, Vad, VerifierFrame, VmCounter,
    WaitObject, Want, WorkItem, WorkQueue,
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
    Ok(Box::new(KernelDump {
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
    }))
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
}

impl Source for KernelDump {
    fn kind(&self) -> SourceKind {
        match self.header.dump_type {
            DumpType::Triage => SourceKind::Triage,
            _ => SourceKind::Kernel,
        }
    }

    fn machine(&self) -> Machine {
        let width = match self.header.width {
            Width::W32 => PointerWidth::Bits32,
            Width::W64 => PointerWidth::Bits64,
        };
        Machine { width, arch: self.arch.name() }
    }

    fn dump(&self, _: &Want<'_>) -> Result<DumpInfo, Unanswered> {
        Ok(self.dump_row())
    }

    fn bugcheck(&self, _: &Want<'_>, emit: Emit<'_, Bugcheck>) -> Result<(), Unanswered> {
        let _ = emit(self.bugcheck_row()?);
        Ok(())
    }

    fn exceptions(&self, _: &Want<'_>, emit: Emit<'_, Exception>) -> Result<(), Unanswered> {
        let _ = emit(self.exception_row()?);
        Ok(())
    }

    fn registers(&self, _: &Want<'_>, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
        self.each_register(emit)
    }

    fn processes(&self, want: &Want<'_>, emit: Emit<'_, Process>) -> Result<(), Unanswered> {
        self.each_process(want, emit)
    }

    fn threads(&self, want: &Want<'_>, emit: Emit<'_, Thread>) -> Result<(), Unanswered> {
        self.each_thread(want, &mut OneByOne(emit))
    }

    fn threads_by_parts(
        &self,
        want: &Want<'_>,
        parts: &mut dyn Parts<Thread>,
    ) -> Result<(), Unanswered> {
        self.each_thread(want, parts)
    }

    fn raw_stack(&self, want: &Want<'_>, emit: Emit<'_, StackWord>) -> Result<(), Unanswered> {
        self.each_word(want, emit)
    }

    fn stacks(&self, want: &Want<'_>, emit: Emit<'_, Frame>) -> Result<(), Unanswered> {
        self.each_frame(want, &mut OneByOne(emit))
    }

    fn stacks_by_parts(
        &self,
        want: &Want<'_>,
        parts: &mut dyn Parts<Frame>,
    ) -> Result<(), Unanswered> {
        self.each_frame(want, parts)
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
        if self.pages.is_some() {
            return self.each_remembered(emit);
        }
        self.each_unloaded(emit)
    }

    fn wait_objects(&self, want: &Want<'_>, emit: Emit<'_, WaitObject>) -> Result<(), Unanswered> {
        self.each_wait(want, emit)
    }

    fn ready_threads(&self, _: &Want<'_>, emit: Emit<'_, ReadyThread>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_ready(emit)
    }

    fn dpcs(&self, want: &Want<'_>, emit: Emit<'_, Dpc>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_dpc(want, emit)
    }

    fn timers(&self, want: &Want<'_>, emit: Emit<'_, Timer>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_timer(want, emit)
    }

    fn work_queues(&self, want: &Want<'_>, emit: Emit<'_, WorkQueue>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_work_queue(want, emit)
    }

    fn work_items(&self, want: &Want<'_>, emit: Emit<'_, WorkItem>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_work_item(want, emit)
    }

    fn handles(&self, want: &Want<'_>, emit: Emit<'_, Handle>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_handle(want, emit)
    }

    fn objects(&self, want: &Want<'_>, emit: Emit<'_, KernelObject>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_object(want, emit)
    }

    fn object_types(&self, _: &Want<'_>, emit: Emit<'_, ObjectType>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_object_type(emit)
    }

    fn memory_regions(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, MemoryRegion>,
    ) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_region(want, emit)
    }

    fn vads(&self, want: &Want<'_>, emit: Emit<'_, Vad>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_vad(want, emit)
    }

    fn sessions(&self, _: &Want<'_>, emit: Emit<'_, SessionSpace>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_session(emit)
    }

    fn page_files(&self, want: &Want<'_>, emit: Emit<'_, PageFile>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_page_file(want, emit)
    }

    fn drivers(&self, want: &Want<'_>, emit: Emit<'_, Driver>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_driver(want, emit)
    }

    fn driver_dispatch(&self, want: &Want<'_>, emit: Emit<'_, Dispatch>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_dispatch(want, emit)
    }

    fn devices(&self, want: &Want<'_>, emit: Emit<'_, Device>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_device(want, emit)
    }

    fn callbacks(&self, want: &Want<'_>, emit: Emit<'_, Callback>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_callback(want, emit)
    }

    fn ssdt(&self, want: &Want<'_>, emit: Emit<'_, SystemCall>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_service(want, emit)
    }

    fn idt(&self, want: &Want<'_>, emit: Emit<'_, InterruptVector>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_vector(want, emit)
    }

    fn verifier_stacks(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, VerifierFrame>,
    ) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_trace(want, emit)
    }

    fn irps(&self, want: &Want<'_>, emit: Emit<'_, Irp>) -> Result<(), Unanswered> {
        self.irps_by_parts(want, &mut OneByOne(emit))
    }

    fn irps_by_parts(&self, want: &Want<'_>, parts: &mut dyn Parts<Irp>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_irp(want, parts)
    }

    fn irp_stack(&self, want: &Want<'_>, emit: Emit<'_, IrpLocation>) -> Result<(), Unanswered> {
        self.irp_stack_by_parts(want, &mut OneByOne(emit))
    }

    fn irp_stack_by_parts(
        &self,
        want: &Want<'_>,
        parts: &mut dyn Parts<IrpLocation>,
    ) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_irp_location(want, parts)
    }

    fn pool_tags(&self, want: &Want<'_>, emit: Emit<'_, PoolTag>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_pool_tag(want, emit)
    }

    fn locks(&self, want: &Want<'_>, emit: Emit<'_, Lock>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_lock(want, emit)
    }

    fn lock_owners(&self, want: &Want<'_>, emit: Emit<'_, LockOwner>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_lock_owner(want, emit)
    }

    fn lock_waiters(&self, want: &Want<'_>, emit: Emit<'_, LockWaiter>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_lock_waiter(want, emit)
    }

    fn queued_locks(&self, _: &Want<'_>, emit: Emit<'_, QueuedLock>) -> Result<(), Unanswered> {
        self.each_queued_lock(emit)
    }

    fn lock_entries(&self, want: &Want<'_>, emit: Emit<'_, LockEntry>) -> Result<(), Unanswered> {
        self.each_lock_entry(want, emit)
    }

    fn pool_allocations(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, PoolBlock>,
    ) -> Result<(), Unanswered> {
        self.each_pool_block(want, emit)
    }

    fn pool_pages(&self, want: &Want<'_>, emit: Emit<'_, PoolPage>) -> Result<(), Unanswered> {
        self.each_pool_page(want, emit)
    }

    fn big_pool(&self, want: &Want<'_>, emit: Emit<'_, BigBlock>) -> Result<(), Unanswered> {
        self.each_big_block(want, emit)
    }

    fn vm(&self, _: &Want<'_>, emit: Emit<'_, VmCounter>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_counter(emit)
    }

    fn pool_failures(&self, _: &Want<'_>, emit: Emit<'_, PoolFailure>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_pool_failure(emit)
    }

    fn memory_lists(&self, _: &Want<'_>, emit: Emit<'_, MemoryList>) -> Result<(), Unanswered> {
        self.whole_memory()?;
        self.each_page_list(emit)
    }

    fn needed_symbols(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, NeededSymbol>,
    ) -> Result<(), Unanswered> {
        self.each_needed(want, emit);
        Ok(())
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        self.call(name, args)
    }

    fn coverage(&self, _: &Want<'_>, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
        self.each_range(emit);
        Ok(())
    }

    fn problems(&self, emit: Emit<'_, Problem>) {
        self.each_problem(emit);
    }

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
