//! The pool of a kernel dump: where it is, the blocks in it, and its pages.
//!
//! [`KernelDump::pool_blocks`] is for readers of objects that live in pool. One pass over the pages
//! serves every reader; it runs on all cores and gives blocks in the order of their addresses.

mod big;
mod block;
mod chain;
#[cfg(test)]
mod damage;
mod frames;
mod header;
mod index;
mod look;
mod merge;
mod one_size;
mod pages;
mod ranges;
mod rows;
mod scan;
mod seen;
mod segment;
mod sessions;
mod special;
mod subsegments;

#[allow(unused_imports, reason = "readers of objects take what they need of it")]
pub(super) use self::block::{Block, PoolHint, tag_text};
pub(super) use self::rows::Pool;
pub(super) use self::sessions::PoolSession;
