//! `work_queues`: one row for each queue of the system's worker threads.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WorkQueue;

/// The table.
pub(super) static TABLE: TableDef<WorkQueue> = TableDef {
    doc: "One row for each queue of the system's worker threads.",
    answers: "!exqueue",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, thread_count, pending_count FROM work_queues",
        doc: "How loaded each queue is.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.queue, "Address of the queue.", Get::Addr(|r| r.queue)),
        Column::new(
            |c| c.name,
            "Name (`Critical`, `Delayed`, `HyperCritical`) or priority.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(|c| c.thread_count, "Threads that serve it.", Get::Int(|r| r.thread_count)),
        Column::new(
            |c| c.maximum_thread_count,
            "How many may.",
            Get::Int(|r| r.maximum_thread_count),
        ),
        Column::new(|c| c.current_count, "Threads that run.", Get::Int(|r| r.current_count)),
        Column::new(
            |c| c.maximum_count,
            "How many may run at once.",
            Get::Int(|r| r.maximum_count),
        ),
        Column::new(|c| c.pending_count, "Items that wait.", Get::Int(|r| r.pending_count)),
    ],
};
