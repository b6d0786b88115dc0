//! The last resort: the next word of the stack that looks like a return address.

use std::ops::Range;

use super::image::Likely;
use super::{Cpu, Here, Registers, Step, Trust, Walker};

/// How many words are looked at, and how many where the frame itself is certain.
const WORDS: u64 = 40;
const WORDS_OF_CERTAIN: u64 = 160;
/// How many are looked at for one that is certain.
const WORDS_FOR_CERTAIN: u64 = 2048;
/// No frame is larger than this many bytes, nearly.
const LARGEST_FRAME: u64 = 128 << 10;

/// The caller by the next word that may be a return address.
pub(super) fn step(walker: &mut Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    let cpu = here.registers.cpu();
    let sp = here.registers.sp()?;
    let width = cpu.word() as u64;
    let words = match here.trust {
        Trust::Context | Trust::Unwind => WORDS_OF_CERTAIN,
        Trust::FramePointer | Trust::Scan => WORDS,
    };
    let near = sp.saturating_add(words * width);
    let end = stack.end.min(sp.saturating_add(WORDS_FOR_CERTAIN * width));
    let mut before = None;
    let mut at = sp;
    while at < end {
        let word = walker.word(cpu, at)?;
        let needed = if at < near { Likely::Maybe } else { Likely::Proven };
        if walker.images.likely(walker.target, cpu, word) >= needed {
            let caller = at.checked_add(width)?;
            let fp = frame_pointer(walker, here, stack, (at, before));
            let registers = Registers::new(cpu).at(word, caller).with_fp(fp);
            return Some(Step::call(registers, Trust::Scan));
        }
        before = Some(word);
        at = at.checked_add(width)?;
    }
    None
}

/// What the caller's frame pointer may be: the word before the return address, which a prologue saves
/// there, or else the callee's own, which then points beyond.
fn frame_pointer(
    walker: &Walker<'_>,
    here: &Here,
    stack: &Range<u64>,
    (at, before): (u64, Option<u64>),
) -> Option<u64> {
    let cpu = here.registers.cpu();
    let width = cpu.word() as u64;
    let before = before?;
    let own = here.registers.fp();
    let is_there = |fp: &u64| stack.contains(fp) && walker.word(cpu, *fp).is_some();
    let is_near = before > at && before - at <= LARGEST_FRAME;
    // 64-bit code seldom has frame pointers: one is believed if the callee's points to it.
    let is_chained = cpu == Cpu::X86 || own == at.checked_sub(width);
    if is_near && is_chained {
        return Some(before).filter(is_there);
    }
    own.filter(|own| *own > at).filter(is_there)
}
