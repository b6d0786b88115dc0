//! Why a memory read failed.

use super::Gva;

/// Why a read failed. Page table levels are numbered from 1, the level that maps 4 KiB pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file does not hold the byte at this address.
    #[error("{0} is not in the dump")]
    NotPresent(Gva),
    /// The range exceeds the end of the address space.
    #[error("the range at {0} exceeds the end of the address space")]
    Wraps(Gva),
    /// The address is not canonical.
    #[error("{0} is not a canonical address")]
    NotCanonical(Gva),
    /// The page table entry is empty.
    #[error("{at} is not mapped: its page table entry of level {level} is empty")]
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
    /// The page, or a page table that maps it, was written to a page file, or it belongs to a part
    /// of a mapped file that was not in memory.
    #[error("{at} is paged out, according to its page table entry of level {level}")]
    PagedOut {
        /// The address.
        at: Gva,
        /// The level of the entry.
        level: u8,
    },
    /// The page is committed but was never accessed, so it has no contents (demand zero).
    #[error("{0} is in a demand-zero page, which has no contents yet")]
    DemandZero(Gva),
    /// The page table entry is invalid.
    #[error("the page table entry of level {level} for {at} is invalid")]
    Damaged {
        /// The address.
        at: Gva,
        /// The level of the entry.
        level: u8,
    },
}
