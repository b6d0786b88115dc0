//! What a pass over the pool pages finds: pages, and the contents of a part of them.

use crate::catalog::Absent;
use crate::source::kernel::pool::block::{Block, PoolKind};
use crate::source::kernel::pool::frames::Mark;

/// How a pool page is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageUse {
    /// It holds blocks.
    Blocks,
    /// It is part of a big allocation with these first and last addresses.
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

/// A pool page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageSeen {
    /// Its address.
    pub(crate) address: u64,
    /// How it is used.
    pub(crate) page_use: PageUse,
    /// Whether it is in a page file.
    pub(crate) is_paged_out: bool,
    /// The pool that it belongs to.
    pub(crate) kind: PoolKind,
    /// Its range: the first address and the address behind the last.
    pub(crate) range: (u64, u64),
    /// The session that owns it.
    pub(crate) session: Option<u32>,
    /// Whether the table of big allocations that would list it is known.
    pub(crate) has_table: bool,
    /// The PFN database's mark for it.
    pub(crate) mark: Option<Mark>,
}

/// What was found in a part.
#[derive(Default)]
pub(crate) struct Harvest {
    pub(crate) blocks: Vec<Block>,
    pub(crate) pages: Vec<PageSeen>,
    /// How many pages were read.
    pub(crate) read: u64,
    /// Whether the read stopped because the query was cancelled.
    pub(crate) is_cut: bool,
}
