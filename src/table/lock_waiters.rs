//! `lock_waiters`: one row for each thread that waits for an executive resource.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::LockWaiter;

pub(super) static TABLE: TableDef<LockWaiter> = TableDef {
    doc: "One row for each thread that waits for an executive resource.",
    answers: "!locks",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT resource, count(*) FROM lock_waiters GROUP BY 1 ORDER BY 2 DESC",
        doc: "The length of each queue.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.resource, "Address of the `_ERESOURCE`.", Get::Addr(|r| r.resource)),
        Column::new(|c| c.ethread, "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            |c| c.position,
            "Position among the waiters for the same kind of access, from 0.",
            Get::Int(|r| r.position),
        ),
        Column::new(
            |c| c.is_exclusive,
            "Whether it waits for exclusive access.",
            Get::Bool(|r| r.is_exclusive),
        ),
        Column::new(|c| c.wait_ms, "Time since it began to wait.", Get::Int(|r| r.wait_ms)),
    ],
};
