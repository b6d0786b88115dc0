//! Why a read of memory gave nothing.

use super::Gva;

/// Why a read gave nothing. Levels of page tables count from 1, the level that maps 4 KiB pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file does not hold the byte at this address.
    #[error("{0} is not in the dump")]
    NotPresent(Gva),
    /// The range passes the end of the address space.
    #[error("the range at {0} passes the end of the address space")]
    Wraps(Gva),
    /// The machine has no such address.
    #[error("{0} is no address of this machine")]
    NotCanonical(Gva),
    /// An entry of a page table is empty.
    #[error("{at} is not mapped: its entry of level {level} is empty")]
    Unmapped {
        /// The address.
        at: Gva,
        /// The level of the entry.
        level: u8,
    },
    /// A page table is not in the dump.
    #[error("the page table of level {level} for {at} is not in the dump")]
    NoTable {
        /// The address.
        at: Gva,
        /// The level of the table.
        level: u8,
    },
    /// The page, or a page table on the way, was written to a page file or belongs to a file of
    /// which this part was not in memory.
    #[error("{at} is paged out, by its entry of level {level}")]
    PagedOut {
        /// The address.
        at: Gva,
        /// The level of the entry.
        level: u8,
    },
    /// The page was promised and never touched, so that there was nothing to write.
    #[error("{0} is a page that was not touched yet")]
    DemandZero(Gva),
    /// An entry of a page table contradicts itself.
    #[error("the entry of level {level} for {at} makes no sense")]
    Damaged {
        /// The address.
        at: Gva,
        /// The level of the entry.
        level: u8,
    },
}
