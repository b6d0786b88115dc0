//! Sessions, as their processes point to them, and page files.

use std::collections::BTreeMap;

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, SessionSpace, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::process::list;

const SPACE: &str = "_MM_SESSION_SPACE";
const PAGE: i64 = 0x1000;
/// The kinds of failures that a session counts.
const FAILURES: u64 = 4;

pub(crate) fn pages(count: Cell<i64>) -> Cell<i64> {
    count?.checked_mul(PAGE).ok_or(Absent::Unreadable)
}

pub(crate) fn each_session(core: &Core, emit: Emit<'_, SessionSpace>) -> Result<(), Unanswered> {
    if !core.has_field(SPACE, "SessionId") {
        return Err(Unanswered::because("no layout of _MM_SESSION_SPACE is known"));
    }
    let mut processes: BTreeMap<u64, i64> = BTreeMap::new();
    for process in list::process_objects(core) {
        if let Ok(space) = process.pointer("Session") {
            *processes.entry(space).or_default() += 1;
        }
    }
    let mut rows: Vec<SessionSpace> =
        processes.into_iter().map(|(at, count)| session_row(core, at, count)).collect();
    rows.sort_by_key(|row| (row.session.unwrap_or(i64::MAX), row.address));
    for row in rows {
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn session_row(core: &Core, address: u64, process_count: i64) -> SessionSpace {
    let space = core.structure(SPACE, address);
    let limit = || {
        let start = space.pointer("PagedPoolStart")?;
        let last = space.pointer("PagedPoolEnd")?;
        let bytes = last.checked_sub(start).and_then(|n| i64::try_from(n).ok());
        bytes.and_then(|n| n.checked_add(1)).ok_or(Absent::Unreadable)
    };
    let variable = |name| {
        let at = core.symbol_address("nt", name).ok_or(Absent::NoSymbols)?;
        i64::try_from(core.pointer_at(at)?).map_err(|_| Absent::Unreadable)
    };
    SessionSpace {
        session: space.int("SessionId"),
        address: Ok(address),
        process_count: Ok(process_count),
        paged_pool_bytes: pages(space.int("PagedPoolInfo.AllocatedPagedPool")),
        paged_pool_limit_bytes: limit(),
        view_limit_bytes: variable("MmSessionViewSize"),
        commit_bytes: pages(space.int("CommittedPages")),
        pool_failures: session_failures(core, space),
        view_failures: space.int("Session.BitmapFailures"),
        ..SessionSpace::default()
    }
}

/// The sum over all kinds of failures; since Windows 10 a session counts none.
fn session_failures(core: &Core, space: Structure<'_>) -> Cell<i64> {
    const COUNTS: &str = "SessionPoolAllocationFailures";
    if !core.has_field(SPACE, COUNTS) {
        return Err(Absent::NotApplicable);
    }
    let first = space.at(COUNTS)?;
    (0..FAILURES).try_fold(0, |sum: i64, kind| {
        let at = first.checked_add(4 * kind).ok_or(Absent::Unreadable)?;
        Ok(sum + i64::from(core.u32_at(at)?))
    })
}
