//! The contents of a synthetic dump: plain data with defaults, so that a test specifies only what
//! it tests.

/// The processor architecture of a synthetic dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arch {
    /// 32-bit (`PAGEDUMP`).
    X86,
    /// 64-bit (`PAGEDU64`).
    #[default]
    X64,
    /// 64-bit ARM (`PAGEDU64`).
    Arm64,
}

impl Arch {
    /// The name of the architecture in layouts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }
}

/// A loaded driver.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Driver {
    /// Full path as the system records it.
    pub path: String,
    /// First address.
    pub base: u64,
    /// Size in memory.
    pub size: u32,
    /// Time date stamp of the PE header.
    pub timestamp: u32,
    /// Checksum of the PE header.
    pub checksum: u32,
}

/// A driver that was unloaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unloaded {
    /// File name, of which the dump keeps the first twelve characters.
    pub name: String,
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
}

/// The exception record of the header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExceptionRecord {
    /// Exception code.
    pub code: u32,
    /// Flags; 1 means noncontinuable.
    pub flags: u32,
    /// The address of the exception.
    pub address: u64,
    /// Up to 15 parameters.
    pub parameters: Vec<u64>,
}

/// A process whose `_EPROCESS` the dump holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Process {
    /// Address.
    pub eprocess: u64,
    /// Process id.
    pub pid: u64,
    /// Id of the creator.
    pub ppid: u64,
    /// Image name, of which the structure keeps 15 characters.
    pub name: String,
    /// Full path; empty for processes without an image.
    pub path: String,
    /// Creation time as a FILETIME.
    pub create_time: u64,
    /// Page directory base.
    pub dtb: u64,
    /// Address of the PEB.
    pub peb: u64,
    /// Address of the handle table.
    pub object_table: u64,
    /// Number of threads.
    pub threads: u64,
    /// Clock ticks in kernel and user mode.
    pub ticks: (u64, u64),
    /// Pages committed.
    pub commit_pages: u64,
    /// Pages in the working set.
    pub working_set_pages: u64,
    /// Bytes of address space in use.
    pub virtual_bytes: u64,
}

/// A thread whose `_ETHREAD` the dump holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thread {
    /// Address.
    pub ethread: u64,
    /// Address of the process.
    pub eprocess: u64,
    /// Process id and thread id.
    pub cid: (u64, u64),
    /// State (2 running, 5 waiting).
    pub state: u64,
    /// Why it waits or waited.
    pub wait_reason: u64,
    /// Current priority and base priority.
    pub priority: (u64, u64),
    /// Processor on which it runs or ran.
    pub processor: u64,
    /// Context switches.
    pub context_switches: u64,
    /// Clock ticks in kernel and user mode.
    pub ticks: (u64, u64),
    /// Tick count when it last began to wait.
    pub wait_time: u64,
    /// Start address and Win32 start address.
    pub start: (u64, u64),
    /// Address of the TEB.
    pub teb: u64,
    /// Lower and upper end of the kernel stack, and its saved pointer.
    pub stack: (u64, u64, u64),
    /// Address of the trap frame.
    pub trap_frame: u64,
    /// Creation time as a FILETIME.
    pub create_time: u64,
    /// Name that the program gave the thread; empty for none.
    pub name: String,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cpu {
    /// Address of the `_KPRCB`.
    pub prcb: u64,
    /// Addresses of the running, the next and the idle thread.
    pub threads: (u64, u64, u64),
    /// Clock frequency.
    pub mhz: u64,
    /// Vendor text.
    pub vendor: String,
    /// DPCs queued and DPCs so far.
    pub dpcs: (u64, u64),
    /// Interrupts so far.
    pub interrupts: u64,
    /// Clock ticks in kernel mode, user mode, DPCs and interrupts.
    pub ticks: (u64, u64, u64, u64),
    /// Interrupt request level when the system crashed.
    pub irql: u64,
}

/// Memory that the dump holds at a virtual address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Where the memory is.
    pub address: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A kernel triage dump. The default is a valid dump of a 64-bit machine that contains only a
/// kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriageSpec {
    /// Architecture.
    pub arch: Arch,
    /// Build number; structures have the nearest built-in layout.
    pub build: u16,
    /// Service pack number.
    pub service_pack: u8,
    /// Build lab text.
    pub build_lab: String,
    /// Number of processors in the header.
    pub processors: u32,
    /// Bug check code.
    pub bugcheck: u32,
    /// Bug check parameters.
    pub parameters: [u64; 4],
    /// When the dump was written, as a FILETIME.
    pub system_time: u64,
    /// Time since boot in units of 100 ns.
    pub uptime: u64,
    /// Comment in the header; empty for none.
    pub comment: String,
    /// Base of the kernel image.
    pub kernel_base: u64,
    /// Page directory base.
    pub dtb: u64,
    /// Registers by their names in `_CONTEXT` (`Rip`, `SegCs`, `EFlags`; `X0`, `Sp`, `Pc`).
    pub registers: Vec<(String, u64)>,
    /// The exception record of the header.
    pub exception: Option<ExceptionRecord>,
    /// Loaded drivers in load order.
    pub drivers: Vec<Driver>,
    /// Unloaded drivers, the latest first.
    pub unloaded: Vec<Unloaded>,
    /// Address of the lowest word of the call stack.
    pub stack_pointer: u64,
    /// Words of the call stack from there on.
    pub stack: Vec<u64>,
    /// A trap frame on the call stack: its address, and registers by their names in `_KTRAP_FRAME`.
    pub trap_frame: Option<(u64, Vec<(String, u64)>)>,
    /// Processors whose `_KPRCB` the dump holds; the first entry is processor 0.
    pub cpus: Vec<Cpu>,
    /// Processes.
    pub processes: Vec<Process>,
    /// Threads.
    pub threads: Vec<Thread>,
    /// Number of the crashing processor.
    pub crash_cpu: usize,
    /// Whether the dump holds the debugger data block.
    pub has_debugger_data: bool,
    /// Whether the dump holds data blocks.
    pub has_data_blocks: bool,
    /// More memory for the data blocks.
    pub blocks: Vec<Block>,
}

impl Default for TriageSpec {
    fn default() -> Self {
        Self {
            arch: Arch::X64,
            build: 19041,
            service_pack: 0,
            build_lab: "19041.1.amd64fre.vb_release.191206-1406".to_owned(),
            processors: 1,
            bugcheck: 0xe2,
            parameters: [0; 4],
            system_time: 132_589_008_000_000_000,
            uptime: 36_000_000_000,
            comment: String::new(),
            kernel_base: 0xffff_f801_2e60_0000,
            dtb: 0x001a_d000,
            registers: Vec::new(),
            exception: None,
            drivers: vec![Driver {
                path: r"\SystemRoot\system32\ntoskrnl.exe".to_owned(),
                base: 0xffff_f801_2e60_0000,
                size: 0x0104_6000,
                timestamp: 0x0d83_33e6,
                checksum: 0x00a5_938c,
            }],
            unloaded: Vec::new(),
            stack_pointer: 0xffff_850a_1c2f_e000,
            stack: Vec::new(),
            trap_frame: None,
            cpus: Vec::new(),
            processes: Vec::new(),
            threads: Vec::new(),
            crash_cpu: 0,
            has_debugger_data: true,
            has_data_blocks: true,
            blocks: Vec::new(),
        }
    }
}

impl TriageSpec {
    /// The default as a 32-bit dump of Windows 7 SP1.
    pub fn x86() -> Self {
        let kernel_base = 0x8281_0000;
        Self {
            arch: Arch::X86,
            build: 7601,
            service_pack: 1,
            build_lab: "7601.17514.x86fre.win7sp1_rtm.101119-1850".to_owned(),
            kernel_base,
            drivers: vec![Driver {
                path: r"\SystemRoot\system32\ntkrnlpa.exe".to_owned(),
                base: kernel_base,
                size: 0x0041_2000,
                timestamp: 0x4ce7_8a09,
                checksum: 0x003c_e7a5,
            }],
            stack_pointer: 0x8d7f_b000,
            ..Self::default()
        }
    }

    /// The default as a dump of Windows 11 on ARM.
    pub fn arm64() -> Self {
        Self {
            arch: Arch::Arm64,
            build: 22000,
            build_lab: "22000.1.arm64fre.co_release.210604-1628".to_owned(),
            ..Self::default()
        }
    }
}
