//! `ssdt`: one row for each system service.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::SystemCall;

pub(super) static TABLE: TableDef<SystemCall> = TableDef {
    doc: "One row for each system service.",
    answers: "windows.ssdt",
    kinds: &[SourceKind::Kernel],
    examples: &[Example {
        sql: "SELECT index, symbol FROM ssdt WHERE is_outside_module",
        doc: "Services whose routine is outside the kernel's images.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.index,
            "Number of the service; those of the window system begin at 4096.",
            Get::Int(|r| r.index),
        ),
        Column::new(|c| c.address, "Address of the routine.", Get::Addr(|r| r.address)),
        Column::new(|c| c.module, "Module of the routine.", Get::Text(|r| text(&r.module))),
        Column::new(|c| c.symbol, "Symbol of the routine.", Get::Text(|r| text(&r.symbol))),
        Column::new(
            |c| c.is_outside_module,
            "Whether the routine is outside the kernel's images.",
            Get::Bool(|r| r.is_outside_module),
        ),
    ],
};
