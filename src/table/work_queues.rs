//! `work_queues`: one row for each queue of the system's worker threads.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WorkQueue;

/// The table.
pub(super) static TABLE: TableDef<WorkQueue> = TableDef {
    name: "work_queues",
    doc: "One row for each queue of the system's worker threads.",
    answers: "!exqueue",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, thread_count, pending_count FROM work_queues",
        doc: "How loaded each queue is.",
    }],
    rows: Rows::Source(|source, want, emit| source.work_queues(want, emit)),
    columns: &[
        Column::new("queue", "Address of the queue.", Get::Addr(|r| r.queue)),
        Column::new(
            "name",
            "Name (`Critical`, `Delayed`, `HyperCritical`) or priority.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new("thread_count", "Threads that serve it.", Get::Int(|r| r.thread_count)),
        Column::new("maximum_thread_count", "How many may.", Get::Int(|r| r.maximum_thread_count)),
        Column::new("current_count", "Threads that run.", Get::Int(|r| r.current_count)),
        Column::new("maximum_count", "How many may run at once.", Get::Int(|r| r.maximum_count)),
        Column::new("pending_count", "Items that wait.", Get::Int(|r| r.pending_count)),
    ],
};
