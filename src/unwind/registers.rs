//! The registers that walks track, by their numbers in instructions and unwind data.

/// The processors whose stacks can be walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpu {
    /// 32-bit Intel.
    X86,
    /// 64-bit Intel.
    X64,
    /// 64-bit Arm.
    Arm64,
}

const X86: [&str; 9] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip"];
const X64: [&str; 17] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "rip",
];
const ARM64: [&str; 33] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "fp", "lr", "sp", "pc",
];

impl Cpu {
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::X86 => &X86,
            Self::X64 => &X64,
            Self::Arm64 => &ARM64,
        }
    }

    /// Bytes of a pointer.
    pub const fn word(self) -> usize {
        match self {
            Self::X86 => 4,
            Self::X64 | Self::Arm64 => 8,
        }
    }

    const fn ip(self) -> usize {
        self.names().len() - 1
    }

    const fn sp(self) -> usize {
        match self {
            Self::X86 | Self::X64 => 4,
            Self::Arm64 => 31,
        }
    }

    const fn fp(self) -> usize {
        match self {
            Self::X86 | Self::X64 => 5,
            Self::Arm64 => 29,
        }
    }
}

/// The link register of arm64.
pub(super) const LR: usize = 30;

/// A register state in which some registers are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    cpu: Cpu,
    values: [u64; 33],
    known: u64,
}

impl Registers {
    /// A register state in which none is known.
    pub const fn new(cpu: Cpu) -> Self {
        Self { cpu, values: [0; 33], known: 0 }
    }

    /// Registers by name; names that walks do not need are ignored.
    pub fn named<'a>(cpu: Cpu, all: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut registers = Self::new(cpu);
        for (name, value) in all {
            if let Some(number) = cpu.names().iter().position(|known| *known == name) {
                registers.set(number, value);
            }
        }
        registers
    }

    /// The processor.
    pub const fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// A register by its number, if known.
    pub(super) fn get(&self, number: usize) -> Option<u64> {
        let is_known = number < 64 && self.known >> number & 1 == 1;
        if is_known { self.values.get(number).copied() } else { None }
    }

    /// Sets a register.
    pub(super) fn set(&mut self, number: usize, value: u64) {
        if let Some(place) = self.values.get_mut(number) {
            *place = value;
            self.known |= 1 << number;
        }
    }

    /// Sets a register, or marks it as unknown.
    pub(super) fn put(&mut self, number: usize, value: Option<u64>) {
        match value {
            Some(value) => self.set(number, value),
            None => self.known &= !(1 << (number & 63)),
        }
    }

    /// The instruction pointer.
    pub fn ip(&self) -> Option<u64> {
        self.get(self.cpu.ip())
    }

    /// The stack pointer.
    pub fn sp(&self) -> Option<u64> {
        self.get(self.cpu.sp())
    }

    /// The frame pointer.
    pub fn fp(&self) -> Option<u64> {
        self.get(self.cpu.fp())
    }

    /// The same registers with a new instruction pointer and stack pointer.
    #[must_use]
    pub fn at(mut self, ip: u64, sp: u64) -> Self {
        self.set(self.cpu.ip(), ip);
        self.set(self.cpu.sp(), sp);
        self
    }

    /// The same registers with a new frame pointer.
    #[must_use]
    pub fn with_fp(mut self, fp: Option<u64>) -> Self {
        self.put(self.cpu.fp(), fp);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_that_were_not_set_are_unknown() {
        let all = [("rip", 0x1000), ("rsp", 0x2000), ("cs", 0x33)];
        let registers = Registers::named(Cpu::X64, all);
        assert_eq!((registers.ip(), registers.sp()), (Some(0x1000), Some(0x2000)));
        assert_eq!((registers.fp(), registers.get(0)), (None, None));
        let registers = registers.with_fp(Some(7));
        assert_eq!(registers.fp(), Some(7));
        assert_eq!(registers.with_fp(None).fp(), None);
    }
}
