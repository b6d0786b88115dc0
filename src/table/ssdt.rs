//! `ssdt`: one row for each system service.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::SystemCall;

/// The table.
pub(super) static TABLE: TableDef<SystemCall> = TableDef {
    name: "ssdt",
    doc: "One row for each system service.",
    answers: "windows.ssdt",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT index, symbol FROM ssdt WHERE is_outside_module",
        doc: "Services that lead out of the kernel.",
    }],
    rows: Rows::Source(|source, want, emit| source.ssdt(want, emit)),
    columns: &[
        Column::new(
            "index",
            "Number of the service; those of the window system begin at 4096.",
            Get::Int(|r| r.index),
        ),
        Column::new("address", "Address of the routine.", Get::Addr(|r| r.address)),
        Column::new("module", "Module of the routine.", Get::Text(|r| text(&r.module))),
        Column::new("symbol", "Symbol of the routine.", Get::Text(|r| text(&r.symbol))),
        Column::new(
            "is_outside_module",
            "Whether the routine is outside of the kernel's images.",
            Get::Bool(|r| r.is_outside_module),
        ),
    ],
};
