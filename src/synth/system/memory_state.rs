//! `MiState` and the system partition, in which the memory manager keeps its counters since Windows
//! 10. The debugger data block of those kernels does not point to the structure itself, but into
//! it, under the name of a variable that no longer exists.

use super::build::Builder;
use super::spec::SystemSpec;

/// Pointers of the debugger data block that are null in kernels with `MiState`.
pub(super) const LEFT_OUT: [u64; 22] = [
    0x68, 0x70, 0xe0, 0xe8, 0xf0, 0xf8, 0x100, 0x148, 0x150, 0x158, 0x160, 0x168, 0x178, 0x180,
    0x188, 0x190, 0x198, 0x1a0, 0x1a8, 0x1b0, 0x250, 0x258,
];
/// The pointer into the structure.
pub(super) const INSIDE: u64 = 0x170;
const STATE: &str = "_MI_SYSTEM_INFORMATION";
const PARTITION: &str = "_MI_PARTITION";

/// Whether the kernel has the structure.
pub(super) const fn is_there(builder: &Builder<'_>) -> bool {
    builder.version.build >= 10240
}

/// Writes both structures; returns the address to which the debugger data block points.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) -> u64 {
    let counters = &spec.counters;
    let room = |builder: &mut Builder<'_>, name: &'static str, variable: &str| {
        let size = builder.layout.size(name) as u64;
        let at = builder.variable(variable, size + 0x40);
        // The structure is aligned to 64 bytes, as by the compiler; an address from a symbol file
        // already is.
        let aligned = at.next_multiple_of(0x40);
        builder.symbols.insert(variable.to_owned(), aligned);
        aligned
    };
    let state = room(builder, STATE, "MiState");
    let partition = room(builder, PARTITION, "MiSystemPartition");
    let mut object = builder.new_object(PARTITION);
    object.set("Vp.NumberOfPhysicalPages", spec.physical_pages);
    object.set("Vp.AvailablePages", counters.available);
    object.set("Vp.ResidentAvailablePages", counters.resident_available);
    object.set("Vp.TotalCommittedPages", counters.committed);
    object.set("Vp.TotalCommitLimit", counters.commit_limit);
    object.set("Vp.TotalPagesForPagingFile", counters.modified_page_file);
    object.opt("Vp.SharedCommit", counters.shared_commit);
    object.set("Vp.ModifiedPageListHead.Total", counters.modified);
    object.set("PageLists.ZeroedPageListHead.Total", counters.zeroed);
    object.set("PageLists.FreePageListHead.Total", counters.free);
    object.set("PageLists.StandbyPageListHead.Total", counters.standby);
    object.set("Commit.PeakCommitment", counters.commit_peak);
    builder.place(partition, object);
    let width = builder.width();
    let array = builder.pool(false, *b"MmPa", 8 * width);
    builder.put_pointer(array, partition);
    let mut object = builder.new_object(STATE);
    object.set("Partitions.Partition", array);
    object.set("Pools.AllocatedNonPagedPool", counters.nonpaged);
    object.set("Vs.NonPagedPoolCommit", counters.nonpaged_commit);
    object.set("Vs.MaximumNonPagedPoolInPages", counters.nonpaged_maximum);
    object.set("Vs.SizeOfPagedPoolInPages", counters.paged_maximum);
    object.set("Vs.PagedPoolInfo.AllocatedPagedPool", counters.paged_usage);
    object.set("Vs.SystemPteInfo.TotalFreeSystemPtes", counters.free_system_ptes);
    object.set("Vs.SystemPteInfo.PteFailures", 77);
    object.set("Vs.ProcessCommit", counters.process_commit);
    object.set("Vs.DriverCommit", counters.driver_commit);
    object.opt("Vs.SharedCommit", counters.shared_commit);
    object.opt("Vs.SpecialPagesInUse", counters.special_pool);
    builder.place(state, object);
    state + builder.offset(STATE, "Vs.SystemPteInfo.PteFailures")
}
