//! Processor architectures of kernel dumps.

use crate::source::context::Cpu;

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arch {
    X86,
    X64,
    Arm,
    Arm64,
    Ia64,
    Other,
}

impl Arch {
    /// The architecture of an `IMAGE_FILE_MACHINE_…` value.
    pub(crate) const fn from_machine(machine: u32) -> Self {
        match machine {
            0x14c => Self::X86,
            0x8664 => Self::X64,
            0x1c0 | 0x1c2 | 0x1c4 => Self::Arm,
            0xaa64 => Self::Arm64,
            0x200 => Self::Ia64,
            _ => Self::Other,
        }
    }

    /// The name in columns and in layouts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::X64 => "x64",
            Self::Arm => "arm",
            Self::Arm64 => "arm64",
            Self::Ia64 => "ia64",
            Self::Other => "",
        }
    }

    /// The processor type, if its context records are supported.
    pub(crate) const fn cpu(self) -> Option<Cpu> {
        match self {
            Self::X86 => Some(Cpu::X86),
            Self::X64 => Some(Cpu::X64),
            Self::Arm => Some(Cpu::Arm),
            Self::Arm64 => Some(Cpu::Arm64),
            Self::Ia64 | Self::Other => None,
        }
    }
}
