//! x64 stack walks: the unwind data of an image (`.pdata`, `.xdata`) describes the prologue of each
//! function.

use std::ops::Range;
use std::sync::Arc;

use super::image::{Gap, Images, Rule};
use super::registers::Registers;
use super::{Cpu, Here, Span, Step, Target, Trust, Walker, epilog, is_canonical, scan};
use crate::symbol::image::Image;

/// Size of an entry of the function table: start, end, address of the unwind info.
const ENTRY: u32 = 12;
/// Upper limit on chained unwind info; a longer chain is circular.
const MAX_CHAIN: usize = 32;
/// How often an entry may refer to another entry.
const MAX_INDIRECT: usize = 4;
const RSP: usize = 4;
/// `IMAGE_FILE_MACHINE_AMD64`.
const MACHINE: u16 = 0x8664;
/// The flag of chained unwind info (`UNW_FLAG_CHAININFO`).
const CHAINED: u8 = 4;

/// What a function's prologue has done up to an address, last operation first.
#[derive(Debug, Default)]
pub(super) struct Function {
    /// Start and end of the function.
    pub(super) range: Range<u32>,
    /// The frame register, and its offset from the frame's start.
    frame: Option<(usize, u64)>,
    steps: Vec<Undo>,
}

/// How to undo an operation of a prologue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// A register was pushed.
    Pop(usize),
    /// Stack space was allocated.
    Free(u64),
    /// The frame register was set: its number, and its offset from the stack pointer.
    Restore(usize, u64),
    /// A register was saved at this offset from the start of the frame.
    Load(usize, u64),
    /// The processor pushed a machine frame, with or without an error code.
    Machine(bool),
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

/// The step through the chain of frame pointers, which systems other than Windows keep.
fn by_frame_pointer(walker: &Walker<'_>, here: &Here, stack: &Range<u64>) -> Option<Step> {
    let fp = here.registers.fp().filter(|_| walker.target.has_frame_pointers())?;
    let (saved, caller) = (walker.word(Cpu::X64, fp)?, walker.word(Cpu::X64, fp.checked_add(8)?)?);
    let sp = fp.checked_add(16)?;
    let is_chain = saved >= sp && stack.contains(&saved) && here.registers.sp()? < sp;
    if !is_chain || !is_canonical(caller) {
        return None;
    }
    let registers = Registers::new(Cpu::X64).at(caller, sp).with_fp(Some(saved));
    Some(Step::call(registers, Trust::FramePointer))
}

fn by_tables(walker: &mut Walker<'_>, here: &Here, module: Span) -> Option<Step> {
    let ip = here.registers.ip()?;
    let offset = u32::try_from(ip.checked_sub(module.base)?).ok()?;
    let target = walker.target;
    let (is_exact, inside) = (here.is_exact, here.inside(ip));
    let inside = u32::try_from(inside.checked_sub(module.base)?).ok()?;
    let make = |images: &mut Images| rule(images, target, module, inside, offset);
    match walker.images.rule((module.space, ip, is_exact), make) {
        Rule::X64(function) => {
            if here.is_exact
                && let Some(step) = epilog::step(walker, here, module, &function)
            {
                return Some(step);
            }
            undo(walker, here, &function)
        }
        Rule::Leaf => leaf(walker, here),
        _ => None,
    }
}

/// The step out of a leaf function, which keeps nothing on the stack.
pub(super) fn leaf(walker: &Walker<'_>, here: &Here) -> Option<Step> {
    let sp = here.registers.sp()?;
    let ip = walker.word(Cpu::X64, sp)?;
    let registers = here.registers.clone().at(ip, sp.checked_add(8)?);
    Some(Step::call(registers, Trust::Unwind))
}

fn undo(walker: &Walker<'_>, here: &Here, function: &Function) -> Option<Step> {
    let word = |at: u64| walker.word(Cpu::X64, at);
    let mut registers = here.registers.clone();
    let mut sp = registers.sp()?;
    let frame = match function.frame {
        Some((register, distance)) => registers.get(register)?.checked_sub(distance)?,
        None => sp,
    };
    for step in &function.steps {
        match *step {
            Undo::Pop(register) => {
                registers.put(register, word(sp));
                sp = sp.checked_add(8)?;
            }
            Undo::Free(bytes) => sp = sp.checked_add(bytes)?,
            Undo::Restore(register, distance) => {
                sp = registers.get(register)?.checked_sub(distance)?;
            }
            Undo::Load(register, distance) => {
                registers.put(register, word(frame.checked_add(distance)?));
            }
            Undo::Machine(has_code) => {
                let at = if has_code { sp.checked_add(8)? } else { sp };
                let (ip, old) = (word(at)?, word(at.checked_add(24)?)?);
                let registers = registers.at(ip, old);
                return Some(Step { registers, trust: Trust::TrapFrame, is_exact: true });
            }
        }
    }
    let ip = word(sp)?;
    Some(Step::call(registers.at(ip, sp.checked_add(8)?), Trust::Unwind))
}

/// The start of the function that contains an offset, from the function table and chained unwind
/// info.
pub(super) fn start_of(target: &dyn Target, module: Span, offset: u32) -> Option<u32> {
    let read = |at: u32, buffer: &mut [u8]| target.read_image(module, at, buffer);
    let image = Image::new(&read).filter(|image| image.headers().machine == MACHINE)?;
    let tables = Tables { target, module };
    let mut entry = tables.find(image.functions()?, offset).ok()??;
    for _ in 0..MAX_CHAIN {
        if entry.2 & 1 == 1 {
            entry = tables.entry(entry.2 & !1).ok()?;
            continue;
        }
        let [version, _, count, _] = tables.bytes::<4>(entry.2).ok()?;
        if version >> 3 & CHAINED == 0 {
            return Some(entry.0);
        }
        let behind = u32::from(count).next_multiple_of(2) * 2;
        entry = tables.entry(entry.2.checked_add(4)?.checked_add(behind)?).ok()?;
    }
    None
}

fn rule(images: &mut Images, target: &dyn Target, module: Span, inside: u32, offset: u32) -> Rule {
    let Some(table) = images.code(target, module).and_then(|code| code.functions()) else {
        return Rule::Unknown;
    };
    let tables = Tables { target, module };
    match tables.find(table, inside) {
        Ok(Some(entry)) => match tables.function(entry, offset) {
            Ok(function) => Rule::X64(Arc::new(function)),
            Err(Gap) => Rule::Unknown,
        },
        Ok(None) => Rule::Leaf,
        Err(Gap) => Rule::Unknown,
    }
}

/// An entry of the function table.
type Entry = (u32, u32, u32);

struct Tables<'a> {
    target: &'a dyn Target,
    module: Span,
}

impl Tables<'_> {
    fn bytes<const N: usize>(&self, at: u32) -> Result<[u8; N], Gap> {
        let mut bytes = [0; N];
        let is_there = self.target.read_image(self.module, at, &mut bytes);
        if is_there { Ok(bytes) } else { Err(Gap) }
    }

    fn entry(&self, at: u32) -> Result<Entry, Gap> {
        let bytes = self.bytes::<12>(at)?;
        let number = |at: usize| {
            let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
            bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Gap)
        };
        Ok((number(0)?, number(4)?, number(8)?))
    }

    /// The entry of the function that contains an offset, if there is one.
    fn find(&self, (table, size): (u32, u32), inside: u32) -> Result<Option<Entry>, Gap> {
        let (mut low, mut high) = (0, size / ENTRY);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(table.checked_add(middle * ENTRY).ok_or(Gap)?)?;
            if inside < entry.0 {
                high = middle;
            } else if inside >= entry.1 {
                low = middle + 1;
            } else {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn function(&self, entry: Entry, offset: u32) -> Result<Function, Gap> {
        let mut entry = entry;
        for _ in 0..MAX_INDIRECT {
            if entry.2 & 1 == 0 {
                break;
            }
            entry = self.entry(entry.2 & !1)?;
        }
        let mut function = Function { range: entry.0..entry.1, ..Function::default() };
        let mut is_first = true;
        for _ in 0..MAX_CHAIN {
            let next = self.part(entry, offset, is_first, &mut function)?;
            let Some(next) = next else { return Ok(function) };
            (entry, is_first) = (next, false);
        }
        Err(Gap)
    }

    /// Adds the operations of one unwind info; returns the entry that it chains to.
    fn part(
        &self,
        entry: Entry,
        offset: u32,
        is_first: bool,
        function: &mut Function,
    ) -> Result<Option<Entry>, Gap> {
        let [version, prolog, count, frame] = self.bytes::<4>(entry.2)?;
        let (flags, version) = (version >> 3, version & 7);
        if !matches!(version, 1 | 2) {
            return Err(Gap);
        }
        let mut codes = vec![0; 2 * usize::from(count)];
        let at = entry.2.checked_add(4).ok_or(Gap)?;
        if !self.target.read_image(self.module, at, &mut codes) {
            return Err(Gap);
        }
        let done = offset.wrapping_sub(entry.0);
        let codes = Codes { bytes: &codes, frame };
        let steps = codes.steps(done).ok_or(Gap)?;
        if is_first && frame & 0xf != 0 {
            let is_set = done >= prolog.into()
                || flags & CHAINED != 0
                || steps.iter().any(|step| matches!(step, Undo::Restore(..)));
            function.frame = is_set.then(|| codes.frame());
        }
        function.steps.extend(steps);
        if flags & CHAINED == 0 {
            return Ok(None);
        }
        let behind = u32::from(count).next_multiple_of(2) * 2;
        self.entry(at.checked_add(behind).ok_or(Gap)?).map(Some)
    }
}

/// The unwind codes of one unwind info.
struct Codes<'a> {
    bytes: &'a [u8],
    frame: u8,
}

impl Codes<'_> {
    /// The frame register, and its offset from the frame's start.
    fn frame(&self) -> (usize, u64) {
        (usize::from(self.frame & 0xf), u64::from(self.frame >> 4) * 16)
    }

    fn slot(&self, at: usize) -> Option<u64> {
        let bytes = self.bytes.get(2 * at..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes).into())
    }

    fn wide(&self, at: usize) -> Option<u64> {
        Some(self.slot(at)? | self.slot(at + 1)? << 16)
    }

    /// The operations before an offset in the function; `None` if a code is unknown.
    fn steps(&self, done: u32) -> Option<Vec<Undo>> {
        let mut steps = Vec::new();
        let mut at = 0;
        while let Some([offset, code]) = self.bytes.get(2 * at..).and_then(|c| c.first_chunk::<2>())
        {
            let (operation, info) = (code & 0xf, code >> 4);
            let register = usize::from(info);
            let (step, slots) = match (operation, info) {
                (0, _) => (Some(Undo::Pop(register)), 1),
                (1, 0) => (Some(Undo::Free(self.slot(at + 1)? * 8)), 2),
                (1, 1) => (Some(Undo::Free(self.wide(at + 1)?)), 3),
                (2, _) => (Some(Undo::Free(u64::from(info) * 8 + 8)), 1),
                (3, _) => {
                    let (register, distance) = self.frame();
                    (Some(Undo::Restore(register, distance)), 1)
                }
                (4, _) => (Some(Undo::Load(register, self.slot(at + 1)? * 8)), 2),
                (5, _) => (Some(Undo::Load(register, self.wide(at + 1)?)), 3),
                // Epilogue codes (version 2), which the epilogue's own code repeats; in version 1,
                // a saved vector register.
                (6 | 8, _) => (None, 2),
                (7 | 9, _) => (None, 3),
                (10, 0 | 1) => (Some(Undo::Machine(info == 1)), 1),
                _ => return None,
            };
            if u32::from(*offset) <= done {
                steps.extend(step.filter(|step| !matches!(step, Undo::Pop(RSP))));
            }
            at += slots;
        }
        Some(steps)
    }
}
