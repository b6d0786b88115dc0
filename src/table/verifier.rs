//! `verifier`: one row for each setting and each counter of Driver Verifier.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::VerifierFact;

pub(super) static TABLE: TableDef<VerifierFact> = TableDef {
    doc: "One row for each setting and each counter of Driver Verifier.",
    answers: "!verifier",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name FROM verifier WHERE is_enabled",
        doc: "The enabled checks of Driver Verifier.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.section, "Heading above it.", Get::Text(|r| text(&r.section))),
        Column::new(|c| c.name, "What it is.", Get::Text(|r| text(&r.name))),
        Column::hex(|c| c.flag, "Bit of the setting.", Get::Int(|r| r.flag)),
        Column::new(|c| c.is_enabled, "Whether the setting is on.", Get::Bool(|r| r.is_enabled)),
        Column::new(|c| c.value, "The number.", Get::Int(|r| r.value)),
    ],
};
