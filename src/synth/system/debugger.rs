//! What the kernel publishes for debuggers: the debugger data block, the version block, and the
//! variables that they point to, including those of the memory manager.

mod pools;

use super::build::Builder;
use super::memory_state;
use super::spec::{Session, SystemSpec};
use crate::synth::objects::field_offsets;
use pools::{nodes, page_files, pools};

/// The pointers of the block: offset, name of the variable, and size of the variable in bytes.
const POINTERS: [(u64, &str, u64); 63] = [
    (0x48, "PsLoadedModuleList", 16),
    (0x50, "PsActiveProcessHead", 16),
    (0x58, "PspCidTable", 8),
    (0x60, "ExpSystemResourcesList", 16),
    (0x68, "ExpPagedPoolDescriptor", 8 * 17),
    (0x70, "ExpNumberOfPagedPools", 4),
    (0x78, "KeTimeIncrement", 4),
    (0x80, "KeBugCheckCallbackListHead", 16),
    (0x88, "KiBugcheckData", 40),
    (0x90, "IopErrorLogListHead", 16),
    (0x98, "ObpRootDirectoryObject", 8),
    (0xa0, "ObpTypeObjectType", 8),
    (0xa8, "MmSystemCacheStart", 8),
    (0xb0, "MmSystemCacheEnd", 8),
    (0xb8, "MmSystemCacheWs", 0x90),
    (0xc0, "MmPfnDatabase", 8),
    (0xc8, "MmSystemPtesStart", 16),
    (0xd0, "MmSystemPtesEnd", 16),
    (0xd8, "MmSubsectionBase", 8),
    (0xe0, "MmNumberOfPagingFiles", 4),
    (0xe8, "MmLowestPhysicalPage", 8),
    (0xf0, "MmHighestPhysicalPage", 8),
    (0xf8, "MmNumberOfPhysicalPages", 8),
    (0x100, "MmMaximumNonPagedPoolInBytes", 8),
    (0x108, "MmNonPagedSystemStart", 8),
    (0x110, "MmNonPagedPoolStart", 8),
    (0x118, "MmNonPagedPoolEnd", 8),
    (0x120, "MmPagedPoolStart", 8),
    (0x128, "MmPagedPoolEnd", 8),
    (0x130, "MmPagedPoolInfo", 0x80),
    (0x140, "MmSizeOfPagedPoolInBytes", 8),
    (0x148, "MmTotalCommitLimit", 8),
    (0x150, "MmTotalCommittedPages", 8),
    (0x158, "MmSharedCommit", 8),
    (0x160, "MmDriverCommit", 8),
    (0x168, "MmProcessCommit", 8),
    (0x170, "MmPagedPoolCommit", 8),
    (0x178, "MmExtendedCommit", 8),
    (0x180, "MmZeroedPageListHead", 0x28),
    (0x188, "MmFreePageListHead", 0x28),
    (0x190, "MmStandbyPageListHead", 0x28),
    (0x198, "MmModifiedPageListHead", 0x28),
    (0x1a0, "MmModifiedNoWritePageListHead", 0x28),
    (0x1a8, "MmAvailablePages", 8),
    (0x1b0, "MmResidentAvailablePages", 8),
    (0x1b8, "PoolTrackTable", 8),
    (0x1c0, "NonPagedPoolDescriptor", 0x1200),
    (0x1c8, "MmHighestUserAddress", 8),
    (0x1d0, "MmSystemRangeStart", 8),
    (0x1d8, "MmUserProbeAddress", 8),
    (0x208, "NtBuildLab", 64),
    (0x218, "KiProcessorBlock", 8 * 64),
    (0x220, "MmUnloadedDrivers", 8),
    (0x228, "MmLastUnloadedDriver", 4),
    (0x230, "MmTriageActionTaken", 4),
    (0x238, "MmSpecialPoolTag", 4),
    (0x240, "KernelVerifier", 4),
    (0x248, "MmVerifierData", 0x100),
    (0x250, "MmAllocatedNonPagedPool", 8),
    (0x258, "MmPeakCommitment", 8),
    (0x260, "MmTotalCommitLimitMaximum", 8),
    (0x268, "CmNtCSDVersion", 4),
    (0x270, "MmPhysicalMemoryBlock", 8),
];

/// Alternative names of a variable in symbol files.
const OTHER_NAMES: [(&str, &str); 1] = [("MmPagedPoolInfo", "MmPagedPoolInformation")];

/// The name of a variable in this kernel.
fn own_name(builder: &Builder<'_>, name: &'static str) -> &'static str {
    let other = OTHER_NAMES.iter().find(|row| row.0 == name && builder.has_symbol(row.1));
    other.map_or(name, |row| row.1)
}

/// Writes the block and the variables; returns the address of the block.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) -> u64 {
    let version = builder.version;
    let at = builder.variable("KdDebuggerDataBlock", 0x380);
    let head = builder.variable("KdpDebuggerDataListHead", 16);
    let size = match version.build {
        0..3790 => 0x290,
        3790..6000 => 0x318,
        6000..7600 => 0x330,
        7600..9200 => 0x340,
        9200..10240 => 0x360,
        _ => 0x380,
    };
    let mut data = vec![0u8; size];
    let mut put = |place: u64, bytes: &[u8]| {
        let place = usize::try_from(place).unwrap_or(0);
        if let Some(room) = data.get_mut(place..place + bytes.len()) {
            room.copy_from_slice(bytes);
        }
    };
    let extended = |address: u64| {
        let is_high = version.paging != crate::synth::memory::Paging::X64 && address >> 31 == 1;
        if is_high { address | 0xffff_ffff_0000_0000 } else { address }
    };
    put(0x10, b"KDBG");
    put(0x14, &u32::try_from(size).unwrap_or(0).to_le_bytes());
    put(0, &extended(head).to_le_bytes());
    put(8, &extended(head).to_le_bytes());
    put(0x18, &extended(builder.kernel).to_le_bytes());
    put(0x138, &0x1000u64.to_le_bytes());
    let state = memory_state::is_there(builder).then(|| memory_state::write(builder, spec));
    for (place, name, len) in POINTERS {
        if state.is_some() && memory_state::LEFT_OUT.contains(&place) {
            continue;
        }
        if let Some(inside) = state.filter(|_| place == memory_state::INSIDE) {
            put(place, &extended(inside).to_le_bytes());
            continue;
        }
        let name = own_name(builder, name);
        let address = builder.variable(name, len);
        put(place, &extended(address).to_le_bytes());
    }
    for (place, value) in field_offsets(builder.layout) {
        put(place as u64, &value.to_le_bytes());
    }
    for (place, value) in sizes(builder) {
        put(place, &u16::try_from(value).unwrap_or(0).to_le_bytes());
    }
    builder.put(at, &data);
    builder.put_pointer(head, at);
    let width = builder.width();
    builder.put_pointer(head + width, at);
    version_block(builder, extended(builder.kernel), &extended);
    variables(builder, spec);
    at
}

/// Structure sizes and field offsets in the second half of the block.
fn sizes(builder: &Builder<'_>) -> Vec<(u64, u64)> {
    let layout = builder.layout;
    let of = |name: &str, path: &str| layout.offset(name, path).into();
    let (own, prcb) =
        if builder.version.is_64_bit() { ("Self", "Prcb") } else { ("SelfPcr", "PrcbData") };
    let pcr_size = layout.size("_KPCR") as u64;
    vec![
        (0x2e0, pcr_size),
        (0x2e2, of("_KPCR", own)),
        (0x2e4, of("_KPCR", if builder.version.is_64_bit() { "CurrentPrcb" } else { "Prcb" })),
        (0x2e6, of("_KPCR", prcb)),
        (0x2f2, of("_KPRCB", "ProcessorState.SpecialRegisters")),
        (0x2f4, if builder.version.is_64_bit() { 0x10 } else { 8 }),
        (0x2f6, if builder.version.is_64_bit() { 0x18 } else { 0x10 }),
        (0x340, of("_KTHREAD", "StackLimit")),
        (0x344, of("_KTHREAD", "StackBase")),
        (0x348, of("_KTHREAD", "QueueListEntry")),
        (0x34c, of("_ETHREAD", "IrpList")),
    ]
}

fn version_block(builder: &mut Builder<'_>, kernel: u64, extended: &dyn Fn(u64) -> u64) {
    let at = builder.variable("KdVersionBlock", 0x28);
    let machine: u16 = if builder.version.is_64_bit() { 0x8664 } else { 0x14c };
    let modules = builder.variable("PsLoadedModuleList", 16);
    let list = builder.variable("KdpDebuggerDataListHead", 16);
    let mut block = vec![15, 0];
    block.extend(builder.version.build.to_le_bytes());
    block.extend([6, 2, 0x47, 0]);
    block.extend(machine.to_le_bytes());
    block.extend([0xc, 3, 0x31, 0, 0, 0]);
    for address in [kernel, extended(modules), extended(list)] {
        block.extend(address.to_le_bytes());
    }
    builder.put(at, &block);
}

/// Fills in the variables that are numbers.
fn variables(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let counters = &spec.counters;
    let version = builder.version;
    let is_64_bit = version.is_64_bit();
    let lab = [version.build_lab.as_bytes(), &[0]].concat();
    let at = builder.variable("NtBuildLab", 64);
    builder.put(at, &lab);
    let (nonpaged, paged) = match &spec.pool_map {
        map if map.start != 0 => (map.start, map.paged),
        _ => (version.nonpaged, version.paged),
    };
    let words: [(&str, u64); 25] = [
        ("MmNumberOfPhysicalPages", spec.physical_pages),
        ("MmLowestPhysicalPage", 1),
        ("MmHighestPhysicalPage", spec.physical_pages),
        ("MmAvailablePages", counters.available),
        ("MmResidentAvailablePages", counters.resident_available),
        ("MmMaximumNonPagedPoolInBytes", counters.nonpaged_maximum << 12),
        ("MmNonPagedSystemStart", version.nonpaged),
        ("MmNonPagedPoolStart", nonpaged),
        ("MmNonPagedPoolEnd", nonpaged + (counters.nonpaged_maximum << 12)),
        ("MmPagedPoolStart", paged),
        ("MmPagedPoolEnd", paged + (counters.paged_maximum << 12)),
        ("MmSizeOfPagedPoolInBytes", counters.paged_maximum << 12),
        ("MmTotalCommitLimit", counters.commit_limit),
        ("MmTotalCommittedPages", counters.committed),
        ("MmSharedCommit", counters.shared_commit),
        ("MmDriverCommit", counters.driver_commit),
        ("MmProcessCommit", counters.process_commit),
        ("MmPagedPoolCommit", counters.paged_commit),
        ("MmAllocatedNonPagedPool", counters.nonpaged),
        ("MmPeakCommitment", counters.commit_peak),
        ("MmTotalCommitLimitMaximum", counters.commit_limit),
        ("MmHighestUserAddress", if is_64_bit { 0x7ff_fffe_ffff } else { 0x7ffe_ffff }),
        ("MmSystemRangeStart", if is_64_bit { 0xffff_8000_0000_0000 } else { 0x8000_0000 }),
        ("MmUserProbeAddress", if is_64_bit { 0x7ff_fffe_0000 } else { 0x7fff_0000 }),
        ("MmSpecialPagesInUse", counters.special_pool),
    ];
    for (name, value) in words {
        builder.number(name, builder.width(), value);
    }
    let width = builder.width();
    if version.build < 6000 {
        builder.number("MmSystemLockPagesCount", width, counters.locked_io);
        let at = builder.variable("MmTotalFreeSystemPtes", 2 * width);
        builder.put_pointer(at, counters.free_system_ptes);
        builder.put_pointer(at + width, counters.free_nonpaged_ptes);
        builder.number("MiSpecialPagesNonPaged", width, counters.special_pool);
        let most = counters.special_pool + counters.free_special;
        builder.number("MiSpecialPagesNonPagedMaximum", width, most);
        builder.number("MmSessionViewSize", width, 20_480 << 10);
        nodes(builder, &counters.nonpaged_nodes);
    } else if version.build < 10240 {
        let mut ptes = builder.new_object("_MI_SYSTEM_PTE_TYPE");
        // The first release of Windows Vista has no such variable.
        ptes.opt("TotalFreeSystemPtes", counters.free_system_ptes);
        let at = builder.variable("MiSystemPteInfo", 0x80);
        builder.place(at, ptes);
    }
    let halves: [(&str, u64); 8] = [
        ("KeTimeIncrement", 156_250),
        ("CmNtCSDVersion", u64::from(version.service_pack) << 8),
        ("KeNumberProcessors", spec.processors.len() as u64),
        ("NtBuildNumber", 0xf000_0000 | u64::from(version.build)),
        ("MmNumberOfPagingFiles", spec.page_files.len() as u64),
        ("ExpNumberOfPagedPools", counters.paged.len().saturating_sub(1) as u64),
        ("ExPoolFailures", counters.pool_failures),
        ("MmTotalPagesForPagingFile", counters.modified_page_file),
    ];
    for (name, value) in halves {
        builder.number(name, 4, value);
    }
    let (code, parameters) = spec.bugcheck;
    let at = builder.variable("KiBugcheckData", 40);
    for (i, value) in std::iter::once(code.into()).chain(parameters).enumerate() {
        builder.put_pointer(at + i as u64 * width, value);
    }
    for name in ["KeBugCheckCallbackListHead", "IopErrorLogListHead"] {
        let at = builder.variable(name, 16);
        builder.link(at, &[]);
    }
    protections(builder);
    regions(builder, spec);
    page_lists(builder, spec);
    pools(builder, spec);
    page_files(builder, spec);
}

/// The table of regions, for a kernel whose symbol file has it. It contains the two pool regions,
/// whose numbers depend on the version.
fn regions(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let size = builder.layout.size("_MI_VISIBLE_STATE") as u64;
    let is_named = builder.has_names() && builder.has_symbol("MiVisibleState");
    if !is_named || !builder.layout.has("_MI_VISIBLE_STATE", "SystemVaRegions") {
        return;
    }
    let version = builder.version;
    let first = u64::from(version.build >= 22000);
    let state = builder.pages(size.div_ceil(0x1000));
    let mut object = builder.new_object("_MI_VISIBLE_STATE");
    for (i, (start, pages)) in (first..).zip([
        (version.nonpaged, spec.counters.nonpaged_maximum),
        (version.paged, spec.counters.paged_maximum),
    ]) {
        object.set(&format!("SystemVaRegions[{i}].BaseAddress"), start);
        object.set(&format!("SystemVaRegions[{i}].NumberOfBytes"), pages << 12);
    }
    builder.place(state, object);
    let at = builder.variable("MiVisibleState", 8);
    builder.put_pointer(at, state);
    // This kernel has no variables to which the debugger data block could point.
    for name in ["MmNonPagedPoolStart", "MmNonPagedPoolEnd", "MmPagedPoolStart", "MmPagedPoolEnd"] {
        builder.number(name, 8, 0);
    }
}

/// The table that converts protection numbers to `PAGE_` values.
fn protections(builder: &mut Builder<'_>) {
    const PLAIN: [u32; 8] = [1, 2, 0x10, 0x20, 4, 8, 0x40, 0x80];
    let at = builder.variable("MmProtectToValue", 4 * 32);
    for (row, extra) in [0, 0x200, 0x100, 0x400].into_iter().enumerate() {
        for (column, plain) in PLAIN.into_iter().enumerate() {
            let value = if column == 0 { plain } else { plain | extra };
            builder.put_u32(at + (8 * row + column) as u64 * 4, value.into());
        }
    }
}

fn page_lists(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let counters = &spec.counters;
    let width = builder.width();
    for (number, (name, pages)) in [
        ("MmZeroedPageListHead", counters.zeroed),
        ("MmFreePageListHead", counters.free),
        ("MmStandbyPageListHead", counters.standby),
        ("MmModifiedPageListHead", counters.modified),
        ("MmModifiedNoWritePageListHead", 0),
    ]
    .into_iter()
    .enumerate()
    {
        let at = builder.variable(name, 0x28);
        builder.put_pointer(at, pages);
        builder.put_u32(at + width, number as u64);
    }
}

/// Writes the session space of a session, and the list of its processes.
pub(super) fn session(builder: &mut Builder<'_>, session: &Session, processes: &[u64]) {
    let at = session.address;
    if builder.layout.size("_MM_SESSION_SPACE") == 0 {
        return;
    }
    let mut object = builder.new_object("_MM_SESSION_SPACE");
    object.set("SessionId", session.id.into()).opt("GlobalVirtualAddress", at);
    object.opt("ReferenceCount", processes.len() as u64);
    object.opt("ResidentProcessCount", processes.len() as u64);
    object.opt("CommittedPages", session.commit).opt("NonPagablePages", 16);
    object.opt("SessionPoolAllocationFailures[0]", session.failures);
    let (first, end) = builder.version.session_pool;
    object.opt("PagedPoolStart", first).opt("PagedPoolEnd", end - 1);
    object.opt("PagedPoolInfo.AllocatedPagedPool", session.paged_bytes >> 12);
    object.opt("Session.BitmapFailures", session.failures / 2);
    object.opt("PagedPool.TotalPages", session.paged_bytes >> 12);
    builder.place(at, object);
    let entry = builder.offset("_EPROCESS", "SessionProcessLinks");
    let head = builder.offset("_MM_SESSION_SPACE", "ProcessList");
    let entries: Vec<u64> = processes.iter().map(|at| at + entry).collect();
    builder.link(at + head, &entries);
}
