//! `lock_owners`: one row for each thread that holds an executive resource.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::LockOwner;

pub(super) static TABLE: TableDef<LockOwner> = TableDef {
    doc: "One row for each thread that holds an executive resource.",
    answers: "!locks",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT ethread, process, count(*) FROM lock_owners GROUP BY ALL ORDER BY 3 DESC",
        doc: "The threads that hold the most resources.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.resource, "Address of the `_ERESOURCE`.", Get::Addr(|r| r.resource)),
        Column::new(|c| c.ethread, "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.count, "How many times the thread holds it.", Get::Int(|r| r.count)),
        Column::new(
            |c| c.is_exclusive,
            "Whether it holds it exclusively.",
            Get::Bool(|r| r.is_exclusive),
        ),
        Column::new(
            |c| c.owner,
            "Recorded owner, if that is not a thread.",
            Get::Addr(|r| r.owner),
        ),
    ],
};
