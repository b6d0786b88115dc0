//! ARM64 stack walks: the unwind data of an image (`.pdata`, `.xdata`) describes the prologue of
//! each function, in a packed record for functions of the canonical form, else with an unwind code
//! for each instruction.

mod codes;

use codes::{codes, packed};
use std::ops::Range;
use std::sync::Arc;

use super::image::{Gap, Images, Rule};
use super::registers::{LR, Registers};
use super::{Cpu, Here, Span, Step, Target, Trust, Walker, scan};

/// Size of a `.pdata` entry: the function's start, and packed unwind data or the address of its
/// `.xdata` record.
const ENTRY: u32 = 8;
const FP: usize = 29;

/// What a function has done up to an address, last operation first.
#[derive(Debug, Default)]
pub(super) struct Function {
    steps: Vec<Undo>,
}

/// How to undo an instruction of the prologue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// Stack space was allocated.
    Free(u64),
    /// Consecutive registers were saved at this offset from the stack pointer.
    Load { first: usize, count: usize, at: u64 },
    /// The same after this many bytes were allocated for them.
    LoadFree { first: usize, count: usize, free: u64 },
    /// A register and the link register were saved.
    LoadLink { first: usize, at: u64 },
    /// The frame pointer was set to this offset from the stack pointer.
    Frame(u64),
    /// The next register pair was saved behind the last (`save_next`).
    Next,
    /// A machine frame was saved: the stack pointer and instruction pointer of the interrupted
    /// code.
    Machine,
    /// Nothing that matters to the walk.
    Nothing,
}

/// The step from a frame to its caller.
pub(super) fn step(walker: &mut Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    let ip = here.registers.ip()?;
    let found = match walker.target.module(here.inside(ip)) {
        Some(module) => by_tables(walker, here, module),
        None => None,
    };
    let found = found.filter(|step| walker.is_sound(here, step, stack));
    let found = found.or_else(|| by_frame_pointer(walker, here, stack));
    found.or_else(|| scan::step(walker, here, stack))
}

fn by_tables(walker: &mut Walker<'_>, here: &Here, module: Span) -> Option<Step> {
    let ip = here.registers.ip()?;
    let is_exact = here.is_exact;
    let inside = u32::try_from(here.inside(ip).checked_sub(module.base)?).ok()?;
    let target = walker.target;
    let make = |images: &mut Images| rule(images, target, module, inside, is_exact);
    match walker.images.rule((module.space, ip, is_exact), make) {
        Rule::Arm64(function) => undo(walker, here, &function.steps),
        Rule::Leaf if is_exact => undo(walker, here, &[]),
        _ => None,
    }
}

fn by_frame_pointer(walker: &mut Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    let fp = here.registers.fp()?;
    // The first function of a thread has a null frame pointer in its frame record.
    if fp == 0 && here.trust == Trust::FramePointer {
        let sp = here.registers.sp()?;
        return Some(Step::call(here.registers.clone().at(0, sp), Trust::FramePointer));
    }
    if !stack.contains(&fp) || here.registers.sp().is_some_and(|sp| fp < sp) {
        return None;
    }
    let saved = walker.word(Cpu::Arm64, fp)?;
    let caller = plain(walker.word(Cpu::Arm64, fp.checked_add(8)?)?);
    let is_end = caller == 0 && saved == 0;
    if !is_end && !walker.images.is_return(walker.target, Cpu::Arm64, caller) {
        return None;
    }
    let registers = here.registers.clone().at(caller, fp.checked_add(16)?).with_fp(Some(saved));
    Some(Step::call(registers, Trust::FramePointer))
}

/// A pointer without the pointer authentication code in its unused bits.
const fn plain(pointer: u64) -> u64 {
    (pointer.cast_signed() << 16 >> 16).cast_unsigned()
}

fn undo(walker: &Walker<'_>, here: &Here, steps: &[Undo]) -> Option<Step> {
    let mut registers = here.registers.clone();
    let mut sp = registers.sp()?;
    let word = |at: u64| walker.word(Cpu::Arm64, at);
    let load = |registers: &mut Registers, first: usize, count: usize, at: u64| {
        for (number, i) in (first..first.saturating_add(count).min(LR + 1)).zip(0..) {
            registers.put(number, at.checked_add(8 * i).and_then(word));
        }
    };
    let mut behind = 0;
    for step in steps {
        let more = 2 * std::mem::take(&mut behind);
        match *step {
            Undo::Free(bytes) => sp = sp.checked_add(bytes)?,
            Undo::Load { first, count, at } => {
                load(&mut registers, first, count + more, sp.checked_add(at)?);
            }
            Undo::LoadFree { first, count, free } => {
                load(&mut registers, first, count + more, sp);
                sp = sp.checked_add(free)?;
            }
            Undo::LoadLink { first, at } => {
                let at = sp.checked_add(at)?;
                load(&mut registers, first, 1, at);
                load(&mut registers, LR, 1, at.checked_add(8)?);
            }
            Undo::Frame(distance) => sp = registers.get(FP)?.checked_sub(distance)?,
            Undo::Next => behind = more / 2 + 1,
            Undo::Machine => {
                let (old, ip) = (word(sp)?, word(sp.checked_add(8)?)?);
                let registers = registers.at(plain(ip), old);
                return Some(Step { registers, trust: Trust::Unwind, is_exact: true });
            }
            Undo::Nothing => {}
        }
    }
    let caller = plain(registers.get(LR)?);
    Some(Step::call(registers.at(caller, sp), Trust::Unwind))
}

fn rule(
    images: &mut Images,
    target: &dyn Target,
    module: Span,
    inside: u32,
    is_exact: bool,
) -> Rule {
    let Some(table) = images.code(target, module).and_then(|code| code.functions()) else {
        return Rule::Unknown;
    };
    let tables = Tables { target, module };
    match tables.find(table, inside) {
        Ok(Some((start, data))) => match tables.steps(data, inside.wrapping_sub(start), is_exact) {
            Ok(Some(steps)) => Rule::Arm64(Arc::new(Function { steps })),
            Ok(None) => Rule::Leaf,
            Err(Gap) => Rule::Unknown,
        },
        Ok(None) => Rule::Leaf,
        Err(Gap) => Rule::Unknown,
    }
}

struct Tables<'a> {
    target: &'a dyn Target,
    module: Span,
}

impl Tables<'_> {
    fn number(&self, at: u32) -> Result<u32, Gap> {
        let mut bytes = [0; 4];
        let is_there = self.target.read_image(self.module, at, &mut bytes);
        if is_there { Ok(u32::from_le_bytes(bytes)) } else { Err(Gap) }
    }

    /// The last function that starts at or before an offset, and its unwind data.
    fn find(&self, (table, size): (u32, u32), inside: u32) -> Result<Option<(u32, u32)>, Gap> {
        let (mut low, mut high) = (0, size / ENTRY);
        while low < high {
            let middle = low + (high - low) / 2;
            if inside < self.number(after(table, middle * ENTRY)?)? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let Some(index) = low.checked_sub(1) else { return Ok(None) };
        let at = after(table, index * ENTRY)?;
        Ok(Some((self.number(at)?, self.number(after(at, 4)?)?)))
    }

    /// What a function has done at an offset; `None` if the offset is behind its end.
    fn steps(&self, data: u32, offset: u32, is_exact: bool) -> Result<Option<Vec<Undo>>, Gap> {
        let place = offset / 4;
        let kind = data & 3;
        if kind == 0 {
            return self.full(data, place, is_exact);
        }
        let length = data >> 2 & 0x7ff;
        if place >= length {
            return Ok(None);
        }
        let prologue = packed(data);
        Ok(Some(if kind == 1 && is_exact {
            cut(&prologue, place, length)
        } else {
            prologue.into_iter().rev().collect()
        }))
    }

    fn full(&self, at: u32, place: u32, is_exact: bool) -> Result<Option<Vec<Undo>>, Gap> {
        let head = self.number(at)?;
        let length = head & 0x3_ffff;
        if place >= length {
            return Ok(None);
        }
        let (mut scopes, mut words, mut next) = (head >> 22 & 0x1f, head >> 27, after(at, 4)?);
        let is_single = head >> 21 & 1 == 1;
        if scopes == 0 && words == 0 {
            let more = self.number(next)?;
            (scopes, words) = (more & 0xffff, more >> 16 & 0xff);
            next = after(next, 4)?;
        }
        let listed = if is_single { 0 } else { scopes };
        let mut bytes = vec![0; 4 * words as usize];
        if !self.target.read_image(self.module, after(next, listed * 4)?, &mut bytes) {
            return Err(Gap);
        }
        let (prologue, _) = codes(&bytes, 0)?;
        let left = prologue.len().saturating_sub(place as usize);
        if !is_exact || left > 0 {
            let undone = if is_exact { left } else { 0 };
            return Ok(Some(prologue.into_iter().skip(undone).collect()));
        }
        // A single epilogue at the end of the function, or the listed epilogue scopes: offset, and
        // index of the first code.
        let mut epilogues = Vec::new();
        if is_single {
            let (_, len) = codes(&bytes, scopes as usize)?;
            epilogues.push((length.saturating_sub(len), scopes));
        }
        for i in 0..listed {
            let scope = self.number(after(next, 4 * i)?)?;
            epilogues.push((scope & 0x3_ffff, scope >> 22));
        }
        for (start, index) in epilogues {
            let Some(undone) = place.checked_sub(start) else { continue };
            let (epilogue, len) = codes(&bytes, index as usize)?;
            if undone < len {
                return Ok(Some(epilogue.into_iter().skip(undone as usize).collect()));
            }
        }
        Ok(Some(prologue))
    }
}

fn after(at: u32, by: u32) -> Result<u32, Gap> {
    at.checked_add(by).ok_or(Gap)
}

/// What a function with packed unwind data has done at an instruction; its epilogue mirrors its
/// prologue.
fn cut(prologue: &[Undo], place: u32, length: u32) -> Vec<Undo> {
    let done = (place as usize).min(prologue.len());
    // The return instruction follows the last of them.
    let left = (length.saturating_sub(place) as usize).saturating_sub(1);
    prologue.iter().take(done.min(left)).rev().copied().collect()
}
