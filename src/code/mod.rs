//! Machine code: instructions and their control flow, the basic blocks of functions, and backward
//! disassembly.
//!
//! Bytes are read through a closure, names through [`Names`]. This module is independent of dumps,
//! modules and symbol files. Every byte may be damaged: a function is bounded, and an invalid
//! instruction is one byte long.

mod arm64;
mod back;
mod function;
mod intel;
mod returns;
mod window;

#[cfg(test)]
mod tests;

pub use back::{Alignment, before};
pub use function::{Block, function};
pub use returns::{is_return, is_return_address};
pub use window::{Fetch, Window};

/// The longest instruction, in bytes.
pub const LONGEST: usize = 15;

/// Instruction sets that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isa {
    /// 32-bit Intel.
    X86,
    /// 64-bit Intel.
    X64,
    /// 64-bit Arm.
    Arm64,
}

impl Isa {
    /// The instruction set by its name in `dump.arch`.
    pub fn named(arch: &str) -> Option<Self> {
        match arch {
            "x86" => Some(Self::X86),
            "x64" => Some(Self::X64),
            "arm64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// The instruction set of an image, by the machine in its headers.
    pub const fn of_machine(machine: u16) -> Option<Self> {
        match machine {
            0x14c => Some(Self::X86),
            0x8664 => Some(Self::X64),
            0xaa64 => Some(Self::Arm64),
            _ => None,
        }
    }

    /// The shortest instruction, in bytes.
    const fn shortest(self) -> usize {
        match self {
            Self::X86 | Self::X64 => 1,
            Self::Arm64 => 4,
        }
    }

    /// An address as debuggers print it: ``fffff803`12345678``, or eight digits.
    pub fn address(self, address: u64) -> String {
        match self {
            Self::X86 => format!("{:08x}", address & 0xffff_ffff),
            Self::X64 | Self::Arm64 => {
                format!("{:08x}`{:08x}", address >> 32, address & 0xffff_ffff)
            }
        }
    }
}

/// How an instruction affects control flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The next instruction follows.
    Next,
    /// A call.
    Call,
    /// A jump.
    Jump,
    /// A conditional jump.
    Branch,
    /// A return.
    Return,
    /// Execution does not continue behind it.
    Stop,
    /// Not a valid instruction.
    Invalid,
}

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Its address.
    pub address: u64,
    /// How it affects control flow.
    pub flow: Flow,
    /// The target of a direct call or jump.
    pub target: Option<u64>,
    /// The memory that it accesses at an absolute or PC-relative address.
    pub memory: Option<u64>,
    isa: Isa,
    len: u8,
    raw: [u8; LONGEST],
}

/// An instruction as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The mnemonic with its prefixes (`lock bts`).
    pub mnemonic: String,
    /// The operands as debuggers print them; empty if there are none.
    pub operands: String,
}

/// Names of addresses.
pub trait Names {
    /// `module!symbol+0x12` for an address, or `None` if no module contains it.
    fn name(&self, address: u64) -> Option<String>;
}

impl Instruction {
    /// An instruction made of the first `len` of these bytes.
    fn new(isa: Isa, address: u64, bytes: &[u8], len: usize, flow: Flow) -> Self {
        let mut raw = [0; LONGEST];
        let len = len.min(bytes.len()).min(LONGEST);
        for (to, from) in raw.iter_mut().zip(bytes.iter().take(len)) {
            *to = *from;
        }
        let len = u8::try_from(len).unwrap_or(0);
        Self { address, flow, target: None, memory: None, isa, len, raw }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.raw.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.len.into()
    }

    /// The address after it.
    pub fn end(&self) -> u64 {
        self.address.wrapping_add(self.size())
    }

    /// Whether it is a call.
    pub fn is_call(&self) -> bool {
        self.flow == Flow::Call
    }

    /// Whether it is a conditional or unconditional jump.
    pub fn is_jump(&self) -> bool {
        matches!(self.flow, Flow::Jump | Flow::Branch)
    }

    /// Whether it is a return.
    pub fn is_return(&self) -> bool {
        self.flow == Flow::Return
    }

    /// Mnemonic and operands, with names for addresses.
    pub fn text(&self, names: &dyn Names) -> Text {
        match self.isa {
            Isa::X86 | Isa::X64 => intel::text(self, names),
            Isa::Arm64 => arm64::text(self, names),
        }
    }
}

/// The instruction at the start of these bytes; `None` if the bytes end inside it.
pub fn decode(isa: Isa, address: u64, bytes: &[u8]) -> Option<Instruction> {
    match isa {
        Isa::X86 | Isa::X64 => intel::decode(isa, address, bytes),
        Isa::Arm64 => arm64::decode(address, bytes),
    }
}
