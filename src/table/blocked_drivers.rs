//! `blocked_drivers`: one row for each entry of the list of drivers that the system checks before it loads one.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::BlockedDriver;

pub(super) static TABLE: TableDef<BlockedDriver> = TableDef {
    doc: "One row for each entry of the list of drivers that the system checks before it loads one.",
    answers: "!blockeddrv",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, guid FROM blocked_drivers WHERE status <> 0",
        doc: "Drivers that were not loaded.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.name, "Name of the file.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.status, "Status of the entry.", Get::Int(|r| r.status)),
        Column::new(|c| c.guid, "Identifier of the entry.", Get::Text(|r| text(&r.guid))),
    ],
};
