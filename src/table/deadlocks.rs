//! `deadlocks`: one row for each lock of each thread of a deadlock, in the order in which the thread acquired them.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::DeadlockStep;

pub(super) static TABLE: TableDef<DeadlockStep> = TableDef {
    doc: "One row for each lock of each thread of a deadlock, in the order in which the thread acquired them.",
    answers: "!deadlock",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT ethread, position, lock_name FROM deadlocks ORDER BY 1, 2",
        doc: "The locks of each thread, in the order of acquisition.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.thread_number,
            "Number of the thread in the report.",
            Get::Int(|r| r.thread_number),
        ),
        Column::new(|c| c.ethread, "Address of the `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.position, "Position in the order, from 0.", Get::Int(|r| r.position)),
        Column::new(
            |c| c.label,
            "Letter of the lock in the report.",
            Get::Text(|r| text(&r.label)),
        ),
        Column::new(|c| c.lock, "Address of the lock.", Get::Addr(|r| r.lock)),
        Column::new(|c| c.lock_name, "Symbol at the address.", Get::Text(|r| text(&r.lock_name))),
        Column::new(|c| c.kind, "Type of the lock.", Get::Text(|r| text(&r.kind))),
    ],
};
