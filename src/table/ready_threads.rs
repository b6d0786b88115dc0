//! `ready_threads`: one row for each thread that is ready to run, in the order in which each queue runs them.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::ReadyThread;

/// The table.
pub(super) static TABLE: TableDef<ReadyThread> = TableDef {
    name: "ready_threads",
    doc: "One row for each thread that is ready to run, in the order in which each queue runs them.",
    answers: "!ready",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT processor, priority, count(*) FROM ready_threads GROUP BY ALL",
        doc: "The length of each queue.",
    }],
    rows: Rows::Source(|source, want, emit| source.ready_threads(want, emit)),
    columns: &[
        Column::new(
            "processor",
            "Processor of the queue; no value for a queue that processors share.",
            Get::Int(|r| r.processor),
        ),
        Column::new("priority", "Priority of the queue.", Get::Int(|r| r.priority)),
        Column::new("position", "Position in the queue, from 0.", Get::Int(|r| r.position)),
        Column::new("ethread", "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new("tid", "Thread id.", Get::Int(|r| r.tid)),
        Column::new("pid", "Process id.", Get::Int(|r| r.pid)),
        Column::new("process", "Name of the process.", Get::Text(|r| text(&r.process))),
    ],
};
