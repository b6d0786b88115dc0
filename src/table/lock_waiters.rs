//! `lock_waiters`: one row for each thread that waits for an executive resource.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::LockWaiter;

/// The table.
pub(super) static TABLE: TableDef<LockWaiter> = TableDef {
    name: "lock_waiters",
    doc: "One row for each thread that waits for an executive resource.",
    answers: "!locks",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT resource, count(*) FROM lock_waiters GROUP BY 1 ORDER BY 2 DESC",
        doc: "The length of each queue.",
    }],
    rows: Rows::Source(|source, want, emit| source.lock_waiters(want, emit)),
    columns: &[
        Column::new("resource", "Address of the `_ERESOURCE`.", Get::Addr(|r| r.resource)),
        Column::new("ethread", "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new("tid", "Thread id.", Get::Int(|r| r.tid)),
        Column::new("pid", "Process id.", Get::Int(|r| r.pid)),
        Column::new("process", "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            "position",
            "Position among those that wait for the same access, from 0.",
            Get::Int(|r| r.position),
        ),
        Column::new(
            "is_exclusive",
            "Whether it waits for exclusive access.",
            Get::Bool(|r| r.is_exclusive),
        ),
        Column::new("wait_ms", "Time since it began to wait.", Get::Int(|r| r.wait_ms)),
    ],
};
