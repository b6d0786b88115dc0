//! A busy terminal server: Windows Server 2003 SP1 with physical address extension and eight
//! processors, seven of which run threads of user processes. Threads are ready on four processors,
//! the pool of one session is exhausted, a driver of an antivirus product has been loaded and
//! unloaded repeatedly and its tag is among the largest users of paged pool, many IRPs are pending
//! at a file system filter, and hundreds of threads queue for the registry lock.

use super::{locks, pools, programs};
use crate::synth::spec::{Block, Driver};
use crate::synth::system::{
    Counters, PageFile, Processor, Request, Session, SystemSpec, UnloadedDriver, Windows,
};

/// Wednesday 31 October 2007, 14:05:22 UTC.
const NOW: u64 = 128_383_131_220_000_000;
/// Clock ticks since boot.
pub(super) const TICKS: u64 = 1_415_535;
pub(super) const START: u64 = NOW - TICKS * 156_250;

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
    spec.processes = programs::processes(&spec.processes, CLIENTS);
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
    let ids: Vec<u64> = programs::clients(CLIENTS)
        .iter()
        .flat_map(|client| &client.threads)
        .map(|t| t.tid)
        .collect();
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

/// The IRPs of running threads, which wait for data from named pipes.
fn named_pipe_requests(spec: &mut SystemSpec) {
    for running in &programs::RUNNING {
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

/// Moves routines of timers and work items into drivers of this system.
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

/// Threads that hold the registry lock shared, threads that wait for shared access, and threads
/// that wait for exclusive access.
const OWNERS: usize = 10;
const SHARED: usize = 718;
const EXCLUSIVE: usize = 21;
const CLIENTS: u64 = (OWNERS + SHARED + EXCLUSIVE) as u64;
/// IRPs that are pending at a file system filter.
const HELD_BACK: usize = 412;

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

/// The stack of the crashed thread: frame, return address, arguments.
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

/// The oldest first.
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
