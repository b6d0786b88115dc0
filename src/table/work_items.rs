//! `work_items`: one row for each item that waits in a queue of the system's worker threads.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WorkItem;

/// The table.
pub(super) static TABLE: TableDef<WorkItem> = TableDef {
    name: "work_items",
    doc: "One row for each item that waits in a queue of the system's worker threads.",
    answers: "!exqueue",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT queue_name, routine_symbol, count(*) FROM work_items GROUP BY ALL",
        doc: "What is waiting to be worked on.",
    }],
    rows: Rows::Source(|source, want, emit| source.work_items(want, emit)),
    columns: &[
        Column::new("queue", "Address of the queue.", Get::Addr(|r| r.queue)),
        Column::new("queue_name", "Name of the queue.", Get::Text(|r| text(&r.queue_name))),
        Column::new("position", "Position in the queue, from 0.", Get::Int(|r| r.position)),
        Column::new("work_item", "Address of the item.", Get::Addr(|r| r.work_item)),
        Column::new("routine", "Address of the routine.", Get::Addr(|r| r.routine)),
        Column::new(
            "routine_symbol",
            "Symbol of the routine.",
            Get::Text(|r| text(&r.routine_symbol)),
        ),
        Column::new("parameter", "What the routine is given.", Get::Addr(|r| r.parameter)),
    ],
};
