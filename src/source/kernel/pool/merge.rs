//! Passes on what a scan found, in address order, to the reader and to the index.

use crate::model::Flow;
use crate::source::kernel::pool::block::{Block, PoolHint};
use crate::source::kernel::pool::index::Index;
use crate::source::kernel::pool::seen::{Harvest, PageSeen};

/// What a pass reports.
#[derive(Debug)]
pub(crate) enum Reported<'a> {
    /// A block.
    Block(&'a Block),
    /// A page, before the blocks that begin in it.
    Page(PageSeen),
}

/// Merges the blocks of pages with big allocations in address order.
pub(crate) struct Merge<'a, 'v> {
    /// Big allocations that were not passed on yet.
    pub(crate) big: &'a [Block],
    /// The session that owns them.
    pub(crate) owner: Option<usize>,
    pub(crate) hint: &'a PoolHint<'a>,
    /// Receives every block and every page, if an index is written.
    pub(crate) index: Option<Index>,
    pub(crate) wants_pages: bool,
    pub(crate) visit: &'v mut dyn FnMut(Reported<'_>) -> Flow,
}

impl<'a> Merge<'a, '_> {
    /// Switches to the blocks of an owner, after those of the previous owner were passed on.
    pub(crate) fn owned_by(&mut self, owner: Option<usize>, big: &'a [Block]) -> Flow {
        if owner != self.owner {
            self.big_before(u64::MAX)?;
            (self.owner, self.big) = (owner, big);
        }
        Flow::Continue(())
    }

    /// Passes on what was found in a part of the range with this number.
    pub(crate) fn take(&mut self, harvest: &Harvest, range: u16) -> Flow {
        let mut pages = harvest.pages.iter().peekable();
        for block in &harvest.blocks {
            while let Some(page) = pages.next_if(|page| page.address <= block.address) {
                self.page(page, range)?;
            }
            self.big_before(block.address)?;
            // Without an index the scan collected only blocks that the reader asked for.
            if self.index.is_none() {
                (self.visit)(Reported::Block(block))?;
            } else {
                self.give(block)?;
            }
        }
        pages.try_for_each(|page| self.page(page, range))
    }

    fn page(&mut self, page: &PageSeen, range: u16) -> Flow {
        if let Some(index) = &mut self.index {
            index.add_page(page, range);
        }
        if self.wants_pages { (self.visit)(Reported::Page(*page)) } else { Flow::Continue(()) }
    }

    /// Passes on the big allocations before an address.
    pub(crate) fn big_before(&mut self, address: u64) -> Flow {
        while let Some((block, rest)) = self.big.split_first() {
            if block.address >= address {
                break;
            }
            self.big = rest;
            self.give(block)?;
        }
        Flow::Continue(())
    }

    fn give(&mut self, block: &Block) -> Flow {
        if let Some(index) = &mut self.index {
            index.add(block);
        }
        if self.hint.takes(block) {
            (self.visit)(Reported::Block(block))
        } else {
            Flow::Continue(())
        }
    }
}
