//! `suspects`: modules that may have caused a crash.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Suspect;

pub(super) static TABLE: TableDef<Suspect> = TableDef {
    doc: "One row for each module that may be to blame for the crash, the likeliest first: named by a parameter of the bug check, by the exception, or on the stack of the crash.",
    answers: "!analyze",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User],
    examples: &[Example {
        sql: "SELECT rank, module, symbol, evidence, score FROM suspects ORDER BY rank",
        doc: "Who may have done it, and why.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.rank, "Place among the suspects, from 1.", Get::Int(|r| r.rank)),
        Column::new(|c| c.module, "Module.", Get::Text(|r| text(&r.module))),
        Column::new(
            |c| c.symbol,
            "Symbol in it, or the module and offset.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(
            |c| c.frame,
            "Number of its frame on the stack of the crash, if it has one there.",
            Get::Int(|r| r.frame),
        ),
        Column::new(
            |c| c.evidence,
            "Evidence against the module.",
            Get::Text(|r| text(&r.evidence)),
        ),
        Column::new(
            |c| c.score,
            "Weight of the evidence, up to 100; it is lower for Microsoft's modules.",
            Get::Int(|r| r.score),
        ),
    ],
};
