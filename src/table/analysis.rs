//! `analysis`: one row for each key that `!analyze` prints, with its value.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::AnalysisKey;

pub(super) static TABLE: TableDef<AnalysisKey> = TableDef {
    doc: "One row for each key that `!analyze` prints, with its value.",
    answers: "!analyze",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT key, value FROM analysis WHERE key LIKE '%BUCKET%'",
        doc: "Which bucket the crash belongs to.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.key,
            "The key, as printed (`FAILURE_BUCKET_ID`).",
            Get::Text(|r| text(&r.key)),
        ),
        Column::new(
            |c| c.value,
            "The value, as printed; lines below the key are parted by line feeds.",
            Get::Text(|r| text(&r.value)),
        ),
    ],
};
