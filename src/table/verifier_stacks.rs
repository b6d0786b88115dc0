//! `verifier_stacks`: one row for each frame of the stack traces that Driver Verifier keeps.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::VerifierFrame;

pub(super) static TABLE: TableDef<VerifierFrame> = TableDef {
    doc: "One row for each frame of the stack traces that Driver Verifier keeps.",
    answers: "!verifier, !irp",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT object, kind, symbol FROM verifier_stacks WHERE frame = 0",
        doc: "The routines that allocated, completed or cancelled each object.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.kind,
            "`allocation`, `call`, `completion`, `cancellation`, `free`.",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(|c| c.object, "Address of the object.", Get::Addr(|r| r.object)),
        Column::new(|c| c.frame, "Number of the frame, from 0.", Get::Int(|r| r.frame)),
        Column::new(|c| c.address, "Address of the instruction.", Get::Addr(|r| r.address)),
        Column::new(|c| c.symbol, "Symbol of the instruction.", Get::Text(|r| text(&r.symbol))),
    ],
};
