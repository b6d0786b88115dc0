//! Machine code: instructions with what they do to the flow of control, functions in blocks, and
//! what stands before an address.
//!
//! Bytes come through a closure, names through [`Names`]. Knows no dump, no module and no symbol
//! file. Every byte may be damaged: a function has a bound, and an instruction that makes no sense is
//! one byte long.

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

/// What an instruction does to the flow of control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The next one runs.
    Next,
    /// It calls.
    Call,
    /// It jumps.
    Jump,
    /// It jumps, or the next one runs.
    Branch,
    /// It returns.
    Return,
    /// Nothing runs after it.
    Stop,
    /// It is no instruction.
    Invalid,
}

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Where it is.
    pub address: u64,
    /// What it does to the flow of control.
    pub flow: Flow,
    /// Where it calls or jumps to, if it says so itself.
    pub target: Option<u64>,
    /// The memory that it names by a constant or relative to itself.
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
    /// The operands as debuggers print them; empty where there are none.
    pub operands: String,
}

/// Names of addresses.
pub trait Names {
    /// `module!symbol+0x12` of an address, or `None` if it lies in no module.
    fn name(&self, address: u64) -> Option<String>;
}

impl Instruction {
    /// An instruction of these bytes, of which `len` belong to it.
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

    /// Whether it calls.
    pub fn is_call(&self) -> bool {
        self.flow == Flow::Call
    }

    /// Whether it jumps, under a condition or without one.
    pub fn is_jump(&self) -> bool {
        matches!(self.flow, Flow::Jump | Flow::Branch)
    }

    /// Whether it returns.
    pub fn is_return(&self) -> bool {
        self.flow == Flow::Return
    }

    /// Mnemonic and operands, addresses with their names.
    pub fn text(&self, names: &dyn Names) -> Text {
        match self.isa {
            Isa::X86 | Isa::X64 => intel::text(self, names),
            Isa::Arm64 => arm64::text(self, names),
        }
    }
}

/// The instruction at an address, of the bytes from there on; `None` if they end before it does.
pub fn decode(isa: Isa, address: u64, bytes: &[u8]) -> Option<Instruction> {
    match isa {
        Isa::X86 | Isa::X64 => intel::decode(isa, address, bytes),
        Isa::Arm64 => arm64::decode(address, bytes),
    }
}
