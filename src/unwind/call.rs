//! Whether an address is a return address: whether the instruction before it is a call.

use super::Cpu;
use crate::code::{self, Isa};

/// The longest call instruction that is recognized.
pub(super) const LONGEST: usize = 7;

/// Whether the code directly before an address ends with a call. `before` holds its last bytes, up
/// to seven; if there are fewer, they decide.
pub fn follows_call(cpu: Cpu, before: &[u8]) -> bool {
    let isa = match cpu {
        Cpu::X86 => Isa::X86,
        Cpu::X64 => Isa::X64,
        Cpu::Arm64 => Isa::Arm64,
    };
    // Every near call on x86 and x64 contains one of two bytes, so most words are decided without
    // decoding.
    let may_call = cpu == Cpu::Arm64 || memchr::memchr2(0xe8, 0xff, before).is_some();
    // The address of the code does not matter here.
    may_call && code::is_return(isa, 1 << 32, before).is_some()
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
