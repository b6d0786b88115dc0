//! The contents of a synthetic system: plain data with defaults. For an address, 0 means that the
//! builder chooses it; the specification of a built system has every address filled in.

use std::sync::Arc;

use super::io::Io;
use super::locks::Resource;
use super::pool_tags::TagUse;
use super::routines::Routines;
use super::thread_locks::ThreadLock;
use super::windows::Windows;
use crate::synth::kernel_file::KernelFile;
use crate::synth::spec::{Block, Driver, ExceptionRecord};

/// A whole running system.
#[derive(Debug, Clone)]
pub struct SystemSpec {
    /// The Windows version.
    pub windows: Windows,
    /// Types, symbols and PDB identity of the kernel; without it, the built-in layout and generated
    /// addresses.
    pub kernel: Option<Arc<KernelFile>>,
    /// Whether the whole kernel image is in memory, filled with breakpoint instructions.
    pub kernel_code: bool,
    /// Whether threads have call stacks with functions of the kernel, ntdll and their program.
    pub stacks: bool,
    /// Pages of physical memory.
    pub physical_pages: u64,
    /// Bug check code and parameters.
    pub bugcheck: (u32, [u64; 4]),
    /// The exception record of the header.
    pub exception: Option<ExceptionRecord>,
    /// Comment in the header; empty for none.
    pub comment: String,
    /// When the dump was written, as a FILETIME.
    pub system_time: u64,
    /// Clock ticks since boot, of 15.625 ms.
    pub ticks: u64,
    /// Processors.
    pub processors: Vec<Processor>,
    /// Number of the crashing processor.
    pub crash_processor: usize,
    /// Registers of the crashed thread by their names in `_CONTEXT`.
    pub registers: Vec<(String, u64)>,
    /// Processes; the first is Idle, the second System.
    pub processes: Vec<SystemProcess>,
    /// Loaded drivers in load order; the first is the kernel.
    pub drivers: Vec<Driver>,
    /// Unloaded drivers, the oldest first.
    pub unloaded: Vec<UnloadedDriver>,
    /// Named objects besides those to which processes have handles.
    pub objects: Vec<NamedObject>,
    /// Active timers.
    pub timers: Vec<Timer>,
    /// Memory manager counters.
    pub counters: Counters,
    /// Queues of worker threads, in the order of their numbers.
    pub work_queues: Vec<WorkQueue>,
    /// Page files.
    pub page_files: Vec<PageFile>,
    /// Sessions.
    pub sessions: Vec<Session>,
    /// More pool blocks.
    pub pool: Vec<PoolRequest>,
    /// More pages of nonpaged pool.
    pub pool_map: PoolMap,
    /// Pool usage by tag; for other tags, the usage is that of the blocks that the builder
    /// allocates.
    pub pool_tags: Vec<TagUse>,
    /// Entries of the tag table; 0 for the number of the version.
    pub tracker_entries: u64,
    /// Executive resources.
    pub resources: Vec<Resource>,
    /// Push locks and fast mutexes.
    pub thread_locks: Vec<ThreadLock>,
    /// Drivers, devices and IRPs.
    pub io: Io,
    /// Routines that the kernel calls.
    pub routines: Routines,
    /// More of the system's memory.
    pub blocks: Vec<Block>,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Processor {
    /// Address of the `_KPRCB`.
    pub prcb: u64,
    /// Id of the running thread; 0 for the idle thread.
    pub running: u64,
    /// Id of the thread that was chosen to run next; 0 for none.
    pub next: u64,
    /// DPCs in the queue: routine and context.
    pub dpcs: Vec<(u64, u64)>,
    /// Threaded DPCs.
    pub threaded_dpcs: Vec<(u64, u64)>,
    /// DPCs and interrupts so far.
    pub counts: (u64, u64),
    /// Queued spin locks by index: 0 for a lock that the processor owns, else its position among
    /// the waiters.
    pub spin_locks: Vec<(u64, u64)>,
    /// Ticks in kernel mode, user mode, DPCs and interrupts.
    pub times: (u64, u64, u64, u64),
    /// Interrupt request level.
    pub irql: u64,
    /// Clock frequency in MHz.
    pub mhz: u64,
    /// Context switches of the idle thread, and its ticks in kernel mode.
    pub idle: (u64, u64),
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemProcess {
    /// Address of the `_EPROCESS`.
    pub eprocess: u64,
    /// Process id.
    pub pid: u64,
    /// Id of its creator.
    pub ppid: u64,
    /// Image name.
    pub name: String,
    /// Path of the image; empty for processes without one.
    pub path: String,
    /// Command line; empty for processes that never run in user mode.
    pub command_line: String,
    /// Creation time as a FILETIME.
    pub create_time: u64,
    /// Exit time as a FILETIME; 0 while it runs.
    pub exit_time: u64,
    /// Session; `None` for processes outside of sessions.
    pub session: Option<u32>,
    /// Whether it is a 32-bit process on a 64-bit system.
    pub is_wow64: bool,
    /// Base priority.
    pub base_priority: u64,
    /// Clock ticks in kernel and user mode.
    pub ticks: (u64, u64),
    /// Pages: working set, peak working set, private, committed.
    pub pages: (u64, u64, u64, u64),
    /// Bytes of address space in use.
    pub virtual_bytes: u64,
    /// Page faults so far.
    pub page_faults: u64,
    /// Threads.
    pub threads: Vec<SystemThread>,
    /// Open handles.
    pub handles: Vec<SystemHandle>,
    /// Ranges of its address space in ascending order.
    pub vads: Vec<Vad>,
    /// Page directory base.
    pub dtb: u64,
    /// Address of the process environment block.
    pub peb: u64,
    /// Address of the handle table.
    pub object_table: u64,
    /// Address of the primary token.
    pub token: u64,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemThread {
    /// Address of the `_ETHREAD`.
    pub ethread: u64,
    /// Thread id.
    pub tid: u64,
    /// The state of the thread.
    pub state: ThreadState,
    /// Current priority, base priority, and the boost that decays.
    pub priority: (u64, u64, u64),
    /// Processor on which it runs or ran last.
    pub processor: u64,
    /// Context switches.
    pub context_switches: u64,
    /// Clock ticks in kernel and user mode.
    pub ticks: (u64, u64),
    /// Clock ticks since it began to wait, or to run.
    pub waited: u64,
    /// Start address and Win32 start address.
    pub start: (u64, u64),
    /// Kernel stack: initial, current, base, limit.
    pub stack: (u64, u64, u64, u64),
    /// Words of the kernel stack from the current pointer on.
    pub words: Vec<u64>,
    /// Instruction and stack pointers of its frames, innermost first; filled in for systems with
    /// stacks.
    pub frames: Vec<(u64, u64)>,
    /// Address of the trap frame; 0 for none.
    pub trap_frame: u64,
    /// Address of the TEB; 0 for none.
    pub teb: u64,
    /// Address of the thread in win32k.
    pub win32_thread: u64,
    /// Creation time as a FILETIME.
    pub create_time: u64,
    /// Suspend count.
    pub suspended: u64,
    /// Whether its wait is alertable, and in user mode.
    pub alertable: bool,
    /// Id of the LPC message that it processes; 0 for none.
    pub lpc_message: u64,
    /// Address of the token with which it impersonates; 0 for none.
    pub impersonation: u64,
    /// Id of the process to whose address space it is attached; 0 for none.
    pub attached: u64,
    /// Addresses of the IRPs in its list.
    pub irps: Vec<u64>,
    /// Addresses of the push locks and mutexes that it owns or waits for, and whether it owns them.
    pub locks: Vec<(u64, bool)>,
    /// Name that the program gave it.
    pub name: String,
}

/// The state of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ThreadState {
    /// It runs.
    Running,
    /// It is ready to run on a processor.
    Ready,
    /// It is ready to run on any processor that shares a queue; on its own processor if queues are
    /// not shared.
    ReadyShared,
    /// It waits for a gate; for an event in versions without gates.
    Gate {
        /// Number in `_KWAIT_REASON`.
        reason: u64,
    },
    /// It waits: the reason, whether for all objects or any of them, and the objects.
    Waiting {
        /// Number in `_KWAIT_REASON`.
        reason: u64,
        /// Whether it waits for all of them.
        all: bool,
        /// The names of the objects, as in [`NamedObject`]; `Thread` and an ID; `Process` and an
        /// ID; empty for an event of the thread itself.
        objects: Vec<String>,
    },
    /// It has exited.
    #[default]
    Terminated,
}

/// A handle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemHandle {
    /// Its value, a multiple of four.
    pub value: u64,
    /// Its object, as in [`ThreadState::Waiting`].
    pub object: String,
    /// Granted access.
    pub access: u64,
    /// Address of the object.
    pub address: u64,
}

/// A named object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedObject {
    /// Path in the object namespace. An object without a name has a path without a backslash, by
    /// which handles and waits refer to it.
    pub path: String,
    /// Type of the object.
    pub kind: String,
    /// Address of its body.
    pub address: u64,
    /// Id of the owning thread, for mutants.
    pub owner: u64,
    /// Name of the file relative to its device, for file objects; path of the key, for keys;
    /// target, for symbolic links; path of the file object, for sections.
    pub file: String,
}

/// A range of an address space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vad {
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
    /// Number of the protection (4 is read and write, 7 image).
    pub protection: u64,
    /// Number of the type (0 none, 2 image).
    pub kind: u64,
    /// Whether its pages are private.
    pub is_private: bool,
    /// Pages committed.
    pub commit: u64,
    /// File that is mapped; empty for none.
    pub file: String,
}

/// An active timer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timer {
    /// Address of the `_KTIMER`.
    pub address: u64,
    /// Interrupt time at which it fires, in units of 100 ns.
    pub due: u64,
    /// Period in milliseconds; 0 for none.
    pub period: u64,
    /// Routine of its DPC, and the argument; 0 for none.
    pub dpc: (u64, u64),
    /// Id of the thread that contains the timer; 0 for none.
    pub thread: u64,
}

/// A queue of worker threads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkQueue {
    /// Address of the queue.
    pub address: u64,
    /// Ids of its worker threads.
    pub threads: Vec<u64>,
    /// Running threads, their maximum number, and the maximum number of threads.
    pub counts: (u64, u64, u64),
    /// Pending work items.
    pub items: Vec<WorkItem>,
}

/// An item that waits for a worker thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkItem {
    /// Address of the item.
    pub address: u64,
    /// Routine and argument.
    pub call: (u64, u64),
    /// Priority of its list, for versions with several lists.
    pub priority: u64,
    /// Whether it is the work item of a driver (`_IO_WORKITEM`), which runs through a kernel
    /// routine.
    pub is_driver: bool,
}

/// A driver that was unloaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnloadedDriver {
    /// File name.
    pub name: String,
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
    /// When it was unloaded, as a FILETIME.
    pub time: u64,
}

/// Memory manager counters, in pages unless the name says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are those of the debugger's own listing")]
pub struct Counters {
    pub available: u64,
    pub resident_available: u64,
    pub locked_io: u64,
    pub free_system_ptes: u64,
    pub free_nonpaged_ptes: u64,
    pub modified: u64,
    pub modified_page_file: u64,
    pub zeroed: u64,
    pub free: u64,
    pub standby: u64,
    pub nonpaged: u64,
    pub nonpaged_maximum: u64,
    pub nonpaged_commit: u64,
    pub free_special: u64,
    pub nonpaged_nodes: Vec<u64>,
    pub paged: Vec<u64>,
    pub paged_usage: u64,
    pub paged_maximum: u64,
    pub pool_failures: u64,
    pub shared_commit: u64,
    pub special_pool: u64,
    pub process_commit: u64,
    pub paged_commit: u64,
    pub driver_commit: u64,
    pub committed: u64,
    pub commit_limit: u64,
    pub commit_peak: u64,
}

/// A page file, in pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageFile {
    /// Its path.
    pub path: String,
    /// Pages: current size, free, minimum, maximum.
    pub pages: (u64, u64, u64, u64),
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// Session id.
    pub id: u32,
    /// Address of its `_MM_SESSION_SPACE`.
    pub address: u64,
    /// Bytes of paged pool in use.
    pub paged_bytes: u64,
    /// Pages committed.
    pub commit: u64,
    /// Allocations that failed.
    pub failures: u64,
    /// Pool usage by tag; for other tags, the usage is that of the blocks that the builder
    /// allocates.
    pub pool_tags: Vec<TagUse>,
}

/// Pool blocks to be allocated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolRequest {
    /// Their tag.
    pub tag: [u8; 4],
    /// Number of blocks.
    pub count: u64,
    /// Size of each without its header, in bytes.
    pub bytes: u64,
    /// Whether they are in paged pool.
    pub is_paged: bool,
    /// Whether they are in use.
    pub state: PoolState,
    /// Id of the process that is charged quota for them; 0 for none.
    pub pid: u64,
    /// Whether they are in an LFH subsegment of a segment heap, every fourth block of which is
    /// free.
    pub is_lfh: bool,
    /// The pages of each big allocation that are in the page file, counted from its first.
    pub paged_out: std::ops::Range<u64>,
    /// The session that owns them; nonpaged blocks are in the system's pool.
    pub session: Option<u32>,
    /// Whether they are in special pool.
    pub is_special: bool,
}

/// Pages of the nonpaged pool of a kernel before Vista of which only the page map is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolMap {
    /// Start of the pool; 0 for that of the version.
    pub start: u64,
    /// Start of the system's own blocks in it.
    pub blocks: u64,
    /// Start of paged pool.
    pub paged: u64,
    /// An address and, for each page from there on, `O`, `<`, `=`, `>`, or `.` for an unused page.
    pub rows: Vec<(u64, String)>,
    /// Total number of used pages; other rows of 64 pages are filled until it is reached.
    pub pages: u64,
}

/// A pool block that was allocated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a description, not a state")]
pub struct PoolBlock {
    /// Address, header included.
    pub address: u64,
    /// Size in bytes, header included.
    pub bytes: u64,
    /// Its tag.
    pub tag: [u8; 4],
    /// Whether it is in paged pool.
    pub is_paged: bool,
    /// Whether it is in use.
    pub state: PoolState,
    /// Whether it takes whole pages.
    pub is_big: bool,
    /// Whether it is in an LFH subsegment.
    pub is_lfh: bool,
    /// Address of the process that is charged quota; 0 for none.
    pub process: u64,
    /// Its pages that are in the page file, counted from the first.
    pub paged_out: std::ops::Range<u64>,
    /// The session that owns it.
    pub session: Option<u32>,
    /// Whether it is in special pool. The address is then that of the data, and the size the
    /// requested one.
    pub is_special: bool,
}

/// The state of a pool block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PoolState {
    /// In use.
    #[default]
    Used,
    /// In use, and must be freed with its tag.
    Protected,
    /// Free.
    Free,
}
