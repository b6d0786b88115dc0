//! Processors, and the clock.

use super::KernelDump;
use super::object::Object;
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::dump::{Width, kdbg};
use crate::model::{Emit, Processor, Unanswered};

/// Windows has room for no more processors.
const MAX_PROCESSORS: u32 = 2048;
/// Clock intervals that a system may have, in 100 ns units.
const TICKS: std::ops::RangeInclusive<u64> = 5_000..=200_000;
/// Where kernels map `KUSER_SHARED_DATA`, as documented.
const SHARED32: u64 = 0xffdf_0000;
const SHARED64: u64 = 0xffff_f780_0000_0000;

impl KernelDump {
    /// The `_KPRCB` that the triage block names.
    fn crash_prcb(&self) -> Option<Object<'_>> {
        let triage = self.triage.as_ref()?;
        self.object_of(Ty::Prcb, triage.prcb, self.objects.prcb)
    }

    /// The number of the processor that wrote the dump.
    pub(super) fn current_processor(&self) -> Cell<i64> {
        self.number_of(&self.crash_prcb().ok_or(Absent::NotInDump)?)
    }

    fn number_of(&self, prcb: &Object<'_>) -> Cell<i64> {
        let number = prcb.int("Number")?;
        // Without a layout the size of the field is a guess.
        let count = i64::from(self.header.processors.unwrap_or(MAX_PROCESSORS));
        [number, number & 0xff].into_iter().find(|n| *n < count).ok_or(Absent::Unreadable)
    }

    /// The `_KPRCB` of each processor, as far as the dump holds them.
    pub(super) fn prcbs(&self) -> Vec<Option<Object<'_>>> {
        let count = self.header.processors.unwrap_or(1).min(MAX_PROCESSORS);
        let current = self.current_processor();
        (0..count)
            .map(|number| {
                if current == Ok(i64::from(number)) {
                    return self.crash_prcb();
                }
                let address = self.prcb_address(number).filter(|address| *address != 0)?;
                self.object(Ty::Prcb, address)
            })
            .collect()
    }

    /// How many processors there are: by the header, else by the table of them.
    pub(super) fn processor_count(&self) -> u64 {
        let is_there = |number: &u32| self.prcb_address(*number).is_some_and(|at| at != 0);
        let count = self.header.processors.map(|count| count.clamp(1, MAX_PROCESSORS));
        let counted = || (0..MAX_PROCESSORS).take_while(is_there).count().max(1) as u64;
        count.map_or_else(counted, u64::from)
    }

    /// The entry of `KiProcessorBlock`; where nothing says where that is, what the registers of the
    /// processor lead to.
    fn prcb_address(&self, number: u32) -> Option<u64> {
        let Some(table) = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PROCESSOR_BLOCK)) else {
            return self.prcb_of_region(number);
        };
        let step = self.header.width.bytes() as u64;
        self.pointer_at(table.checked_add(u64::from(number) * step)?).ok()
    }

    /// The block of a processor by its control region, to which a segment of the kernel's code leads
    /// and which points to itself.
    fn prcb_of_region(&self, number: u32) -> Option<u64> {
        const REGION: &str = "_KPCR";
        let (own, block) = match self.header.width {
            Width::W64 => ("Self", "CurrentPrcb"),
            Width::W32 => ("SelfPcr", "Prcb"),
        };
        let stopped = self.stopped.get(usize::try_from(number).ok()?)?;
        let mut regions = stopped.regions(self.header.width);
        let region =
            regions.find(|at| self.structure(REGION, *at).pointer(own) == Ok(self.plain(*at)))?;
        self.structure(REGION, region).pointer(block).ok()
    }

    pub(super) fn each_processor(&self, emit: Emit<'_, Processor>) -> Result<(), Unanswered> {
        self.has_memory()?;
        let prcbs = self.prcbs();
        let locks = self.queued_spin_locks(&prcbs);
        for (index, prcb) in prcbs.iter().enumerate() {
            let number = i64::try_from(index).map_err(|_| Absent::Unreadable);
            let row = match prcb {
                Some(prcb) => Processor {
                    queued_locks: Self::lock_marks(locks.as_deref(), index),
                    ..self.processor_row(number, prcb)
                },
                None => Self::missing_row(number),
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn processor_row(&self, number: Cell<i64>, prcb: &Object<'_>) -> Processor {
        let current = prcb.pointer("CurrentThread");
        let idle = prcb.pointer("IdleThread");
        let is_idle = current.and_then(|current| Ok(current == idle?));
        Processor {
            processor: number,
            prcb: prcb.address,
            current_ethread: current,
            next_ethread: prcb.pointer("NextThread"),
            idle_ethread: idle,
            is_idle,
            current_process: self.process_of(current),
            irql: prcb.int("DebuggerSavedIRQL"),
            dpc_queue_depth: prcb.int_of(&["DpcData.DpcQueueDepth", "DpcQueueDepth"]),
            dpc_count: prcb.int_of(&["DpcData.DpcCount", "DpcCount"]),
            dpc_time_ms: prcb.tick_ms("DpcTime"),
            interrupt_count: prcb.int("InterruptCount"),
            interrupt_time_ms: prcb.tick_ms("InterruptTime"),
            user_time_ms: prcb.tick_ms("UserTime"),
            kernel_time_ms: prcb.tick_ms("KernelTime"),
            mhz: prcb.int("MHz"),
            vendor: prcb.text("VendorString"),
            ..Processor::default()
        }
    }

    fn missing_row(processor: Cell<i64>) -> Processor {
        let missing = Absent::NotInDump;
        Processor {
            processor,
            prcb: Err(missing),
            current_ethread: Err(missing),
            next_ethread: Err(missing),
            idle_ethread: Err(missing),
            is_idle: Err(missing),
            current_process: Err(missing),
            irql: Err(missing),
            dpc_queue_depth: Err(missing),
            dpc_count: Err(missing),
            dpc_time_ms: Err(missing),
            interrupt_count: Err(missing),
            interrupt_time_ms: Err(missing),
            user_time_ms: Err(missing),
            kernel_time_ms: Err(missing),
            mhz: Err(missing),
            vendor: Err(missing),
            queued_locks: Err(missing),
            ..Processor::default()
        }
    }

    /// The name of the process of a thread.
    fn process_of(&self, thread: Cell<u64>) -> Cell<String> {
        let address = thread?;
        let current = self.crash_thread().filter(|thread| thread.address == Ok(address));
        let thread = current.or_else(|| self.object(Ty::Thread, address));
        let owner = thread.ok_or(Absent::NotInDump)?.pointer("Tcb.ApcState.Process");
        self.process_name(owner)
    }

    /// A clock tick in 100 ns units, if the dump holds the variable.
    pub(super) fn tick(&self) -> Cell<u64> {
        *self.tick.get_or_init(|| self.read_tick())
    }

    fn read_tick(&self) -> Cell<u64> {
        let largest = self.symbol_address("nt", "KeMaximumIncrement");
        let current = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::TIME_INCREMENT));
        let places = largest.into_iter().chain(current);
        let ticks = places.filter_map(|at| self.u32_at(at).ok()).map(u64::from);
        ticks.into_iter().find(|tick| TICKS.contains(tick)).ok_or(Absent::NotInDump)
    }

    /// Where the kernel sees the page that it shares with every process.
    pub(super) const fn shared_data(&self) -> u64 {
        match self.header.width {
            Width::W32 => SHARED32,
            Width::W64 => SHARED64,
        }
    }

    /// The low part of the tick counter.
    pub(super) fn tick_count(&self) -> Cell<u64> {
        *self.tick_count.get_or_init(|| self.read_tick_count())
    }

    fn read_tick_count(&self) -> Cell<u64> {
        let shared = self.shared_data();
        let types = self.types();
        let field = ["TickCount", "TickCountLow"]
            .into_iter()
            .find_map(|path| types.other("_KUSER_SHARED_DATA", path));
        let field = field.ok_or(Absent::NoSymbols)?;
        self.u32_at(shared + field.offset as u64).map(u64::from)
    }
}
