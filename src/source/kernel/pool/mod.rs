//! The pools of a kernel dump: their address ranges, their blocks and pages, and usage by pool tag.
//!
//! Readers of objects that live in pool call `scan::pool_blocks`. One pass over the pages serves
//! every reader; it uses all cores and returns blocks in address order.

pub(crate) mod big;
pub(crate) mod block;
pub(crate) mod chain;
#[cfg(test)]
mod damage;
pub(crate) mod failures;
pub(crate) mod frames;
pub(crate) mod header;
pub(crate) mod index;
pub(crate) mod lfh;
pub(crate) mod look;
pub(crate) mod merge;
pub(crate) mod pages;
pub(crate) mod part;
pub(crate) mod range;
pub(crate) mod ranges;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod seen;
pub(crate) mod segment;
pub(crate) mod session_big;
pub(crate) mod session_tags;
pub(crate) mod sessions;
pub(crate) mod special;
pub(crate) mod state;
pub(crate) mod subsegments;
pub(crate) mod tag;
pub(crate) mod tag_owners;
pub(crate) mod tags;
pub(crate) mod trackers;
