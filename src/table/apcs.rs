//! `apcs`: the asynchronous procedure calls that wait for their threads.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Apc;

pub(super) static TABLE: TableDef<Apc> = TableDef {
    doc: "One row for each asynchronous procedure call that waits for its thread.",
    answers: "!apc",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT kernel_symbol, count(*) FROM apcs GROUP BY 1 ORDER BY 2 DESC",
        doc: "The routines of queued APCs, by number.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.apc, "Address of the `_KAPC`.", Get::Addr(|r| r.apc)),
        Column::new(|c| c.ethread, "Thread that it is queued to.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.eprocess, "Process of the thread.", Get::Addr(|r| r.eprocess)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            |c| c.mode,
            "`kernel` or `user`: the queue that it is in.",
            Get::Text(|r| text(&r.mode)),
        ),
        Column::new(
            |c| c.state_index,
            "APC state that the queue belongs to: 0 for the thread's own process, 1 for a process that it is attached to.",
            Get::Int(|r| r.state_index),
        ),
        Column::new(
            |c| c.kernel_routine,
            "Routine that runs first, in kernel mode.",
            Get::Addr(|r| r.kernel_routine),
        ),
        Column::new(
            |c| c.kernel_symbol,
            "Symbol of that routine.",
            Get::Text(|r| text(&r.kernel_symbol)),
        ),
        Column::new(
            |c| c.rundown_routine,
            "Routine that runs if the thread ends before the APC is delivered.",
            Get::Addr(|r| r.rundown_routine),
        ),
        Column::new(
            |c| c.rundown_symbol,
            "Symbol of that routine.",
            Get::Text(|r| text(&r.rundown_symbol)),
        ),
        Column::new(
            |c| c.normal_routine,
            "Normal routine of the APC; special kernel APCs have none.",
            Get::Addr(|r| r.normal_routine),
        ),
        Column::new(
            |c| c.normal_symbol,
            "Symbol of that routine.",
            Get::Text(|r| text(&r.normal_symbol)),
        ),
        Column::new(
            |c| c.normal_context,
            "First argument of the normal routine.",
            Get::Addr(|r| r.normal_context),
        ),
    ],
};
