//! `lock_entries`: one row for each lock that a thread holds or waits for, as the thread itself records it.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::LockEntry;

pub(super) static TABLE: TableDef<LockEntry> = TableDef {
    doc: "One row for each lock that a thread holds or waits for, as the kernel records it in the thread to \
        boost its priority (AutoBoost): push locks, fast mutexes and similar locks, since Windows 8.1.",
    answers: "!thread, !locks",
    kinds: &[SourceKind::Kernel, SourceKind::Triage],
    examples: &[Example {
        sql: "SELECT lock, count(*) FILTER (WHERE state = 'waiting') AS waiters FROM lock_entries \
            GROUP BY 1 ORDER BY 2 DESC",
        doc: "Locks by the threads that wait for them.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.ethread, "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.lock, "Address of the lock.", Get::Addr(|r| r.lock)),
        Column::new(
            |c| c.symbol,
            "Symbol at that address, or module and offset.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(
            |c| c.kind,
            "Type of the lock, from the wait reason of its waiters: `PushLock`, `Resource`, `FastMutex`.",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(|c| c.state, "`owner` or `waiting`.", Get::Text(|r| text(&r.state))),
        Column::new(|c| c.wait_ms, "Time since it began to wait.", Get::Int(|r| r.wait_ms)),
    ],
};
