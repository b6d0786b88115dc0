//! `vm`: one row for each counter of the memory manager.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::VmCounter;

pub(super) static TABLE: TableDef<VmCounter> = TableDef {
    doc: "One row for each counter of the memory manager.",
    answers: "!vm",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, pages, warning FROM vm WHERE warning IS NOT NULL",
        doc: "The counters that are close to their limits.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.name, "Name, as the debugger prints it.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.pages, "Number of pages.", Get::Int(|r| r.pages)),
        Column::new(|c| c.bytes, "The same in bytes.", Get::Int(|r| r.bytes)),
        Column::new(
            |c| c.limit_bytes,
            "Upper limit, if there is one.",
            Get::Int(|r| r.limit_bytes),
        ),
        Column::new(
            |c| c.warning,
            "Warning that the debugger prints.",
            Get::Text(|r| text(&r.warning)),
        ),
    ],
};
