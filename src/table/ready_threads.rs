//! `ready_threads`: one row for each thread that is ready to run, in the order in which each queue runs them.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::ReadyThread;

pub(super) static TABLE: TableDef<ReadyThread> = TableDef {
    doc: "One row for each thread that is ready to run, in the order in which each queue runs them.",
    answers: "!ready",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT processor, priority, count(*) FROM ready_threads GROUP BY ALL",
        doc: "The length of each queue.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.processor,
            "Processor of the queue; absent for a queue that processors share.",
            Get::Int(|r| r.processor),
        ),
        Column::new(|c| c.priority, "Priority of the queue.", Get::Int(|r| r.priority)),
        Column::new(|c| c.position, "Position in the queue, from 0.", Get::Int(|r| r.position)),
        Column::new(|c| c.ethread, "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
    ],
};
