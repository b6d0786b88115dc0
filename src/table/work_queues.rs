//! `work_queues`: one row for each queue of the system's worker threads.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WorkQueue;

pub(super) static TABLE: TableDef<WorkQueue> = TableDef {
    doc: "One row for each queue of the system's worker threads.",
    answers: "!exqueue",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, thread_count, pending_count FROM work_queues",
        doc: "The number of waiting items in each queue.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.queue, "Address of the queue.", Get::Addr(|r| r.queue)),
        Column::new(
            |c| c.name,
            "Name (`Critical`, `Delayed`, `HyperCritical`) or priority.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(
            |c| c.thread_count,
            "Worker threads of the queue.",
            Get::Int(|r| r.thread_count),
        ),
        Column::new(
            |c| c.maximum_thread_count,
            "Maximum number of threads.",
            Get::Int(|r| r.maximum_thread_count),
        ),
        Column::new(
            |c| c.current_count,
            "Threads that are running items.",
            Get::Int(|r| r.current_count),
        ),
        Column::new(
            |c| c.maximum_count,
            "Maximum number of threads that run at the same time.",
            Get::Int(|r| r.maximum_count),
        ),
        Column::new(|c| c.pending_count, "Items that are waiting.", Get::Int(|r| r.pending_count)),
    ],
};
