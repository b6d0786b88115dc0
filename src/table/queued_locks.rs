//! `queued_locks`: one row for each queued spin lock and processor that holds it or waits for it.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::QueuedLock;

pub(super) static TABLE: TableDef<QueuedLock> = TableDef {
    doc: "One row for each queued spin lock and processor that holds it or waits for it.",
    answers: "!qlocks",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, processor, state FROM queued_locks",
        doc: "The locks that processors own or wait for.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.name, "Name of the lock.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.processor, "Processor.", Get::Int(|r| r.processor)),
        Column::new(|c| c.state, "`owner`, `waiting` or `corrupt`.", Get::Text(|r| text(&r.state))),
        Column::new(
            |c| c.position,
            "Position among the waiters, from 1.",
            Get::Int(|r| r.position),
        ),
    ],
};
