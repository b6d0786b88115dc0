//! Allocations of pool that failed: what the kernel counts of all, and what sessions count.

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, PoolFailure, SessionSpace, Unanswered};

impl KernelDump {
    pub(super) fn each_pool_failure(&self, emit: Emit<'_, PoolFailure>) -> Result<(), Unanswered> {
        let all = self.symbol_address("nt", "ExPoolFailures").map(|at| self.u32_at(at));
        let sessions = self.failures_of_sessions();
        if all.is_none() && sessions.is_empty() {
            let because =
                "the count of failed allocations is not found without symbols of the kernel";
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

    /// The failures of each session; none of versions whose sessions count none.
    fn failures_of_sessions(&self) -> Vec<(Cell<i64>, Cell<i64>)> {
        let mut counts = Vec::new();
        // A dump without sessions has no failures of them.
        let _ = self.each_session(&mut |row: SessionSpace| {
            if row.pool_failures != Err(Absent::NotApplicable) {
                counts.push((row.session, row.pool_failures));
            }
            Flow::Continue(())
        });
        counts
    }
}
