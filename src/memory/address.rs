//! Address types that cannot be mixed up.

use std::fmt;

/// A virtual address of the dumped machine, sign-extended to 64 bits where the machine does that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Gva(pub u64);

/// A physical address of the dumped machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Gpa(pub u64);

impl Gva {
    /// The address plus `bytes`; `None` beyond the end of the address space.
    pub fn checked_add(self, bytes: u64) -> Option<Self> {
        self.0.checked_add(bytes).map(Self)
    }

    /// Whether it is the null pointer.
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Gva {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Gpa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
