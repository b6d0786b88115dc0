//! Memory manager counters, and the lists of physical pages.
//!
//! Up to Windows 8.1 the counters are kernel variables; the debugger data block points to most of
//! them. Since Windows 10 they are fields of the structure `MiState` and of the partition that it
//! points to. The debugger data block of those kernels points to other data under the old names and
//! is not used.
//!
//! There `NonPagedPool Usage` is the count that the kernel compares with its low-pool limits, which
//! are 2,048 and 5,120 pages below the maximum. Debuggers print two counters instead, for
//! executable and non-executable pool, whose sum is close to it.

use CounterPlace::{Block, BlockField, Excess, Partition, ShortBlock, State, Symbol, SymbolField};

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::{Emit, MemoryList, Unanswered, VmCounter};
use crate::source::kernel::core::Core;
use crate::source::kernel::mm::mi_state;
use crate::source::kernel::mm::mi_state::{MiState, PARTITION, STATE};

const PAGE: u64 = 0x1000;
const PAGE_LIST: &str = "_MMPFNLIST";
const DESCRIPTOR: &str = "_POOL_DESCRIPTOR";
/// Upper limit on the pools of a kind.
const MAX_POOLS: u64 = 64;
/// Debuggers warn about a pool if less than a fifth of it is left and that is less than a tenth or
/// less than this many pages (40 MB). These limits were derived from published listings.
const LOW_PAGES: i64 = 10_240;

/// Where a kernel keeps a counter.
#[derive(Debug, Clone, Copy)]
enum CounterPlace {
    /// A pointer-sized variable that the debugger data block points to.
    Block(usize),
    /// A 32-bit variable that the debugger data block points to: some versions have only 32 bits,
    /// and no machine with them had more pages.
    ShortBlock(usize),
    /// A field of a structure that the debugger data block points to.
    BlockField(usize, &'static str, &'static str),
    /// An element of an array of words, by symbol.
    Symbol(&'static str, u64),
    /// A field of a structure, by symbol.
    SymbolField(&'static str, &'static str, &'static str),
    /// The difference between two variables.
    Excess(&'static str, &'static str),
    /// A field of `MiState`.
    State(&'static str),
    /// A field of the system partition.
    Partition(&'static str),
}

/// A counter: its name as `!vm` prints it, whether it is in bytes, and where versions store it.
type Number = (&'static str, bool, &'static [CounterPlace]);

const BEFORE_POOLS: &[Number] = &[
    ("Physical Memory", false, &[ShortBlock(0xf8), Partition("Vp.NumberOfPhysicalPages")]),
    ("Available Pages", false, &[Block(0x1a8), Partition("Vp.AvailablePages")]),
    ("ResAvail Pages", false, &[Block(0x1b0), Partition("Vp.ResidentAvailablePages")]),
    ("Locked IO Pages", false, &[Symbol("MmSystemLockPagesCount", 0)]),
    (
        "Free System PTEs",
        false,
        &[
            Symbol("MmTotalFreeSystemPtes", 0),
            SymbolField("MiSystemPteInfo", "_MI_SYSTEM_PTE_TYPE", "TotalFreeSystemPtes"),
            State("Vs.SystemPteInfo.TotalFreeSystemPtes"),
        ],
    ),
    ("Free NP PTEs", false, &[Symbol("MmTotalFreeSystemPtes", 1)]),
    // The number of pages that nonpaged special pool may still use; debuggers print nothing since
    // Vista, which has no such limit.
    (
        "Free Special NP",
        false,
        &[Excess("MiSpecialPagesNonPagedMaximum", "MiSpecialPagesNonPaged")],
    ),
    (
        "Modified Pages",
        false,
        &[BlockField(0x198, PAGE_LIST, "Total"), Partition("Vp.ModifiedPageListHead.Total")],
    ),
    (
        "Modified PF Pages",
        false,
        &[Symbol("MmTotalPagesForPagingFile", 0), Partition("Vp.TotalPagesForPagingFile")],
    ),
    (NONPAGED_USAGE, false, &[Block(0x250), State("Pools.AllocatedNonPagedPool")]),
    (NONPAGED_MAX, true, &[Block(0x100)]),
    (NONPAGED_MAX, false, &[State("Vs.MaximumNonPagedPoolInPages")]),
];

const AFTER_POOLS: &[Number] = &[
    (
        PAGED_USAGE,
        false,
        &[
            BlockField(0x130, "_MM_PAGED_POOL_INFO", "AllocatedPagedPool"),
            State("Vs.PagedPoolInfo.AllocatedPagedPool"),
        ],
    ),
    (PAGED_MAX, true, &[Block(kdbg::PAGED_POOL_BYTES)]),
    (
        "Shared Commit",
        false,
        &[Block(0x158), State("Vs.SharedCommit"), Partition("Vp.SharedCommit")],
    ),
    ("Special Pool", false, &[Symbol("MmSpecialPagesInUse", 0), State("Vs.SpecialPagesInUse")]),
    ("Shared Process", false, &[Block(0x168), State("Vs.ProcessCommit")]),
    ("NonPagedPool Commit", false, &[State("Vs.NonPagedPoolCommit")]),
    ("PagedPool Commit", false, &[Block(kdbg::PAGED_POOL_COMMIT)]),
    ("Driver Commit", false, &[ShortBlock(0x160), State("Vs.DriverCommit")]),
    (COMMITTED, false, &[Block(0x150), Partition("Vp.TotalCommittedPages")]),
    (LIMIT, false, &[Block(0x148), Partition("Vp.TotalCommitLimit")]),
];

const NONPAGED_USAGE: &str = "NonPagedPool Usage";
const NONPAGED_MAX: &str = "NonPagedPool Max";
const PAGED_USAGE: &str = "PagedPool Usage";
const PAGED_MAX: &str = "PagedPool Maximum";
const COMMITTED: &str = "Committed pages";
const LIMIT: &str = "Commit limit";
/// Pairs of usage and limit.
const LIMITS: [(&str, &str); 3] =
    [(NONPAGED_USAGE, NONPAGED_MAX), (PAGED_USAGE, PAGED_MAX), (COMMITTED, LIMIT)];
/// The warnings that debuggers print for pools that are nearly exhausted.
const WARNINGS: [(&str, &str); 2] = [
    (NONPAGED_USAGE, "Excessive NonPaged Pool Usage"),
    (PAGED_USAGE, "Excessive Paged Pool Usage"),
];

/// The lists of physical pages as `!memusage` names them: the offset in the debugger data block,
/// and the field of the partition.
const PAGE_LISTS: [(&str, usize, &str); 6] = [
    ("Zeroed", 0x180, "PageLists.ZeroedPageListHead.Total"),
    ("Free", 0x188, "PageLists.FreePageListHead.Total"),
    ("Standby", 0x190, "PageLists.StandbyPageListHead.Total"),
    ("Modified", 0x198, "Vp.ModifiedPageListHead.Total"),
    ("ModifiedNoWrite", 0x1a0, "Vp.ModifiedNoWritePageListHead.Total"),
    ("Bad", 0, "PageLists.BadPageListHead.Total"),
];

fn signed(number: u64) -> Cell<i64> {
    i64::try_from(number).map_err(|_| Absent::Unreadable)
}

fn in_bytes(pages: Cell<i64>) -> Cell<i64> {
    pages?.checked_mul(0x1000).ok_or(Absent::Unreadable)
}

/// A row of a page count.
fn row(name: &str, pages: Cell<u64>) -> VmCounter {
    let pages = pages.and_then(signed);
    VmCounter { name: Ok(name.to_owned()), pages, bytes: in_bytes(pages), ..VmCounter::default() }
}

/// The counter at a place, or `None` if this kernel does not store it there.
fn counter_at(core: &Core, memory: &MiState, place: CounterPlace) -> Option<Cell<u64>> {
    let is_new = mi_state::has_state(core);
    let stated = |offset: usize| {
        // Only one of the old fields still has its meaning.
        let is_true = !is_new || offset == kdbg::PAGED_POOL_BYTES;
        core.kdbg()?.pointer(offset).filter(|_| is_true)
    };
    let symbol = |name: &str| if is_new { None } else { core.symbol_address("nt", name) };
    let field = |ty, path, at: Option<u64>| match at {
        Some(at) if core.has_field(ty, path) => Some(core.structure(ty, at).unsigned(path)),
        _ => None,
    };
    match place {
        Block(offset) => stated(offset).map(|at| core.pointer_at(at)),
        ShortBlock(offset) => stated(offset).map(|at| core.u32_at(at).map(u64::from)),
        BlockField(offset, ty, path) => field(ty, path, stated(offset)),
        Symbol(name, index) => symbol(name).map(|at| {
            let offset = index * core.header.width.bytes() as u64;
            core.pointer_at(at.checked_add(offset).ok_or(Absent::Unreadable)?)
        }),
        Excess(most, used) => symbol(most)
            .zip(symbol(used))
            .map(|(most, used)| Ok(core.pointer_at(most)?.saturating_sub(core.pointer_at(used)?))),
        SymbolField(name, ty, path) => field(ty, path, symbol(name)),
        State(path) => {
            let is_there = is_new && core.has_field(STATE, path);
            is_there.then(|| mi_state::state(core, memory)?.unsigned(path))
        }
        Partition(path) => {
            let is_there = is_new && core.has_field(PARTITION, path);
            is_there.then(|| mi_state::partition(core, memory)?.unsigned(path))
        }
    }
}

fn vm_row(core: &Core, memory: &MiState, (name, in_bytes, places): &Number) -> Option<VmCounter> {
    let value = places.iter().find_map(|place| counter_at(core, memory, *place))?;
    Some(row(name, value.map(|value| if *in_bytes { value / PAGE } else { value })))
}

pub(crate) fn each_counter(
    core: &Core,
    memory: &MiState,
    emit: Emit<'_, VmCounter>,
) -> Result<(), Unanswered> {
    let block = || Unanswered::because("the dump holds no debugger data block");
    core.kdbg().ok_or_else(block)?;
    let mut rows: Vec<VmCounter> = Vec::new();
    for number in BEFORE_POOLS {
        // If there are several pools, each comes before their sum.
        if number.0 == NONPAGED_USAGE {
            rows.extend(nonpaged_pools(core));
        }
        rows.extend(vm_row(core, memory, number));
    }
    rows.extend(paged_pools(core));
    for number in AFTER_POOLS {
        rows.extend(vm_row(core, memory, number));
    }
    add_limits(&mut rows);
    for row in rows {
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// Pages of each nonpaged pool, on machines that have several.
fn nonpaged_pools(core: &Core) -> Vec<VmCounter> {
    let symbol = |name| core.symbol_address("nt", name).filter(|_| !mi_state::has_state(core));
    let array = symbol("ExpNonPagedPoolDescriptor");
    let count = symbol("ExpNumberOfNonPagedPools").and_then(|at| core.u32_at(at).ok());
    match (array, count) {
        (Some(array), Some(count @ 2..)) => {
            pools(core, array, count.into(), "NonPagedPool", "Used")
        }
        _ => Vec::new(),
    }
}

/// Pages of each paged pool, on kernels that have several.
fn paged_pools(core: &Core) -> Vec<VmCounter> {
    let Some(kdbg) = core.kdbg().filter(|_| !mi_state::has_state(core)) else { return Vec::new() };
    let array = kdbg.pointer(kdbg::PAGED_POOL_DESCRIPTORS);
    let count = kdbg.pointer(kdbg::PAGED_POOLS).and_then(|at| core.u32_at(at).ok());
    let (Some(array), Some(count)) = (array, count) else { return Vec::new() };
    // The count excludes the first pool, which serves allocations of whole pages.
    pools(core, array, u64::from(count).saturating_add(1), "PagedPool", "Usage")
}

/// The pages of each of this many pools, whose descriptors an array points to.
fn pools(core: &Core, array: u64, count: u64, name: &str, word: &str) -> Vec<VmCounter> {
    if count > MAX_POOLS || !core.has_field(DESCRIPTOR, "TotalPages") {
        return Vec::new();
    }
    let step = core.header.width.bytes() as u64;
    let pool = |i: u64| {
        let at = array.checked_add(i * step).ok_or(Absent::Unreadable);
        let pool = core.structure(DESCRIPTOR, core.pointer_at(at?)?);
        let big = pool.unsigned("TotalBigPages")?;
        pool.unsigned("TotalPages")?.checked_add(big).ok_or(Absent::Unreadable)
    };
    (0..count).map(|i| row(&format!("{name} {i} {word}"), pool(i))).collect()
}

pub(crate) fn each_page_list(
    core: &Core,
    memory: &MiState,
    emit: Emit<'_, MemoryList>,
) -> Result<(), Unanswered> {
    let block = || Unanswered::because("the dump holds no debugger data block");
    let kdbg = core.kdbg().ok_or_else(block)?;
    for (name, offset, path) in PAGE_LISTS {
        let list = if mi_state::has_state(core) {
            counter_at(core, memory, Partition(path))
        } else {
            let head = (offset != 0).then(|| kdbg.pointer(offset)).flatten();
            head.map(|at| core.structure(PAGE_LIST, at).unsigned("Total"))
        };
        let Some(pages) = list.map(|pages| pages.and_then(signed)) else { continue };
        let row = MemoryList {
            list: Ok(name.to_owned()),
            pages,
            bytes: in_bytes(pages),
            ..MemoryList::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// Adds the limits of counters, and warnings for counters that are close to them.
fn add_limits(rows: &mut [VmCounter]) {
    let pages = |rows: &[VmCounter], name: &str| {
        let row = rows.iter().find(|row| row.name.as_deref() == Ok(name));
        row.and_then(|row| row.pages.ok())
    };
    for (usage, most) in LIMITS {
        let Some(most) = pages(rows, most) else { continue };
        let Some(row) = rows.iter_mut().find(|row| row.name.as_deref() == Ok(usage)) else {
            continue;
        };
        row.limit_bytes = in_bytes(Ok(most));
        let warning = WARNINGS.iter().find(|(name, _)| *name == usage);
        if let (Ok(used), Some((_, warning))) = (row.pages, warning)
            && is_excessive(used, most)
        {
            row.warning = Ok((*warning).to_owned());
        }
    }
}

/// Whether a pool is so full that debuggers warn.
const fn is_excessive(used: i64, most: i64) -> bool {
    let left = most.saturating_sub(used);
    most > 0 && left < most / 5 && (left < most / 10 || left < LOW_PAGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Usage and maximum from published listings, and whether they contain a warning.
    #[test]
    fn warnings_match_published_listings() {
        for (used, most, is_said) in [
            (13_183, 65_215, false),
            (17_250, 65_536, false),
            (10_042, 68_537, false),
            (32_850, 40_960, true),
            (37_846, 65_215, false),
            (120_710, 134_144, false),
            (64_445, 64_640, true),
            (24_721, 134_144, false),
            (22_948, 70_145, false),
            (32_951, 40_960, true),
            (0, 0, false),
            (i64::MAX, 1, true),
        ] {
            assert_eq!(is_excessive(used, most), is_said, "{used} of {most}");
        }
    }
}
