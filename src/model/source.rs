//! The seam between tables and whatever can answer them.

use std::ops::ControlFlow;

use super::{
    Apc, BigBlock, BlockedDriver, Bugcheck, Callback, CoverageRange, CriticalSection, DeadlockStep,
    Device, Dispatch, Dpc, Driver, DumpInfo, DynTable, ErrorFact, Exception, Filter, Frame, Handle,
    Instruction, InterruptVector, Irp, IrpLocation, KernelObject, Lock, LockEntry, LockOwner,
    LockWaiter, LogCommand, MappedFile, MemoryList, MemoryRegion, Module, NeededSymbol, ObjectType,
    PageFile, PageTableEntry, PoolBlock, PoolFailure, PoolFault, PoolPage, PoolTag, Problem,
    Process, Processor, QueuedLock, ReadyThread, Refused, Register, SessionSpace, StackWord,
    SystemCall, SystemPte, Thread, Timer, UnloadedModule, Vad, VerifierFact, VerifierFrame,
    VmCounter, WaitObject, Want, WorkItem, WorkQueue,
};
use crate::catalog::{Absent, Cell, PointerWidth, SourceKind, Value};

/// Whether the receiver of rows wants more of them.
pub type Flow = ControlFlow<()>;

/// Receives rows one at a time. A source stops as soon as it is told [`ControlFlow::Break`], which
/// is how limits and cancellation reach it; it returns `Ok` then.
pub type Emit<'a, R> = &'a mut dyn FnMut(R) -> Flow;

/// Makes the rows of the part with a number and hands them on.
pub type Fill<'a, R> = &'a (dyn Fn(usize, &mut dyn FnMut(R)) + Sync);

/// Receives rows of which some are made side by side, on all cores.
pub trait Parts<R> {
    /// Receives a row, as an [`Emit`] does.
    fn row(&mut self, row: R) -> Flow;

    /// Receives the rows of so many parts, which do not depend on one another, in the order of the
    /// parts.
    fn parts(&mut self, count: usize, fill: Fill<'_, R>) -> Flow;
}

/// A source has nothing to say on a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// Why, as the end of a sentence ("the minidump has no handle stream"); `None` when the whole
    /// kind of source cannot answer.
    pub because: Option<String>,
}

impl Unanswered {
    /// This kind of source never answers the table.
    pub const KIND: Self = Self { because: None };

    /// This very source does not, because of what is missing.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { because: Some(reason.into()) }
    }
}

/// The machine of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// The width of pointers.
    pub width: PointerWidth,
    /// `x86`, `x64`, `arm64` …; as `dump.arch` gives it.
    pub arch: &'static str,
}

/// What an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Located {
    /// The module's name without directory and extension, as debuggers print it (`nt`, `ntdll`).
    pub module: String,
    /// The nearest symbol at or before the address, if symbols are known.
    pub symbol: Option<String>,
    /// Bytes from the symbol, or from the module's base without one.
    pub offset: u64,
}

impl Located {
    /// `module!symbol+0x1f`, `module!symbol`, or `module+0x1f00`, as debuggers print it.
    pub fn display(&self) -> String {
        let Self { module, symbol, offset } = self;
        match (symbol, offset) {
            (Some(symbol), 0) => format!("{module}!{symbol}"),
            (Some(symbol), _) => format!("{module}!{symbol}+{offset:#x}"),
            (None, 0) => module.clone(),
            (None, _) => format!("{module}+{offset:#x}"),
        }
    }
}

/// One open dump or log, answering tables.
///
/// # Contract
///
/// - Rows come in the same order at every call; no object comes twice.
/// - A value that cannot be read is a [`Cell`] with its reason, never an end of the scan.
/// - Columns that [`Want`] does not name may be left at their default.
/// - No method panics, prints, or looks at anything but the source itself.
/// - A method that is not overridden says that this kind of source cannot answer.
#[allow(unused_variables, reason = "defaults ignore their arguments")]
pub trait Source: Send + Sync {
    /// The source's kind.
    fn kind(&self) -> SourceKind;

    /// The machine that the source is from.
    fn machine(&self) -> Machine;

    /// What the dump says of itself: one row.
    fn dump(&self, want: &Want<'_>) -> Result<DumpInfo, Unanswered>;

    /// The bug check: at most one row.
    fn bugcheck(&self, want: &Want<'_>, emit: Emit<'_, Bugcheck>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Exceptions recorded in the dump.
    fn exceptions(&self, want: &Want<'_>, emit: Emit<'_, Exception>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Registers of every context that the dump holds, one row a register.
    fn registers(&self, want: &Want<'_>, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Processes.
    fn processes(&self, want: &Want<'_>, emit: Emit<'_, Process>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Threads.
    fn threads(&self, want: &Want<'_>, emit: Emit<'_, Thread>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// The same rows, made side by side where that can be.
    fn threads_by_parts(
        &self,
        want: &Want<'_>,
        parts: &mut dyn Parts<Thread>,
    ) -> Result<(), Unanswered> {
        self.threads(want, &mut |row| parts.row(row))
    }

    /// The rows of [`Self::irps`], made side by side where that can be.
    fn irps_by_parts(&self, want: &Want<'_>, parts: &mut dyn Parts<Irp>) -> Result<(), Unanswered> {
        self.irps(want, &mut |row| parts.row(row))
    }

    /// The rows of [`Self::irp_stack`], made side by side where that can be.
    fn irp_stack_by_parts(
        &self,
        want: &Want<'_>,
        parts: &mut dyn Parts<IrpLocation>,
    ) -> Result<(), Unanswered> {
        self.irp_stack(want, &mut |row| parts.row(row))
    }

    /// The rows of [`Self::stacks`], made side by side where that can be.
    fn stacks_by_parts(
        &self,
        want: &Want<'_>,
        parts: &mut dyn Parts<Frame>,
    ) -> Result<(), Unanswered> {
        self.stacks(want, &mut |row| parts.row(row))
    }

    /// Processors.
    fn processors(&self, want: &Want<'_>, emit: Emit<'_, Processor>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Loaded modules in load order.
    fn modules(&self, want: &Want<'_>, emit: Emit<'_, Module>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Unloaded modules, the latest first where the source has an order of its own.
    fn unloaded_modules(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, UnloadedModule>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Regions of the address space.
    fn memory_regions(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, MemoryRegion>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Handles.
    fn handles(&self, want: &Want<'_>, emit: Emit<'_, Handle>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Object that a waiting thread waits for.
    fn wait_objects(&self, want: &Want<'_>, emit: Emit<'_, WaitObject>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Frame of each stack.
    fn stacks(&self, want: &Want<'_>, emit: Emit<'_, Frame>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Word of memory that is looked at as pointers.
    fn raw_stack(&self, want: &Want<'_>, emit: Emit<'_, StackWord>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Thread that is ready to run.
    fn ready_threads(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, ReadyThread>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Queued deferred procedure call.
    fn dpcs(&self, want: &Want<'_>, emit: Emit<'_, Dpc>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Timer in the timer tables.
    fn timers(&self, want: &Want<'_>, emit: Emit<'_, Timer>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Queue of the system's worker threads.
    fn work_queues(&self, want: &Want<'_>, emit: Emit<'_, WorkQueue>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Item that waits in a queue of the system's worker threads.
    fn work_items(&self, want: &Want<'_>, emit: Emit<'_, WorkItem>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Driver object.
    fn drivers(&self, want: &Want<'_>, emit: Emit<'_, Driver>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Dispatch routine of each driver object.
    fn driver_dispatch(&self, want: &Want<'_>, emit: Emit<'_, Dispatch>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Device object.
    fn devices(&self, want: &Want<'_>, emit: Emit<'_, Device>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// I/O request packet.
    fn irps(&self, want: &Want<'_>, emit: Emit<'_, Irp>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Stack location of each I/O request packet.
    fn irp_stack(&self, want: &Want<'_>, emit: Emit<'_, IrpLocation>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Pool tag.
    fn pool_tags(&self, want: &Want<'_>, emit: Emit<'_, PoolTag>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Block of pool.
    fn pool_allocations(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, PoolBlock>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Allocation of more than a page of pool.
    fn big_pool(&self, want: &Want<'_>, emit: Emit<'_, BigBlock>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Page of the pool.
    fn pool_pages(&self, want: &Want<'_>, emit: Emit<'_, PoolPage>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Executive resource (`_ERESOURCE`).
    fn locks(&self, want: &Want<'_>, emit: Emit<'_, Lock>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Thread that holds an executive resource.
    fn lock_owners(&self, want: &Want<'_>, emit: Emit<'_, LockOwner>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Thread that waits for an executive resource.
    fn lock_waiters(&self, want: &Want<'_>, emit: Emit<'_, LockWaiter>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Lock that a thread holds or waits for.
    fn lock_entries(&self, want: &Want<'_>, emit: Emit<'_, LockEntry>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Critical section of a process.
    fn critical_sections(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, CriticalSection>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Number of the memory manager.
    fn vm(&self, want: &Want<'_>, emit: Emit<'_, VmCounter>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Page file.
    fn page_files(&self, want: &Want<'_>, emit: Emit<'_, PageFile>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// List of physical pages.
    fn memory_lists(&self, want: &Want<'_>, emit: Emit<'_, MemoryList>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Pool whose allocations have failed.
    fn pool_failures(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, PoolFailure>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Session.
    fn sessions(&self, want: &Want<'_>, emit: Emit<'_, SessionSpace>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Named kernel object.
    fn objects(&self, want: &Want<'_>, emit: Emit<'_, KernelObject>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Type of kernel objects.
    fn object_types(&self, want: &Want<'_>, emit: Emit<'_, ObjectType>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Virtual address descriptor of each process.
    fn vads(&self, want: &Want<'_>, emit: Emit<'_, Vad>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Routine that drivers have registered to be called.
    fn callbacks(&self, want: &Want<'_>, emit: Emit<'_, Callback>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// System service.
    fn ssdt(&self, want: &Want<'_>, emit: Emit<'_, SystemCall>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Interrupt vector of each processor.
    fn idt(&self, want: &Want<'_>, emit: Emit<'_, InterruptVector>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Frame of the stacks that Driver Verifier keeps.
    fn verifier_stacks(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, VerifierFrame>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Instruction that a log lists; dumps have the function `disasm`.
    fn disassembly(&self, want: &Want<'_>, emit: Emit<'_, Instruction>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Module: the symbol file that it needs.
    fn needed_symbols(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, NeededSymbol>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Command of a debugger log.
    fn log_commands(&self, want: &Want<'_>, emit: Emit<'_, LogCommand>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// The rows of a table function (`struct`, `list`, `array`, `log_table` …), whose columns depend
    /// on the arguments. It is called to plan and again to run, so that columns have to be cheap and
    /// rows are read by [`super::DynTable::rows`] alone.
    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        Err(Refused::KIND)
    }

    /// File system filter.
    fn filters(&self, want: &Want<'_>, emit: Emit<'_, Filter>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Setting and each number of Driver Verifier.
    fn verifier(&self, want: &Want<'_>, emit: Emit<'_, VerifierFact>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Control area with pages in memory.
    fn mapped_files(&self, want: &Want<'_>, emit: Emit<'_, MappedFile>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Page of pool or header in it that is wrong.
    fn pool_faults(&self, want: &Want<'_>, emit: Emit<'_, PoolFault>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Driver that the system may not load.
    fn blocked_drivers(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, BlockedDriver>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Field of a hardware error record.
    fn error_records(&self, want: &Want<'_>, emit: Emit<'_, ErrorFact>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Queued spin lock and processor that holds it or waits for it.
    fn queued_locks(&self, want: &Want<'_>, emit: Emit<'_, QueuedLock>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Lock of each thread of a deadlock.
    fn deadlocks(&self, want: &Want<'_>, emit: Emit<'_, DeadlockStep>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Asynchronous procedure call that waits for its thread.
    fn apcs(&self, want: &Want<'_>, emit: Emit<'_, Apc>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Entry of a page table on the way to an address.
    fn page_table(
        &self,
        want: &Want<'_>,
        emit: Emit<'_, PageTableEntry>,
    ) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// Range of system page table entries.
    fn system_ptes(&self, want: &Want<'_>, emit: Emit<'_, SystemPte>) -> Result<(), Unanswered> {
        Err(Unanswered::KIND)
    }

    /// What the dump holds of memory.
    fn coverage(&self, want: &Want<'_>, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered>;

    /// What is wrong with the source itself (truncated streams, lists that break). Absent values
    /// of tables are counted by the table `problems` on top of these.
    fn problems(&self, emit: Emit<'_, Problem>);

    /// Reads memory at a virtual address; fills all of `buffer` or says why not.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        Err(Absent::NotInDump)
    }

    /// The module, and if known the symbol, that an address lies in; [`Absent::NotApplicable`] if
    /// it lies in no module.
    fn locate(&self, address: u64) -> Cell<Located> {
        Err(Absent::NotApplicable)
    }

    /// The address of `module!symbol`.
    fn address_of(&self, symbol: &str) -> Cell<u64> {
        Err(Absent::NoSymbols)
    }
}
