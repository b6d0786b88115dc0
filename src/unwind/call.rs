//! Whether an address is one that a call returns to, by the instruction before it.

use super::Cpu;

/// The longest call whose form is looked for.
pub(super) const LONGEST: usize = 7;

/// Whether the code that ends right before an address ends with a call. `before` holds the last
/// bytes of it, up to seven; fewer decide as far as they go.
pub fn follows_call(cpu: Cpu, before: &[u8]) -> bool {
    match cpu {
        Cpu::X86 | Cpu::X64 => {
            // `call rel32`, and `call far` of 32-bit code.
            ends(before, 5, |code| code.starts_with(&[0xe8]))
                || (2..=LONGEST).any(|len| ends(before, len, |code| indirect(code) == Some(len)))
        }
        Cpu::Arm64 => {
            let Some(word) = before.last_chunk::<4>().map(|word| u32::from_le_bytes(*word)) else {
                return false;
            };
            // `bl`, `blr`, and `blraa` with its kin.
            word & 0xfc00_0000 == 0x9400_0000
                || word & 0xffff_fc1f == 0xd63f_0000
                || word & 0xfeff_f800 == 0xd63f_0800
        }
    }
}

fn ends(before: &[u8], len: usize, is: impl Fn(&[u8]) -> bool) -> bool {
    before.len().checked_sub(len).and_then(|at| before.get(at..)).is_some_and(is)
}

/// How long a `call` through a register or memory is whose bytes begin here.
fn indirect(code: &[u8]) -> Option<usize> {
    let [0xff, operand, ..] = code else { return None };
    if operand >> 3 & 7 != 2 {
        return None;
    }
    let has_base = |code: &[u8]| code.get(2).is_some_and(|sib| sib & 7 != 5);
    Some(match (operand >> 6, operand & 7) {
        (0, 5) => 6,
        (0, 4) if has_base(code) => 3,
        (0, 4) => 7,
        (0 | 3, _) => 2,
        (1, 4) => 4,
        (1, _) => 3,
        (_, 4) => 7,
        _ => 6,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_intel() {
        let calls: [&[u8]; 9] = [
            &[0x90, 0x90, 0xe8, 1, 2, 3, 4],
            &[0xff, 0xd0],
            &[0x41, 0xff, 0xd3],
            &[0xff, 0x15, 1, 2, 3, 4],
            &[0xff, 0x50, 0x18],
            &[0xff, 0x54, 0x24, 0x30],
            &[0xff, 0x90, 1, 2, 3, 4],
            &[0xff, 0x94, 0x24, 1, 2, 3, 4],
            &[0xff, 0x14, 0xc8],
        ];
        for code in calls {
            assert!(follows_call(Cpu::X64, code), "{code:x?}");
        }
        let others: [&[u8]; 5] =
            [&[0xcc; 7], &[0xff, 0x25, 1, 2, 3, 4], &[0xc3], &[], &[0xe8, 1, 2, 3]];
        for code in others {
            assert!(!follows_call(Cpu::X86, code), "{code:x?}");
        }
    }

    #[test]
    fn calls_of_arm() {
        for word in [0x9400_0123_u32, 0xd63f_0100, 0xd73f_0928] {
            assert!(follows_call(Cpu::Arm64, &word.to_le_bytes()), "{word:#x}");
        }
        for word in [0xd65f_03c0_u32, 0x1400_0001, 0xd503_201f] {
            assert!(!follows_call(Cpu::Arm64, &word.to_le_bytes()), "{word:#x}");
        }
        assert!(!follows_call(Cpu::Arm64, &[0, 0x94]));
    }
}
