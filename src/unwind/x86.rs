//! x86 stack walks: most functions save the caller's frame pointer on the stack; for the others,
//! and in prologues and epilogues, the code shows where the return address is.

use std::ops::Range;

use super::{Cpu, Here, Step, Trust, Walker, image, scan};

/// Upper limit on the size of a frame, in bytes.
const LARGEST_FRAME: u64 = 128 << 10;

/// The step from a frame to its caller.
pub(super) fn step(walker: &mut Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    if here.is_exact
        && let Some(step) = by_code(walker, here)
    {
        return Some(step);
    }
    if let Some(step) = by_trap_frame(walker, here) {
        return Some(step);
    }
    by_frame_pointer(walker, here, stack).or_else(|| scan::step(walker, here, stack))
}

/// Before the prologue and after the epilogue the return address is on top of the stack.
fn by_code(walker: &mut Walker<'_>, here: &Here) -> Option<Step> {
    let (ip, sp) = (here.registers.ip()?, here.registers.sp()?);
    let mut buffer = [0; 5];
    let (at, is_saved) = match *walker.code(ip, &mut buffer) {
        // `ret`, `ret n`, `push ebp`; `mov edi, edi` before it.
        [0xc3 | 0xc2, ..] | [0x55, 0x8b, 0xec, ..] | [0x8b, 0xff, 0x55, 0x8b, 0xec, ..] => {
            (sp, false)
        }
        // `add esp, n` before the return, as behind system calls of 32-bit code in 64-bit processes.
        [0x83, 0xc4, count @ 0..0x80, 0xc2 | 0xc3, ..] => (sp.checked_add(count.into())?, false),
        // `mov ebp, esp` behind the push.
        [0x8b, 0xec, ..] => (sp.checked_add(4)?, true),
        _ => return None,
    };
    let caller = walker.word(Cpu::X86, at)?;
    if !walker.images.is_return(walker.target, Cpu::X86, caller) {
        return None;
    }
    let fp = if is_saved { walker.word(Cpu::X86, sp) } else { here.registers.fp() };
    let registers = here.registers.clone().at(caller, at.checked_add(4)?).with_fp(fp);
    Some(Step::call(registers, Trust::Unwind))
}

/// Trap and system call handlers use the address of the trap frame as their frame pointer.
fn by_trap_frame(walker: &Walker<'_>, here: &Here) -> Option<Step> {
    let registers = walker.target.trap_frame(here.registers.fp()?)?;
    Some(Step { registers, trust: Trust::TrapFrame, is_exact: true })
}

fn by_frame_pointer(walker: &mut Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    let fp = here.registers.fp()?;
    if !stack.contains(&fp) || here.registers.sp().is_some_and(|sp| fp < sp) {
        return None;
    }
    let saved = walker.word(Cpu::X86, fp)?;
    let caller = walker.word(Cpu::X86, fp.checked_add(4)?)?;
    let is_return = caller == 0 || walker.images.is_return(walker.target, Cpu::X86, caller);
    // Code that was generated at run time belongs to no module; its frames continue upwards.
    let is_made = walker.target.module(caller).is_none() && saved > fp && stack.contains(&saved);
    if !is_return && !is_made && !is_proven(walker, stack, (fp, saved, caller)) {
        return None;
    }
    let registers = here.registers.clone().at(caller, fp.checked_add(8)?).with_fp(Some(saved));
    Some(Step::call(registers, Trust::FramePointer))
}

/// Whether the frame pointer chain proves a return address whose code is missing (the dump holds
/// zeros there): the saved frame pointer leads to a higher frame that returns into a module.
fn is_proven(
    walker: &mut Walker<'_>,
    stack: &Range<u64>,
    (fp, saved, caller): (u64, u64, u64),
) -> bool {
    if saved <= fp || !stack.contains(&saved) || saved - fp > LARGEST_FRAME {
        return false;
    }
    let Some(module) = walker.target.module(caller.wrapping_sub(1)) else { return false };
    let offset = caller.wrapping_sub(module.base);
    let is_code = walker.images.is_code(walker.target, module, caller.wrapping_sub(1));
    let is_blank = image::call_bytes(walker.target, module, offset)
        .is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    let next = saved.checked_add(4).and_then(|at| walker.word(Cpu::X86, at));
    let goes_on = next.is_some_and(|next| next == 0 || walker.target.module(next).is_some());
    is_code && is_blank && goes_on
}
