//! The system clock: the length of a clock tick, and the tick count.

use crate::source::kernel::core::Core;

use crate::catalog::{Absent, Cell};
use crate::dump::{Width, kdbg};

/// Plausible clock intervals, in 100 ns units.
const TICKS: std::ops::RangeInclusive<u64> = 5_000..=200_000;
/// The documented addresses at which kernels map `KUSER_SHARED_DATA`.
const SHARED32: u64 = 0xffdf_0000;
const SHARED64: u64 = 0xffff_f780_0000_0000;

impl Core {
    /// A clock tick in 100 ns units, if the dump holds the variable.
    pub(crate) fn tick(&self) -> Cell<u64> {
        *self.tick.get_or_init(|| self.read_tick())
    }

    fn read_tick(&self) -> Cell<u64> {
        let largest = self.symbol_address("nt", "KeMaximumIncrement");
        let current = self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::TIME_INCREMENT));
        let places = largest.into_iter().chain(current);
        let ticks = places.filter_map(|at| self.u32_at(at).ok()).map(u64::from);
        ticks.into_iter().find(|tick| TICKS.contains(tick)).ok_or(Absent::NotInDump)
    }

    /// The kernel's address of `KUSER_SHARED_DATA`.
    pub(crate) const fn shared_data(&self) -> u64 {
        match self.header.width {
            Width::W32 => SHARED32,
            Width::W64 => SHARED64,
        }
    }

    /// The low part of the tick count.
    pub(crate) fn tick_count(&self) -> Cell<u64> {
        *self.tick_count.get_or_init(|| self.read_tick_count())
    }

    fn read_tick_count(&self) -> Cell<u64> {
        let shared = self.shared_data();
        let field = ["TickCount", "TickCountLow"]
            .into_iter()
            .find_map(|path| self.field("_KUSER_SHARED_DATA", path));
        let field = field.ok_or(Absent::NoSymbols)?;
        self.u32_at(shared + field.offset as u64).map(u64::from)
    }
}
