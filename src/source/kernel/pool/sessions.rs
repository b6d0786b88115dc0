//! Sessions: each has its own paged pool and its own table of big allocations.
//!
//! All sessions map their pool at the same addresses, so each is read through the address space of
//! one of its processes.

use std::sync::OnceLock;

use crate::catalog::Cell;
use crate::dump::Width;
use crate::memory::Gva;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::{Memory, Space};
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::pool::range::PoolRange;
use crate::source::kernel::pool::state::{Pool, PoolSession};
use crate::source::kernel::process::list;

pub(crate) const SPACE: &str = "_MM_SESSION_SPACE";
const PAGE: u64 = 0x1000;
/// Upper limit on sessions.
const MAX_SESSIONS: usize = 1024;
/// Session space lies within a part of this many bytes.
const PART_32: u64 = 1 << 26;
const PART_64: u64 = 1 << 39;
/// How many parts and pages of it are searched for the session's own mapping of its structure.
const MAX_PARTS: usize = 1 << 12;
const MAX_PAGES: usize = 1 << 15;

/// The sessions in the order of their processes, each with a process that is still running if there
/// is one.
pub(crate) fn pool_sessions<'a>(core: &'a Core, pool: &'a Pool) -> &'a [PoolSession] {
    pool.sessions.get_or_init(|| find_sessions(core))
}

fn find_sessions(core: &Core) -> Vec<PoolSession> {
    let mut found: Vec<(PoolSession, bool)> = Vec::new();
    for process in list::process_objects(core) {
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
            let id = core.structure(SPACE, address).unsigned("SessionId");
            let id = id.ok().and_then(|id| u32::try_from(id).ok());
            found.push((PoolSession { id, address, base, big: OnceLock::new() }, is_alive));
        }
    }
    found.into_iter().map(|(session, _)| session).collect()
}

/// The address space of a session.
pub(crate) fn session_view<'a>(core: &'a Core, session: &PoolSession) -> Space<'a> {
    core.space(session.base)
}

/// The structure of a session.
pub(crate) fn session_space<'a>(core: &'a Core, session: &PoolSession) -> Structure<'a> {
    core.structure(SPACE, session.address)
}

/// The paged pools of sessions.
pub(crate) fn session_ranges(core: &Core, pool: &Pool) -> Vec<PoolRange> {
    let sessions = pool_sessions(core, pool).iter().enumerate();
    sessions.filter_map(|(owner, session)| session_range(core, owner, session)).collect()
}

fn session_range(core: &Core, owner: usize, session: &PoolSession) -> Option<PoolRange> {
    let space = session_space(core, session);
    let start = space.pointer("PagedPoolStart").ok()? & !(PAGE - 1);
    let end = space.pointer("PagedPoolEnd").ok()?.checked_add(PAGE - 1)? & !(PAGE - 1);
    let is_range = start < end && core.is_kernels(start) && core.is_kernels(end - 1);
    is_range.then(|| PoolRange::of_session(start, end, (owner, session.id), session.base))
}

/// The address at which a session maps its own structure: the page of session space that has the
/// same page frame.
pub(crate) fn own_view_of(core: &Core, session: &PoolSession) -> Option<u64> {
    let Memory::Pages(machine) = &core.memory else { return None };
    let wanted: Cell<&[u8]> = core.kernel_space().page(session.address & !(PAGE - 1));
    let wanted = wanted.ok()?.as_ptr();
    let near = session_space(core, session).pointer("PagedPoolStart").ok()?;
    let part = if core.header.width == Width::W32 { PART_32 } else { PART_64 };
    let start = near & !(part - 1);
    let bounds = (Gva(start), Gva(start.saturating_add(part)));
    let root = machine.root(session.base);
    let mut left = MAX_PAGES;
    let mut found = None;
    for part in machine.parts(&core.image, root, bounds.0, bounds.1, MAX_PARTS) {
        machine.pages(&core.image, part, bounds, &mut |at, held| {
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
