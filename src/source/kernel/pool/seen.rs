//! What a pass over the pages of the pools sees: pages, and what was found in a part of them.

use crate::catalog::Absent;
use crate::source::kernel::pool::block::{Block, PoolKind};
use crate::source::kernel::pool::frames::Mark;

/// What a page of a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageUse {
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
pub(crate) struct PageSeen {
    /// Its address.
    pub(crate) address: u64,
    /// What it is.
    pub(crate) page_use: PageUse,
    /// Whether it is in a page file.
    pub(crate) is_paged_out: bool,
    /// Of which pool.
    pub(crate) kind: PoolKind,
    /// The range that it is in: the first address and the one after the last.
    pub(crate) range: (u64, u64),
    /// The session whose pool it is in.
    pub(crate) session: Option<u32>,
    /// Whether the table of big allocations is known in which it would be.
    pub(crate) has_table: bool,
    /// What the database of page frames says of it.
    pub(crate) mark: Option<Mark>,
}

/// What was found in a part.
#[derive(Default)]
pub(crate) struct Harvest {
    pub(crate) blocks: Vec<Block>,
    pub(crate) pages: Vec<PageSeen>,
    /// How many pages were read.
    pub(crate) read: u64,
    /// Whether nobody waited for it any more.
    pub(crate) is_cut: bool,
}
