//! The headers of kernel dumps: `DUMP_HEADER64` (`PAGEDU64`, 8,192 bytes) and `DUMP_HEADER32`
//! (`PAGEDUMP`, 4,096 bytes).
//!
//! Windows fills a header with the letters `PAGE` before it writes fields, so a field that still
//! holds them was never written and is absent here.

use super::Windows;
use super::bytes::{Width, pointer_at, slice, text, u8_at, u32_at, u64_at};
use super::layout::Saved;
use crate::memory::{Mode, View};

/// The letters that fill unwritten fields.
const FILLER: [u8; 4] = *b"PAGE";
/// Upper limit on the runs of a descriptor that fits in a header.
const MAX_RUNS: u32 = 86;

/// What a kernel dump holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpType {
    /// All physical memory, in runs.
    Full,
    /// Kernel memory, by a bitmap (before Windows 8).
    Summary,
    /// The header alone.
    Header,
    /// Selected ranges of kernel memory at their virtual addresses.
    Triage,
    /// All physical memory in use, with a bitmap.
    BitmapFull,
    /// Kernel memory, with a bitmap.
    BitmapKernel,
    /// Kernel memory; the system chose the extent.
    Automatic,
    /// Kernel memory, written while the system continued to run (live dump).
    KernelMemory,
    /// The same with user memory.
    KernelAndUser,
    /// The same with all memory.
    Complete,
    /// Physical memory without a header, one page after another.
    Raw,
    /// Physical memory in an ELF core file.
    ElfCore,
    /// Physical memory as a tool or a hypervisor saved it.
    Saved(Saved),
    /// An unknown type.
    Other(u32),
}

impl DumpType {
    /// The type with this number.
    pub const fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Full,
            2 => Self::Summary,
            3 => Self::Header,
            4 => Self::Triage,
            5 => Self::BitmapFull,
            6 => Self::BitmapKernel,
            7 => Self::Automatic,
            8 => Self::KernelMemory,
            9 => Self::KernelAndUser,
            10 => Self::Complete,
            other => Self::Other(other),
        }
    }

    /// The name that is shown to users.
    pub fn words(self) -> String {
        let words = match self {
            Self::Full => "full memory",
            Self::Summary => "kernel memory (summary)",
            Self::Header => "header only",
            Self::Triage => "triage",
            Self::BitmapFull => "full memory (bitmap)",
            Self::BitmapKernel => "kernel memory (bitmap)",
            Self::Automatic => "automatic",
            Self::KernelMemory => "kernel memory (live)",
            Self::KernelAndUser => "kernel and user memory (live)",
            Self::Complete => "complete memory (live)",
            Self::Raw => "raw physical memory",
            Self::ElfCore => "physical memory (ELF core)",
            Self::Saved(saved) => saved.words(),
            Self::Other(code) => return format!("unknown type {code:#x}"),
        };
        words.to_owned()
    }
}

/// The exception record of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRecord {
    /// Exception code.
    pub code: u32,
    /// Flags; bit 0 means noncontinuable.
    pub flags: u32,
    /// The address of the exception.
    pub address: u64,
    /// The parameters in use, at most 15.
    pub parameters: Vec<u64>,
}

/// Physical memory as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalMemory {
    /// The number of pages.
    pub pages: u64,
    /// First page and number of pages of each run.
    pub runs: Vec<(u64, u64)>,
}

/// A header, with its fields widened to 64 bits. `None` marks fields that were never written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelHeader {
    /// The pointer size of the machine.
    pub width: Width,
    /// 15 for a free build of the kernel, 12 for a checked build.
    pub major_version: Option<u32>,
    /// The build number.
    pub build: Option<u32>,
    /// Page directory base.
    pub dtb: Option<u64>,
    /// `MmPfnDatabase`.
    pub pfn_database: Option<u64>,
    /// `PsLoadedModuleList`.
    pub module_list: Option<u64>,
    /// `PsActiveProcessHead`.
    pub process_head: Option<u64>,
    /// `IMAGE_FILE_MACHINE_…`.
    pub machine: Option<u32>,
    /// Number of processors.
    pub processors: Option<u32>,
    /// Bug check code.
    pub bugcheck_code: Option<u32>,
    /// Bug check parameters.
    pub parameters: [Option<u64>; 4],
    /// A string of the operating system's vendor.
    pub version_user: Option<String>,
    /// Whether the kernel uses physical address extension; 32-bit headers only.
    pub is_pae: Option<bool>,
    /// Address of the debugger data block.
    pub kdbg: Option<u64>,
    /// Base of the kernel image, if it was found without a debugger data block.
    pub kernel_base: Option<u64>,
    /// Physical memory, if the dump describes it.
    pub physical_memory: Option<PhysicalMemory>,
    /// Offset of the context record in the file, and the space reserved for it.
    pub context: (usize, usize),
    /// The exception record.
    pub exception: Option<ExceptionRecord>,
    /// A comment.
    pub comment: Option<String>,
    /// What the dump holds.
    pub dump_type: DumpType,
    /// The size of the complete dump file in bytes.
    pub required_bytes: Option<u64>,
    /// When the dump was written; 100 ns units since 1601 UTC.
    pub system_time: Option<u64>,
    /// Time since boot in 100 ns units.
    pub uptime: Option<u64>,
    /// Flags that say what a small dump contains.
    pub minidump_fields: Option<u32>,
    /// State of secondary data.
    pub secondary_data_state: Option<u32>,
    /// 1 workstation, 2 domain controller, 3 server.
    pub product_type: Option<u32>,
    /// Product suites.
    pub suite_mask: Option<u32>,
    /// The status with which the dump was written.
    pub writer_status: Option<u32>,
}

/// Where the fields of one of the two headers are.
struct Places {
    width: Width,
    dtb: usize,
    pfn_database: usize,
    module_list: usize,
    process_head: usize,
    machine: usize,
    parameters: usize,
    version_user: usize,
    is_pae: Option<usize>,
    kdbg: usize,
    physical_memory: usize,
    context: (usize, usize),
    exception: usize,
    comment: usize,
    dump_type: usize,
    required_bytes: usize,
    system_time: usize,
    uptime: usize,
    minidump_fields: usize,
}

const HEADER64: Places = Places {
    width: Width::W64,
    dtb: 0x10,
    pfn_database: 0x18,
    module_list: 0x20,
    process_head: 0x28,
    machine: 0x30,
    parameters: 0x40,
    version_user: 0x60,
    is_pae: None,
    kdbg: 0x80,
    physical_memory: 0x88,
    context: (0x348, 3000),
    exception: 0xf00,
    comment: 0xfb0,
    dump_type: 0xf98,
    required_bytes: 0xfa0,
    system_time: 0xfa8,
    uptime: 0x1030,
    minidump_fields: 0x1038,
};

const HEADER32: Places = Places {
    width: Width::W32,
    dtb: 0x10,
    pfn_database: 0x14,
    module_list: 0x18,
    process_head: 0x1c,
    machine: 0x20,
    parameters: 0x2c,
    version_user: 0x3c,
    is_pae: Some(0x5c),
    kdbg: 0x60,
    physical_memory: 0x64,
    context: (0x320, 1200),
    exception: 0x7d0,
    comment: 0x820,
    dump_type: 0xf88,
    required_bytes: 0xfa0,
    system_time: 0xfc0,
    uptime: 0xfb8,
    minidump_fields: 0xf8c,
};

/// The size of the header; the structures of the container follow it.
pub const fn header_bytes(width: Width) -> usize {
    match width {
        Width::W32 => 0x1000,
        Width::W64 => 0x2000,
    }
}

/// Reads the header of a file that [`super::detect()`] accepted.
pub fn parse<'f>(file: impl Into<View<'f>>, width: Width) -> KernelHeader {
    let file = file.into().head(header_bytes(width));
    let places = match width {
        Width::W32 => &HEADER32,
        Width::W64 => &HEADER64,
    };
    let number = |offset| written32(file, offset);
    let pointer = |offset| written_pointer(file, offset, width);
    let step = width.bytes();
    KernelHeader {
        width,
        major_version: number(8),
        build: number(12),
        dtb: pointer(places.dtb),
        pfn_database: pointer(places.pfn_database),
        module_list: pointer(places.module_list),
        process_head: pointer(places.process_head),
        machine: number(places.machine),
        processors: number(places.machine.saturating_add(4)),
        bugcheck_code: number(places.machine.saturating_add(8)),
        parameters: [0, 1, 2, 3]
            .map(|i| pointer(places.parameters.saturating_add(step.saturating_mul(i)))),
        version_user: written_text(file, places.version_user, 32),
        is_pae: places.is_pae.and_then(|at| u8_at(file, at)).filter(|v| *v <= 1).map(|v| v == 1),
        kdbg: pointer(places.kdbg).filter(|address| *address != 0),
        kernel_base: None,
        physical_memory: physical_memory(file, places),
        context: places.context,
        exception: exception(file, places),
        comment: written_text(file, places.comment, 128),
        dump_type: DumpType::from_code(u32_at(file, places.dump_type).unwrap_or_default()),
        required_bytes: written64(file, places.required_bytes),
        system_time: written64(file, places.system_time).filter(|time| *time != 0),
        uptime: written64(file, places.uptime).filter(|time| *time != 0),
        minidump_fields: number(places.minidump_fields),
        secondary_data_state: number(places.minidump_fields.saturating_add(4)),
        product_type: number(places.minidump_fields.saturating_add(8)),
        suite_mask: number(places.minidump_fields.saturating_add(12)),
        writer_status: number(places.minidump_fields.saturating_add(16)),
    }
}

/// A substitute header for physical memory in which Windows was found.
pub fn of_memory(windows: &Windows, dump_type: DumpType) -> KernelHeader {
    let (machine, is_pae) = match windows.mode {
        Mode::X86 => (0x14c, Some(false)),
        Mode::Pae => (0x14c, Some(true)),
        Mode::X64 | Mode::X64La57 => (0x8664, None),
        Mode::Arm64 => (0xaa64, None),
    };
    KernelHeader {
        dtb: Some(windows.dtb),
        module_list: windows.module_list,
        process_head: windows.process_head,
        machine: Some(machine),
        is_pae,
        kdbg: windows.kdbg,
        kernel_base: Some(windows.kernel_base),
        context: (0, 0),
        dump_type,
        ..parse(&[0; 0], windows.width)
    }
}

fn written32(file: &[u8], offset: usize) -> Option<u32> {
    u32_at(file, offset).filter(|value| value.to_le_bytes() != FILLER)
}

/// A 64-bit field, unless either half still holds the filler, which no time or size contains.
fn written64(file: &[u8], offset: usize) -> Option<u64> {
    let low = written32(file, offset)?;
    let high = written32(file, offset.checked_add(4)?)?;
    Some(u64::from(low) | u64::from(high) << 32)
}

fn written_pointer(file: &[u8], offset: usize, width: Width) -> Option<u64> {
    match width {
        Width::W32 => written32(file, offset).map(u64::from),
        Width::W64 => u64_at(file, offset).filter(|value| *value != FILLER64),
    }
}

const FILLER64: u64 = u64::from_le_bytes(*b"PAGEPAGE");

fn written_text(file: &[u8], offset: usize, len: usize) -> Option<String> {
    let bytes = slice(file, offset, len)?;
    // A string that ends inside its field leaves filler after it.
    let text = text(bytes);
    let text = text.trim();
    (!text.is_empty() && !text.starts_with("PAGE")).then(|| text.to_owned())
}

fn exception(file: &[u8], places: &Places) -> Option<ExceptionRecord> {
    ExceptionRecord::parse(file.get(places.exception..)?, places.width)
}

impl ExceptionRecord {
    /// The size of a record with all its parameters, for either pointer size.
    pub const MAX_SIZE: usize = 0x98;

    /// Reads a record; `None` if it is empty or missing.
    pub fn parse(bytes: &[u8], width: Width) -> Option<Self> {
        let step = width.bytes();
        let code = written32(bytes, 0)?;
        // Code, flags, a pointer to another record, the address, a count, the parameters.
        let address_at = step.checked_add(8)?;
        let count_at = address_at.checked_add(step)?;
        let first = count_at.checked_add(if step == 8 { 8 } else { 4 })?;
        let address = pointer_at(bytes, address_at, width)?;
        let count = written32(bytes, count_at).filter(|count| *count <= 15).unwrap_or(0);
        let parameter =
            |i: usize| pointer_at(bytes, first.checked_add(step.checked_mul(i)?)?, width);
        let parameters = (0..count as usize).map_while(parameter).collect();
        let flags = u32_at(bytes, 4)?;
        (code != 0 || address != 0).then_some(Self { code, flags, address, parameters })
    }
}

fn physical_memory(file: &[u8], places: &Places) -> Option<PhysicalMemory> {
    let at = places.physical_memory;
    let step = places.width.bytes();
    let count = written32(file, at).filter(|count| (1..=MAX_RUNS).contains(count))?;
    let pages_at = at.checked_add(step)?;
    let pages = pointer_at(file, pages_at, places.width)?;
    let first = pages_at.checked_add(step)?;
    let run_at = |i: usize| first.checked_add(step.checked_mul(2)?.checked_mul(i)?);
    if run_at(count as usize)? > places.context.0 {
        return None;
    }
    let run = |i: usize| {
        let at = run_at(i)?;
        let base = pointer_at(file, at, places.width)?;
        Some((base, pointer_at(file, at.checked_add(step)?, places.width)?))
    };
    Some(PhysicalMemory { pages, runs: (0..count as usize).map_while(run).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }

    #[test]
    fn a_64_bit_header() {
        let mut file = b"PAGE".repeat(0x800);
        put(&mut file, 4, b"DU64");
        put(&mut file, 12, &19041u32.to_le_bytes());
        put(&mut file, 0x30, &0x8664u32.to_le_bytes());
        put(&mut file, 0x38, &0xd1u32.to_le_bytes());
        put(&mut file, 0x48, &2u64.to_le_bytes());
        put(&mut file, 0xf98, &4u32.to_le_bytes());
        put(&mut file, 0xfb0, b"made by hand\0");
        put(&mut file, 0x1030, &0u64.to_le_bytes());
        let header = parse(&file, Width::W64);
        assert_eq!(header.build, Some(19041));
        assert_eq!(header.machine, Some(0x8664));
        assert_eq!(header.bugcheck_code, Some(0xd1));
        assert_eq!(header.parameters, [None, Some(2), None, None]);
        assert_eq!(header.dump_type, DumpType::Triage);
        assert_eq!(header.comment.as_deref(), Some("made by hand"));
        assert_eq!((header.uptime, header.system_time), (None, None));
        assert_eq!((header.exception, header.physical_memory), (None, None));
    }

    #[test]
    fn a_32_bit_header() {
        let mut file = b"PAGE".repeat(0x400);
        put(&mut file, 4, b"DUMP");
        put(&mut file, 0x2c, &0xffff_ff00u32.to_le_bytes());
        put(&mut file, 0x5c, &[1]);
        put(&mut file, 0x64, &[1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0]);
        let record = [0xc000_0005u32, 0, 0, 0x8040_1234, 2, 1, 0x10];
        put(&mut file, 0x7d0, &record.map(u32::to_le_bytes).concat());
        put(&mut file, 0xfc0, &0x01d0_0000_0000_0000u64.to_le_bytes());
        let header = parse(&file, Width::W32);
        assert_eq!(header.parameters[0], Some(0xffff_ff00));
        assert_eq!(header.is_pae, Some(true));
        assert_eq!(header.physical_memory, Some(PhysicalMemory { pages: 9, runs: vec![(1, 9)] }));
        let exception = header.exception.unwrap();
        assert_eq!((exception.code, exception.address), (0xc000_0005, 0x8040_1234));
        assert_eq!(exception.parameters, [1, 0x10]);
        assert_eq!(header.system_time, Some(0x01d0_0000_0000_0000));
        assert_eq!(header.uptime, None);
    }

    #[test]
    fn a_header_that_ends_early_is_read_as_far_as_it_goes() {
        let file = b"PAGEDU64\x0f\0\0\0\x61\x4a\0\0";
        let header = parse(file, Width::W64);
        assert_eq!((header.build, header.machine), (Some(19041), None));
    }
}
