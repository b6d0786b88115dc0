//! `dpcs`: one row for each queued deferred procedure call.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Dpc;

/// The table.
pub(super) static TABLE: TableDef<Dpc> = TableDef {
    name: "dpcs",
    doc: "One row for each queued deferred procedure call.",
    answers: "!dpcs, !pcr",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT processor, routine_symbol FROM dpcs",
        doc: "What processors have yet to do.",
    }],
    rows: Rows::Source(|source, want, emit| source.dpcs(want, emit)),
    columns: &[
        Column::new("processor", "Processor in whose queue it is.", Get::Int(|r| r.processor)),
        Column::new("position", "Position in the queue, from 0.", Get::Int(|r| r.position)),
        Column::new("type", "`Normal` or `Threaded`.", Get::Text(|r| text(&r.kind))),
        Column::new("dpc", "Address of the `_KDPC`.", Get::Addr(|r| r.dpc)),
        Column::new("routine", "Address of the routine.", Get::Addr(|r| r.routine)),
        Column::new(
            "routine_symbol",
            "Symbol of the routine.",
            Get::Text(|r| text(&r.routine_symbol)),
        ),
        Column::new("context", "Context that the routine is given.", Get::Addr(|r| r.context)),
    ],
};
