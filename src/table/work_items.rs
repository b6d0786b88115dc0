//! `work_items`: one row for each item that waits in a queue of the system's worker threads.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WorkItem;

pub(super) static TABLE: TableDef<WorkItem> = TableDef {
    doc: "One row for each item that waits in a queue of the system's worker threads.",
    answers: "!exqueue",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT queue_name, routine_symbol, count(*) FROM work_items GROUP BY ALL",
        doc: "The routines of the queued work items.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.queue, "Address of the queue.", Get::Addr(|r| r.queue)),
        Column::new(|c| c.queue_name, "Name of the queue.", Get::Text(|r| text(&r.queue_name))),
        Column::new(|c| c.position, "Position in the queue, from 0.", Get::Int(|r| r.position)),
        Column::new(|c| c.work_item, "Address of the item.", Get::Addr(|r| r.work_item)),
        Column::new(|c| c.routine, "Address of the routine.", Get::Addr(|r| r.routine)),
        Column::new(
            |c| c.routine_symbol,
            "Symbol of the routine.",
            Get::Text(|r| text(&r.routine_symbol)),
        ),
        Column::new(|c| c.parameter, "What the routine is given.", Get::Addr(|r| r.parameter)),
    ],
};
