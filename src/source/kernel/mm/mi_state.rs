//! `MiState`, the structure that holds the memory manager's counters since Windows 10, and the
//! system partition that it points to.

use std::sync::OnceLock;

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;

pub(crate) const STATE: &str = "_MI_SYSTEM_INFORMATION";
pub(crate) const PARTITION: &str = "_MI_PARTITION";
const PAGE: u64 = 0x1000;
/// Upper limit on the size of the structure.
const MAX_SIZE: u64 = 1 << 20;
/// It is aligned to a processor cache line.
const ALIGNMENT: u64 = 0x40;

/// Where `MiState` is, determined on first use.
#[derive(Debug, Default)]
pub(crate) struct MiState {
    found: OnceLock<Option<u64>>,
}

/// Whether the kernel keeps its counters in `MiState`, according to the accepted layout or, without
/// one, to the build. This holds even if the offsets of the counters are unknown, because in these
/// kernels the variables of earlier kernels have another meaning.
pub(crate) fn has_state(core: &Core) -> bool {
    let is_late = core.header.build.map(|build| build >= 10240);
    match core.types().source() {
        Some(_) => core.has_field(STATE, "Vs") && is_late != Some(false),
        None => is_late == Some(true),
    }
}

/// `MiState`: from its symbol, or else from the addresses inside it that the debugger data block
/// gives. A candidate is accepted if its size of the paged pool equals the separate variable and
/// its partition is valid.
pub(crate) fn state<'a>(core: &'a Core, memory: &'a MiState) -> Cell<Structure<'a>> {
    let found = memory
        .found
        .get_or_init(|| core.symbol_address("nt", "MiState").or_else(|| state_by_content(core)));
    found.map(|at| core.structure(STATE, at)).ok_or(Absent::NoSymbols)
}

fn state_by_content(core: &Core) -> Option<u64> {
    let kdbg = core.kdbg()?;
    let inside = kdbg.pointer(kdbg::PAGED_POOL_COMMIT)?;
    let bytes = core.pointer_at(kdbg.pointer(kdbg::PAGED_POOL_BYTES)?).ok()?;
    let size = core.size_of(STATE)?.min(MAX_SIZE);
    let is_it = |at: &u64| {
        let state = core.structure(STATE, *at);
        let pages = state.unsigned("Vs.SizeOfPagedPoolInPages");
        bytes >= PAGE && pages == Ok(bytes / PAGE) && partition_of(core, state).is_ok()
    };
    let first = inside.checked_sub(size)?.next_multiple_of(ALIGNMENT);
    let mut found = (first..=inside).step_by(0x40).filter(is_it);
    let at = found.next()?;
    // Two candidates prove nothing.
    found.next().is_none().then_some(at)
}

/// The system partition, which is the first partition.
pub(crate) fn partition<'a>(core: &'a Core, memory: &'a MiState) -> Cell<Structure<'a>> {
    if let Some(at) = core.symbol_address("nt", "MiSystemPartition") {
        return Ok(core.structure(PARTITION, at));
    }
    partition_of(core, state(core, memory)?)
}

fn partition_of<'a>(core: &'a Core, state: Structure<'_>) -> Cell<Structure<'a>> {
    let first = core.pointer_at(state.pointer("Partitions.Partition")?)?;
    let partition = core.structure(PARTITION, first);
    let pages = partition.unsigned("Vp.NumberOfPhysicalPages")?;
    let available = partition.unsigned("Vp.AvailablePages")?;
    if pages == 0 || available > pages { Err(Absent::Unreadable) } else { Ok(partition) }
}
