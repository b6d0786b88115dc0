//! Thread stacks: where each starts, and the memory in which it is walked.
//!
//! A running thread starts from its processor's context record, any other thread from the frame
//! that the context switch left on its kernel stack. The walk continues into user mode through the
//! trap frame that was saved on entry to the kernel.

use crate::source::kernel::core::structure::first;
use std::ops::Range;
use std::sync::Arc;

use crate::catalog::Cell;
use crate::model::Located;
use crate::source::frames::Scene;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::arch::Arch;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::PROCESS;
use crate::source::kernel::process::images::{ProcessImage, ProcessImages};
use crate::source::kernel::scheduler::thread;
use crate::source::kernel::stack::walks;
use crate::source::kernel::stack::walks::Walks;
use crate::source::verdicts;
use crate::symbol::PdbId;
use crate::unwind::{self, Cpu, MAX_FRAMES, Registers, Span, Target, Walker};

/// `KTHREAD_STATE`.
const RUNNING: u64 = 2;
const TERMINATED: u64 = 4;
/// Upper limit on the size of a context switch frame, in words.
const SWITCH_WORDS: u64 = 16;
/// `_KTRAP_FRAME.DbgArgMark`.
const TRAP_MARK: u64 = 0xbad_b0d00;

/// Kernel memory as one thread sees it.
pub(crate) struct View<'a> {
    core: &'a Core,
    space: Space<'a>,
    process: u64,
    images: Arc<ProcessImages>,
}

/// Where a walk starts.
enum Start {
    /// Saved registers.
    Registers(Registers),
    /// A thread that was switched out: its first frame, and its caller's registers if they are
    /// already known.
    Switched(Registers, Option<Box<Registers>>),
}

/// A hash that equal stacks share, and the function that the thread is blocked in.
pub(crate) fn verdict<'a>(
    core: &'a Core,
    walks: &mut Walks<'a>,
    thread: &Structure<'_>,
    is_crash: bool,
) -> (Cell<u64>, Cell<String>) {
    let (view, frames) = stack_of(core, walks, thread, is_crash);
    (verdicts::stack_id(&view, &frames), verdicts::blocker(&view, &frames))
}

/// The frames of a thread, and the memory that they are in.
pub(crate) fn stack_of<'a>(
    core: &'a Core,
    walks: &mut Walks<'a>,
    thread: &Structure<'_>,
    is_crash: bool,
) -> (View<'a>, Vec<unwind::Frame>) {
    walked(core, walks, thread, |walks, walker, cpu, bounds| {
        start(core, walks, walker, (thread, is_crash), cpu, bounds)
    })
}

/// The frames on the stack of a thread, from registers that neither a context switch nor its
/// processor saved.
pub(crate) fn stack_from<'a>(
    core: &'a Core,
    walks: &mut Walks<'a>,
    thread: &Structure<'_>,
    registers: Registers,
) -> Vec<unwind::Frame> {
    walked(core, walks, thread, |_, _, _, _| Some(Start::Registers(registers))).1
}

fn walked<'a>(
    core: &'a Core,
    walks: &mut Walks<'a>,
    thread: &Structure<'_>,
    start: impl FnOnce(&Walks<'a>, &mut Walker<'_>, Cpu, &Range<u64>) -> Option<Start>,
) -> (View<'a>, Vec<unwind::Frame>) {
    let view = view_of(core, walks, thread);
    let mut frames = Vec::new();
    if let Ok(cpu) = walks::walked_cpu(core) {
        let mut knowledge = std::mem::take(&mut walks.knowledge);
        knowledge.allow(walks.allowed);
        let mut walker = Walker::with(&view, knowledge);
        let bounds = thread::bounds(thread);
        if let Some(start) = start(walks, &mut walker, cpu, &bounds) {
            frames = walk(core, &mut walker, &view, start, thread, &bounds);
        }
        walks.knowledge = walker.into_knowledge();
        walks.spent += walks.knowledge.spent();
    }
    (view, frames)
}

/// The memory of a thread's process.
pub(crate) fn view_of<'a>(
    core: &'a Core,
    walks: &mut Walks<'a>,
    thread: &Structure<'_>,
) -> View<'a> {
    let owner = first(&["Tcb.Process", "ThreadsProcess", "Tcb.ApcState.Process"], |path| {
        thread.pointer(path)
    });
    let process = owner.unwrap_or_default();
    let known = walks.processes.entry(process).or_insert_with(|| {
        let object = owner.ok().filter(|_| core.triage.is_none());
        let object = object.and_then(|at| core.object(PROCESS, at));
        let dtb = object.as_ref().and_then(|p| p.pointer("Pcb.DirectoryTableBase").ok());
        let space = dtb.map_or(core.kernel_space(), |dtb| core.space(dtb));
        let peb = object.and_then(|process| process.pointer("Peb").ok());
        (space, Arc::new(ProcessImages::of(peb)))
    });
    View { core, space: known.0, process, images: Arc::clone(&known.1) }
}

fn start(
    core: &Core,
    walks: &Walks<'_>,
    walker: &mut Walker<'_>,
    (thread, is_crash): (&Structure<'_>, bool),
    cpu: Cpu,
    bounds: &Range<u64>,
) -> Option<Start> {
    let header = walks.start.header.as_ref();
    if is_crash {
        return header.cloned().map(Start::Registers);
    }
    let state = thread.unsigned("Tcb.State");
    if state == Ok(TERMINATED) {
        return None;
    }
    let saved = thread.address.ok().and_then(|at| walks.start.running.get(&at));
    if state == Ok(RUNNING) || saved.is_some() {
        // The header's context is the one of the crash, which the processor may have left since.
        let is_here = |r: &&Registers| r.sp().is_some_and(|sp| bounds.contains(&sp));
        let is_own = |r: &&Registers| saved.is_some_and(|saved| saved.sp() == r.sp());
        let header = header.filter(|r| is_here(r) || is_own(r));
        return header.or(saved).cloned().map(Start::Registers);
    }
    let sp = thread.pointer("Tcb.KernelStack").ok().filter(|sp| bounds.contains(sp))?;
    switched(core, walker, cpu, sp, bounds)
}

/// The frame of a thread that was switched out: the return address is among the first words of its
/// stack, on x64 behind the frame pointer.
fn switched(
    core: &Core,
    walker: &mut Walker<'_>,
    cpu: Cpu,
    sp: u64,
    bounds: &Range<u64>,
) -> Option<Start> {
    let width = cpu.word() as u64;
    let space = core.kernel_space();
    let kernel = core.kernel_base();
    for i in 0..SWITCH_WORDS {
        let at = sp.checked_add(i * width).filter(|at| bounds.contains(at))?;
        let word = space.pointer_at(at).ok()?;
        let is_kernels = || core.modules().span(word).is_some_and(|span| Some(span.0) == kernel);
        if !is_kernels() || !walker.may_return_to(cpu, word) {
            continue;
        }
        let behind = at.checked_add(width)?;
        let registers = Registers::new(cpu).at(word, behind);
        return Some(match cpu {
            Cpu::X64 => {
                let fp = at.checked_sub(width).and_then(|at| space.pointer_at(at).ok());
                Start::Switched(registers.with_fp(fp.filter(|_| i > 0)), None)
            }
            Cpu::X86 => {
                let caller = caller_of_switch(core, walker, behind, bounds);
                Start::Switched(registers, caller.map(Box::new))
            }
            Cpu::Arm64 => Start::Switched(registers, None),
        });
    }
    None
}

/// On x86, four saved registers precede the return address of the caller, with the frame pointer at
/// the lowest address.
fn caller_of_switch(
    core: &Core,
    walker: &mut Walker<'_>,
    sp: u64,
    bounds: &Range<u64>,
) -> Option<Registers> {
    let space = core.kernel_space();
    let at = sp.checked_add(4 * 4)?;
    let (fp, caller) = (space.pointer_at(sp).ok()?, space.pointer_at(at).ok()?);
    let is_right = bounds.contains(&fp) && fp > at && walker.may_return_to(Cpu::X86, caller);
    let registers = Registers::new(Cpu::X86).at(caller, at.checked_add(4)?);
    is_right.then(|| registers.with_fp(Some(fp)))
}

/// Walks a stack. If the kernel part does not lead to user mode, the trap frame of the entry to the
/// kernel still gives the user part.
fn walk(
    core: &Core,
    walker: &mut Walker<'_>,
    view: &View<'_>,
    start: Start,
    thread: &Structure<'_>,
    bounds: &Range<u64>,
) -> Vec<unwind::Frame> {
    let sp = match &start {
        Start::Registers(registers) | Start::Switched(registers, _) => registers.sp(),
    };
    let is_above = |at: &u64| bounds.contains(at) && sp.is_some_and(|sp| sp < *at);
    let trap = thread.pointer("Tcb.TrapFrame").ok().filter(is_above);
    let end = trap.unwrap_or(bounds.end);
    let stack = bounds.start..end;
    let mut frames = match start {
        Start::Registers(registers) => walker.walk(registers, &stack, MAX_FRAMES),
        Start::Switched(first, caller) => {
            walker.walk_switched(first, caller.map(|caller| *caller), &stack, MAX_FRAMES)
        }
    };
    let is_kernels = |frame: &unwind::Frame| core.is_kernels(frame.ip);
    let ends_inside = frames.last().is_some_and(|last| is_kernels(last) && last.sp < end);
    if ends_inside && let Some(registers) = trap.and_then(|at| view.saved_at(at)) {
        let far = registers.sp().unwrap_or_default();
        let stack = far..far.saturating_add(1 << 20);
        let more = walker.walk(registers, &stack, MAX_FRAMES - frames.len());
        frames.extend(more);
    }
    frames
}

impl View<'_> {
    /// The image of the process that contains an address.
    fn image(&self, address: u64) -> Option<&ProcessImage> {
        self.images.at(self.core, self.space, address)
    }

    /// The registers that the trap frame at an address saved, if processor mode and instruction
    /// pointer are plausible.
    fn saved_at(&self, address: u64) -> Option<Registers> {
        let frame = self.core.structure("_KTRAP_FRAME", address);
        let number = |path: &'static str| frame.unsigned(path).ok();
        match self.core.arch {
            Arch::X64 => {
                if number("SegCs")? & 1 == 0 {
                    return None;
                }
                let names = [("rip", "Rip"), ("rsp", "Rsp"), ("rbp", "Rbp")];
                let all = names.into_iter().filter_map(|(name, path)| Some((name, number(path)?)));
                Some(Registers::named(Cpu::X64, all.collect::<Vec<_>>()))
            }
            Arch::X86 => {
                let names = [
                    ("eip", "Eip"),
                    ("ebp", "Ebp"),
                    ("ebx", "Ebx"),
                    ("esi", "Esi"),
                    ("edi", "Edi"),
                ];
                let all = names.into_iter().filter_map(|(name, path)| Some((name, number(path)?)));
                let registers = Registers::named(Cpu::X86, all.collect::<Vec<_>>());
                // Kernel code is interrupted on its own stack.
                let sp = match number("SegCs")? & 1 {
                    1 => number("HardwareEsp")?,
                    _ => frame.at("HardwareEsp").ok()?,
                };
                let ip = registers.ip()?;
                Some(registers.at(ip, sp))
            }
            _ => None,
        }
    }
}

impl Target for View<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        self.space.read(address, buffer).is_ok()
    }

    fn module(&self, address: u64) -> Option<Span> {
        if let Some((base, end)) = self.core.modules().span(address) {
            return Some(Span { base, end, space: 0 });
        }
        let image = self.image(address)?;
        Some(Span { base: image.base, end: image.end, space: self.process })
    }

    fn read_image(&self, module: Span, offset: u32, buffer: &mut [u8]) -> bool {
        let address = module.base.checked_add(offset.into());
        if address.is_some_and(|address| Target::read(self, address, buffer)) {
            return true;
        }
        let is_drivers = module.space == 0;
        let file = if is_drivers { self.core.image_file(module.base) } else { None };
        file.is_some_and(|file| file.read(offset, buffer))
    }

    fn starts_function(&self, address: u64) -> bool {
        // Without symbols, a location is an offset in its module.
        let place = self.locate(address);
        place.is_ok_and(|place| place.symbol.is_some() && place.offset == 0)
    }

    fn trap_frame(&self, address: u64) -> Option<Registers> {
        let frame = self.core.structure("_KTRAP_FRAME", address);
        let is_one = frame.unsigned("DbgArgMark") == Ok(TRAP_MARK);
        if is_one { self.saved_at(address) } else { None }
    }

    fn machine_frame_offset(&self) -> Option<u64> {
        let is_x64 = self.core.arch == Arch::X64;
        let offset = || self.core.structure("_KTRAP_FRAME", 0).at("Rip").ok();
        is_x64.then(offset).flatten()
    }

    fn interrupted_frame_pointer(&self, trap_frame: u64) -> Option<u64> {
        self.core.structure("_KTRAP_FRAME", trap_frame).unsigned("Rbp").ok()
    }
}

impl Scene for View<'_> {
    fn locate(&self, address: u64) -> Cell<Located> {
        match self.image(address) {
            Some(image) => Ok(image.locate(self.core, self.space, address)),
            None => self.core.place_of(address),
        }
    }

    fn pdb(&self, address: u64) -> Option<PdbId> {
        match self.image(address) {
            Some(image) => image.pdb(self.space),
            None => self.core.pdb_at(address),
        }
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        match self.image(address) {
            Some(image) => image.line(self.core, self.space, address),
            None => self.core.line_of(address),
        }
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.space.pointer_at(address)
    }

    fn word_bytes(&self) -> u64 {
        self.space.pointer_bytes()
    }

    fn place(&self, address: u64) -> Option<(String, u64)> {
        if let Some(image) = self.image(address) {
            return Some((image.name.clone(), address - image.base));
        }
        self.core.module_at(address).ok().map(|place| (place.module, place.offset))
    }

    fn bytes(&self, address: u64, most: usize) -> Vec<u8> {
        self.space.prefix(address, most).map(std::borrow::Cow::into_owned).unwrap_or_default()
    }
}
