//! A busy terminal server: Windows Server 2003 SP1 with physical address extension, eight processors,
//! seven of which run threads of users' programs. Threads are ready on four processors; one session's
//! pool is used up; a driver of an antivirus product has been loaded and unloaded again and again, and
//! its tag is among those that use most of the paged pool; requests pile up at a filter of file systems,
//! and hundreds of threads queue for the registry's lock.

use super::{BOOT, Program, locks, pools, process, waiting};
use crate::synth::spec::{Block, Driver};
use crate::synth::system::{
    Counters, PageFile, Processor, Request, Session, SystemProcess, SystemSpec, SystemThread,
    ThreadState, UnloadedDriver, Windows,
};

/// Wednesday 31 October 2007, 14:05:22 UTC.
const NOW: u64 = 128_383_131_220_000_000;
/// Clock ticks since the start of the system.
const TICKS: u64 = 1_415_535;
const START: u64 = NOW - TICKS * 156_250;

/// The busy server.
pub fn server_2003() -> SystemSpec {
    let mut spec = super::healthy(Windows::Server2003Pae);
    spec.physical_pages = 1_572_637;
    spec.bugcheck = (0xe2, [0xcccc_cccc, 0x8669_62b0, 0, 0]);
    spec.system_time = NOW;
    spec.ticks = TICKS;
    spec.processors = (0..8).map(processor).collect();
    spec.crash_processor = 5;
    spec.registers = registers();
    spec.processes = processes(&spec.processes);
    spec.drivers = drivers();
    spec.io = super::io::of(&spec.drivers);
    spec.routines = super::routines::of(&spec.drivers, &spec.io);
    named_pipe_requests(&mut spec);
    spec.stacks = true;
    spec.unloaded = unloaded();
    spec.counters = counters();
    spec.page_files = vec![PageFile {
        path: r"\??\C:\pagefile.sys".to_owned(),
        pages: (3_145_728 / 4, 3_001_132 / 4, 3_145_728 / 4, 3_145_728 / 4),
    }];
    spec.sessions = sessions();
    spec.timers.iter_mut().for_each(|timer| timer.due = TICKS * 156_250 + timer.due % 100_000_000);
    calls_of_drivers(&mut spec);
    spec.blocks = vec![stack()];
    spec.pool_tags = pools::sick();
    let ids: Vec<u64> =
        clients().iter().flat_map(|client| &client.threads).map(|t| t.tid).collect();
    for tid in ids.iter().take(HELD_BACK) {
        let request = super::io::through(&spec.io, r"\FileSystem\SomeFlt", *tid, (3, 0), "log");
        spec.io.requests.extend(request);
    }
    let (owners, waiters) = ids.split_at(OWNERS);
    let (shared, exclusive) = waiters.split_at(SHARED);
    spec.resources.insert(1, locks::registry(owners, shared, exclusive));
    if let Some(mutant) = spec.objects.iter_mut().find(|object| object.owner != 0) {
        mutant.owner = 0x4f04;
    }
    spec
}

/// The requests of running threads, which wait for what comes through named pipes.
fn named_pipe_requests(spec: &mut SystemSpec) {
    for running in &RUNNING {
        for irp in running.irps {
            let made = super::io::through(&spec.io, r"\FileSystem\Npfs", running.cid.1, (3, 0), "");
            spec.io.requests.extend(made.map(|made| Request {
                address: *irp,
                flags: 0x900,
                ..made
            }));
        }
    }
}

/// Lets timers and work lead into drivers of this system.
fn calls_of_drivers(spec: &mut SystemSpec) {
    let base = |name: &str| {
        let found = spec.drivers.iter().find(|driver| driver.path.ends_with(name));
        found.map_or(0, |driver| driver.base)
    };
    let [tcpip, ndis, some] = ["tcpip.sys", "NDIS.sys", "SomeDrv.sys"].map(base);
    let timers = spec.timers.iter_mut().filter(|timer| timer.dpc.0 != 0);
    for (timer, base) in timers.zip([tcpip, ndis, tcpip, some]) {
        timer.dpc.0 = base + 0x3000 + timer.dpc.0 % 0x1000;
    }
    let items = spec.work_queues.iter_mut().flat_map(|queue| &mut queue.items);
    for (item, base) in items.zip([some, some, ndis, tcpip, some]) {
        item.call.0 = base + 0x4000 + item.call.0 % 0x1000;
    }
}

/// Threads that share the registry's lock, that wait to share it, and that wait to have it alone.
const OWNERS: usize = 10;
const SHARED: usize = 718;
const EXCLUSIVE: usize = 21;
/// Requests that wait at a filter of file systems.
const HELD_BACK: usize = 412;

/// Programs of users whose threads read the registry.
fn clients() -> Vec<SystemProcess> {
    let names = ["wfshell.exe", "OUTLOOK.EXE", "EXCEL.EXE", "iexplore.exe", "WINWORD.EXE"];
    let (mut left, mut id) = ((OWNERS + SHARED + EXCLUSIVE) as u64, 0x6000);
    let mut all = Vec::new();
    while left > 0 {
        let index = all.len();
        let session = if index.is_multiple_of(3) { 2 } else { 9 };
        let mut made = user_program(names[index % names.len()], id, id + 4, Some(session));
        let count = left.min(31);
        let first = made.threads.first().cloned().unwrap_or_default();
        made.threads = (1..=count)
            .map(|i| SystemThread {
                tid: id + 4 * i,
                teb: first.teb - (i - 1) * 0x1000,
                waited: 64 * i + index as u64,
                ..first.clone()
            })
            .collect();
        all.push(made);
        left -= count;
        id += 4 * (count + 1);
    }
    all
}

/// Clock ticks in a time as debuggers print it: milliseconds, rounded down.
const fn ticks(milliseconds: u64) -> u64 {
    (milliseconds * 8).div_ceil(125)
}

fn processor(number: u64) -> Processor {
    let running = [0, 0x4f04, 0x1238, 0xae8, 0x1ba8, 0x29f8, 0x55dc, 0x1b04];
    let index = usize::try_from(number).unwrap_or(0);
    Processor {
        prcb: if number == 0 { 0xffdf_f120 } else { 0xf771_f120 + number * 0x8000 },
        running: running.get(index).copied().unwrap_or(0),
        counts: (310_000 + number * 1000, 2_900_000 + number * 5000),
        times: (400_000 + number * 10, 300_000 + number * 7, 900 + number, 700 + number),
        irql: if number == 5 { 0 } else { 2 },
        mhz: 3000,
        idle: (4_193_155 + number, 700_000 - number * 1000),
        ..Processor::default()
    }
}

fn registers() -> Vec<(String, u64)> {
    [
        ("Eip", 0x8087_b6be),
        ("Esp", 0xb38a_3bd8),
        ("Ebp", 0xb38a_3bf0),
        ("Eax", 0xf774_713c),
        ("Ebx", 0xf774_7120),
        ("Ecx", 0),
        ("Edx", 0x3b),
        ("Esi", 0x8669_62b0),
        ("Edi", 0x85a7_ff90),
        ("SegCs", 8),
        ("SegSs", 0x10),
        ("SegDs", 0x23),
        ("SegEs", 0x23),
        ("SegFs", 0x30),
        ("EFlags", 0x246),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The stack of the thread that stopped the system: frame, return address, arguments.
fn stack() -> Block {
    const FIRST: u32 = 0xb38a_3bd8;
    let frames: [[u32; 5]; 7] = [
        [0xb38a_3bf0, 0xf79e_3743, 0xe2, 0xcccc_cccc, 0x8669_62b0],
        [0xb38a_3c3c, 0x8081_df65, 0x865c_4460, 0x8708_88c0, 0x85a7_ff90],
        [0xb38a_3c50, 0x808f_5437, 0x8708_8930, 0x85a7_ff90, 0x8708_88c0],
        [0xb38a_3c64, 0x808f_61bf, 0x865c_4460, 0x8708_88c0, 0x85a7_ff90],
        [0xb38a_3d00, 0x808e_ed08, 0xe4, 0, 0],
        [0xb38a_3d34, 0x8088_978c, 0xe4, 0, 0],
        [0xb38a_3d64, 0x7c82_85ec, 0xe4, 0, 0],
    ];
    let mut bytes = vec![0; 0x1a0];
    for (i, [frame, address, arguments @ ..]) in frames.iter().enumerate() {
        let at = usize::try_from(frame - FIRST).unwrap_or(0);
        let next = frames.get(i + 1).map_or(0x0012_efc4, |next| next[0]);
        let words = [next, *address].into_iter().chain(arguments.iter().copied());
        for (word, value) in words.enumerate() {
            bytes[at + 4 * word..at + 4 * word + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
    Block { address: FIRST.into(), bytes }
}

/// A running thread as the debugger prints it.
struct Running {
    name: &'static str,
    path: &'static str,
    eprocess: u64,
    ethread: u64,
    cid: (u64, u64),
    teb: u64,
    win32_thread: u64,
    waited: u64,
    switches: u64,
    /// Milliseconds in user and kernel mode.
    times: (u64, u64),
    start: (u64, u64),
    stack: (u64, u64, u64, u64),
    priority: (u64, u64, u64),
    irps: &'static [u64],
}

const PROGRAMS: &str = r"\Device\HarddiskVolume1\Program Files\Some\";
const SYSTEM32: &str = r"\Device\HarddiskVolume1\WINDOWS\system32\";

const RUNNING: [Running; 7] = [
    Running {
        name: "SomeExe.exe",
        path: PROGRAMS,
        eprocess: 0x864d_1d88,
        ethread: 0x8713_a5a0,
        cid: (0x4ef4, 0x4f04),
        teb: 0x7ffd_d000,
        win32_thread: 0xbc42_3920,
        waited: 0,
        switches: 7_621_092,
        times: (419_218, 1_166_359),
        start: (0x77e6_17ec, 0x75ec_1c3f),
        stack: (0xb68b_8a70, 0xb68b_8c28, 0xb68b_9000, 0xb68b_1000),
        priority: (13, 13, 0),
        irps: &[],
    },
    Running {
        name: "SomeExe.exe",
        path: PROGRAMS,
        eprocess: 0x8579_0020,
        ethread: 0x8621_4750,
        cid: (0xb94, 0x1238),
        teb: 0x7ffd_b000,
        win32_thread: 0xbc2f_5ea8,
        waited: 0,
        switches: 1_745_682,
        times: (80_031, 243_484),
        start: (0x77e6_17ec, 0x75ec_1c3f),
        stack: (0xb486_1000, 0xb486_0558, 0xb486_1000, 0xb485_6000),
        priority: (13, 13, 0),
        irps: &[],
    },
    Running {
        name: "lsass.exe",
        path: SYSTEM32,
        eprocess: 0x8850_e020,
        ethread: 0x86f8_7020,
        cid: (0x238, 0xae8),
        teb: 0x7ffa_5000,
        win32_thread: 0,
        waited: 0,
        switches: 39_608,
        times: (1_625, 5_437),
        start: (0x77e6_17ec, 0x77c7_b0f5),
        stack: (0xf492_5000, 0xf492_4c38, 0xf492_5000, 0xf492_2000),
        priority: (10, 9, 0),
        irps: &[
            0x8686_9200,
            0x85b2_a7f0,
            0x86f8_0a20,
            0x85e6_af68,
            0x892a_6c78,
            0x85d0_6070,
            0x85da_35e0,
            0x8721_6340,
        ],
    },
    Running {
        name: "WINWORD.EXE",
        path: r"\Device\HarddiskVolume1\Program Files\Microsoft Office\OFFICE11\",
        eprocess: 0x8700_5708,
        ethread: 0x86ff_e700,
        cid: (0x1ba4, 0x1ba8),
        teb: 0x7ffd_f000,
        win32_thread: 0xbc23_cea8,
        waited: 0,
        switches: 1_547_251,
        times: (60_750, 45_265),
        start: (0x77e6_17f8, 0x3000_19b0),
        stack: (0xf346_5000, 0xf346_4c48, 0xf346_5000, 0xf345_e000),
        priority: (8, 8, 0),
        irps: &[],
    },
    Running {
        name: "SystemDump.exe",
        path: r"\Device\HarddiskVolume1\Tools\",
        eprocess: 0x857d_5500,
        ethread: 0x8680_3a90,
        cid: (0x3c20, 0x29f8),
        teb: 0x7ffd_f000,
        win32_thread: 0xbc29_5480,
        waited: 0,
        switches: 310,
        times: (15, 46),
        start: (0x77e6_17f8, 0x0040_fe92),
        stack: (0xb38a_4000, 0xb38a_3c08, 0xb38a_4000, 0xb389_f000),
        priority: (11, 8, 2),
        irps: &[],
    },
    Running {
        name: "SomeSvc.exe",
        path: PROGRAMS,
        eprocess: 0x8913_74a8,
        ethread: 0x8604_3db0,
        cid: (0x610, 0x55dc),
        teb: 0x7ffa_1000,
        win32_thread: 0,
        waited: 320,
        switches: 11_728,
        times: (2_546, 177_765),
        start: (0x77e6_17ec, 0x0082_b983),
        stack: (0xb49c_1000, 0xb49c_0a7c, 0xb49c_1000, 0xb49b_e000),
        priority: (8, 8, 0),
        irps: &[0x86dc_99a0],
    },
    Running {
        name: "SomeExe.exe",
        path: PROGRAMS,
        eprocess: 0x872f_b708,
        ethread: 0x86bc_bdb0,
        cid: (0x34ac, 0x1b04),
        teb: 0x7ffd_d000,
        win32_thread: 0xbc3d_9a48,
        waited: 0,
        switches: 7_655_285,
        times: (609_343, 1_821_296),
        start: (0x77e6_17ec, 0x75ec_1c3f),
        stack: (0xb86c_b000, 0xb86c_a58c, 0xb86c_b000, 0xb86c_2000),
        priority: (13, 13, 0),
        irps: &[0x8581_d900],
    },
];

/// A thread that is ready: processor, priority, address, ids, thread block, win32k's thread.
type Queued = (u64, u64, u64, (u64, u64), u64, u64);

const READY: [Queued; 11] = [
    (0, 8, 0x8816_1668, (0x3d58, 0x43a0), 0x7ffd_f000, 0xbc1e_ba48),
    (0, 8, 0x882d_0020, (0x1004, 0x0520), 0x7ffd_f000, 0xbc23_0838),
    (0, 8, 0x8871_6b40, (0x2034, 0x241c), 0x7ffd_d000, 0xbc11_b388),
    (0, 8, 0x88bf_7978, (0x2444, 0x2564), 0x7ffd_e000, 0xbc1c_cc18),
    (0, 8, 0x876f_7a28, (0x2308, 0x4bfc), 0x7ffd_d000, 0xbc1f_7b98),
    (1, 9, 0x87e6_9db0, (0x067c, 0x3930), 0x7ffd_b000, 0xbc18_0990),
    (1, 8, 0x8839_8c70, (0x27cc, 0x15b4), 0x7ffd_e000, 0xbc15_9ea8),
    (2, 8, 0x8873_cdb0, (0x4c24, 0x4384), 0x7ffd_d000, 0xbc1c_9838),
    (2, 8, 0x89f3_31e0, (0x453c, 0x4c68), 0x7ffd_f000, 0xbc21_dbd0),
    (2, 8, 0x889a_03f0, (0x339c, 0x2fcc), 0x7ffd_f000, 0xbc1c_dbe8),
    (2, 8, 0x87aa_cdb0, (0x3b80, 0x4ed0), 0x7ffd_e000, 0xbc1c_5d10),
];

fn processes(healthy: &[SystemProcess]) -> Vec<SystemProcess> {
    // The local security authority is among those that run.
    let mut all: Vec<SystemProcess> =
        healthy.iter().filter(|process| process.name != "lsass.exe").cloned().collect();
    for process in &mut all {
        // The users of this server are in the sessions 2 and 9.
        process.session = process.session.map(|session| 2 * session);
        moved(&mut process.create_time);
        moved(&mut process.exit_time);
        process.threads.iter_mut().for_each(|thread| moved(&mut thread.create_time));
        for thread in &mut process.threads {
            if !matches!(thread.state, ThreadState::Waiting { .. } | ThreadState::Terminated) {
                thread.state = waiting(6, false, &[""]);
            }
            thread.waited %= TICKS;
        }
    }
    if let [idle, system, ..] = &mut all[..] {
        idle.eprocess = 0x8089_db40;
        idle.threads = (0..8).map(idle_thread).collect();
        if let Some(zero) = system.threads.first_mut() {
            (zero.ethread, zero.priority, zero.processor) = (0x8a39_25a8, (0, 0, 0), 0);
            zero.state = ThreadState::Ready;
        }
    }
    all.extend((1..).zip(&RUNNING).map(|(processor, running)| program(running, processor)));
    all.extend(READY.iter().enumerate().map(|(i, ready)| queued(i, ready)));
    all.extend(clients());
    all
}

/// A time of the healthy system as this system would have it.
fn moved(time: &mut u64) {
    if *time != 0 {
        *time = *time - BOOT + START;
    }
}

fn idle_thread(processor: u64) -> SystemThread {
    SystemThread {
        state: ThreadState::Running,
        processor,
        context_switches: 4_193_155 + processor,
        ticks: (700_000 - processor * 1000, 0),
        waited: TICKS,
        ..SystemThread::default()
    }
}

/// A program of a user, with the one thread that matters and a few that wait.
fn user_program(name: &str, pid: u64, first: u64, session: Option<u32>) -> SystemProcess {
    let program = Program {
        pid,
        ppid: if session.is_some() { 464 } else { 4 },
        path: name,
        arguments: "",
        session,
        started: 600 + pid / 8,
        threads: 1,
        waits: &[""],
        handles: &[r"\BaseNamedObjects\WorkReady", "log"],
    };
    let mut made = process(&program, Windows::Server2003Pae);
    moved(&mut made.create_time);
    for thread in &mut made.threads {
        moved(&mut thread.create_time);
        thread.tid = first;
        thread.waited %= TICKS;
    }
    made
}

fn program(running: &Running, processor: u64) -> SystemProcess {
    let session = match running.name {
        "lsass.exe" | "SomeSvc.exe" => Some(0),
        "SystemDump.exe" => Some(2),
        _ => Some(9),
    };
    let mut made = user_program(running.name, running.cid.0, running.cid.1, session);
    made.eprocess = running.eprocess;
    made.path = format!("{}{}", running.path, running.name);
    made.command_line = format!("\"{}\"", made.path.replacen(r"\Device\HarddiskVolume1", "C:", 1));
    made.ticks = (ticks(running.times.1) + 7, ticks(running.times.0) + 3);
    for thread in &mut made.threads {
        thread.ethread = running.ethread;
        thread.state = ThreadState::Running;
        thread.processor = processor;
        thread.priority = running.priority;
        thread.context_switches = running.switches;
        thread.ticks = (ticks(running.times.1), ticks(running.times.0));
        thread.waited = running.waited;
        thread.start = running.start;
        thread.stack = running.stack;
        thread.teb = running.teb;
        thread.win32_thread = running.win32_thread;
        thread.alertable = false;
        if running.name == "SomeSvc.exe" {
            thread.impersonation = 0xe7b3_0030;
            thread.lpc_message = 0x0082_b983;
        }
    }
    made
}

fn queued(index: usize, ready: &Queued) -> SystemProcess {
    let (processor, priority, ethread, (pid, tid), teb, win32_thread) = *ready;
    let names = ["OUTLOOK.EXE", "EXCEL.EXE", "iexplore.exe", "explorer.exe", "wfshell.exe"];
    let session = if index.is_multiple_of(2) { 2 } else { 9 };
    let mut made = user_program(names[index % names.len()], pid, tid, Some(session));
    for thread in &mut made.threads {
        thread.ethread = ethread;
        thread.state = ThreadState::Ready;
        thread.processor = processor;
        thread.priority = (priority, 8, 0);
        thread.context_switches = 9_000 + tid;
        thread.ticks = (ticks(1_200 + tid), ticks(2_400 + tid));
        thread.waited = 4 + index as u64;
        thread.teb = teb;
        thread.win32_thread = win32_thread;
    }
    made
}

fn drivers() -> Vec<Driver> {
    let images: [(&str, u64, u32); 17] = [
        ("ntkrnlpa.exe", 0x8080_0000, 0x0027_1000),
        ("hal.dll", 0x80a7_1000, 0x2_c000),
        (r"DRIVERS\ACPI.sys", 0xf740_f000, 0x3_3000),
        (r"DRIVERS\disk.sys", 0xf778_7000, 0x1_1000),
        (r"DRIVERS\CLASSPNP.SYS", 0xf779_7000, 0x1_4000),
        (r"DRIVERS\fltmgr.sys", 0xf724_8000, 0x1_f000),
        (r"DRIVERS\SomeFlt.sys", 0xf75f_7000, 0xa000),
        (r"DRIVERS\Ntfs.sys", 0xf71a_0000, 0x9_5000),
        (r"DRIVERS\NDIS.sys", 0xf716_c000, 0x3_2000),
        (r"DRIVERS\intelppm.sys", 0xf6e7_3000, 0x9000),
        (r"DRIVERS\termdd.sys", 0xf6fa_4000, 0xa000),
        (r"DRIVERS\tcpip.sys", 0xf60f_0000, 0x6_7000),
        (r"DRIVERS\SomeDrv.sys", 0xf5fe_f000, 0x6_0000),
        (r"DRIVERS\afd.sys", 0xf608_0000, 0x2_8000),
        ("win32k.sys", 0xbf80_0000, 0x001c_9000),
        (r"DRIVERS\SystemDump.sys", 0xf79e_3000, 0x2000),
        (r"DRIVERS\Npfs.SYS", 0xf766_7000, 0xb000),
    ];
    (0u32..)
        .zip(images)
        .map(|(i, (name, base, size))| Driver {
            path: match i {
                0 => format!(r"\WINDOWS\system32\{name}"),
                _ => format!(r"\SystemRoot\system32\{name}"),
            },
            base,
            size,
            timestamp: 0x4243_4dae + i * 0x3_1337,
            checksum: size + i * 0x1357,
        })
        .collect()
}

/// The longest ago first.
fn unloaded() -> Vec<UnloadedDriver> {
    [0xbe77_5000, 0xb9ae_5000, 0xb93e_1000, 0xa506_9000, 0xa506_9000, 0xa506_9000]
        .into_iter()
        .zip(1u64..)
        .map(|(start, i)| UnloadedDriver {
            name: "MyAVDrv.sys".to_owned(),
            start,
            end: start + 0x1_b000,
            time: START + i * 30_000_000_000,
        })
        .collect()
}

fn counters() -> Counters {
    Counters {
        available: 1_317_401,
        resident_available: 1_478_498,
        locked_io: 114,
        free_system_ptes: 194_059,
        free_nonpaged_ptes: 32_766,
        modified: 443,
        modified_page_file: 442,
        zeroed: 1_200_000,
        free: 1_401,
        standby: 116_000,
        nonpaged: 13_183,
        nonpaged_maximum: 65_215,
        nonpaged_commit: 0,
        free_special: 0,
        nonpaged_nodes: Vec::new(),
        paged: vec![11_328, 1_473, 1_486, 1_458, 1_505],
        paged_usage: 17_250,
        paged_maximum: 65_536,
        pool_failures: 3_441,
        shared_commit: 8_137,
        special_pool: 0,
        process_commit: 8_954,
        paged_commit: 17_312,
        driver_commit: 2_095,
        committed: 212_476,
        commit_limit: 2_312_654,
        commit_peak: 251_002,
    }
}

fn sessions() -> Vec<Session> {
    let session = |id, address, paged: u64, commit: u64, failures| Session {
        id,
        address,
        paged_bytes: paged << 10,
        commit: commit / 4,
        failures,
        pool_tags: pools::of_user(id),
    };
    vec![
        session(0, 0xf79a_1000, 9_824, 10_148, 0),
        session(2, 0xf798_9000, 1_212, 2_180, 0),
        session(9, 0xf79b_5000, 32_552, 33_652, 7_837),
    ]
}
