//! The unwind codes of arm64, packed and in full.

use super::super::image::Gap;
use super::super::registers::LR;
use super::{FP, Undo};

/// The prologue of a packed record, one element per instruction.
pub(super) fn packed(data: u32) -> Vec<Undo> {
    let bits = |at: u32, len: u32| data >> at & ((1 << len) - 1);
    let (reg_f, reg_i, homes, chain) = (bits(13, 3), bits(16, 4), bits(20, 1), bits(21, 2));
    let frame = u64::from(bits(23, 9)) * 16;
    let has_link = chain == 1;
    let integers = 8 * (u64::from(reg_i) + u64::from(has_link));
    let floats = if reg_f == 0 { 0 } else { 8 * (u64::from(reg_f) + 1) };
    let saved = (integers + floats + 64 * u64::from(homes)).next_multiple_of(16);
    let locals = frame.saturating_sub(saved);
    let mut steps = Vec::new();
    if chain == 2 {
        steps.push(Undo::Nothing);
    }
    save_integers(&mut steps, reg_i as usize, has_link, saved);
    // The number of registers is the field plus one; an instruction saves two.
    for _ in 0..(if reg_f == 0 { 0 } else { reg_f / 2 + 1 }) {
        let is_first = steps.iter().all(|step| *step == Undo::Nothing);
        steps.push(if is_first { Undo::Free(saved) } else { Undo::Nothing });
    }
    if homes == 1 {
        let is_first = steps.iter().all(|step| *step == Undo::Nothing);
        steps.push(if is_first { Undo::Free(saved) } else { Undo::Nothing });
        steps.extend([Undo::Nothing; 3]);
    }
    let parts = if locals > 4080 { vec![4080, locals - 4080] } else { vec![locals] };
    if chain >= 2 {
        if locals <= 512 {
            steps.push(Undo::LoadFree { first: FP, count: 2, free: locals });
        } else {
            steps.extend(parts.into_iter().map(Undo::Free));
            steps.push(Undo::Load { first: FP, count: 2, at: 0 });
        }
        steps.push(Undo::Frame(0));
    } else if locals > 0 {
        steps.extend(parts.into_iter().map(Undo::Free));
    }
    steps
}

/// The instructions that save registers from x19 on, two at a time, and the link register last.
fn save_integers(steps: &mut Vec<Undo>, count: usize, has_link: bool, saved: u64) {
    for i in (0..count).step_by(2) {
        let (first, at) = (19 + i, 8 * i as u64);
        let is_pair = i + 1 < count;
        if i > 0 {
            steps.push(match (is_pair, has_link) {
                (true, _) => Undo::Load { first, count: 2, at },
                (false, true) => Undo::LoadLink { first, at },
                (false, false) => Undo::Load { first, count: 1, at },
            });
        } else if is_pair || !has_link {
            steps.push(Undo::LoadFree { first, count: 1 + usize::from(is_pair), free: saved });
        } else {
            // One instruction, which is undone in two steps.
            steps.push(Undo::Free(saved));
            steps.push(Undo::LoadLink { first, at });
        }
    }
    if has_link && count.is_multiple_of(2) {
        let at = 8 * count as u64;
        steps.push(match count {
            0 => Undo::LoadFree { first: LR, count: 1, free: saved },
            _ => Undo::Load { first: LR, count: 1, at },
        });
    }
}

/// The operations of the unwind codes from an index on, and the number of instructions that they
/// describe.
pub(super) fn codes(bytes: &[u8], from: usize) -> Result<(Vec<Undo>, u32), Gap> {
    let mut steps = Vec::new();
    let mut rest = bytes.get(from..).ok_or(Gap)?;
    // The end code stands for the return instruction of an epilogue.
    let mut len = 1;
    while !matches!(rest, [0xe4 | 0xe5, ..]) {
        let (step, bytes) = code(rest).ok_or(Gap)?;
        steps.push(step);
        len += 1;
        rest = rest.get(bytes..).ok_or(Gap)?;
    }
    Ok((steps, len))
}

/// The first unwind code: its operation and its length, if it is known.
pub(super) fn code(bytes: &[u8]) -> Option<(Undo, usize)> {
    let [first, ..] = *bytes else { return None };
    let second = || bytes.get(1).copied();
    let wide = || Some(usize::from(first) << 8 | usize::from(second()?));
    let low = |mask: u8| u64::from(first & mask);
    let pair = |first: usize, at: u64| Undo::Load { first, count: 2, at };
    Some(match first {
        0x00..=0x1f => (Undo::Free(low(0x1f) * 16), 1),
        0x20..=0x3f => (Undo::LoadFree { first: 19, count: 2, free: low(0x1f) * 8 }, 1),
        0x40..=0x7f => (pair(FP, low(0x3f) * 8), 1),
        0x80..=0xbf => (Undo::LoadFree { first: FP, count: 2, free: low(0x3f) * 8 + 8 }, 1),
        0xc0..=0xc7 => (Undo::Free((wide()? & 0x7ff) as u64 * 16), 2),
        0xc8..=0xcb => (pair(19 + (wide()? >> 6 & 0xf), (wide()? & 0x3f) as u64 * 8), 2),
        0xcc..=0xcf => {
            let (first, free) = (19 + (wide()? >> 6 & 0xf), (wide()? & 0x3f) as u64 * 8 + 8);
            (Undo::LoadFree { first, count: 2, free }, 2)
        }
        0xd0..=0xd3 => {
            let (first, at) = (19 + (wide()? >> 6 & 0xf), (wide()? & 0x3f) as u64 * 8);
            (Undo::Load { first, count: 1, at }, 2)
        }
        0xd4 | 0xd5 => {
            let (first, free) = (19 + (wide()? >> 5 & 0xf), (wide()? & 0x1f) as u64 * 8 + 8);
            (Undo::LoadFree { first, count: 1, free }, 2)
        }
        0xd6 | 0xd7 => {
            let (first, at) = (19 + 2 * (wide()? >> 6 & 7), (wide()? & 0x3f) as u64 * 8);
            (Undo::LoadLink { first, at }, 2)
        }
        // Floating-point registers: only their stack space matters.
        0xd8 | 0xd9 | 0xdc | 0xdd => (Undo::Nothing, 2),
        0xda | 0xdb => (Undo::Free((wide()? & 0x3f) as u64 * 8 + 8), 2),
        0xde => (Undo::Free((wide()? & 0x1f) as u64 * 8 + 8), 2),
        0xe0 => {
            let [_, a, b, c] = *bytes.first_chunk::<4>()?;
            (Undo::Free(u64::from(u32::from_be_bytes([0, a, b, c])) * 16), 4)
        }
        0xe1 => (Undo::Frame(0), 1),
        0xe2 => (Undo::Frame(u64::from(second()?) * 8), 2),
        0xe3 | 0xfc => (Undo::Nothing, 1),
        0xe6 => (Undo::Next, 1),
        0xe7 => any_register(bytes)?,
        0xe9 => (Undo::Machine, 1),
        _ => return None,
    })
}

/// A register of any kind, saved with or without allocation, alone or in a pair (`save_any_reg`).
fn any_register(bytes: &[u8]) -> Option<(Undo, usize)> {
    let [_, register, place] = *bytes.first_chunk::<3>()?;
    let (is_free, is_pair) = (register >> 5 & 1 == 1, register >> 6 & 1 == 1);
    let is_integer = place >> 6 == 0;
    let scale = if is_free || is_pair || place >> 6 == 2 { 16 } else { 8 };
    let offset = u64::from(place & 0x3f) * scale;
    let (first, count) = (usize::from(register & 0x1f), 1 + usize::from(is_pair));
    Some((
        match (is_free, is_integer) {
            (true, true) => Undo::LoadFree { first, count, free: offset + scale },
            (true, false) => Undo::Free(offset + scale),
            (false, true) => Undo::Load { first, count, at: offset },
            (false, false) => Undo::Nothing,
        },
        3,
    ))
}
