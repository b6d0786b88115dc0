//! The debugger data block (`KDDEBUGGER_DATA64`), in which every kernel tells debuggers where its
//! variables are.
//!
//! The block has the same layout on all systems, with 64-bit pointers even on 32-bit ones; newer
//! versions only append fields. It also contains offsets of fields of kernel structures, so it can
//! verify layouts from other sources.

use super::bytes::{Width, u16_at, u32_at, u64_at};

/// A block with the tag `KDBG`.
#[derive(Debug, Clone, Copy)]
pub struct Kdbg<'a> {
    bytes: &'a [u8],
    width: Width,
}

/// A pointer in the block: the kernel's name for it, and its offset.
pub type Pointer = (&'static str, usize);
/// An offset or a size in the block: its offset, and its width.
pub type Number = (usize, u8);

/// Pointers to kernel variables and lists whose names are those of symbols.
pub const POINTERS: &[Pointer] = &[
    ("PsLoadedModuleList", 0x48),
    ("PsActiveProcessHead", 0x50),
    ("PspCidTable", 0x58),
    ("ExpSystemResourcesList", 0x60),
    ("KeTimeIncrement", 0x78),
    ("KeBugCheckCallbackListHead", 0x80),
    ("KiBugcheckData", 0x88),
    ("IopErrorLogListHead", 0x90),
    ("ObpRootDirectoryObject", 0x98),
    ("ObpTypeObjectType", 0xa0),
    ("MmPfnDatabase", 0xc0),
    ("MmSizeOfPagedPoolInBytes", 0x140),
    ("PoolTrackTable", 0x1b8),
    ("MmHighestUserAddress", 0x1c8),
    ("MmSystemRangeStart", 0x1d0),
    ("MmUserProbeAddress", 0x1d8),
    ("KiProcessorBlock", 0x218),
    ("MmUnloadedDrivers", 0x220),
    ("MmLastUnloadedDriver", 0x228),
    ("MmTriageActionTaken", 0x230),
    ("MmSpecialPoolTag", 0x238),
    ("KernelVerifier", 0x240),
    ("MmVerifierData", 0x248),
    ("CmNtCSDVersion", 0x268),
    ("MmPhysicalMemoryBlock", 0x270),
];

/// Base of the kernel image.
pub const KERN_BASE: usize = 0x18;
/// `PsLoadedModuleList`.
pub const MODULE_LIST: usize = 0x48;
/// `PsActiveProcessHead`.
pub const PROCESS_HEAD: usize = 0x50;
/// `MmPfnDatabase`: points to a pointer to the PFN database.
pub const PFN_DATABASE: usize = 0xc0;
/// `KeBugCheckCallbackListHead`.
pub const BUGCHECK_CALLBACKS: usize = 0x80;
/// `KiBugcheckData`: the bug check code and its four parameters.
pub const BUGCHECK_DATA: usize = 0x88;
/// `KeTimeIncrement`: the length of a clock tick in 100 ns units.
pub const TIME_INCREMENT: usize = 0x78;
/// `ObpRootDirectoryObject`: points to a pointer to the directory.
pub const ROOT_DIRECTORY: usize = 0x98;
/// `MmNumberOfPhysicalPages`.
pub const PHYSICAL_PAGES: usize = 0xf8;
/// `MmNonPagedPoolStart` and `MmNonPagedPoolEnd`.
pub const NONPAGED_POOL_START: usize = 0x110;
/// `MmNonPagedPoolEnd`.
pub const NONPAGED_POOL_END: usize = 0x118;
/// `MmPagedPoolStart`.
pub const PAGED_POOL_START: usize = 0x120;
/// `MmPagedPoolEnd`.
pub const PAGED_POOL_END: usize = 0x128;
/// `PoolTrackTable`.
pub const POOL_TRACK_TABLE: usize = 0x1b8;
/// `ExpSystemResourcesList`.
pub const RESOURCES: usize = 0x60;
/// `MmUnloadedDrivers`: points to a pointer to the list.
pub const UNLOADED_DRIVERS: usize = 0x220;
/// `MmLastUnloadedDriver`: the index of the entry that is written next.
pub const LAST_UNLOADED: usize = 0x228;
/// `ExpPagedPoolDescriptor`: pointers to the descriptors of the paged pools.
pub const PAGED_POOL_DESCRIPTORS: usize = 0x68;
/// `ExpNumberOfPagedPools`.
pub const PAGED_POOLS: usize = 0x70;
/// `MmSizeOfPagedPoolInBytes`.
pub const PAGED_POOL_BYTES: usize = 0x140;
/// `MmPagedPoolCommit`; since Windows 10 a field of `MiState` with another meaning.
pub const PAGED_POOL_COMMIT: usize = 0x170;
/// `NtBuildLab`.
pub const BUILD_LAB: usize = 0x208;
/// `KiProcessorBlock`: pointers to the `_KPRCB`s.
pub const PROCESSOR_BLOCK: usize = 0x218;
/// `MmSpecialPoolTag`: blocks with this tag are allocated from special pool.
pub const SPECIAL_POOL_TAG: usize = 0x238;
/// `MmVerifierData`, a `_MM_DRIVER_VERIFIER_DATA`.
pub const VERIFIER_DATA: usize = 0x248;
/// `CmNtCSDVersion`: the service pack.
pub const CSD_VERSION: usize = 0x268;

/// `_KTHREAD.NextProcessor`.
pub const THREAD_NEXT_PROCESSOR: Number = (0x298, 2);
/// `_KTHREAD.Teb`.
pub const THREAD_TEB: Number = (0x29a, 2);
/// `_KTHREAD.KernelStack`.
pub const THREAD_KERNEL_STACK: Number = (0x29c, 2);
/// `_KTHREAD.InitialStack`.
pub const THREAD_INITIAL_STACK: Number = (0x29e, 2);
/// `_KTHREAD.ApcState.Process`.
pub const THREAD_PROCESS: Number = (0x2a0, 2);
/// `_KTHREAD.State`.
pub const THREAD_STATE: Number = (0x2a2, 2);
/// Size of `_EPROCESS`.
pub const PROCESS_SIZE: Number = (0x2a8, 2);
/// `_EPROCESS.Peb`.
pub const PROCESS_PEB: Number = (0x2aa, 2);
/// `_EPROCESS.InheritedFromUniqueProcessId`.
pub const PROCESS_PARENT: Number = (0x2ac, 2);
/// `_EPROCESS.Pcb.DirectoryTableBase`.
pub const PROCESS_DTB: Number = (0x2ae, 2);
/// Size of `_KPRCB`.
pub const PRCB_SIZE: Number = (0x2b0, 2);
/// `_KPRCB.CurrentThread`.
pub const PRCB_CURRENT_THREAD: Number = (0x2b4, 2);
/// `_KPRCB.MHz`.
pub const PRCB_MHZ: Number = (0x2b6, 2);
/// `_KPRCB.VendorString`.
pub const PRCB_VENDOR: Number = (0x2ba, 2);
/// `_KPRCB.ProcessorState.ContextFrame`.
pub const PRCB_CONTEXT_FRAME: Number = (0x2bc, 2);
/// `_KPRCB.Number`.
pub const PRCB_NUMBER: Number = (0x2be, 2);
/// Size of `_ETHREAD`.
pub const THREAD_SIZE: Number = (0x2c0, 2);
/// `_KPCR.Prcb`, the offset of the `_KPRCB` in the `_KPCR`.
pub const PCR_PRCB: Number = (0x2e6, 2);
/// `_KPRCB.Context`, a pointer; since Windows 7.
pub const PRCB_CONTEXT: Number = (0x338, 2);
/// `_KTHREAD.StackLimit`; this field and the following exist since Windows 8.
pub const THREAD_STACK_LIMIT: Number = (0x340, 4);
/// `_KTHREAD.StackBase`.
pub const THREAD_STACK_BASE: Number = (0x344, 4);
/// `_ETHREAD.IrpList`.
pub const THREAD_IRP_LIST: Number = (0x34c, 4);
/// `_KPRCB.IdleThread`.
pub const PRCB_IDLE_THREAD: Number = (0x350, 2);
/// `_KTHREAD.WaitReason`; since Windows 8.1.
pub const THREAD_WAIT_REASON: Number = (0x35c, 2);

impl<'a> Kdbg<'a> {
    /// The block in these bytes, if they have its tag.
    pub fn new(bytes: &'a [u8], width: Width) -> Option<Self> {
        if bytes.get(0x10..0x14) != Some(b"KDBG") {
            return None;
        }
        let size = usize::try_from(u32_at(bytes, 0x14)?).ok()?;
        let bytes = bytes.get(..size.min(bytes.len()))?;
        Some(Self { bytes, width })
    }

    /// A pointer of the block; `None` if it is null or beyond the end of the block.
    pub fn pointer(&self, offset: usize) -> Option<u64> {
        let address = u64_at(self.bytes, offset).filter(|address| *address != 0)?;
        Some(self.width.normalise(address))
    }

    /// An offset or a size of the block; `None` if it is 0 or beyond the end of the block.
    pub fn number(&self, (offset, size): Number) -> Option<usize> {
        let value = match size {
            2 => u32::from(u16_at(self.bytes, offset)?),
            _ => u32_at(self.bytes, offset)?,
        };
        usize::try_from(value).ok().filter(|value| *value != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_with_the_block() {
        let mut bytes = vec![0u8; 0x400];
        assert!(Kdbg::new(&bytes, Width::W32).is_none());
        bytes[0x10..0x14].copy_from_slice(b"KDBG");
        bytes[0x14..0x18].copy_from_slice(&0x340u32.to_le_bytes());
        bytes[0x18..0x20].copy_from_slice(&0xffff_ffff_8040_0000u64.to_le_bytes());
        bytes[0x2a2] = 0x2d;
        bytes[0x340] = 0x30;
        let kdbg = Kdbg::new(&bytes, Width::W32).unwrap();
        assert_eq!(kdbg.pointer(KERN_BASE), Some(0x8040_0000));
        assert_eq!(kdbg.pointer(BUILD_LAB), None);
        assert_eq!(kdbg.number(THREAD_STATE), Some(0x2d));
        assert_eq!(kdbg.number(THREAD_STACK_LIMIT), None, "the block ends before it");
    }
}
