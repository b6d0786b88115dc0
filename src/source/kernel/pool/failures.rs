//! Failed pool allocations: the kernel's system-wide count and the counts of sessions.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, PoolFailure, SessionSpace, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::mm::sessions;

pub(crate) fn each_pool_failure(
    core: &Core,
    emit: Emit<'_, PoolFailure>,
) -> Result<(), Unanswered> {
    let all = core.symbol_address("nt", "ExPoolFailures").map(|at| core.u32_at(at));
    let sessions = failures_of_sessions(core);
    if all.is_none() && sessions.is_empty() {
        let because = "the count of failed allocations cannot be found without kernel symbols";
        return Err(Unanswered::because(because));
    }
    let all = all.map(|count| ("all", Err(Absent::NotApplicable), count.map(i64::from)));
    let sessions = sessions.into_iter().map(|(id, count)| ("session", id, count));
    for (pool, session, count) in all.into_iter().chain(sessions) {
        if count == Ok(0) {
            continue;
        }
        let row =
            PoolFailure { pool: Ok(pool.to_owned()), session, count, ..PoolFailure::default() };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// The failures of each session; empty for Windows versions whose sessions do not count them.
fn failures_of_sessions(core: &Core) -> Vec<(Cell<i64>, Cell<i64>)> {
    let mut counts = Vec::new();
    // A dump without sessions has no failures to report.
    let _ = sessions::each_session(core, &mut |row: SessionSpace| {
        if row.pool_failures != Err(Absent::NotApplicable) {
            counts.push((row.session, row.pool_failures));
        }
        Flow::Continue(())
    });
    counts
}
