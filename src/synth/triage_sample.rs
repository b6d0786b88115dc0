//! A triage dump of a support case, with a little of everything that such a dump contains.
//!
//! A 64-bit Windows 10 machine with eight processors. The service `SomeSvc.exe` opens a file; the
//! filter of an antivirus product, `AvFilter.sys`, dereferences a null pointer at a raised
//! interrupt request level, and Windows stops with `DRIVER_IRQL_NOT_LESS_OR_EQUAL`. The product's
//! older driver has been loaded and unloaded repeatedly. The product and the programs are invented.

use super::bytes::utf16;
use super::image::image_header;
use super::spec::{Block, Cpu, Driver, ExceptionRecord, Process, Thread, TriageSpec, Unloaded};
use super::triage::triage;

/// The bytes of the dump, which are the same at every call.
pub fn triage_sample() -> Vec<u8> {
    triage(&triage_sample_spec())
}

const NT: u64 = 0xffff_f801_2e60_0000;
const FLTMGR: u64 = 0xffff_f801_30d1_0000;
const NTFS: u64 = 0xffff_f801_3164_0000;
const AV_FILTER: u64 = 0xffff_f801_3321_0000;
const FAULT: u64 = AV_FILTER + 0x1a3c;
/// Wednesday 17 February 2021, 09:41:27 UTC.
const CRASH_TIME: u64 = 132_580_284_876_543_210;
/// Three days, four hours, 17 minutes.
const UPTIME: u64 = 2_746_200_000_000;
const TICKS: u64 = UPTIME / 156_250;
const STACK: u64 = 0xffff_850a_1c2f_e3a8;
const IDLE_PROCESS: u64 = NT + 0xd2_4a00;
const SYSTEM: u64 = 0xffff_c08b_d8c8_7040;
const SOME_SVC: u64 = 0xffff_c08b_e1f2_5080;
const AV_SCAN: u64 = 0xffff_c08b_df61_9080;
const CRASHED: u64 = 0xffff_c08b_e24d_a040;
const WORKER: u64 = 0xffff_c08b_d8d4_4040;
const SCANNER: u64 = 0xffff_c08b_e0b1_1080;
const TRAP_FRAME: u64 = STACK + 0x148;
/// The stack pointer of the code that faulted: above the trap frame.
const INTERRUPTED: u64 = TRAP_FRAME + 0x190;

/// The contents of the dump.
pub fn triage_sample_spec() -> TriageSpec {
    let mut spec = TriageSpec {
        processors: 8,
        bugcheck: 0xd1,
        parameters: [0x10, 2, 0, FAULT],
        system_time: CRASH_TIME,
        uptime: UPTIME,
        registers: registers(),
        exception: Some(ExceptionRecord {
            code: 0x8000_0003,
            flags: 1,
            address: NT + 0x3f_5a80,
            parameters: Vec::new(),
        }),
        drivers: drivers(),
        unloaded: unloaded(),
        stack_pointer: STACK,
        stack: stack(),
        trap_frame: Some((TRAP_FRAME, trap_frame())),
        cpus: (0..8).map(cpu).collect(),
        processes: processes(),
        threads: threads(),
        crash_cpu: 2,
        ..TriageSpec::default()
    };
    spec.blocks = blocks(&spec.drivers);
    spec
}

fn registers() -> Vec<(String, u64)> {
    // The state on entry to KeBugCheckEx: the code from the page fault handler, and the parameters.
    let values = [
        ("Rip", NT + 0x3f_5a80),
        ("Rsp", STACK),
        ("Rbp", TRAP_FRAME + 0x80),
        ("Rax", 0xd1),
        ("Rcx", 0xa),
        ("Rdx", 0x10),
        ("R8", 2),
        ("R9", 0),
        ("Rbx", 0xffff_c08b_e3a0_1e20),
        ("Rsi", 0xffff_c08b_e27c_6a20),
        ("Rdi", 0),
        ("R10", NT + 0x25_2f00),
        ("R11", STACK + 0x2e0),
        ("R12", 0xffff_c08b_dd0c_a8f0),
        ("R13", 1),
        ("R14", 0xffff_c08b_e3a0_1c80),
        ("R15", 0xffff_c08b_dc41_3b20),
        ("SegCs", 0x10),
        ("SegSs", 0x18),
        ("SegDs", 0x2b),
        ("SegEs", 0x2b),
        ("SegFs", 0x53),
        ("SegGs", 0x2b),
        ("EFlags", 0x46),
        ("MxCsr", 0x1f80),
    ];
    named(&values)
}

/// The registers of the code that faulted.
fn trap_frame() -> Vec<(String, u64)> {
    named(&[
        ("Rip", FAULT),
        ("Rsp", INTERRUPTED),
        ("Rbp", INTERRUPTED + 0x30),
        ("Rax", 0xffff_c08b_e3a0_1e20),
        ("Rbx", 0xffff_c08b_e3a0_1e20),
        ("Rcx", 0xffff_c08b_e27c_6a20),
        ("Rdx", INTERRUPTED + 0x48),
        ("Rsi", 0xffff_c08b_e27c_6a20),
        ("Rdi", 0),
        ("FaultAddress", 0x10),
        ("SegCs", 0x10),
        ("SegSs", 0x18),
        ("EFlags", 0x0001_0246),
    ])
}

fn named(values: &[(&str, u64)]) -> Vec<(String, u64)> {
    values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// When the product's drivers were built: 7 November 2019; their time stamps are times.
const AV_BUILT: u32 = 0x5dc3_e8b1;

fn drivers() -> Vec<Driver> {
    let system = r"\SystemRoot\system32\";
    let driver = r"\SystemRoot\system32\DRIVERS\";
    let images: [(&str, &str, u64, u32); 42] = [
        (system, "ntoskrnl.exe", NT, 0x0104_6000),
        (system, "hal.dll", 0xffff_f801_2e5f_0000, 0x6000),
        (system, "kd.dll", 0xffff_f801_3000_0000, 0xb000),
        (system, "mcupdate_GenuineIntel.dll", 0xffff_f801_3001_0000, 0x0020_1000),
        (system, "CLFS.SYS", 0xffff_f801_3022_0000, 0x6a000),
        (system, "tm.sys", 0xffff_f801_3029_0000, 0x27000),
        (system, "PSHED.dll", 0xffff_f801_302c_0000, 0x1a000),
        (system, "BOOTVID.dll", 0xffff_f801_302e_0000, 0xb000),
        (driver, "FLTMGR.SYS", FLTMGR, 0x75000),
        (driver, "msrpc.sys", 0xffff_f801_30d9_0000, 0x62000),
        (driver, "ksecdd.sys", 0xffff_f801_30e0_0000, 0x29000),
        (driver, "clipsp.sys", 0xffff_f801_30e3_0000, 0x0011_4000),
        (driver, "cmimcext.sys", 0xffff_f801_30f5_0000, 0xe000),
        (driver, "ntosext.sys", 0xffff_f801_30f6_0000, 0xc000),
        (system, "CI.dll", 0xffff_f801_30f7_0000, 0xdf000),
        (driver, "cng.sys", 0xffff_f801_3105_0000, 0xbc000),
        (driver, "Wdf01000.sys", 0xffff_f801_3111_0000, 0xd1000),
        (driver, "WDFLDR.SYS", 0xffff_f801_311f_0000, 0x13000),
        (driver, "acpiex.sys", 0xffff_f801_3121_0000, 0x25000),
        (driver, "ACPI.sys", 0xffff_f801_3124_0000, 0xcc000),
        (driver, "pci.sys", 0xffff_f801_3131_0000, 0x6f000),
        (driver, "partmgr.sys", 0xffff_f801_3138_0000, 0x2f000),
        (driver, "volmgr.sys", 0xffff_f801_313b_0000, 0x1b000),
        (driver, "mountmgr.sys", 0xffff_f801_313d_0000, 0x1f000),
        (driver, "storport.sys", 0xffff_f801_313f_0000, 0xb0000),
        (driver, "stornvme.sys", 0xffff_f801_314a_0000, 0x2f000),
        (driver, "EhStorClass.sys", 0xffff_f801_314d_0000, 0x1c000),
        (driver, "Wof.sys", 0xffff_f801_314f_0000, 0x3c000),
        (driver, "Ntfs.sys", NTFS, 0x002d_8000),
        (driver, "ndis.sys", 0xffff_f801_3192_0000, 0x0016_f000),
        (driver, "NETIO.SYS", 0xffff_f801_31a9_0000, 0x98000),
        (driver, "tcpip.sys", 0xffff_f801_31c5_0000, 0x002f_1000),
        (driver, "fwpkclnt.sys", 0xffff_f801_31f5_0000, 0x7a000),
        (driver, "volsnap.sys", 0xffff_f801_31fe_0000, 0x71000),
        (driver, "disk.sys", 0xffff_f801_3206_0000, 0x1c000),
        (driver, "CLASSPNP.SYS", 0xffff_f801_3208_0000, 0x6d000),
        (driver, "afd.sys", 0xffff_f801_3214_0000, 0xa7000),
        (driver, "AvFilter.sys", AV_FILTER, 0x1e000),
        (driver, "AvNet.sys", 0xffff_f801_3323_0000, 0x13000),
        (driver, "srv2.sys", 0xffff_f801_333b_0000, 0xca000),
        (driver, "HTTP.sys", 0xffff_f801_334a_0000, 0x0018_7000),
        (system, "win32k.sys", 0xffff_8c02_6340_0000, 0x9a000),
    ];
    images.into_iter().map(|(folder, name, base, size)| image(folder, name, base, size)).collect()
}

fn image(folder: &str, name: &str, base: u64, size: u32) -> Driver {
    // Reproducible builds store a hash of their contents as time date stamp; so do these images.
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let (timestamp, checksum) = match name {
        "ntoskrnl.exe" => (0x0d83_33e6, 0x00a5_938c),
        _ if name.starts_with("Av") => (AV_BUILT, size + (hash & 0x7fff)),
        _ => (hash, size + (hash >> 16)),
    };
    Driver { path: format!("{folder}{name}"), base, size, timestamp, checksum }
}

fn unloaded() -> Vec<Unloaded> {
    let old = |start: u64| Unloaded { name: "MyAVDrv.sys".to_owned(), start, end: start + 0xc000 };
    let other = |name: &str, start: u64, size: u64| Unloaded {
        name: name.to_owned(),
        start,
        end: start + size,
    };
    vec![
        old(0xffff_f801_3345_0000),
        old(0xffff_f801_3344_0000),
        old(0xffff_f801_3343_0000),
        other("WdNisDrv.sys", 0xffff_f801_3341_0000, 0x1a000),
        old(0xffff_f801_3342_0000),
        old(0xffff_f801_3340_0000),
        other("dump_stornvme.sys", 0xffff_f801_3212_0000, 0x2f000),
        other("dam.sys", 0xffff_f801_32f0_0000, 0x1c000),
        other("hwpolicy.sys", 0xffff_f801_3120_0000, 0x12000),
    ]
}

/// Writes words of the stack at their addresses.
struct Stack(Vec<u64>);

impl Stack {
    fn word(&mut self, address: u64, value: u64) {
        let index = usize::try_from((address - STACK) / 8).unwrap_or_default();
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        self.0.splice(index..=index, [value]);
    }

    fn text(&mut self, address: u64, text: &str) {
        for (i, chunk) in utf16(text).chunks(8).enumerate() {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.word(address + 8 * i as u64, u64::from_le_bytes(word));
        }
    }
}

/// The return addresses above the trap frame, innermost first, and the size of each frame.
const CALLS: [(u64, u64); 12] = [
    (AV_FILTER + 0x2b17, 0x60),
    (FLTMGR + 0x4ae4, 0xd0),
    (FLTMGR + 0x4670, 0x90),
    (FLTMGR + 0x3_ab33, 0x80),
    (NT + 0x25_2f59, 0x40),
    (NT + 0x5f_e73b, 0x140),
    (NT + 0x62_7b5f, 0x180),
    (NT + 0x5e_b28a, 0x160),
    (NT + 0x66_d5a7, 0x130),
    (NT + 0x66_d169, 0xa0),
    (NT + 0x40_74b5, 0x90),
    (0x7ffa_2c1a_d8c4, 0x190),
];

fn stack() -> Vec<u64> {
    let mut stack = Stack(Vec::new());
    // KiBugCheckDispatch, called by KiPageFault, whose trap frame holds the registers of the fault.
    stack.word(STACK, NT + 0x40_7a69);
    let parameters = [0xa, 0x10, 2, 0, FAULT];
    for (i, parameter) in parameters.into_iter().enumerate() {
        stack.word(STACK + 8 + 8 * i as u64, parameter);
    }
    stack.word(STACK + 0x140, NT + 0x40_3d69);
    let mut top = INTERRUPTED;
    for (i, (address, size)) in CALLS.into_iter().enumerate() {
        // Other words of a frame: a saved register, the file object, a count.
        stack.word(top + 0x10, 0xffff_c08b_e27c_6a20 + 0x60 * i as u64);
        stack.word(top + 0x18, 0xffff_c08b_dd0c_a8f0);
        stack.word(top + 0x20, i as u64);
        top += size;
        stack.word(top - 8, address);
    }
    stack.text(INTERRUPTED + 0x290, r"\ProgramData\SomeSvc\queue\0001.job");
    stack.0
}

fn cpu(number: u64) -> Cpu {
    let prcb = match number {
        0 => 0xffff_f801_2b72_5180,
        _ => 0xffff_9b00_0210_0180 + number * 0x9_c000,
    };
    let idle = idle_thread(number);
    let current = match number {
        1 => WORKER,
        2 => CRASHED,
        4 => SCANNER,
        _ => idle,
    };
    let busy = 61_803 * (number * 7 % 8 + 1);
    Cpu {
        prcb,
        threads: (current, 0, idle),
        mhz: 2904,
        vendor: "GenuineIntel".to_owned(),
        dpcs: (number % 2 * u64::from(number < 4), 1_912_004 + number * 83_711),
        interrupts: 41_207_331 - number * 1_204_455,
        ticks: (TICKS - busy, busy, 9_113 - number * 411, 4_021 + number * 57),
        irql: if number == 2 { 2 } else { 0 },
    }
}

fn idle_thread(number: u64) -> u64 {
    match number {
        0 => NT + 0xd2_7600,
        _ => 0xffff_9b00_0210_0340 + number * 0x9_c000 + 0xd000,
    }
}

fn processes() -> Vec<Process> {
    let boot = CRASH_TIME - UPTIME;
    let idle = Process {
        eprocess: IDLE_PROCESS,
        name: "Idle".to_owned(),
        dtb: 0x001a_d000,
        threads: 8,
        ..Process::default()
    };
    let system = Process {
        eprocess: SYSTEM,
        pid: 4,
        name: "System".to_owned(),
        create_time: boot,
        dtb: 0x001a_d000,
        object_table: 0xffff_ad0e_a5a0_4c80,
        threads: 187,
        ticks: (96_121, 0),
        commit_pages: 49,
        working_set_pages: 34,
        virtual_bytes: 0x003c_9000,
        ..Process::default()
    };
    let volume = r"\Device\HarddiskVolume3\Program Files\";
    let service = Process {
        eprocess: SOME_SVC,
        pid: 0x1c34,
        ppid: 0x2f8,
        name: "SomeSvc.exe".to_owned(),
        path: format!(r"{volume}SomeSvc\SomeSvc.exe"),
        create_time: boot + 412_000_000,
        dtb: 0x0002_3a4c_b002,
        peb: 0x0000_00c2_9d6f_5000,
        object_table: 0xffff_ad0e_b71c_2040,
        threads: 14,
        ticks: (20_418, 51_022),
        commit_pages: 12_871,
        working_set_pages: 9_344,
        virtual_bytes: 0x0201_1b40_f000,
    };
    let scanner = Process {
        eprocess: AV_SCAN,
        pid: 0xb58,
        ppid: 0x2f8,
        name: "AvScan.exe".to_owned(),
        path: format!(r"{volume}AvProduct\AvScan.exe"),
        create_time: boot + 287_000_000,
        dtb: 0x0001_d811_7002,
        peb: 0x0000_0051_0a3c_1000,
        object_table: 0xffff_ad0e_b402_9900,
        threads: 31,
        ticks: (188_202, 702_911),
        commit_pages: 61_004,
        working_set_pages: 48_120,
        virtual_bytes: 0x0201_4cc1_2000,
    };
    vec![idle, system, service, scanner]
}

fn threads() -> Vec<Thread> {
    let boot = CRASH_TIME - UPTIME;
    let crashed = Thread {
        ethread: CRASHED,
        eprocess: SOME_SVC,
        cid: (0x1c34, 0x1f3c),
        state: 2,
        priority: (9, 8),
        processor: 2,
        context_switches: 118_204,
        ticks: (8_117, 20_344),
        wait_time: TICKS - 2,
        start: (0x7ffa_2c17_2630, 0x7ff6_91a4_2b10),
        teb: 0x0000_00c2_9d71_2000,
        stack: (0xffff_850a_1c2f_9000, 0xffff_850a_1c2f_f000, STACK),
        trap_frame: 0xffff_850a_1c2f_ee70,
        create_time: boot + 413_100_000,
        name: "queue worker".to_owned(),
        ..Thread::default()
    };
    let worker = Thread {
        ethread: WORKER,
        eprocess: SYSTEM,
        cid: (4, 0x1a8),
        state: 2,
        priority: (12, 12),
        processor: 1,
        context_switches: 902_331,
        ticks: (14_005, 0),
        wait_time: TICKS - 1,
        start: (NT + 0x22_5870, 0),
        stack: (0xffff_850a_1a10_2000, 0xffff_850a_1a10_8000, 0xffff_850a_1a10_7810),
        create_time: boot + 11_000_000,
        ..Thread::default()
    };
    let scanner = Thread {
        ethread: SCANNER,
        eprocess: AV_SCAN,
        cid: (0xb58, 0xc1c),
        state: 2,
        priority: (8, 8),
        processor: 4,
        context_switches: 2_410_886,
        ticks: (90_113, 411_870),
        wait_time: TICKS - 9,
        start: (0x7ffa_2c17_2630, 0x7ff7_0c21_9f40),
        teb: 0x0000_0051_0a3d_6000,
        stack: (0xffff_850a_1b88_0000, 0xffff_850a_1b88_6000, 0xffff_850a_1b88_5360),
        trap_frame: 0xffff_850a_1b88_5e70,
        create_time: boot + 288_000_000,
        name: "scan engine 1".to_owned(),
        ..Thread::default()
    };
    let mut threads = vec![crashed, worker, scanner];
    threads.extend((0..8).map(idle));
    threads
}

fn idle(number: u64) -> Thread {
    let stack = 0xffff_f801_2b80_0000 + number * 0x8000;
    Thread {
        ethread: idle_thread(number),
        eprocess: IDLE_PROCESS,
        state: 2,
        processor: number,
        context_switches: 7_700_212 + number * 91_007,
        ticks: (TICKS - 61_803 * (number * 7 % 8 + 1) * 2, 0),
        start: (NT + 0x3f_9550, 0),
        stack: (stack, stack + 0x6000, stack + 0x5a90),
        ..Thread::default()
    }
}

/// The code that dereferenced the null pointer, and the headers of the images involved.
fn blocks(drivers: &[Driver]) -> Vec<Block> {
    const NT_GUID: [u8; 16] = [
        0xf8, 0xaf, 0x78, 0x52, 0x6c, 0xc3, 0x77, 0x16, 0xd7, 0xd7, 0x83, 0x5c, 0x85, 0xb7, 0xb8,
        0x44,
    ];
    const AV_GUID: [u8; 16] = *b"AvFilter sample!";
    // mov [rsp+8],rbx / push rdi / sub rsp,20h / mov rbx,rcx / mov rdi,[rcx+20h] /
    // mov rax,[rdi+10h] / test rax,rax / je +6 / mov rcx,rbx / call rax / nop / add rsp,20h /
    // pop rdi / ret
    let code: [u8; 46] = [
        0x48, 0x89, 0x5c, 0x24, 0x08, 0x57, 0x48, 0x83, 0xec, 0x20, 0x48, 0x8b, 0xd9, 0x48, 0x8b,
        0x79, 0x20, 0x48, 0x8b, 0x47, 0x10, 0x48, 0x85, 0xc0, 0x74, 0x06, 0x48, 0x8b, 0xcb, 0xff,
        0xd0, 0x90, 0x48, 0x83, 0xc4, 0x20, 0x5f, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
        0xcc,
    ];
    let mut blocks = vec![
        Block { address: FAULT - 17, bytes: code.to_vec() },
        // KeTimeIncrement: 15.625 ms.
        Block { address: NT + 0xcf_c468, bytes: 156_250_u32.to_le_bytes().to_vec() },
    ];
    for driver in drivers {
        let pdb = match driver.base {
            NT => ("ntkrnlmp.pdb", NT_GUID, 1),
            AV_FILTER => (r"D:\build\avfilter\x64\Release\AvFilter.pdb", AV_GUID, 3),
            _ => continue,
        };
        blocks.push(image_header(driver, pdb));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::triage::build;

    #[test]
    fn every_call_gives_the_same_bytes() {
        let bytes = triage_sample();
        assert_eq!(bytes, triage_sample());
        assert_eq!(&bytes[..8], b"PAGEDU64");
        assert_eq!(&bytes[bytes.len() - 4..], b"TRGD");
        assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    }

    #[test]
    fn every_written_field_exists() {
        assert_eq!(build(&triage_sample_spec()).1, Vec::<String>::new());
    }

    #[test]
    fn drivers_do_not_overlap() {
        let mut drivers = drivers();
        drivers.sort_by_key(|driver| driver.base);
        for pair in drivers.windows(2) {
            let end = pair[0].base + u64::from(pair[0].size);
            assert!(end <= pair[1].base, "{} runs into {}", pair[0].path, pair[1].path);
        }
    }
}
