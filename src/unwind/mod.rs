//! Stack walks: from the registers of a thread to the frames of its call stack.
//!
//! Each step from a frame to its caller uses the best information about the function: unwind data
//! of the image (x64, ARM64), instructions of its prologue or epilogue, saved frame pointers, or
//! else a stack scan for the next word that looks like a return address. Each frame records the
//! method. The walk reads memory through [`Target`] and knows neither dumps nor threads nor
//! symbols. All input may be damaged: every table is bounded, and every walk ends.

mod arm64;
mod call;
mod epilog;
mod image;
mod link;
mod registers;
mod scan;
mod trap;
mod x64;
mod x86;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

pub use call::follows_call;
pub use registers::{Cpu, Registers};

use image::Images;

/// Upper limit on the frames of a stack.
pub const MAX_FRAMES: usize = 1024;
/// Instruction pointers below this are null, or offsets from null.
const FIRST_PAGE: u64 = 0x1000;
/// How far a stack is searched whose bounds are unknown.
const OTHER_STACK: u64 = 1 << 20;

/// How a frame was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// From a context record.
    Context,
    /// From the callee's unwind data.
    Unwind,
    /// From the chain of frame pointers.
    FramePointer,
    /// From a stack scan: a word looks like a return address.
    Scan,
    /// From a trap frame or an interrupt's machine frame.
    TrapFrame,
}

impl Trust {
    /// The name that tables show.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Unwind => "unwind",
            Self::FramePointer => "frame_pointer",
            Self::Scan => "scan",
            Self::TrapFrame => "trap_frame",
        }
    }
}

/// A module: its first address, the address behind its last, and a number that distinguishes
/// address spaces, in which different modules may have the same addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First address.
    pub base: u64,
    /// Address after the last.
    pub end: u64,
    /// The address space.
    pub space: u64,
}

/// What a walk reads.
pub trait Target {
    /// Fills the buffer with memory as the thread sees it; returns whether that succeeded.
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool;

    /// The module that contains an address.
    fn module(&self, address: u64) -> Option<Span>;

    /// Fills the buffer with bytes of a module's image; they may come from its image file.
    fn read_image(&self, module: Span, offset: u32, buffer: &mut [u8]) -> bool {
        module.base.checked_add(offset.into()).is_some_and(|address| self.read(address, buffer))
    }

    /// Whether a function is known to start at an address, to which no call returns.
    fn starts_function(&self, _address: u64) -> bool {
        false
    }

    /// Whether 64-bit code of the target keeps frame pointers; that of Windows does not.
    fn has_frame_pointers(&self) -> bool {
        false
    }

    /// The registers that the trap frame at an address saved, if there is one.
    fn trap_frame(&self, _address: u64) -> Option<Registers> {
        None
    }

    /// Offset of the machine frame, which the processor pushes, in an x64 trap frame; `None` if
    /// there are no trap frames on these stacks.
    fn machine_frame_offset(&self) -> Option<u64> {
        None
    }

    /// The frame pointer that the x64 trap frame at an address saved.
    fn interrupted_frame_pointer(&self, _trap_frame: u64) -> Option<u64> {
        None
    }
}

/// A frame of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Instruction pointer.
    pub ip: u64,
    /// Stack pointer; on x86 the address of the saved frame pointer, as debuggers print it.
    pub sp: u64,
    /// The return address, if it was found.
    pub return_address: Option<u64>,
    /// The address of the stack arguments, behind the return address.
    pub arguments: Option<u64>,
    /// How it was found.
    pub trust: Trust,
    /// Whether `ip` is the current instruction rather than a return address.
    pub is_exact: bool,
}

impl Frame {
    /// An address inside the function. A return address may be behind its end if the call is its
    /// last instruction.
    pub const fn inside(&self) -> u64 {
        if self.is_exact { self.ip } else { self.ip.wrapping_sub(1) }
    }
}

/// A frame whose caller is not known yet.
#[derive(Debug, Clone)]
struct Here {
    registers: Registers,
    trust: Trust,
    is_exact: bool,
}

impl Here {
    /// An address inside the function. A return address may be behind its end if the call is its
    /// last instruction.
    const fn inside(&self, ip: u64) -> u64 {
        if self.is_exact { ip } else { ip.wrapping_sub(1) }
    }
}

/// A step to the caller.
#[derive(Debug, Clone)]
struct Step {
    registers: Registers,
    trust: Trust,
    /// Whether the caller was interrupted rather than made a call.
    is_exact: bool,
}

impl Step {
    const fn call(registers: Registers, trust: Trust) -> Self {
        Self { registers, trust, is_exact: false }
    }
}

/// What was learnt about images, for the next walker of the same system.
#[derive(Debug, Default)]
pub struct Knowledge(Images);

impl Knowledge {
    /// How many words all walks of a system may read together; more indicates damage.
    pub const MAX_WORDS: u64 = image::MAX_WORDS;

    /// Sets how many stack words walks may read from now on.
    pub fn allow(&mut self, words: u64) {
        self.0.allow(words);
    }

    /// How many words were read since then.
    pub const fn spent(&self) -> u64 {
        self.0.spent()
    }
}

/// Walks stacks of one system or process, and keeps what it learns about images.
pub struct Walker<'a> {
    target: &'a dyn Target,
    images: Images,
}

impl std::fmt::Debug for Walker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walker").field("images", &self.images).finish_non_exhaustive()
    }
}

impl<'a> Walker<'a> {
    /// A walker over a target.
    pub fn new(target: &'a dyn Target) -> Self {
        Self::with(target, Knowledge::default())
    }

    /// A walker that starts with what another walker of the same system has learnt.
    pub fn with(target: &'a dyn Target, knowledge: Knowledge) -> Self {
        Self { target, images: knowledge.0 }
    }

    /// What it has learnt.
    pub fn into_knowledge(self) -> Knowledge {
        Knowledge(self.images)
    }

    /// Whether a word may be a return address.
    pub fn may_return_to(&mut self, cpu: Cpu, word: u64) -> bool {
        self.images.is_return(self.target, cpu, word)
    }

    /// The frames from a register state on, innermost first, at most `most`. `stack` is the range
    /// of the stack; stack scans stay in it.
    pub fn walk(&mut self, start: Registers, stack: &Range<u64>, most: usize) -> Vec<Frame> {
        let here = Here { registers: start, trust: Trust::Context, is_exact: true };
        self.go(here, None, stack, most)
    }

    /// The frames of a thread that was switched out in a call which returns to the first registers;
    /// its caller's registers may be known already.
    pub fn walk_switched(
        &mut self,
        first: Registers,
        caller: Option<Registers>,
        stack: &Range<u64>,
        most: usize,
    ) -> Vec<Frame> {
        let here = Here { registers: first, trust: Trust::Context, is_exact: false };
        self.go(here, caller.map(|caller| Step::call(caller, Trust::Unwind)), stack, most)
    }

    fn go(
        &mut self,
        start: Here,
        first: Option<Step>,
        stack: &Range<u64>,
        most: usize,
    ) -> Vec<Frame> {
        let (mut here, mut first, mut stack) = (start, first, stack.clone());
        let mut frames = Vec::new();
        let mut seen = HashSet::new();
        while frames.len() < most.min(MAX_FRAMES) {
            let (Some(ip), Some(sp)) = (here.registers.ip(), here.registers.sp()) else { break };
            // A walk that reaches the same frame again is circular.
            if !seen.insert((ip, sp)) {
                break;
            }
            // Interrupted code may have run on another stack.
            if here.is_exact && !stack.contains(&sp) {
                stack = sp..sp.saturating_add(OTHER_STACK);
            }
            let step = first.take().or_else(|| self.step(&here, &stack));
            let next = step.as_ref().and_then(|step| step.registers.ip());
            frames.push(Self::frame(&here, step.as_ref()));
            match step {
                Some(step) if next.is_some_and(|ip| ip >= FIRST_PAGE) => {
                    here = Here {
                        registers: step.registers,
                        trust: step.trust,
                        is_exact: step.is_exact,
                    };
                }
                _ => break,
            }
        }
        frames
    }

    /// The step from a frame to its caller.
    fn step(&mut self, here: &Here, stack: &Range<u64>) -> Option<Step> {
        match here.registers.cpu() {
            Cpu::X64 => x64::step(self, here, stack),
            Cpu::X86 => x86::step(self, here, stack),
            Cpu::Arm64 => arm64::step(self, here, stack),
        }
    }

    /// Whether a step from unwind data leads to a possible code address and upwards on the stack.
    fn is_sound(&mut self, here: &Here, step: &Step, stack: &Range<u64>) -> bool {
        let (Some(ip), Some(sp)) = (step.registers.ip(), step.registers.sp()) else { return false };
        let was = here.registers.sp().unwrap_or_default();
        let cpu = here.registers.cpu();
        let is_certain = matches!(here.trust, Trust::Context | Trust::Unwind | Trust::TrapFrame);
        // A null return address ends the stack of a thread.
        let is_place = match self.target.module(ip.wrapping_sub(1)) {
            _ if ip == 0 => true,
            _ if !is_certain => self.images.is_return(self.target, cpu, ip),
            Some(module) => self.images.is_code(self.target, module, ip),
            // Code that was generated at run time belongs to no module.
            None => ip >= FIRST_PAGE && is_canonical(ip),
        };
        // Interrupted code and other stacks may be elsewhere.
        let is_above = sp > was
            || step.is_exact
            || !stack.contains(&sp)
            || cpu == Cpu::Arm64 && here.is_exact && sp == was;
        is_place && is_above && sp.is_multiple_of(cpu.word() as u64)
    }

    fn frame(here: &Here, step: Option<&Step>) -> Frame {
        let (ip, sp) = (here.registers.ip(), here.registers.sp());
        let called = step.filter(|step| !step.is_exact).and_then(|step| step.registers.sp());
        let arguments = match here.registers.cpu() {
            Cpu::Arm64 => None,
            Cpu::X86 | Cpu::X64 => called,
        };
        let sp = match (here.registers.cpu(), arguments) {
            (Cpu::X86, Some(arguments)) => arguments.checked_sub(8),
            _ => sp,
        };
        Frame {
            ip: ip.unwrap_or_default(),
            sp: sp.unwrap_or_default(),
            return_address: step.and_then(|step| step.registers.ip()),
            arguments,
            trust: here.trust,
            is_exact: here.is_exact,
        }
    }

    /// The pointer-sized word at an address.
    fn word(&self, cpu: Cpu, address: u64) -> Option<u64> {
        self.images.spend()?;
        let mut bytes = [0; 8];
        let part = bytes.get_mut(..cpu.word())?;
        self.target.read(address, part).then(|| u64::from_le_bytes(bytes))
    }

    /// As many bytes of code at an address as can be read, at most the length of the buffer.
    fn code<'b>(&self, address: u64, buffer: &'b mut [u8]) -> &'b [u8] {
        let len = buffer.len();
        if let Some(module) = self.target.module(address)
            && let Ok(offset) = u32::try_from(address - module.base)
            && self.target.read_image(module, offset, buffer)
        {
            return buffer;
        }
        let mut held = 0;
        for (distance, byte) in (0..).zip(buffer.iter_mut().take(len)) {
            let at = address.checked_add(distance);
            if !at.is_some_and(|at| self.target.read(at, std::slice::from_mut(byte))) {
                break;
            }
            held += 1;
        }
        buffer.get(..held).unwrap_or_default()
    }
}

/// The start of the function that contains an offset of an x64 image, from its function table.
pub fn function_start<T: Target>(target: &T, module: Span, offset: u32) -> Option<u32> {
    x64::start_of(target, module, offset)
}

/// Whether a 64-bit address is canonical.
const fn is_canonical(address: u64) -> bool {
    matches!(address >> 47, 0 | 0x1_ffff)
}
