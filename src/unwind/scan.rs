//! Stack scan, the last resort: finds the next word of the stack that looks like a return address.

use std::ops::Range;

use super::image::Likely;
use super::{Cpu, Here, Registers, Step, Trust, Walker, link, trap};

/// How many words are examined.
const WORDS: u64 = 40;
const WORDS_OF_CERTAIN: u64 = 160;
/// How many are examined if the frame itself is certain.
const WORDS_FOR_CERTAIN: u64 = 2048;
/// Upper limit on the size of a frame, in bytes.
const LARGEST_FRAME: u64 = 128 << 10;

/// The caller, from the next word that may be a return address, up to a trap frame if one is near.
pub(super) fn step(walker: &mut Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    let cpu = here.registers.cpu();
    let sp = here.registers.sp()?;
    let width = cpu.word() as u64;
    let words = match here.trust {
        Trust::Context | Trust::Unwind | Trust::TrapFrame => WORDS_OF_CERTAIN,
        Trust::FramePointer | Trust::Scan => WORDS,
    };
    let near = sp.saturating_add(words * width);
    let far = stack.end.min(sp.saturating_add(WORDS_FOR_CERTAIN * width));
    let trap = trap::near(walker, cpu, sp..sp.saturating_add(WORDS_OF_CERTAIN * width).min(far));
    // Registers that a trap frame saved are not return addresses.
    let end = trap.as_ref().map_or(far, |trap| trap.start.clamp(sp, far));
    if let Some(found) = callers(walker, here, sp..end, near) {
        let fp = frame_pointer(walker, here, stack, (found.at, found.before));
        let registers = Registers::new(cpu).at(found.word, found.at.checked_add(width)?);
        return Some(Step::call(registers.with_fp(fp), Trust::Scan));
    }
    let trap = trap.or_else(|| trap::above(walker, cpu, sp..far))?;
    Some(trap.step())
}

/// A word that may be a return address.
#[derive(Debug, Clone, Copy)]
struct Caller {
    word: u64,
    at: u64,
    /// The word before it.
    before: Option<u64>,
}

/// The first word that may be a return address. If its call has another target, a word that follows
/// soon and whose call targets the current function is preferred.
fn callers(walker: &mut Walker<'_>, here: &Here, range: Range<u64>, near: u64) -> Option<Caller> {
    let cpu = here.registers.cpu();
    let ip = here.registers.ip().map(|ip| here.inside(ip));
    let width = cpu.word() as u64;
    let (mut before, mut stale) = (None, None);
    let mut last = range.end;
    let mut at = range.start;
    while at < last {
        let Some(word) = walker.word(cpu, at) else { break };
        let needed = if at < near { Likely::Maybe } else { Likely::Proven };
        if walker.images.likely(walker.target, cpu, word) >= needed {
            let found = Caller { word, at, before };
            match ip.map_or(link::Link::Open, |ip| link::of(walker.target, cpu, word, ip)) {
                link::Link::Here => return Some(found),
                link::Link::Open if stale.is_none() => return Some(found),
                link::Link::Elsewhere if stale.is_none() => {
                    stale = Some(found);
                    last = last.min(at.saturating_add(WORDS * width));
                }
                _ => {}
            }
        }
        before = Some(word);
        let Some(next) = at.checked_add(width) else { break };
        at = next;
    }
    stale
}

/// The caller's frame pointer: the word before the return address, where a prologue saves it, or
/// else the callee's own, if it points beyond the frame.
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
    // 64-bit code seldom has frame pointers; the word is used only if the callee's frame pointer
    // points to it.
    let is_chained = cpu == Cpu::X86 || own == at.checked_sub(width);
    if is_near && is_chained {
        return Some(before).filter(is_there);
    }
    own.filter(|own| *own > at).filter(is_there)
}
