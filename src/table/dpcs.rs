//! `dpcs`: one row for each queued deferred procedure call.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Dpc;

pub(super) static TABLE: TableDef<Dpc> = TableDef {
    doc: "One row for each queued deferred procedure call (DPC).",
    answers: "!dpcs, !pcr",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT processor, routine_symbol FROM dpcs",
        doc: "The DPCs that are waiting to run on each processor.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.processor, "Processor in whose queue it is.", Get::Int(|r| r.processor)),
        Column::new(|c| c.position, "Position in the queue, from 0.", Get::Int(|r| r.position)),
        Column::new(|c| c.kind, "`Normal` or `Threaded`.", Get::Text(|r| text(&r.kind))),
        Column::new(|c| c.dpc, "Address of the `_KDPC`.", Get::Addr(|r| r.dpc)),
        Column::new(|c| c.routine, "Address of the routine.", Get::Addr(|r| r.routine)),
        Column::new(
            |c| c.routine_symbol,
            "Symbol of the routine.",
            Get::Text(|r| text(&r.routine_symbol)),
        ),
        Column::new(|c| c.context, "Context argument of the routine.", Get::Addr(|r| r.context)),
    ],
};
