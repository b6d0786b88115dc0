//! Where the pools are in the kernel's address space.
//!
//! The memory manager says so in different places: up to Windows 7 in variables that the debugger
//! data block points to, since Windows 10 in a table of regions. Where neither can be read, all of
//! the kernel's half is searched, and only pages that are pool beyond doubt count.

use super::block::Kind;
use super::segment::Segments;
use crate::dump::Width;
use crate::dump::kdbg;
use crate::source::kernel::KernelDump;

const PAGE: u64 = 0x1000;
const VERIFIER: &str = "_MM_DRIVER_VERIFIER_DATA";
/// No system has more regions.
const MAX_REGIONS: u64 = 64;
/// The first address of the kernel's half.
const HALF_32: u64 = 0x8000_0000;
const HALF_64: u64 = 0xffff_8000_0000_0000;
/// The address after the last of 32 bits.
const END_32: u64 = 1 << 32;
/// No pool is so near to the last address of all, so that what follows a page has an address too.
const END_64: u64 = 0xffff_ffff_ffe0_0000;

/// What is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Pool and nothing else.
    Pool,
    /// Pool among other things: pages count that are pool beyond doubt.
    Anything,
    /// No pool but perhaps blocks with pages of their own.
    Special,
}

/// Addresses of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PoolRange {
    /// The first address.
    pub(super) start: u64,
    /// The address after the last.
    pub(super) end: u64,
    /// Which pool, where the range belongs to one.
    pub(super) kind: Kind,
    /// What is in it.
    pub(super) holds: Holds,
    /// The page directory base of a process that sees it, if the system process does not.
    pub(super) space: Option<u64>,
    /// The session whose pool it is.
    pub(super) session: Option<u32>,
    /// Its place among the sessions.
    pub(super) owner: Option<usize>,
}

impl PoolRange {
    const fn new(start: u64, end: u64, is_paged: Option<bool>) -> Self {
        let kind = Kind { is_paged, is_session: false };
        let holds = if is_paged.is_some() { Holds::Pool } else { Holds::Anything };
        Self { start, end, kind, holds, space: None, session: None, owner: None }
    }

    /// The paged pool of a session, seen through a page directory base.
    pub(super) const fn of_session(
        start: u64,
        end: u64,
        (owner, session): (usize, Option<u32>),
        base: u64,
    ) -> Self {
        Self {
            kind: Kind { is_paged: Some(true), is_session: true },
            space: Some(base),
            session,
            owner: Some(owner),
            ..Self::new(start, end, Some(true))
        }
    }
}

#[cfg(test)]
impl PoolRange {
    pub(super) const fn for_tests(start: u64, end: u64, is_paged: bool) -> Self {
        Self::new(start, end, Some(is_paged))
    }
}

impl KernelDump {
    /// The ranges of all pools, by their addresses, none overlapping another of the same space.
    pub(super) fn pool_ranges(&self) -> Vec<PoolRange> {
        let mut ranges = self.regions();
        if ranges.is_empty() {
            ranges = self.ranges_stated();
        }
        if ranges.is_empty() {
            ranges.push(match self.header.width {
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
        if !is_said && self.has_special_pool() {
            ranges.extend(self.between(&ranges));
            ranges.sort_by_key(|range| range.start);
        }
        let sessions = self.session_ranges().into_iter().filter(|range| range.end <= END_64);
        ranges.extend(sessions);
        ranges
    }

    /// The regions of pool in the memory manager's table of regions.
    fn regions(&self) -> Vec<PoolRange> {
        let Some((layout, _)) = self.types().source() else { return Vec::new() };
        let Some(variable) = self.symbol_address("nt", "MiVisibleState") else { return Vec::new() };
        let state = self.structure("_MI_VISIBLE_STATE", self.pointer_at(variable).unwrap_or(0));
        let size = self.types().size_of("_MI_SYSTEM_VA_ASSIGNMENT");
        let (Ok(table), Some(size)) = (state.at("SystemVaRegions"), size) else {
            return Vec::new();
        };
        let range = |index: u64| {
            let name = layout.enum_name("_MI_ASSIGNED_REGION_TYPES", i64::try_from(index).ok()?)?;
            let kind = match name.as_str() {
                "AssignedRegionNonPagedPool" | "AssignedRegionSecureNonPagedPool" => Some(false),
                "AssignedRegionPagedPool" => Some(true),
                // Special pool: what of it is in use is alone on its page.
                name if name.starts_with("AssignedRegionSpecialPool") => None,
                _ => return None,
            };
            let region =
                self.structure("_MI_SYSTEM_VA_ASSIGNMENT", table.checked_add(index * size)?);
            let start = region.pointer("BaseAddress").ok().filter(|at| self.is_kernels(*at))?;
            let end = start.checked_add(region.unsigned("NumberOfBytes").ok()?)?;
            (start < end).then(|| PoolRange::new(start, end, kind))
        };
        (0..MAX_REGIONS).filter_map(range).collect()
    }

    /// The ranges that variables of the memory manager state.
    fn ranges_stated(&self) -> Vec<PoolRange> {
        let Some(block) = self.kdbg() else { return Vec::new() };
        let value = |offset| {
            let value = block.pointer(offset).and_then(|at| self.pointer_at(at).ok());
            value.filter(|address| self.is_kernels(*address))
        };
        let range = |start, end, is_paged| {
            let (start, end) = (value(start)? & !(PAGE - 1), value(end)?);
            let end = end.checked_add(PAGE - 1)? & !(PAGE - 1);
            (start < end).then(|| PoolRange::new(start, end, Some(is_paged)))
        };
        let nonpaged = range(kdbg::NONPAGED_POOL_START, kdbg::NONPAGED_POOL_END, false);
        let paged = range(kdbg::PAGED_POOL_START, kdbg::PAGED_POOL_END, true);
        let (Some(nonpaged), Some(paged)) = (nonpaged, paged) else { return Vec::new() };
        // On old 32-bit systems non-paged pool lies in two parts around everything else, which is
        // searched as what it is.
        let is_around = nonpaged.start < paged.start && paged.end < nonpaged.end;
        if !is_around {
            return [nonpaged, paged].into_iter().chain(self.special_range()).collect();
        }
        let loose = |start, end| PoolRange {
            holds: Holds::Anything,
            kind: Kind { is_paged: Some(false), is_session: false },
            ..PoolRange::new(start, end, None)
        };
        vec![loose(nonpaged.start, paged.start), paged, loose(paged.end, nonpaged.end)]
    }

    /// Where special pool is, as kernels before Vista say.
    fn special_range(&self) -> Option<PoolRange> {
        let value = |name| self.pointer_at(self.symbol_address("nt", name)?).ok();
        let (start, end) = (value("MmSpecialPoolStart")?, value("MmSpecialPoolEnd")?);
        let is_range = start < end && self.is_kernels(start) && start.is_multiple_of(PAGE);
        is_range.then(|| PoolRange::new(start, end, None))
    }

    /// Whether blocks have been given pages of their own, of kernels that keep them apart from the
    /// other pools: Driver Verifier counts those of its drivers, and a tag may ask for them.
    fn has_special_pool(&self) -> bool {
        let Some(block) = self.kdbg().filter(|_| Segments::of(self).is_none()) else {
            return false;
        };
        let verified = block.pointer(kdbg::VERIFIER_DATA).and_then(|at| {
            self.structure(VERIFIER, at).unsigned("AllocationsSucceededSpecialPool").ok()
        });
        let tag = block.pointer(kdbg::SPECIAL_POOL_TAG).and_then(|at| self.u32_at(at).ok());
        verified.is_some_and(|count| count != 0) || tag.is_some_and(|tag| tag != 0)
    }

    /// What is between ranges that stand in their order.
    fn between(&self, ranges: &[PoolRange]) -> Vec<PoolRange> {
        let (mut start, last) = match self.header.width {
            Width::W32 => (HALF_32, END_32),
            Width::W64 => (HALF_64, END_64),
        };
        let mut between = Vec::new();
        for (next, after) in ranges.iter().map(|r| (r.start, r.end)).chain([(last, last)]) {
            if start < next {
                between
                    .push(PoolRange { holds: Holds::Special, ..PoolRange::new(start, next, None) });
            }
            start = start.max(after);
        }
        between
    }

    /// Whether an address lies in the kernel's half.
    pub(in crate::source::kernel) fn is_kernels(&self, address: u64) -> bool {
        match self.header.width {
            Width::W32 => (HALF_32..END_32).contains(&address),
            Width::W64 => address >= HALF_64,
        }
    }
}
