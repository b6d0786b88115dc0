//! `callbacks`: one row for each routine that drivers have registered to be called.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Callback;

pub(super) static TABLE: TableDef<Callback> = TableDef {
    doc: "One row for each callback routine that drivers registered.",
    answers: "windows.callbacks",
    kinds: &[SourceKind::Kernel],
    examples: &[Example {
        sql: "SELECT type, module, symbol FROM callbacks",
        doc: "The routines that are called for each event.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.kind,
            "Event or list that it is registered for (`PspLoadImageNotifyRoutine`).",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(|c| c.address, "Address of the routine.", Get::Addr(|r| r.address)),
        Column::new(|c| c.module, "Module of the routine.", Get::Text(|r| text(&r.module))),
        Column::new(|c| c.symbol, "Symbol of the routine.", Get::Text(|r| text(&r.symbol))),
        Column::new(
            |c| c.detail,
            "Additional information, such as the name of the component.",
            Get::Text(|r| text(&r.detail)),
        ),
    ],
};
