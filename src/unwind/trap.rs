//! x64 trap frames and machine frames, found on a stack by the values that the processor pushes
//! when it interrupts code.
//!
//! The processor pushes five words, from the lowest address: instruction pointer, code segment,
//! flags, stack pointer, stack segment. The target gives the offset of this machine frame in a trap
//! frame.

use std::ops::Range;

use super::{Cpu, Registers, Step, Trust, Walker, is_canonical};

/// Segment selectors of 64-bit Windows.
const KERNEL_CODE: u64 = 0x10;
const USER_CODE: [u64; 2] = [0x33, 0x23];
const KERNEL_STACK: [u64; 2] = [0x18, 0];
const USER_STACK: u64 = 0x2b;
/// Flag bits that are always set, and those that may be set.
const FLAGS_SET: u64 = 2;
const FLAGS: u64 = 0x3f_7fd7;
const WORD: u64 = 8;

/// The interrupted state.
#[derive(Debug, Clone)]
pub(super) struct Trap {
    /// The address of the trap frame.
    pub(super) start: u64,
    registers: Registers,
}

impl Trap {
    /// The step to the interrupted code.
    pub(super) fn step(self) -> Step {
        Step { registers: self.registers, trust: Trust::TrapFrame, is_exact: true }
    }
}

/// The first trap frame whose machine frame is in a range of a stack.
pub(super) fn near(walker: &mut Walker<'_>, cpu: Cpu, range: Range<u64>) -> Option<Trap> {
    let offset = walker.target.machine_frame_offset().filter(|_| cpu == Cpu::X64)?;
    let mut at = range.start;
    while at < range.end {
        let word = walker.word(cpu, at)?;
        // The code segment follows the instruction pointer.
        if is_code_segment(word)
            && let Some(machine) = at.checked_sub(WORD).filter(|machine| *machine >= range.start)
            && let Some(trap) = read(walker, machine, offset)
        {
            return Some(trap);
        }
        at = at.checked_add(WORD)?;
    }
    None
}

/// A trap frame on another stack that a word of this one points to, as on interrupt stacks.
pub(super) fn above(walker: &mut Walker<'_>, cpu: Cpu, range: Range<u64>) -> Option<Trap> {
    let offset = walker.target.machine_frame_offset().filter(|_| cpu == Cpu::X64)?;
    let mut at = range.start;
    while at < range.end {
        let word = walker.word(cpu, at)?;
        let is_elsewhere = !range.contains(&word) && word.is_multiple_of(WORD) && word >> 47 != 0;
        if is_elsewhere
            && is_canonical(word)
            && let Some(machine) = word.checked_add(offset)
            && let Some(trap) = read(walker, machine, offset)
        {
            return Some(trap);
        }
        at = at.checked_add(WORD)?;
    }
    None
}

const fn is_code_segment(word: u64) -> bool {
    word == KERNEL_CODE || word == USER_CODE[0] || word == USER_CODE[1]
}

/// The trap frame whose machine frame is at an address, if every value is valid.
fn read(walker: &mut Walker<'_>, machine: u64, offset: u64) -> Option<Trap> {
    let word = |i: u64| walker.word(Cpu::X64, machine.checked_add(i * WORD)?);
    let (ip, cs, flags, sp, ss) = (word(0)?, word(1)?, word(2)?, word(3)?, word(4)?);
    if flags & !FLAGS != 0 || flags & FLAGS_SET == 0 || !is_code_segment(cs) {
        return None;
    }
    let is_right = if cs == KERNEL_CODE {
        // The interrupted instruction pointer may be invalid (a wild jump); the stack selector is
        // valid even then.
        let is_code = match walker.target.module(ip) {
            Some(module) => walker.images.is_code(walker.target, module, ip),
            None => ss == KERNEL_STACK[0],
        };
        is_code && KERNEL_STACK.contains(&ss) && sp >> 47 == 0x1_ffff && sp.is_multiple_of(WORD)
    } else {
        ss == USER_STACK && ip >> 47 == 0 && sp >> 47 == 0 && ip >= super::FIRST_PAGE
    };
    // The interrupted stack is in the dump.
    if !is_right || cs == KERNEL_CODE && walker.word(Cpu::X64, sp).is_none() {
        return None;
    }
    let start = machine.checked_sub(offset)?;
    let fp = walker.target.interrupted_frame_pointer(start);
    Some(Trap { start, registers: Registers::new(Cpu::X64).at(ip, sp).with_fp(fp) })
}
