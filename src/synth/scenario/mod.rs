//! Example systems: a healthy one, one of any size, and a busy server.

mod io;
mod locks;
mod pools;
mod processes;
mod programs;
mod routines;
mod server;

pub use io::pile;
pub use pools::mapped;
pub use routines::hooked;
pub use server::server_2003;

use self::processes::{Program, process, processes};
use super::spec::Driver;
use super::system::{
    Counters, NamedObject, PageFile, PoolMap, Processor, Session, SystemSpec, Timer,
    UnloadedDriver, Windows, WorkItem, WorkQueue,
};

/// Wednesday 17 February 2021, 09:41:27 UTC.
const NOW: u64 = 132_580_284_870_000_000;
/// The boot time: three days earlier.
const BOOT: u64 = NOW - 3 * 864_000_000_000;
const SECOND: u64 = 10_000_000;

/// A small healthy system with a little of everything.
pub fn healthy(windows: Windows) -> SystemSpec {
    let is_64_bit = windows.is_64_bit();
    let mut spec = SystemSpec {
        windows,
        kernel: None,
        kernel_code: false,
        stacks: false,
        physical_pages: 0x2_0000,
        bugcheck: (0xe2, [0; 4]),
        exception: None,
        comment: String::new(),
        system_time: NOW,
        ticks: 3 * 86_400 * 64,
        processors: (0..4).map(|i| processor(i, i == 2)).collect(),
        crash_processor: 2,
        registers: registers(windows),
        processes: processes(windows),
        drivers: drivers(is_64_bit),
        unloaded: unloaded(is_64_bit),
        objects: objects(),
        timers: timers(is_64_bit),
        counters: counters(),
        work_queues: work_queues(is_64_bit),
        page_files: vec![PageFile {
            path: r"\??\C:\pagefile.sys".to_owned(),
            pages: (0x4_0000, 0x3_8000, 0x4_0000, 0x8_0000),
        }],
        sessions: (0..2)
            .map(|id| Session {
                id,
                paged_bytes: 0x9_8000,
                commit: 2537,
                pool_tags: pools::session(id),
                ..Session::default()
            })
            .collect(),
        pool: pools::blocks(),
        pool_map: PoolMap::default(),
        pool_tags: pools::healthy(),
        tracker_entries: 0,
        resources: locks::healthy(),
        thread_locks: Vec::new(),
        io: super::system::Io::default(),
        routines: super::system::Routines::default(),
        blocks: Vec::new(),
    };
    spec.io = io::of(&spec.drivers);
    spec.routines = routines::of(&spec.drivers, &spec.io);
    let base = spec.drivers.get(1).map_or(0, |driver| driver.base);
    if let Some(processor) = spec.processors.get_mut(1) {
        processor.dpcs = vec![(base + 0x1230, 0x1000), (base + 0x1450, 0x2000)];
        processor.threaded_dpcs = vec![(base + 0x1670, 0x3000)];
    }
    spec
}

fn processor(number: u64, is_running: bool) -> Processor {
    Processor {
        running: if is_running { 1904 } else { 0 },
        counts: (120_000 + number * 1000, 900_000 + number * 5000),
        times: (5000 + number * 10, 3000 + number * 7, 40 + number, 25 + number),
        irql: if is_running { 0 } else { 2 },
        mhz: 2592,
        idle: (1_400_000 + number * 1000, 16_000_000 + number * 100),
        ..Processor::default()
    }
}

fn registers(windows: Windows) -> Vec<(String, u64)> {
    let values: &[(&str, u64)] = if windows.is_64_bit() {
        &[
            ("Rip", windows.kernel().0 + 0x3f_5a80),
            ("Rsp", 0xffff_850a_1c2f_e3a8),
            ("Rcx", 0xe2),
            ("SegCs", 0x10),
            ("SegSs", 0x18),
            ("EFlags", 0x246),
        ]
    } else {
        &[
            ("Eip", windows.kernel().0 + 0x7_b6be),
            ("Esp", 0xb38a_3bf4),
            ("Ebp", 0xb38a_3c3c),
            ("SegCs", 8),
            ("SegSs", 0x10),
            ("EFlags", 0x246),
        ]
    };
    values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

fn objects() -> Vec<NamedObject> {
    let object = |path: &str, kind: &str, owner| NamedObject {
        path: path.to_owned(),
        kind: kind.to_owned(),
        owner,
        ..NamedObject::default()
    };
    let file = |path: &str, file: &str| NamedObject {
        path: path.to_owned(),
        kind: "File".to_owned(),
        file: file.to_owned(),
        ..NamedObject::default()
    };
    let to = |path: &str, kind: &str, target: &str| NamedObject {
        path: path.to_owned(),
        kind: kind.to_owned(),
        file: target.to_owned(),
        ..NamedObject::default()
    };
    vec![
        object(r"\BaseNamedObjects\WorkReady", "Event", 0),
        object(r"\BaseNamedObjects\ShutdownNotification", "Event", 0),
        object(r"\BaseNamedObjects\OnlyOnce", "Mutant", 1904),
        object(r"\BaseNamedObjects\Slots", "Semaphore", 0),
        object(r"\RPC Control\epmapper", "Port", 0),
        object("queue", "Semaphore", 0),
        object("ticker", "Timer", 0),
        to(r"\GLOBAL??\C:", "SymbolicLink", r"\Device\HarddiskVolume1"),
        to("software", "Key", r"\REGISTRY\MACHINE\SOFTWARE\Some Vendor"),
        to("grüße", "Key", r"\REGISTRY\MACHINE\SOFTWARE\Grüße"),
        file("log", r"\WINDOWS\system32\LogFiles\trace.log"),
        file("image", r"\WINDOWS\system32\program.exe"),
        file("ntdll", r"\WINDOWS\system32\ntdll.dll"),
        to("view", "Section", "ntdll"),
        to(r"\KnownDlls\ntdll.dll", "Section", "ntdll"),
    ]
}

fn drivers(is_64_bit: bool) -> Vec<Driver> {
    let kernel = if is_64_bit { "ntoskrnl.exe" } else { "ntkrnlpa.exe" };
    let base = if is_64_bit { 0xffff_f801_5000_0000 } else { 0xf700_0000 };
    let mut all = vec![Driver {
        path: format!(r"\SystemRoot\system32\{kernel}"),
        base: 0,
        size: 0,
        timestamp: 0x4243_4dae,
        checksum: 0x0026_f31b,
    }];
    let names = [
        ("hal.dll", 0x2_c000),
        (r"DRIVERS\disk.sys", 0x1_1000),
        (r"DRIVERS\CLASSPNP.SYS", 0x1_4000),
        (r"DRIVERS\Ntfs.sys", 0x9_5000),
        (r"DRIVERS\fltMgr.sys", 0x1_f000),
        (r"DRIVERS\NDIS.sys", 0x3_2000),
        (r"DRIVERS\tcpip.sys", 0x6_7000),
        (r"DRIVERS\afd.sys", 0x2_8000),
        (r"DRIVERS\termdd.sys", 0xe000),
        (r"drivers\AvFilter.sys", 0x1_e000),
        (r"DRIVERS\Npfs.SYS", 0xb000),
    ];
    for (i, (name, size)) in (0u32..).zip(names) {
        all.push(Driver {
            path: format!(r"\SystemRoot\system32\{name}"),
            base: base + u64::from(i) * 0x10_0000,
            size,
            timestamp: 0x4243_4d00 + i * 0x111,
            checksum: 0x2_0000 + i * 0x1357,
        });
    }
    all
}

fn unloaded(is_64_bit: bool) -> Vec<UnloadedDriver> {
    let base = if is_64_bit { 0xffff_f801_6000_0000 } else { 0xf800_0000 };
    (0..3u64)
        .map(|i| UnloadedDriver {
            name: if i == 1 { "imapi.sys".to_owned() } else { "kmixer.sys".to_owned() },
            start: base + i * 0x4_0000,
            end: base + i * 0x4_0000 + 0x1_b000,
            time: BOOT + (100 + i * 1000) * SECOND,
        })
        .collect()
}

fn timers(is_64_bit: bool) -> Vec<Timer> {
    let base = if is_64_bit { 0xffff_f801_5050_0000 } else { 0xf750_0000 };
    let mut all: Vec<Timer> = (0..5u64)
        .map(|i| Timer {
            address: 0,
            thread: 0,
            due: 3 * 86_400 * SECOND + i * 5 * SECOND + 123,
            period: if i % 2 == 0 { 1000 * i } else { 0 },
            dpc: if i == 3 { (0, 0) } else { (base + 0x100 * i, 0x1000 + i) },
        })
        .collect();
    // A sleeping thread has a timer of its own.
    all.push(Timer { due: 3 * 86_400 * SECOND + 77, thread: 748, ..Timer::default() });
    all
}

fn work_queues(is_64_bit: bool) -> Vec<WorkQueue> {
    let base = if is_64_bit { 0xffff_f801_5040_0000 } else { 0xf740_0000 };
    let item = |i: u64, priority| WorkItem {
        address: 0,
        call: (base + 0x100 * i, 0x2000 + i),
        priority,
        is_driver: i % 2 == 1,
    };
    let queue = |first: u64, counts, items| WorkQueue {
        address: 0,
        threads: (0..4).map(|i| first + 4 * i).collect(),
        counts,
        items,
    };
    vec![
        queue(12, (1, 4, 512), vec![item(1, 15), item(2, 12), item(3, 12), item(4, 8)]),
        queue(28, (0, 2, 64), vec![item(5, 12)]),
    ]
}

fn counters() -> Counters {
    Counters {
        available: 88_000,
        resident_available: 101_000,
        locked_io: 114,
        free_system_ptes: 194_059,
        free_nonpaged_ptes: 32_766,
        modified: 443,
        modified_page_file: 442,
        zeroed: 41_000,
        free: 900,
        standby: 46_100,
        nonpaged: 3_183,
        nonpaged_maximum: 65_215,
        nonpaged_commit: 3_402,
        free_special: 336,
        nonpaged_nodes: Vec::new(),
        paged: vec![4_328, 473, 486, 458, 505],
        paged_usage: 6_250,
        paged_maximum: 65_536,
        pool_failures: 0,
        shared_commit: 8_137,
        special_pool: 0,
        process_commit: 8_954,
        paged_commit: 6_312,
        driver_commit: 2_095,
        committed: 72_476,
        commit_limit: 312_654,
        commit_peak: 81_200,
    }
}

/// The healthy system with faults: a driver leaks pool, pools are nearly exhausted and allocations
/// fail, threads queue for the registry lock, and three threads deadlock.
pub fn sick(windows: Windows) -> SystemSpec {
    let mut spec = healthy(windows);
    spec.pool_tags = pools::sick();
    let counters = &mut spec.counters;
    counters.nonpaged = counters.nonpaged_maximum - 770;
    counters.paged_usage = counters.paged_maximum - 900;
    counters.pool_failures = 429;
    let threads = |pid: u64, count: u64| (1..=count).map(|i| pid + 4 * i).collect::<Vec<u64>>();
    spec.resources.push(locks::registry(&threads(488, 2), &threads(364, 6), &threads(640, 2)));
    locks::deadlock(&mut spec, [1184, 1188, 1192]);
    spec.thread_locks = locks::noted();
    // One processor owns a queued spin lock that two others wait for; another processor owns one
    // without waiters.
    let spin_locks = [(4, 0), (4, 2), (4, 1), (7, 0)];
    for (processor, lock) in spec.processors.iter_mut().zip(spin_locks) {
        processor.spin_locks.push(lock);
    }
    spec
}

/// A system with many processes and threads, in memory of any size.
pub fn crowded(windows: Windows, processes: u64, threads: u64, physical_pages: u64) -> SystemSpec {
    let mut spec = healthy(windows);
    spec.physical_pages = physical_pages;
    let there: u64 = spec.processes.iter().map(|process| process.threads.len() as u64).sum();
    let count = processes.saturating_sub(spec.processes.len() as u64).max(1);
    let (each, over) =
        (threads.saturating_sub(there) / count, threads.saturating_sub(there) % count);
    let mut id = 4096;
    for i in 0..count {
        let here = each + u64::from(i < over);
        let name = format!("worker{i:05}.exe");
        let program = Program {
            pid: id,
            ppid: 464,
            path: &name,
            arguments: " -k pool",
            session: Some(0),
            started: 5000 + i,
            threads: here,
            waits: &[r"\BaseNamedObjects\WorkReady"],
            handles: &[r"\BaseNamedObjects\WorkReady", "log"],
        };
        let mut process = process(&program, windows);
        // The TEBs of more threads would overlap those of others.
        process.threads.iter_mut().skip(16).for_each(|thread| thread.teb = 0);
        id += 4 * (here + 2);
        spec.processes.push(process);
    }
    spec
}
