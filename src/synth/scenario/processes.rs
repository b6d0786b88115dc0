//! The processes of a healthy system, and what their threads wait for.

use super::{BOOT, SECOND};
use crate::synth::system::{SystemHandle, SystemProcess, SystemThread, ThreadState, Vad, Windows};

/// A process with threads that wait for objects that it has handles to.
pub(super) struct Program<'a> {
    pub(super) pid: u64,
    pub(super) ppid: u64,
    pub(super) path: &'a str,
    pub(super) arguments: &'a str,
    pub(super) session: Option<u32>,
    /// Seconds after boot.
    pub(super) started: u64,
    pub(super) threads: u64,
    pub(super) waits: &'a [&'a str],
    pub(super) handles: &'a [&'a str],
}

const SYSTEM32: &str = r"\Device\HarddiskVolume1\WINDOWS\system32\";

pub(super) fn processes(windows: Windows) -> Vec<SystemProcess> {
    let program = |pid, ppid, path, arguments, session, started, threads| Program {
        pid,
        ppid,
        path,
        arguments,
        session,
        started,
        threads,
        waits: &["", r"\BaseNamedObjects\WorkReady"],
        handles: &[r"\BaseNamedObjects\WorkReady", "log", r"\BaseNamedObjects\OnlyOnce"],
    };
    let mut all = vec![idle(), kernel_process()];
    let programs = [
        program(276, 4, "smss.exe", "", None, 2, 2),
        program(
            364,
            356,
            "csrss.exe",
            " ObjectDirectory=\\Windows SharedSection=1024,3072",
            Some(0),
            5,
            9,
        ),
        program(416, 356, "winlogon.exe", "", Some(0), 6, 3),
        program(464, 416, "services.exe", "", Some(0), 7, 5),
        program(488, 416, "lsass.exe", "", Some(0), 7, 8),
        program(640, 464, "svchost.exe", " -k DcomLaunch", Some(0), 9, 11),
        program(724, 464, "svchost.exe", " -k netsvcs", Some(0), 9, 17),
        program(1180, 464, "spoolsv.exe", "", Some(0), 14, 6),
        program(
            1392,
            1380,
            "csrss.exe",
            " ObjectDirectory=\\Windows SharedSection=1024,3072",
            Some(1),
            60,
            7,
        ),
        program(1684, 1660, "explorer.exe", "", Some(1), 92, 14),
        program(1896, 1684, "notepad.exe", r" C:\notes\today.txt", Some(1), 4000, 2),
    ];
    all.extend(programs.iter().map(|program| process(program, windows)));
    if let Some(services) = all.iter_mut().find(|process| process.pid == 464) {
        let more = [
            "software",
            "grüße",
            "view",
            r"\KnownDlls\ntdll.dll",
            "Process 640",
            "Thread 644",
            r"\BaseNamedObjects\Slots",
            r"\RPC Control\epmapper",
        ];
        services.handles.extend((0..).zip(more).map(|(i, object)| SystemHandle {
            value: 0x100 + 8 * i,
            object: object.to_owned(),
            access: 0x2_0019 + i,
            address: 0,
        }));
    }
    let mut ended =
        process(&program(2044, 1684, "setup.exe", " /quiet", Some(1), 4100, 0), windows);
    ended.exit_time = ended.create_time + 90 * SECOND;
    (ended.peb, ended.handles, ended.vads) = (0, Vec::new(), Vec::new());
    all.push(ended);
    touch(&mut all);
    all
}

/// Gives a few threads other states than the rest.
fn touch(all: &mut [SystemProcess]) {
    if let Some(thread) = find(all, 1904) {
        thread.state = ThreadState::Running;
        thread.processor = 2;
        thread.waited = 0;
        thread.priority = (10, 8, 2);
    }
    for (tid, state) in [
        (1692, ThreadState::Ready),
        (1700, waiting(6, true, &[r"\BaseNamedObjects\OnlyOnce", "Thread 1904"])),
        (1708, waiting(6, false, &["Process 1896", r"\BaseNamedObjects\Slots", "ticker"])),
        (732, ThreadState::Ready),
        (736, ThreadState::ReadyShared),
        (744, ThreadState::Gate { reason: 35 }),
    ] {
        if let Some(thread) = find(all, tid) {
            thread.state = state;
        }
    }
    if let Some(thread) = find(all, 740) {
        thread.suspended = 1;
        "Worker: netsvcs".clone_into(&mut thread.name);
        thread.attached = 1896;
    }
}

fn find(all: &mut [SystemProcess], tid: u64) -> Option<&mut SystemThread> {
    all.iter_mut().flat_map(|process| process.threads.iter_mut()).find(|thread| thread.tid == tid)
}

pub(super) fn waiting(reason: u64, all: bool, objects: &[&str]) -> ThreadState {
    let objects = objects.iter().map(|name| (*name).to_owned()).collect();
    ThreadState::Waiting { reason, all, objects }
}

pub(super) fn idle() -> SystemProcess {
    let thread = |processor| SystemThread {
        state: ThreadState::Running,
        processor,
        context_switches: 1_400_000 + processor * 1000,
        ticks: (16_000_000 + processor * 100, 0),
        waited: 16_588_800,
        ..SystemThread::default()
    };
    SystemProcess {
        name: "Idle".to_owned(),
        threads: (0..4).map(thread).collect(),
        ..SystemProcess::default()
    }
}

fn kernel_process() -> SystemProcess {
    let thread = |i: u64| SystemThread {
        tid: 8 + 4 * i,
        state: if i == 0 { waiting(0, false, &[""]) } else { waiting(15, false, &["queue"]) },
        priority: (13, 12 + i % 3, 0),
        processor: i % 4,
        context_switches: 1000 + i * 13,
        ticks: (20 + i, 0),
        waited: 64 * (i + 1),
        create_time: BOOT + i * SECOND / 10,
        ..SystemThread::default()
    };
    SystemProcess {
        pid: 4,
        name: "System".to_owned(),
        base_priority: 8,
        ticks: (9000, 0),
        pages: (61, 900, 7, 7),
        virtual_bytes: 0x1c_4000,
        page_faults: 9500,
        threads: (0..24).map(thread).collect(),
        handles: vec![
            SystemHandle {
                value: 4,
                object: "Process 4".to_owned(),
                access: 0x1f_0fff,
                address: 0,
            },
            SystemHandle { value: 8, object: "Thread 8".to_owned(), access: 0x1f_03ff, address: 0 },
        ],
        ..SystemProcess::default()
    }
}

pub(super) fn process(program: &Program<'_>, windows: Windows) -> SystemProcess {
    let (is_64_bit, ntdll) = (windows.is_64_bit(), windows.ntdll());
    let started = BOOT + program.started * SECOND;
    let (peb, teb) = if is_64_bit {
        (0x7ff_fffd_f000 - (program.pid << 16), 0x7ff_fffd_d000 - (program.pid << 16))
    } else {
        (0x7ffd_f000, 0x7ffd_e000)
    };
    let thread = |i: u64| SystemThread {
        tid: program.pid + 4 + 4 * i,
        state: waiting(6, false, program.waits),
        priority: (9 + i % 2, 8, 1),
        processor: i % 4,
        context_switches: 40 + program.pid + i * 7,
        ticks: (5 + i, 11 + i),
        waited: 640 * (i + 1) + program.pid,
        start: if is_64_bit {
            (ntdll + 0x5_1230, 0x1_4000_1000)
        } else {
            (ntdll + 0x1_0659, 0x40_1000)
        },
        teb: teb - i * if is_64_bit { 0x2000 } else { 0x1000 },
        create_time: started + i * SECOND / 20,
        alertable: i % 3 == 1,
        lpc_message: if i == 4 { 0x8_2b98 } else { 0 },
        ..SystemThread::default()
    };
    let handle = |(i, object): (u64, &&str)| SystemHandle {
        value: 4 + 4 * i,
        object: (*object).to_owned(),
        access: 0x1f_0003 - (i & 1),
        address: 0,
    };
    let command = format!("{}{}", program.path, program.arguments);
    SystemProcess {
        pid: program.pid,
        ppid: program.ppid,
        name: program.path.to_owned(),
        path: format!("{SYSTEM32}{}", program.path),
        command_line: format!(r"C:\WINDOWS\system32\{command}"),
        create_time: started,
        session: program.session,
        base_priority: 8,
        ticks: (10 * program.threads, 12 * program.threads),
        pages: (700 + program.pid, 900 + program.pid, 300 + program.pid, 350 + program.pid),
        virtual_bytes: 0x180_0000 + (program.pid << 12),
        page_faults: 1200 + program.pid,
        threads: (0..program.threads).map(thread).collect(),
        handles: (0..).zip(program.handles).map(handle).collect(),
        vads: vads(windows),
        peb,
        ..SystemProcess::default()
    }
}

/// The memory ranges of a process: parameters, stack, heap, its image, ntdll, PEB and TEBs.
fn vads(windows: Windows) -> Vec<Vad> {
    let private = |start: u64, end: u64, commit| Vad {
        start,
        end,
        protection: 4,
        is_private: true,
        commit,
        ..Vad::default()
    };
    let image = |start: u64, size: u64, file: &str| Vad {
        start,
        end: start + size,
        protection: 7,
        kind: 2,
        commit: 4,
        file: file.to_owned(),
        ..Vad::default()
    };
    let program = if windows.is_64_bit() { 0x1_4000_0000 } else { 0x40_0000 };
    let ntdll = windows.ntdll();
    vec![
        private(0x1_0000, 0x1_1000, 1),
        private(0x1_e000, 0x2_1000, 3),
        private(0x3_0000, 0x13_0000, 3),
        private(0x15_0000, 0x25_0000, 60),
        private(0x25_1000, 0x25_4000, 3),
        image(program, 0x3_4000, "image"),
        image(ntdll, 0x1c_0000, "ntdll"),
    ]
}
