//! Thread stacks: functions in images with their unwind data, and the frames that calls between
//! them leave on kernel and user stacks.

use super::build::Builder;
use super::spec::{SystemProcess, SystemSpec, SystemThread, ThreadState};
use super::user::PROGRAM;
use crate::synth::pe::Image;

/// Offset of the return address of a call in its function.
const RETURN: u64 = 0x40;
/// The space of a function in its image.
const ROOM: u32 = 0x80;
/// Offsets of code, unwind information and tables in user images.
const TEXT: u32 = 0x2000;
const INFO: u32 = 0x5000;
const TABLE: u32 = 0x6000;
/// The base of the user stacks: those of all threads of a process are at this address, with equal
/// contents.
const USER_TOP: u64 = 0x12_ff00;

/// The prologue of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prologue {
    /// `push rbx; sub rsp, 0x20`; on x86 the usual frame.
    Plain,
    /// `push rbp; sub rsp, 0x30; lea rbp, [rsp+0x20]`; on x86 the usual frame.
    Chained,
    /// It saves a trap frame.
    Entry,
    /// None: the function enters the kernel or switches threads.
    None,
}

/// Functions of the kernel.
const KERNEL: [(&str, Prologue); 9] = [
    ("KiSwapContext", Prologue::Plain),
    ("KiSwapThread", Prologue::Chained),
    ("KeWaitForSingleObject", Prologue::Plain),
    ("NtWaitForSingleObject", Prologue::Plain),
    ("KiSystemServiceCopyEnd", Prologue::Entry),
    ("ExpWorkerThread", Prologue::Chained),
    ("PspSystemThreadStartup", Prologue::Plain),
    ("KiStartSystemThread", Prologue::Plain),
    ("KeBugCheckEx", Prologue::Chained),
];
/// Functions of ntdll; in the first one, the kernel returns to the last instruction.
const OF_NTDLL: [(&str, Prologue); 3] = [
    ("KiFastSystemCallRet", Prologue::None),
    ("NtWaitForSingleObject", Prologue::Plain),
    ("RtlUserThreadStart", Prologue::Plain),
];
const OF_PROGRAM: [(&str, Prologue); 1] = [("main", Prologue::Chained)];

/// Functions with their addresses.
#[derive(Debug)]
struct Functions(Vec<(&'static str, u64, Prologue)>);

impl Functions {
    /// The functions of an image, one after another or at the addresses that a symbol file gives.
    fn place(
        base: u64,
        first: u32,
        names: &[(&'static str, Prologue)],
        known: impl Fn(&str) -> Option<u64>,
    ) -> Self {
        let place = |(i, (name, prologue)): (u32, &(&'static str, Prologue))| {
            let at = known(name).unwrap_or_else(|| (first + i * ROOM).into());
            (*name, base + at, *prologue)
        };
        Self((0..).zip(names).map(place).collect())
    }

    fn find(&self, name: &str) -> (u64, Prologue) {
        let found = self.0.iter().find(|(known, ..)| *known == name);
        found.map_or((0, Prologue::None), |(_, at, prologue)| (*at, *prologue))
    }

    /// Writes code: a call in each function, and a return instruction where the kernel returns to.
    fn code(&self) -> impl Iterator<Item = (u64, Vec<u8>)> {
        self.0.iter().map(|(_, at, prologue)| {
            let mut bytes = vec![0x90; 0x60];
            bytes[0x3b..0x40].copy_from_slice(&[0xe8, 0, 0, 0, 0]);
            if *prologue == Prologue::None {
                bytes[0x20] = 0xc3;
            }
            (*at, bytes)
        })
    }

    /// Writes unwind information at an offset, and the function table.
    fn tables(&self, base: u64, info: u32, places: (u16, u16)) -> (Vec<u8>, Vec<u8>) {
        let (mut infos, mut table) = (Vec::new(), Vec::new());
        let mut sorted = self.0.clone();
        sorted.sort_by_key(|(_, at, _)| *at);
        for (_, at, prologue) in sorted {
            let Some(codes) = codes(prologue, places) else { continue };
            let start = u32::try_from(at - base).unwrap_or(0);
            let info = info + u32::try_from(infos.len()).unwrap_or(0);
            for number in [start, start + ROOM, info] {
                table.extend(number.to_le_bytes());
            }
            infos.extend(codes);
            infos.resize(infos.len().next_multiple_of(4), 0);
        }
        (infos, table)
    }
}

/// The unwind information of a prologue; `places` are the offsets of `Rbp` and `Rip` in a trap
/// frame.
fn codes(prologue: Prologue, (rbp, rip): (u16, u16)) -> Option<Vec<u8>> {
    Some(match prologue {
        Prologue::Plain => vec![1, 5, 2, 0, 5, 0x32, 1, 0x30],
        Prologue::Chained => vec![1, 10, 3, 0x25, 10, 0x03, 5, 0x52, 1, 0x50, 0, 0],
        Prologue::Entry => {
            let mut codes = vec![1, 16, 5, 0, 16, 0x54];
            codes.extend((rbp / 8).to_le_bytes());
            codes.extend([8, 0x01]);
            codes.extend((rip / 8).to_le_bytes());
            codes.extend([0, 0x0a]);
            codes
        }
        Prologue::None => return None,
    })
}

/// A stack that is filled downwards with calls.
#[derive(Debug, Default)]
struct Pen {
    is_64_bit: bool,
    sp: u64,
    fp: u64,
    words: Vec<(u64, u64)>,
    /// The frames as a debugger prints them, outermost first.
    frames: Vec<(u64, u64)>,
}

impl Pen {
    fn new(is_64_bit: bool, sp: u64, fp: u64) -> Self {
        Self { is_64_bit, sp, fp, ..Self::default() }
    }

    fn push(&mut self, word: u64) {
        self.sp -= if self.is_64_bit { 8 } else { 4 };
        self.words.push((self.sp, word));
    }

    /// Adds a frame of a function that returns to an address.
    fn enter(&mut self, back: u64, prologue: Prologue) {
        self.push(back);
        match prologue {
            Prologue::None | Prologue::Entry => {}
            Prologue::Plain if self.is_64_bit => {
                self.push(0x1b1b);
                self.sp -= 0x20;
            }
            Prologue::Chained if self.is_64_bit => {
                self.push(self.fp);
                self.sp -= 0x30;
                self.fp = self.sp + 0x20;
            }
            Prologue::Plain | Prologue::Chained => {
                self.push(self.fp);
                self.fp = self.sp;
                self.sp -= 0x20;
            }
        }
    }

    /// Adds frames of functions that call one another; the first returns to an address. Returns the
    /// address in the last function after its call.
    fn run(&mut self, functions: &Functions, back: u64, names: &[&str]) -> u64 {
        let mut back = back;
        for name in names {
            let (at, prologue) = functions.find(name);
            self.enter(back, prologue);
            back = at + RETURN;
            self.frames.push((back, self.sp));
        }
        back
    }
}

/// The functions of the kernel, of ntdll and of programs.
struct Code {
    kernel: Functions,
    ntdll: Functions,
    program: Functions,
}

/// Writes the stack of every thread without specified words or pool blocks on it, and the code and
/// unwind data of its images.
pub(super) fn write(builder: &mut Builder<'_>, spec: &mut SystemSpec, kernel: (u64, u32)) {
    if !spec.stacks {
        return;
    }
    let is_64_bit = builder.version.is_64_bit();
    let known = spec.kernel.clone();
    let known = |name: &str| known.as_ref().and_then(|file| file.symbols.get(name).copied());
    let ntdll = builder.version.ntdll();
    let program = if is_64_bit { PROGRAM.1 } else { PROGRAM.0 };
    let code = Code {
        kernel: Functions::place(kernel.0, 0x4000, &KERNEL, known),
        ntdll: Functions::place(ntdll, TEXT, &OF_NTDLL, |_| None),
        program: Functions::place(program, TEXT, &OF_PROGRAM, |_| None),
    };
    kernel_code(builder, &code.kernel, kernel);
    let blocks: Vec<u64> = spec.blocks.iter().map(|block| block.address).collect();
    let running = spec.processors.get(spec.crash_processor).map_or(0, |p| p.running);
    for process in spec.processes.iter_mut().skip(1) {
        if process.peb != 0 {
            user_code(builder, process, ntdll, &code.ntdll);
            user_code(builder, process, program, &code.program);
        }
        let process = (process.dtb, process.peb != 0, &mut process.threads);
        for thread in process.2 {
            let is_crash = running != 0 && thread.tid == running;
            let is_left = matches!(thread.state, ThreadState::Waiting { .. } | ThreadState::Ready);
            let (_, _, base, limit) = thread.stack;
            let is_given = blocks.iter().any(|at| (limit..base).contains(at));
            if is_given || !thread.words.is_empty() || !(is_left || is_crash) {
                continue;
            }
            let user = (process.1 && thread.teb != 0).then_some(process.0);
            let registers = stack(builder, &code, thread, user, is_crash);
            for (name, value) in registers {
                spec.registers.retain(|(known, _)| known != name);
                spec.registers.push((name.to_owned(), value));
            }
        }
    }
}

/// Writes the stacks of a thread; returns the registers of a running thread.
fn stack(
    builder: &mut Builder<'_>,
    code: &Code,
    thread: &mut SystemThread,
    user: Option<u64>,
    is_crash: bool,
) -> Vec<(&'static str, u64)> {
    let is_64_bit = builder.version.is_64_bit();
    let mut pen = Pen::new(is_64_bit, thread.stack.2 - 0x40, 0);
    let back = if let Some(dtb) = user {
        let below = user_stack(builder, code, dtb);
        enter_kernel(builder, code, thread, &below, &mut pen)
    } else {
        let names = ["KiStartSystemThread", "PspSystemThreadStartup", "ExpWorkerThread"];
        pen.run(&code.kernel, 0, &names)
    };
    let mut registers = Vec::new();
    if is_crash {
        let (at, prologue) = code.kernel.find("KeBugCheckEx");
        pen.enter(back, prologue);
        let names = if is_64_bit { ["Rip", "Rsp", "Rbp"] } else { ["Eip", "Esp", "Ebp"] };
        registers = names.into_iter().zip([at + 0x20, pen.sp, pen.fp]).collect();
        pen.frames.push((at + 0x20, pen.sp));
    } else {
        switch(&mut pen, code, back);
        thread.stack.1 = pen.sp;
    }
    for (at, word) in std::mem::take(&mut pen.words) {
        builder.put_pointer(at, word);
    }
    thread.frames = pen.frames.into_iter().rev().collect();
    registers
}

/// Adds the frames of a wait and of the context switch.
fn switch(pen: &mut Pen, code: &Code, back: u64) {
    let back = pen.run(&code.kernel, back, &["KeWaitForSingleObject", "KiSwapThread"]);
    let (at, prologue) = code.kernel.find("KiSwapContext");
    if pen.is_64_bit {
        pen.enter(back, prologue);
        pen.frames.push((at + RETURN, pen.sp));
        pen.push(at + RETURN);
        pen.push(pen.fp);
        // Space for arguments, and the state of vector registers.
        pen.sp -= 6 * 8;
    } else {
        pen.push(back);
        for register in [0x0b, 0x51, 0xd1] {
            pen.push(register);
        }
        pen.push(pen.fp);
        pen.frames.push((at + RETURN, pen.sp));
        pen.push(at + RETURN);
        pen.push(0);
        pen.push(0xffff_ffff);
    }
}

/// The address at which user code entered the kernel.
struct Below {
    ip: u64,
    sp: u64,
    fp: u64,
    frames: Vec<(u64, u64)>,
}

fn user_stack(builder: &mut Builder<'_>, code: &Code, dtb: u64) -> Below {
    let is_64_bit = builder.version.is_64_bit();
    let mut pen = Pen::new(is_64_bit, USER_TOP, 0);
    let back = pen.run(&code.ntdll, 0, &["RtlUserThreadStart"]);
    let back = pen.run(&code.program, back, &["main"]);
    let back = pen.run(&code.ntdll, back, &["NtWaitForSingleObject"]);
    let (at, prologue) = code.ntdll.find("KiFastSystemCallRet");
    pen.enter(back, prologue);
    pen.frames.push((at + 0x20, pen.sp));
    let width = usize::try_from(builder.width()).unwrap_or(8);
    for (at, word) in &pen.words {
        builder.memory.put(dtb, *at, &word.to_le_bytes()[..width]);
    }
    Below { ip: at + 0x20, sp: pen.sp, fp: pen.fp, frames: pen.frames }
}

/// Writes the trap frame of a system call, and the frame of the function that made it.
fn enter_kernel(
    builder: &mut Builder<'_>,
    code: &Code,
    thread: &mut SystemThread,
    below: &Below,
    pen: &mut Pen,
) -> u64 {
    let size = builder.layout.size("_KTRAP_FRAME") as u64;
    let at = (thread.stack.2 - size) & !0xf;
    let mut frame = builder.new_object("_KTRAP_FRAME");
    if pen.is_64_bit {
        frame.set("Rip", below.ip).set("Rsp", below.sp).set("Rbp", below.fp).set("SegCs", 0x33);
    } else {
        frame.set("Eip", below.ip).set("HardwareEsp", below.sp).set("Ebp", below.fp);
        frame.set("SegCs", 0x1b).set("DbgArgMark", 0xbad_b0d00);
        frame.set("DbgEip", below.ip).set("DbgEbp", below.fp);
    }
    builder.place(at, frame);
    thread.trap_frame = at;
    let entry = code.kernel.find("KiSystemServiceCopyEnd").0 + RETURN;
    (pen.sp, pen.fp) = (at, if pen.is_64_bit { below.fp } else { at });
    pen.frames.extend(below.frames.iter().copied());
    pen.frames.push((entry, at));
    pen.run(&code.kernel, entry, &["NtWaitForSingleObject"])
}

/// Writes code and unwind data of the kernel, near the end of its code.
fn kernel_code(builder: &mut Builder<'_>, functions: &Functions, kernel: (u64, u32)) {
    for (at, bytes) in functions.code() {
        builder.put(at, &bytes);
    }
    for (name, at, _) in &functions.0 {
        builder.symbols.insert((*name).to_owned(), *at);
    }
    if !builder.version.is_64_bit() {
        return;
    }
    let end = (kernel.1 / 4 * 3) & !0xfff;
    let (info, table) = (end - 0x2000, end - 0x1000);
    let places = trap_places(builder);
    let (infos, entries) = functions.tables(kernel.0, info, places);
    builder.put(kernel.0 + u64::from(info), &infos);
    builder.put(kernel.0 + u64::from(table), &entries);
    let len = u32::try_from(entries.len()).unwrap_or(0);
    builder.put(kernel.0 + Image::FUNCTIONS_OF_64_BIT, &table.to_le_bytes());
    builder.put(kernel.0 + Image::FUNCTIONS_OF_64_BIT + 4, &len.to_le_bytes());
}

fn trap_places(builder: &mut Builder<'_>) -> (u16, u16) {
    let mut place = |path| u16::try_from(builder.offset("_KTRAP_FRAME", path)).unwrap_or(0);
    (place("Rbp"), place("Rip"))
}

/// Writes an image of a process with its functions.
fn user_code(builder: &mut Builder<'_>, process: &SystemProcess, base: u64, functions: &Functions) {
    let is_64_bit = builder.version.is_64_bit();
    let (infos, entries) = functions.tables(base, INFO, (0, 0));
    let image = Image {
        is_64_bit,
        base,
        size: 0x1_0000,
        is_dll: base != PROGRAM.0 && base != PROGRAM.1,
        subsystem: 3,
        system: builder.version.system,
        functions: is_64_bit.then(|| (TABLE, u32::try_from(entries.len()).unwrap_or(0))),
        sections: vec![(".text", TEXT, 0x2000), (".pdata", INFO, 0x2000)],
        ..Image::default()
    };
    let dtb = process.dtb;
    builder.memory.put(dtb, base, &image.bytes());
    builder.memory.put(dtb, base + u64::from(INFO), &infos);
    builder.memory.put(dtb, base + u64::from(TABLE), &entries);
    for (at, bytes) in functions.code() {
        builder.memory.put(dtb, at, &bytes);
    }
}
