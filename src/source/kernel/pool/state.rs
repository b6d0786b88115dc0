//! What is known about the pools, determined on first use.

use std::sync::OnceLock;

use crate::dump::cache::Kept;
use crate::source::kernel::pool::block::Block;
use crate::source::kernel::pool::range::PoolRange;
use crate::source::kernel::pool::segment::Keys;

/// The big allocations.
#[derive(Debug, Default)]
pub(crate) struct Big {
    /// Every entry with an address, in address order; free entries come first.
    pub(crate) blocks: Vec<Block>,
    /// First and last address of those in use.
    pub(crate) used: Vec<(u64, u64)>,
}

/// A session.
#[derive(Debug)]
pub(crate) struct PoolSession {
    pub(crate) id: Option<u32>,
    /// The address of its structure in the system's address space.
    pub(crate) address: u64,
    /// The page directory base of one of its processes.
    pub(crate) base: u64,
    pub(crate) big: OnceLock<Option<Big>>,
}

/// What is known about the pools, determined on first use.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) ranges: std::sync::OnceLock<Vec<PoolRange>>,
    pub(crate) big: std::sync::OnceLock<Option<Big>>,
    pub(crate) sessions: std::sync::OnceLock<Vec<PoolSession>>,
    pub(crate) keys: std::sync::OnceLock<Keys>,
    /// The index of blocks and pages from an earlier scan.
    pub(crate) index: std::sync::OnceLock<Kept>,
    pub(crate) pages: std::sync::OnceLock<Kept>,
    /// The blocks that the object tables want, from whichever table searched first.
    pub(crate) objects: std::sync::OnceLock<Vec<Block>>,
}

impl Big {
    /// One allocation.
    #[cfg(test)]
    pub(crate) fn for_tests(address: u64, bytes: u64) -> Self {
        Self { blocks: Vec::new(), used: vec![(address, address + bytes - 1)] }
    }

    /// First and last address of the entry in use that contains an address.
    pub(crate) fn around(&self, address: u64) -> Option<(u64, u64)> {
        let next = self.used.partition_point(|(first, _)| *first <= address);
        let found = self.used.get(next.checked_sub(1)?)?;
        (address <= found.1).then_some(*found)
    }
}
