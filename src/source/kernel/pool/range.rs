//! A range of addresses that belongs to a pool.

use crate::source::kernel::pool::block::PoolKind;

/// What is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Pool and nothing else.
    Pool,
    /// Pool among other things: pages count that are pool beyond doubt.
    Anything,
    /// No pool but perhaps blocks with pages of their own.
    Special,
}

/// Addresses of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolRange {
    /// The first address.
    pub(crate) start: u64,
    /// The address after the last.
    pub(crate) end: u64,
    /// Which pool, where the range belongs to one.
    pub(crate) kind: PoolKind,
    /// What is in it.
    pub(crate) holds: Holds,
    /// The page directory base of a process that sees it, if the system process does not.
    pub(crate) space: Option<u64>,
    /// The session whose pool it is.
    pub(crate) session: Option<u32>,
    /// Its place among the sessions.
    pub(crate) owner: Option<usize>,
}

impl PoolRange {
    pub(crate) const fn new(start: u64, end: u64, is_paged: Option<bool>) -> Self {
        let kind = PoolKind { is_paged, is_session: false };
        let holds = if is_paged.is_some() { Holds::Pool } else { Holds::Anything };
        Self { start, end, kind, holds, space: None, session: None, owner: None }
    }

    /// The paged pool of a session, seen through a page directory base.
    pub(crate) const fn of_session(
        start: u64,
        end: u64,
        (owner, session): (usize, Option<u32>),
        base: u64,
    ) -> Self {
        Self {
            kind: PoolKind { is_paged: Some(true), is_session: true },
            space: Some(base),
            session,
            owner: Some(owner),
            ..Self::new(start, end, Some(true))
        }
    }
}

#[cfg(test)]
impl PoolRange {
    pub(crate) const fn for_tests(start: u64, end: u64, is_paged: bool) -> Self {
        Self::new(start, end, Some(is_paged))
    }
}
