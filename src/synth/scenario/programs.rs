//! The processes of the busy server and their threads: running and ready threads as a debugger
//! printed them, and threads of user processes that wait for the registry lock.

use super::BOOT;
use super::processes::{Program, process, waiting};
use super::server::{START, TICKS};
use crate::synth::system::{SystemProcess, SystemThread, ThreadState, Windows};

/// User processes that read the registry, and the number of their threads.
pub(super) fn clients(threads: u64) -> Vec<SystemProcess> {
    let names = ["wfshell.exe", "OUTLOOK.EXE", "EXCEL.EXE", "iexplore.exe", "WINWORD.EXE"];
    let (mut left, mut id) = (threads, 0x6000);
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

/// A running thread as the debugger prints it.
pub(super) struct Running {
    name: &'static str,
    path: &'static str,
    eprocess: u64,
    ethread: u64,
    pub(super) cid: (u64, u64),
    teb: u64,
    win32_thread: u64,
    waited: u64,
    switches: u64,
    /// Milliseconds in user and kernel mode.
    times: (u64, u64),
    start: (u64, u64),
    stack: (u64, u64, u64, u64),
    priority: (u64, u64, u64),
    pub(super) irps: &'static [u64],
}

const PROGRAMS: &str = r"\Device\HarddiskVolume1\Program Files\Some\";
const SYSTEM32: &str = r"\Device\HarddiskVolume1\WINDOWS\system32\";

pub(super) const RUNNING: [Running; 7] = [
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

/// A ready thread: processor, priority, address, IDs, TEB, win32k thread.
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

/// All processes: those of the healthy system, those with running or ready threads, and those with
/// this many threads that wait for the registry lock.
pub(super) fn processes(healthy: &[SystemProcess], waiting_threads: u64) -> Vec<SystemProcess> {
    // `lsass.exe` is among the running ones.
    let mut all: Vec<SystemProcess> =
        healthy.iter().filter(|process| process.name != "lsass.exe").cloned().collect();
    for process in &mut all {
        // The users of this server are in sessions 2 and 9.
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
    all.extend(clients(waiting_threads));
    all
}

/// A time of the healthy system, moved to the time of this system.
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

/// A user process with one specified thread and a few that wait.
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
