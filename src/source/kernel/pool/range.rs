//! A range of addresses that belongs to a pool.

use crate::source::kernel::pool::block::PoolKind;

/// What a range holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Only pool.
    Pool,
    /// Pool among other things: only pages that prove to be pool count.
    Anything,
    /// No pool, except perhaps pages of special pool.
    Special,
}

/// A range of pool addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolRange {
    /// The first address.
    pub(crate) start: u64,
    /// The address behind the last.
    pub(crate) end: u64,
    /// The pool that the range belongs to.
    pub(crate) kind: PoolKind,
    /// What it holds.
    pub(crate) holds: Holds,
    /// The page directory base of a process that maps it, if the system process does not.
    pub(crate) space: Option<u64>,
    /// The session that owns it.
    pub(crate) session: Option<u32>,
    /// The index of that session in the list of sessions.
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
