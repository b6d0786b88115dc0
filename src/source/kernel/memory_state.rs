//! `MiState`, the structure in which the memory manager keeps its numbers since Windows 10, and the
//! partition of the system that it leads to.

use super::KernelDump;
use super::structure::Structure;
use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;

pub(super) const STATE: &str = "_MI_SYSTEM_INFORMATION";
pub(super) const PARTITION: &str = "_MI_PARTITION";
const PAGE: u64 = 0x1000;
/// No structure of the memory manager is larger.
const MAX_SIZE: u64 = 1 << 20;
/// It starts at a multiple of a line of the processor's cache.
const ALIGNMENT: u64 = 0x40;

impl KernelDump {
    /// Whether the kernel keeps its numbers in `MiState`.
    pub(super) fn has_state(&self) -> bool {
        self.knows(STATE, "Vs") && self.header.build.is_none_or(|build| build >= 10240)
    }

    /// `MiState`: by its symbol, else around what the debugger data points to in it, where the size of
    /// the paged pool stands in it as in the variable of its own, and the partition is one.
    pub(super) fn state(&self) -> Cell<Structure<'_>> {
        let found = self.memory_state.get_or_init(|| {
            self.symbol_address("nt", "MiState").or_else(|| self.state_by_content())
        });
        found.map(|at| self.structure(STATE, at)).ok_or(Absent::NoSymbols)
    }

    fn state_by_content(&self) -> Option<u64> {
        let kdbg = self.kdbg()?;
        let inside = kdbg.pointer(kdbg::PAGED_POOL_COMMIT)?;
        let bytes = self.pointer_at(kdbg.pointer(kdbg::PAGED_POOL_BYTES)?).ok()?;
        let size = self.types().size_of(STATE)?.min(MAX_SIZE);
        let is_it = |at: &u64| {
            let state = self.structure(STATE, *at);
            let pages = state.unsigned("Vs.SizeOfPagedPoolInPages");
            bytes >= PAGE && pages == Ok(bytes / PAGE) && self.partition_of(state).is_ok()
        };
        let first = inside.checked_sub(size)?.next_multiple_of(ALIGNMENT);
        let mut found = (first..=inside).step_by(0x40).filter(is_it);
        let at = found.next()?;
        // Two are no proof.
        found.next().is_none().then_some(at)
    }

    /// The partition of the system, the first of all.
    pub(super) fn partition(&self) -> Cell<Structure<'_>> {
        if let Some(at) = self.symbol_address("nt", "MiSystemPartition") {
            return Ok(self.structure(PARTITION, at));
        }
        self.partition_of(self.state()?)
    }

    fn partition_of(&self, state: Structure<'_>) -> Cell<Structure<'_>> {
        let first = self.pointer_at(state.pointer("Partitions.Partition")?)?;
        let partition = self.structure(PARTITION, first);
        let pages = partition.unsigned("Vp.NumberOfPhysicalPages")?;
        let available = partition.unsigned("Vp.AvailablePages")?;
        if pages == 0 || available > pages { Err(Absent::Unreadable) } else { Ok(partition) }
    }
}
