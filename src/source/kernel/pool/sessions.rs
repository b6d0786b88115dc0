//! Sessions: each has a paged pool of its own, and a table of the big allocations in it.
//!
//! All sessions see their own at the same addresses, so that each is looked at through the address
//! space of one of its processes.

use std::sync::OnceLock;

use super::big::Big;
use super::ranges::PoolRange;
use crate::catalog::Cell;
use crate::dump::Width;
use crate::memory::Gva;
use crate::source::kernel::KernelDump;
use crate::source::kernel::memory::{Memory, Space};
use crate::source::kernel::structure::Structure;

const SPACE: &str = "_MM_SESSION_SPACE";
const PAGE: u64 = 0x1000;
/// No system has more sessions.
const MAX_SESSIONS: usize = 1024;
/// All that a session sees of its own lies in one part of this many bytes.
const PART_32: u64 = 1 << 26;
const PART_64: u64 = 1 << 39;
/// So many parts and pages of it are looked at to find where a session sees its structure.
const MAX_PARTS: usize = 1 << 12;
const MAX_PAGES: usize = 1 << 15;
/// No session has more big allocations.
const MAX_BIG: u64 = 1 << 15;

/// A session.
#[derive(Debug)]
pub(in crate::source::kernel) struct PoolSession {
    pub(in crate::source::kernel) id: Option<u32>,
    /// The address of its structure, which the system sees too.
    pub(in crate::source::kernel) address: u64,
    /// The page directory base of one of its processes.
    base: u64,
    pub(super) big: OnceLock<Option<Big>>,
}

impl KernelDump {
    /// The sessions in the order of their processes, each with a process that has not ended if there
    /// is one.
    pub(in crate::source::kernel) fn pool_sessions(&self) -> &[PoolSession] {
        self.pool.sessions.get_or_init(|| self.find_sessions())
    }

    fn find_sessions(&self) -> Vec<PoolSession> {
        let mut found: Vec<(PoolSession, bool)> = Vec::new();
        for process in self.process_objects() {
            let (Ok(address), Ok(base)) =
                (process.pointer("Session"), process.pointer("Pcb.DirectoryTableBase"))
            else {
                continue;
            };
            let is_alive = process.unsigned("ExitTime") == Ok(0);
            if let Some((known, was_alive)) =
                found.iter_mut().find(|(known, _)| known.address == address)
            {
                if is_alive && !*was_alive {
                    (known.base, *was_alive) = (base, true);
                }
            } else if found.len() < MAX_SESSIONS {
                let id = self.structure(SPACE, address).unsigned("SessionId");
                let id = id.ok().and_then(|id| u32::try_from(id).ok());
                found.push((PoolSession { id, address, base, big: OnceLock::new() }, is_alive));
            }
        }
        found.into_iter().map(|(session, _)| session).collect()
    }

    /// What a session sees.
    pub(in crate::source::kernel) fn session_view(&self, session: &PoolSession) -> Space<'_> {
        self.space(session.base)
    }

    /// The structure of a session.
    pub(in crate::source::kernel) fn session_space(&self, session: &PoolSession) -> Structure<'_> {
        self.structure(SPACE, session.address)
    }

    /// The paged pools of sessions.
    pub(super) fn session_ranges(&self) -> Vec<PoolRange> {
        let sessions = self.pool_sessions().iter().enumerate();
        sessions.filter_map(|(owner, session)| self.session_range(owner, session)).collect()
    }

    fn session_range(&self, owner: usize, session: &PoolSession) -> Option<PoolRange> {
        let space = self.session_space(session);
        let start = space.pointer("PagedPoolStart").ok()? & !(PAGE - 1);
        let end = space.pointer("PagedPoolEnd").ok()?.checked_add(PAGE - 1)? & !(PAGE - 1);
        let is_range = start < end && self.is_kernels(start) && self.is_kernels(end - 1);
        is_range.then(|| PoolRange::of_session(start, end, (owner, session.id), session.base))
    }

    /// The table of big allocations of a session; `None` if it was not found.
    pub(super) fn session_big(&self, session: &PoolSession) -> Option<&Big> {
        // A session lives as long as the dump, in which it is kept.
        let known = self.pool_sessions().iter().find(|known| known.address == session.address)?;
        known.big.get_or_init(|| self.read_session_big(session)).as_ref()
    }

    fn read_session_big(&self, session: &PoolSession) -> Option<Big> {
        let (table, count) = self.session_big_table(session)?;
        let view = self.session_view(session);
        Some(self.big_blocks(view, (table, count.min(MAX_BIG)), session.id))
    }

    /// Address and number of entries of that table: since Vista the structure says so.
    fn session_big_table(&self, session: &PoolSession) -> Option<(u64, u64)> {
        if self.knows(SPACE, "PoolTrackBigPages") {
            let space = self.session_space(session);
            let count = space.unsigned("PoolTrackBigPagesSize").ok()?;
            return Some((space.pointer("PoolTrackBigPages").ok()?, count));
        }
        let value = |name| self.pointer_at(self.symbol_address("nt", name)?).ok();
        Some((value("ExpSessionPoolBigPageTable")?, value("ExpSessionPoolBigPageTableSize")?))
    }

    /// Where a session sees its own structure: the page of its space that is the same page of
    /// memory.
    pub(in crate::source::kernel) fn own_view_of(&self, session: &PoolSession) -> Option<u64> {
        let Memory::Pages(machine) = &self.memory else { return None };
        let wanted: Cell<&[u8]> = self.kernel_space().page(session.address & !(PAGE - 1));
        let wanted = wanted.ok()?.as_ptr();
        let near = self.session_space(session).pointer("PagedPoolStart").ok()?;
        let part = if self.header.width == Width::W32 { PART_32 } else { PART_64 };
        let start = near & !(part - 1);
        let bounds = (Gva(start), Gva(start.saturating_add(part)));
        let root = machine.root(session.base);
        let mut left = MAX_PAGES;
        let mut found = None;
        for part in machine.parts(&self.image, root, bounds.0, bounds.1, MAX_PARTS) {
            machine.pages(&self.image, part, bounds, &mut |at, held| {
                left = left.saturating_sub(1);
                if held.is_ok_and(|page| std::ptr::eq(page.as_ptr(), wanted)) && found.is_none() {
                    found = Some(at.0);
                }
            });
            if found.is_some() || left == 0 {
                break;
            }
        }
        found
    }
}
