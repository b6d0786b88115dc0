//! x64: an instruction pointer inside an epilogue, where the prologue is partly undone. The
//! remaining instructions of the epilogue are decoded, because version 1 unwind data describes only
//! prologues.

use super::x64::Function;
use super::{Cpu, Here, Span, Step, Trust, Walker};

/// Upper limit on an epilogue, which restores at most eight registers.
const LONGEST: usize = 48;
const RSP: usize = 4;

/// The caller, if the instruction pointer of a frame is in an epilogue.
pub(super) fn step(
    walker: &Walker<'_>,
    here: &Here,
    module: Span,
    function: &Function,
) -> Option<Step> {
    let ip = here.registers.ip()?;
    let mut buffer = [0; LONGEST];
    let mut code = walker.code(ip, &mut buffer);
    let word = |at: u64| walker.word(Cpu::X64, at);
    let mut registers = here.registers.clone();
    let mut sp = registers.sp()?;
    let mut at = ip;
    if let Some((len, freed)) = free(code, here) {
        sp = freed?;
        code = code.get(len..)?;
        at = at.wrapping_add(len as u64);
    }
    loop {
        let (register, len) = match *code {
            [byte @ 0x58..=0x5f, ..] => (usize::from(byte - 0x58), 1),
            [0x41, byte @ 0x58..=0x5f, ..] => (usize::from(byte - 0x58) + 8, 2),
            _ => break,
        };
        if register == RSP {
            return None;
        }
        registers.put(register, word(sp));
        sp = sp.checked_add(8)?;
        code = code.get(len..)?;
        at = at.wrapping_add(len as u64);
    }
    if !ends(code, at.wrapping_sub(module.base), function) {
        return None;
    }
    let caller = word(sp)?;
    Some(Step::call(registers.at(caller, sp.checked_add(8)?), Trust::Unwind))
}

/// The instruction that frees stack space: its length, and the stack pointer after it.
fn free(code: &[u8], here: &Here) -> Option<(usize, Option<u64>)> {
    let sp = here.registers.sp()?;
    let wide = |bytes: [u8; 4]| i64::from(i32::from_le_bytes(bytes));
    let from = |base: Option<u64>, by: i64| base.and_then(|base| base.checked_add_signed(by));
    Some(match *code {
        // `add rsp, n`.
        [0x48, 0x83, 0xc4, n, ..] => (4, from(Some(sp), n.cast_signed().into())),
        [0x48, 0x81, 0xc4, a, b, c, d, ..] => (7, from(Some(sp), wide([a, b, c, d]))),
        // `lea rsp, [register+n]`.
        [rex @ (0x48 | 0x49), 0x8d, operand, n, ..] if operand >> 3 == 0o14 && operand & 7 != 4 => {
            (4, from(base(here, rex, operand), n.cast_signed().into()))
        }
        [rex @ (0x48 | 0x49), 0x8d, operand, a, b, c, d, ..]
            if operand >> 3 == 0o24 && operand & 7 != 4 =>
        {
            (7, from(base(here, rex, operand), wide([a, b, c, d])))
        }
        _ => return None,
    })
}

fn base(here: &Here, rex: u8, operand: u8) -> Option<u64> {
    here.registers.get(usize::from(operand & 7) + if rex & 1 == 1 { 8 } else { 0 })
}

/// Whether the code ends an epilogue: a return, or a jump out of the function.
fn ends(code: &[u8], offset: u64, function: &Function) -> bool {
    let is_out = |len: u64, by: i64| {
        let to = offset.wrapping_add(len).checked_add_signed(by);
        to.is_none_or(|to| {
            let (start, end) = (u64::from(function.range.start), u64::from(function.range.end));
            // A jump to the start of the function is a tail call to itself.
            to <= start || to >= end
        })
    };
    match *code {
        // A return, or a jump through memory.
        [0xc3 | 0xc2, ..] | [0xf3, 0xc3, ..] | [0xff, 0x25, ..] => true,
        [0xeb, n, ..] => is_out(2, n.cast_signed().into()),
        [0xe9, a, b, c, d, ..] => is_out(5, i32::from_le_bytes([a, b, c, d]).into()),
        // `jmp` through memory or a register.
        [0x48 | 0x49, 0xff, operand, ..] => operand >> 3 & 7 == 4,
        _ => false,
    }
}
