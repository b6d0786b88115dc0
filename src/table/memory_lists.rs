//! `memory_lists`: one row for each list of physical pages.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::MemoryList;

pub(super) static TABLE: TableDef<MemoryList> = TableDef {
    doc: "One row for each list of physical pages.",
    answers: "!memusage",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT list, pages FROM memory_lists",
        doc: "What physical memory is used for.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.list,
            "Name of the list (`Zeroed`, `Free`, `Standby`).",
            Get::Text(|r| text(&r.list)),
        ),
        Column::new(|c| c.pages, "Number of pages.", Get::Int(|r| r.pages)),
        Column::new(|c| c.bytes, "The same in bytes.", Get::Int(|r| r.bytes)),
    ],
};
