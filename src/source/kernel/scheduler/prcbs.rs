//! The `_KPRCB` of each processor.

use crate::catalog::{Absent, Cell};
use crate::dump::{Width, kdbg};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::PRCB;
use crate::source::kernel::scheduler::held;

/// Upper limit on processors in Windows.
const MAX_PROCESSORS: u32 = 2048;

/// The number of the processor that wrote the dump.
pub(crate) fn current_processor(core: &Core) -> Cell<i64> {
    number_of(core, &held::crash_prcb(core).ok_or(Absent::NotInDump)?)
}

fn number_of(core: &Core, prcb: &Structure<'_>) -> Cell<i64> {
    let number = prcb.int("Number")?;
    // Without type information the size of the field is a guess.
    let count = i64::from(core.header.processors.unwrap_or(MAX_PROCESSORS));
    [number, number & 0xff].into_iter().find(|n| *n < count).ok_or(Absent::Unreadable)
}

/// The `_KPRCB` of each processor, as far as the dump holds them.
pub(crate) fn prcbs(core: &Core) -> Vec<Option<Structure<'_>>> {
    let count = core.header.processors.unwrap_or(1).min(MAX_PROCESSORS);
    let current = current_processor(core);
    (0..count)
        .map(|number| {
            if current == Ok(i64::from(number)) {
                return held::crash_prcb(core);
            }
            let address = prcb_address(core, number).filter(|address| *address != 0)?;
            core.object(PRCB, address)
        })
        .collect()
}

/// The number of processors, from the header or else from the processor table.
pub(crate) fn processor_count(core: &Core) -> u64 {
    let is_there = |number: &u32| prcb_address(core, *number).is_some_and(|at| at != 0);
    let count = core.header.processors.map(|count| count.clamp(1, MAX_PROCESSORS));
    let counted = || (0..MAX_PROCESSORS).take_while(is_there).count().max(1) as u64;
    count.map_or_else(counted, u64::from)
}

/// The entry of `KiProcessorBlock`; if its address is unknown, the block that the processor's
/// registers lead to.
fn prcb_address(core: &Core, number: u32) -> Option<u64> {
    let Some(table) = core.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PROCESSOR_BLOCK)) else {
        return prcb_of_region(core, number);
    };
    let step = core.header.width.bytes() as u64;
    core.pointer_at(table.checked_add(u64::from(number) * step)?).ok()
}

/// The processor's block by way of its control region (`_KPCR`), whose address is the base of a
/// segment register and which points to itself.
fn prcb_of_region(core: &Core, number: u32) -> Option<u64> {
    const REGION: &str = "_KPCR";
    let (own, block) = match core.header.width {
        Width::W64 => ("Self", "CurrentPrcb"),
        Width::W32 => ("SelfPcr", "Prcb"),
    };
    let stopped = core.stopped.get(usize::try_from(number).ok()?)?;
    let mut regions = stopped.regions(core.header.width);
    let region =
        regions.find(|at| core.structure(REGION, *at).pointer(own) == Ok(core.plain(*at)))?;
    core.structure(REGION, region).pointer(block).ok()
}
