//! ARM64: control flow and text of instructions.
//!
//! Branches, calls, returns and PC-relative addresses are decoded here; the text of any other
//! instruction is its word.

use super::{Flow, Instruction, Isa, Names, Text};

/// The instruction of four bytes at an address.
pub(super) fn decode(address: u64, bytes: &[u8]) -> Option<Instruction> {
    let word = word(bytes)?;
    let mut instruction = Instruction::new(Isa::Arm64, address, bytes, 4, flow(word));
    match kind(word) {
        Some(ReferenceKind::Page) => {
            instruction.memory = Some((address & !0xfff).wrapping_add(page(word)));
        }
        Some(ReferenceKind::Near) => instruction.memory = Some(address.wrapping_add(near(word))),
        Some(ReferenceKind::To(offset)) => instruction.target = Some(address.wrapping_add(offset)),
        Some(ReferenceKind::Load(offset)) => {
            instruction.memory = Some(address.wrapping_add(offset));
        }
        None => {}
    }
    Some(instruction)
}

fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|word| u32::from_le_bytes(*word))
}

/// The PC-relative reference of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReferenceKind {
    /// `adrp`.
    Page,
    /// `adr`.
    Near,
    /// A branch.
    To(u64),
    /// A load from a literal pool.
    Load(u64),
}

/// A bit field of a word, as a signed number of words, in bytes.
const fn offset(word: u32, low: u32, bits: u32) -> u64 {
    let shifted = (word << (32 - low - bits)).cast_signed() >> (32 - bits);
    (shifted as i64 * 4).cast_unsigned()
}

fn kind(word: u32) -> Option<ReferenceKind> {
    Some(match word {
        w if w & 0x7c00_0000 == 0x1400_0000 => ReferenceKind::To(offset(w, 0, 26)),
        w if w & 0xff00_0000 == 0x5400_0000 => ReferenceKind::To(offset(w, 5, 19)),
        w if w & 0x7e00_0000 == 0x3400_0000 => ReferenceKind::To(offset(w, 5, 19)),
        w if w & 0x7e00_0000 == 0x3600_0000 => ReferenceKind::To(offset(w, 5, 14)),
        w if w & 0x9f00_0000 == 0x9000_0000 => ReferenceKind::Page,
        w if w & 0x9f00_0000 == 0x1000_0000 => ReferenceKind::Near,
        w if w & 0x3b00_0000 == 0x1800_0000 => ReferenceKind::Load(offset(w, 5, 19)),
        _ => return None,
    })
}

/// The immediate of `adr`: two low bits are apart from the rest.
fn near(word: u32) -> u64 {
    offset(word, 5, 19).wrapping_add(u64::from(word >> 29 & 3))
}

fn page(word: u32) -> u64 {
    near(word) << 12
}

fn flow(word: u32) -> Flow {
    match word {
        // `bl`; `blr` and its kin with pointer authentication.
        w if w & 0xfc00_0000 == 0x9400_0000 => Flow::Call,
        w if w & 0xffff_fc1f == 0xd63f_0000 || w & 0xfeff_f800 == 0xd63f_0800 => Flow::Call,
        w if w & 0xfc00_0000 == 0x1400_0000 => Flow::Jump,
        w if w & 0xffff_fc1f == 0xd61f_0000 || w & 0xfeff_f800 == 0xd61f_0800 => Flow::Jump,
        // `ret`, `retaa`, `eret`.
        w if w & 0xffff_fc1f == 0xd65f_0000 => Flow::Return,
        0xd65f_0bff | 0xd65f_0fff | 0xd69f_03e0 => Flow::Return,
        w if w & 0xff00_0010 == 0x5400_0000 => Flow::Branch,
        w if w & 0x7e00_0000 == 0x3400_0000 || w & 0x7e00_0000 == 0x3600_0000 => Flow::Branch,
        // `udf`; `brk #0xf003` is `__fastfail`.
        w if w >> 16 == 0 => Flow::Invalid,
        w if w == 0xd420_0000 | 0xf003 << 5 => Flow::Stop,
        _ => Flow::Next,
    }
}

const CONDITIONS: [&str; 16] = [
    "eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv",
];

/// Mnemonic and operands.
pub(super) fn text(instruction: &Instruction, names: &dyn Names) -> Text {
    let word = word(instruction.bytes()).unwrap_or_default();
    let of = |mnemonic: &str, operands: String| Text { mnemonic: mnemonic.to_owned(), operands };
    let place = |address: Option<u64>| {
        let address = address.unwrap_or_default();
        let digits = Isa::Arm64.address(address);
        names.name(address).map_or_else(|| digits.clone(), |name| format!("{name} ({digits})"))
    };
    let size = if word >> 31 == 1 { 'x' } else { 'w' };
    let low = word & 31;
    let numbered = |size: char, number: u32| match (number, size) {
        (31, 'x') => "xzr".to_owned(),
        (31, _) => "wzr".to_owned(),
        (29, 'x') => "fp".to_owned(),
        (30, 'x') => "lr".to_owned(),
        _ => format!("{size}{number}"),
    };
    match word {
        w if w & 0xfc00_0000 == 0x9400_0000 => of("bl", place(instruction.target)),
        w if w & 0xfc00_0000 == 0x1400_0000 => of("b", place(instruction.target)),
        w if w & 0xff00_0010 == 0x5400_0000 => {
            let condition = CONDITIONS.get((w & 15) as usize).copied().unwrap_or_default();
            of(&format!("b{condition}"), place(instruction.target))
        }
        w if w & 0x7e00_0000 == 0x3400_0000 => {
            let name = if w & 1 << 24 == 0 { "cbz" } else { "cbnz" };
            of(name, format!("{},{}", numbered(size, low), place(instruction.target)))
        }
        w if w & 0x7e00_0000 == 0x3600_0000 => {
            let name = if w & 1 << 24 == 0 { "tbz" } else { "tbnz" };
            let bit = w >> 19 & 31 | w >> 26 & 32;
            of(name, format!("{},#{bit:#x},{}", numbered(size, low), place(instruction.target)))
        }
        w if w & 0xffff_fc1f == 0xd63f_0000 => of("blr", numbered('x', w >> 5 & 31)),
        w if w & 0xffff_fc1f == 0xd61f_0000 => of("br", numbered('x', w >> 5 & 31)),
        0xd65f_03c0 => of("ret", String::new()),
        w if w & 0xffff_fc1f == 0xd65f_0000 => of("ret", numbered('x', w >> 5 & 31)),
        w if w & 0x1f00_0000 == 0x1000_0000 => {
            let name = if w >> 31 == 1 { "adrp" } else { "adr" };
            of(name, format!("{},{}", numbered('x', low), place(instruction.memory)))
        }
        0xd503_201f => of("nop", String::new()),
        w if w & 0xffe0_001f == 0xd420_0000 => of("brk", format!("#{:#X}", w >> 5 & 0xffff)),
        w if w & 0xffe0_001f == 0xd400_0001 => of("svc", format!("#{:#X}", w >> 5 & 0xffff)),
        _ => of(".inst", format!("{word:#010x}")),
    }
}
