//! What a pass over the pages of the pools sees: pages, and what was found in a part of them.

use super::block::{Block, Kind};
use super::frames::Mark;
use crate::catalog::Absent;

/// What a page of a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageUse {
    /// It holds blocks.
    Blocks,
    /// It is part of a big allocation, which has these first and last addresses.
    Big {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// It is mapped and neither.
    Other,
    /// The dump does not hold it.
    Missing(Absent),
}

/// A page of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSeen {
    /// Its address.
    pub(super) address: u64,
    /// What it is.
    pub(super) page_use: PageUse,
    /// Whether it is in a page file.
    pub(super) is_paged_out: bool,
    /// Of which pool.
    pub(super) kind: Kind,
    /// The range that it is in: the first address and the one after the last.
    pub(super) range: (u64, u64),
    /// The session whose pool it is in.
    pub(super) session: Option<u32>,
    /// Whether the table of big allocations is known in which it would be.
    pub(super) has_table: bool,
    /// What the database of page frames says of it.
    pub(super) mark: Option<Mark>,
}

/// What was found in a part.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) blocks: Vec<Block>,
    pub(super) pages: Vec<PageSeen>,
    /// How many pages were read.
    pub(super) read: u64,
    /// Whether nobody waited for it any more.
    pub(super) is_cut: bool,
}
