//! Kernel structures of a synthetic dump: processors, processes, threads, the debugger data block.

use super::bytes::{Bytes, utf16};
use super::context;
use super::layout::{Layout, Object};
use super::spec::{Arch, Block, Cpu, Process, Thread, TriageSpec};

/// Offset of a process's image path or a thread's name from the object, in the same page.
const TEXT: u64 = 0xc00;

/// Structures in bytes, and the fields that this version of Windows does not have.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) blocks: Vec<Block>,
    pub(super) missing: Vec<String>,
}

impl Built {
    fn add(&mut self, address: u64, object: Object<'_>) {
        let (bytes, missing) = object.finish();
        self.blocks.push(Block { address, bytes });
        self.missing.extend(missing);
    }

    /// A `_UNICODE_STRING` with its text behind it.
    fn add_text(&mut self, layout: &Layout, address: u64, text: &str) {
        let text = utf16(text);
        let header = layout.size("_UNICODE_STRING");
        let mut string = Object::new(layout, "_UNICODE_STRING");
        string.set("Length", text.len() as u64).set("MaximumLength", text.len() as u64);
        string.set("Buffer", address + header as u64);
        let (mut bytes, missing) = string.finish();
        bytes.extend(text);
        self.blocks.push(Block { address, bytes });
        self.missing.extend(missing);
    }
}

/// A process, and its image path.
pub(super) fn process(layout: &Layout, process: &Process) -> Built {
    let mut built = Built::default();
    let mut object = Object::new(layout, "_EPROCESS");
    object.set("Pcb.Header.Type", 3).set("Pcb.DirectoryTableBase", process.dtb);
    object.set("Pcb.KernelTime", process.ticks.0).set("Pcb.UserTime", process.ticks.1);
    object.set("Pcb.BasePriority", 8).empty_list("Pcb.ThreadListHead", process.eprocess);
    object.set("UniqueProcessId", process.pid).set("InheritedFromUniqueProcessId", process.ppid);
    let mut name: Vec<u8> = process.name.bytes().take(15).collect();
    name.resize(15, 0);
    object.put("ImageFileName", &name);
    object.set("CreateTime", process.create_time).set("Peb", process.peb);
    object.set("ObjectTable", process.object_table).set("ActiveThreads", process.threads);
    object.set("VirtualSize", process.virtual_bytes).set("PeakVirtualSize", process.virtual_bytes);
    object.set("CommitCharge", process.commit_pages);
    let working_set = ["Vm.Instance.WorkingSetSize", "Vm.WorkingSetSize"];
    object.set_any(&working_set, process.working_set_pages);
    if !process.path.is_empty() {
        let at = process.eprocess + TEXT;
        object.set("SeAuditProcessCreationInfo.ImageFileName", at);
        built.add_text(layout, at, &process.path);
    }
    built.add(process.eprocess, object);
    built
}

/// A thread, and its name.
pub(super) fn thread(layout: &Layout, thread: &Thread) -> Built {
    let mut built = Built::default();
    let mut object = Object::new(layout, "_ETHREAD");
    object.set("Tcb.Header.Type", 6).set("Tcb.State", thread.state);
    object.set("Tcb.WaitReason", thread.wait_reason).set("Tcb.WaitTime", thread.wait_time);
    object.set("Tcb.Priority", thread.priority.0).set("Tcb.BasePriority", thread.priority.1);
    object.set("Tcb.NextProcessor", thread.processor).set("Tcb.IdealProcessor", thread.processor);
    object.set("Tcb.ContextSwitches", thread.context_switches);
    object.set("Tcb.KernelTime", thread.ticks.0).set("Tcb.UserTime", thread.ticks.1);
    object.set("Tcb.StackLimit", thread.stack.0).set("Tcb.InitialStack", thread.stack.1);
    object.set_any(&["Tcb.StackBase", "Tcb.InitialStack"], thread.stack.1);
    object.set("Tcb.KernelStack", thread.stack.2).set("Tcb.KernelStackResident", 1);
    object.set("Tcb.Teb", thread.teb).set("Tcb.TrapFrame", thread.trap_frame);
    object.set("Tcb.ApcState.Process", thread.eprocess);
    object.set_any(&["Tcb.Process", "ThreadsProcess"], thread.eprocess);
    object.set("Cid.UniqueProcess", thread.cid.0).set("Cid.UniqueThread", thread.cid.1);
    object.set("StartAddress", thread.start.0).set("Win32StartAddress", thread.start.1);
    object.set("CreateTime", thread.create_time);
    object.empty_list("IrpList", thread.ethread);
    if !thread.name.is_empty() {
        let at = thread.ethread + TEXT;
        object.set("ThreadName", at);
        built.add_text(layout, at, &thread.name);
    }
    built.add(thread.ethread, object);
    built
}

/// A processor; the `_KPRCB` of the crashing processor also contains the context record.
pub(super) fn cpu(layout: &Layout, number: usize, cpu: &Cpu, spec: &TriageSpec) -> Built {
    let mut built = Built::default();
    let mut object = Object::new(layout, "_KPRCB");
    let (current, next, idle) = cpu.threads;
    object.set("CurrentThread", current).set("NextThread", next).set("IdleThread", idle);
    object.set("Number", number as u64).set("MHz", cpu.mhz);
    object.set("MajorVersion", 1).set("MinorVersion", 1).set("CpuType", 6).set("CpuID", 1);
    object.put("VendorString", cpu.vendor.as_bytes());
    object.set_any(&["DpcData.DpcQueueDepth", "DpcQueueDepth"], cpu.dpcs.0);
    object.set_any(&["DpcData.DpcCount", "DpcCount"], cpu.dpcs.1);
    object.set("InterruptCount", cpu.interrupts);
    object.set("KernelTime", cpu.ticks.0).set("UserTime", cpu.ticks.1);
    object.set("DpcTime", cpu.ticks.2).set("InterruptTime", cpu.ticks.3);
    object.set("DebuggerSavedIRQL", cpu.irql);
    if number == spec.crash_cpu {
        let context = context::build(spec, Some(layout));
        object.put("ProcessorState.ContextFrame", &context);
    }
    built.add(cpu.prcb, object);
    built
}

/// Kernel variables that the debugger data block points to: offset of the pointer in the block, and
/// offset of the variable in a 64-bit kernel image of Windows 10 19041 and in a 32-bit image.
const VARIABLES: [(usize, u64, u64); 12] = [
    (0x48, 0xc2_a390, 0x16_a850), // PsLoadedModuleList
    (0x50, 0xc1_e200, 0x15_ff18), // PsActiveProcessHead
    (0x58, 0xcf_c5c8, 0x16_8000), // PspCidTable
    (0x60, 0xc1_6890, 0x16_8010), // ExpSystemResourcesList
    (0x78, 0xcf_c468, 0x16_8020), // KeTimeIncrement
    (0x90, 0xc4_5c30, 0x16_8030), // IopErrorLogListHead
    (0x98, 0xc2_51f0, 0x16_8040), // ObpRootDirectoryObject
    (0xa0, 0xc2_51e8, 0x16_8048), // ObpTypeObjectType
    (BUILD_LAB, 0xc4_c0a0, 0x16_8100),
    (PROCESSORS, 0xcf_dc80, 0x16_8200),
    (0x220, 0xc2_a308, 0x16_8060), // MmUnloadedDrivers
    (0x228, 0xc2_a310, 0x16_8064), // MmLastUnloadedDriver
];

const BUILD_LAB: usize = 0x208;
const PROCESSORS: usize = 0x218;

/// The address of the variable to which the pointer at an offset of the debugger data block points.
fn variable(spec: &TriageSpec, place: usize) -> u64 {
    let found = VARIABLES.iter().find(|row| row.0 == place);
    found.map_or(0, |row| spec.kernel_base + if spec.arch == Arch::X86 { row.2 } else { row.1 })
}

/// The list heads that the header points to as well.
pub(super) fn list_heads(spec: &TriageSpec) -> (u64, u64) {
    (variable(spec, 0x48), variable(spec, 0x50))
}

/// The address of the debugger data block.
pub(super) fn debugger_data_address(spec: &TriageSpec) -> u64 {
    spec.kernel_base + if spec.arch == Arch::X86 { 0x14_7c30 } else { 0xc0_0b20 }
}

/// Addresses in the debugger data block are 64 bits wide; those of 32-bit kernels are
/// sign-extended.
fn extended(spec: &TriageSpec, address: u64) -> u64 {
    let high = spec.arch == Arch::X86 && address & 0x8000_0000 != 0;
    if high { address | 0xffff_ffff_0000_0000 } else { address }
}

/// The debugger data block, `KDDEBUGGER_DATA64`.
pub(super) fn debugger_data(spec: &TriageSpec, layout: Option<&Layout>) -> Vec<u8> {
    let mut data = Bytes::zeroed(if spec.build >= 9200 { 0x380 } else { 0x340 });
    let list = extended(spec, spec.kernel_base + 0xc4_0770);
    data.u64(0, list);
    data.u64(8, list);
    data.put(0x10, b"KDBG");
    data.u32(0x14, super::bytes::len32(data.len()));
    data.u64(0x18, extended(spec, spec.kernel_base));
    for (place, _, _) in VARIABLES {
        data.u64(place, extended(spec, variable(spec, place)));
    }
    data.u64(0x138, 0x1000);
    if let Some(layout) = layout {
        offsets(&mut data, layout);
    }
    data.into_vec()
}

/// Field offsets in the debugger data block: offset of the entry, structure, field.
const OFFSETS: [(usize, &str, &str); 18] = [
    (0x298, "_KTHREAD", "NextProcessor"),
    (0x29a, "_KTHREAD", "Teb"),
    (0x29c, "_KTHREAD", "KernelStack"),
    (0x29e, "_KTHREAD", "InitialStack"),
    (0x2a0, "_KTHREAD", "ApcState.Process"),
    (0x2a2, "_KTHREAD", "State"),
    (0x2aa, "_EPROCESS", "Peb"),
    (0x2ac, "_EPROCESS", "InheritedFromUniqueProcessId"),
    (0x2ae, "_EPROCESS", "Pcb.DirectoryTableBase"),
    (0x2b4, "_KPRCB", "CurrentThread"),
    (0x2b6, "_KPRCB", "MHz"),
    (0x2b8, "_KPRCB", "CpuType"),
    (0x2ba, "_KPRCB", "VendorString"),
    (0x2bc, "_KPRCB", "ProcessorState.ContextFrame"),
    (0x2be, "_KPRCB", "Number"),
    (0x338, "_KPRCB", "Context"),
    (0x350, "_KPRCB", "IdleThread"),
    (0x35c, "_KTHREAD", "WaitReason"),
];

/// The field offsets and structure sizes in the debugger data block, with the offsets of their
/// entries.
pub(super) fn field_offsets(layout: &Layout) -> Vec<(usize, u16)> {
    let fields = OFFSETS.iter().map(|(place, ty, field)| (*place, layout.offset(ty, field)));
    let sizes = [(0x2a8, "_EPROCESS"), (0x2b0, "_KPRCB"), (0x2c0, "_ETHREAD")];
    let size = |ty| u16::try_from(layout.size(ty)).unwrap_or(0);
    fields.chain(sizes.map(|(place, ty)| (place, size(ty)))).collect()
}

fn offsets(data: &mut Bytes, layout: &Layout) {
    let room = data.len();
    for (place, value) in field_offsets(layout).into_iter().filter(|row| row.0 + 2 <= room) {
        data.u16(place, value);
    }
}

/// The kernel's variables that a triage dump holds as data blocks.
pub(super) fn variables(spec: &TriageSpec, width: usize) -> Vec<Block> {
    let mut lab = spec.build_lab.clone().into_bytes();
    lab.push(0);
    let mut array = Bytes::default();
    for cpu in &spec.cpus {
        array.uint(array.len(), cpu.prcb, width);
    }
    let mut blocks = vec![Block { address: variable(spec, BUILD_LAB), bytes: lab }];
    if !spec.cpus.is_empty() {
        blocks.push(Block { address: variable(spec, PROCESSORS), bytes: array.into_vec() });
    }
    blocks
}
