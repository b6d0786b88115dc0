//! The address ranges of the pools in kernel space.
//!
//! The memory manager records them in different places: up to Windows 7 in variables that the
//! debugger data block points to, since Windows 10 in a table of regions. Where neither can be
//! read, all of kernel space is searched, and only pages that prove to be pool count.

use crate::dump::{Width, kdbg};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::{END_32, HALF_32, HALF_64};
use crate::source::kernel::pool::block::PoolKind;
use crate::source::kernel::pool::range::{Holds, PoolRange};
use crate::source::kernel::pool::segment::Segments;
use crate::source::kernel::pool::sessions;
use crate::source::kernel::pool::state::Pool;

const PAGE: u64 = 0x1000;
const VERIFIER: &str = "_MM_DRIVER_VERIFIER_DATA";
/// Upper limit on the number of regions.
const MAX_REGIONS: u64 = 64;
/// Pool never reaches this close to the top of the address space, so the address behind a page
/// never overflows.
const END_64: u64 = 0xffff_ffff_ffe0_0000;

/// The ranges of all pools in address order. Ranges of the same address space do not overlap.
pub(crate) fn pool_ranges(core: &Core, pool: &Pool) -> Vec<PoolRange> {
    let mut ranges = regions(core);
    if ranges.is_empty() {
        ranges = ranges_stated(core);
    }
    if ranges.is_empty() {
        ranges.push(match core.header.width {
            Width::W32 => PoolRange::new(HALF_32, END_32, None),
            Width::W64 => PoolRange::new(HALF_64, END_64, None),
        });
    }
    ranges.sort_by_key(|range| range.start);
    let mut taken = 0;
    ranges.retain_mut(|range| {
        range.end = range.end.min(END_64);
        range.start = range.start.max(taken);
        taken = taken.max(range.end);
        range.start < range.end
    });
    let is_said = ranges.iter().any(|range| range.kind.is_paged.is_none());
    if !is_said && has_special_pool(core) {
        ranges.extend(between(core, &ranges));
        ranges.sort_by_key(|range| range.start);
    }
    let sessions =
        sessions::session_ranges(core, pool).into_iter().filter(|range| range.end <= END_64);
    ranges.extend(sessions);
    ranges
}

/// The pool regions in the memory manager's table of regions.
fn regions(core: &Core) -> Vec<PoolRange> {
    let Some(layout) = core.types().layout_of("_MI_SYSTEM_VA_ASSIGNMENT") else {
        return Vec::new();
    };
    let Some(variable) = core.symbol_address("nt", "MiVisibleState") else { return Vec::new() };
    let state = core.structure("_MI_VISIBLE_STATE", core.pointer_at(variable).unwrap_or(0));
    let size = core.size_of("_MI_SYSTEM_VA_ASSIGNMENT");
    let (Ok(table), Some(size)) = (state.at("SystemVaRegions"), size) else {
        return Vec::new();
    };
    let range = |index: u64| {
        let name = layout.enum_name("_MI_ASSIGNED_REGION_TYPES", i64::try_from(index).ok()?)?;
        let kind = match name.as_str() {
            "AssignedRegionNonPagedPool" | "AssignedRegionSecureNonPagedPool" => Some(false),
            "AssignedRegionPagedPool" => Some(true),
            // Special pool: each block in use has a page to itself.
            name if name.starts_with("AssignedRegionSpecialPool") => None,
            _ => return None,
        };
        let region = core.structure("_MI_SYSTEM_VA_ASSIGNMENT", table.checked_add(index * size)?);
        let start = region.pointer("BaseAddress").ok().filter(|at| core.is_kernels(*at))?;
        let end = start.checked_add(region.unsigned("NumberOfBytes").ok()?)?;
        (start < end).then(|| PoolRange::new(start, end, kind))
    };
    (0..MAX_REGIONS).filter_map(range).collect()
}

/// The ranges that variables of the memory manager give.
fn ranges_stated(core: &Core) -> Vec<PoolRange> {
    let Some(block) = core.kdbg() else { return Vec::new() };
    let value = |offset| {
        let value = block.pointer(offset).and_then(|at| core.pointer_at(at).ok());
        value.filter(|address| core.is_kernels(*address))
    };
    let range = |start, end, is_paged| {
        let (start, end) = (value(start)? & !(PAGE - 1), value(end)?);
        let end = end.checked_add(PAGE - 1)? & !(PAGE - 1);
        (start < end).then(|| PoolRange::new(start, end, Some(is_paged)))
    };
    let nonpaged = range(kdbg::NONPAGED_POOL_START, kdbg::NONPAGED_POOL_END, false);
    let paged = range(kdbg::PAGED_POOL_START, kdbg::PAGED_POOL_END, true);
    let (Some(nonpaged), Some(paged)) = (nonpaged, paged) else { return Vec::new() };
    // On old 32-bit systems nonpaged pool lies in two parts around everything else; the space
    // between is searched as such.
    let is_around = nonpaged.start < paged.start && paged.end < nonpaged.end;
    if !is_around {
        return [nonpaged, paged].into_iter().chain(special_range(core)).collect();
    }
    let loose = |start, end| PoolRange {
        holds: Holds::Anything,
        kind: PoolKind { is_paged: Some(false), is_session: false },
        ..PoolRange::new(start, end, None)
    };
    vec![loose(nonpaged.start, paged.start), paged, loose(paged.end, nonpaged.end)]
}

/// The range of special pool, as kernels before Vista record it.
fn special_range(core: &Core) -> Option<PoolRange> {
    let value = |name| core.pointer_at(core.symbol_address("nt", name)?).ok();
    let (start, end) = (value("MmSpecialPoolStart")?, value("MmSpecialPoolEnd")?);
    let is_range = start < end && core.is_kernels(start) && start.is_multiple_of(PAGE);
    is_range.then(|| PoolRange::new(start, end, None))
}

/// Whether blocks were allocated from special pool, on kernels that keep it apart from the other
/// pools: Driver Verifier counts the blocks of its drivers, and a pool tag can select special pool.
fn has_special_pool(core: &Core) -> bool {
    let Some(block) = core.kdbg().filter(|_| Segments::of(core).is_none()) else {
        return false;
    };
    let verified = block.pointer(kdbg::VERIFIER_DATA).and_then(|at| {
        core.structure(VERIFIER, at).unsigned("AllocationsSucceededSpecialPool").ok()
    });
    let tag = block.pointer(kdbg::SPECIAL_POOL_TAG).and_then(|at| core.u32_at(at).ok());
    verified.is_some_and(|count| count != 0) || tag.is_some_and(|tag| tag != 0)
}

/// The gaps between ranges in address order.
fn between(core: &Core, ranges: &[PoolRange]) -> Vec<PoolRange> {
    let (mut start, last) = match core.header.width {
        Width::W32 => (HALF_32, END_32),
        Width::W64 => (HALF_64, END_64),
    };
    let mut between = Vec::new();
    for (next, after) in ranges.iter().map(|r| (r.start, r.end)).chain([(last, last)]) {
        if start < next {
            between.push(PoolRange { holds: Holds::Special, ..PoolRange::new(start, next, None) });
        }
        start = start.max(after);
    }
    between
}

/// The ranges of the pools, determined on first use.
pub(crate) fn pool_ranges_known<'a>(core: &'a Core, pool: &'a Pool) -> &'a [PoolRange] {
    pool.ranges.get_or_init(|| pool_ranges(core, pool))
}
