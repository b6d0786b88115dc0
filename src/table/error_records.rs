//! `error_records`: one row for each field of a hardware error record (WHEA).

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::ErrorFact;

pub(super) static TABLE: TableDef<ErrorFact> = TableDef {
    doc: "One row for each field of a hardware error record (WHEA).",
    answers: "!errrec",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT section_name, name, value FROM error_records WHERE name = 'Severity'",
        doc: "The severity of each error.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.record, "Address of the record.", Get::Addr(|r| r.record)),
        Column::new(
            |c| c.section,
            "Number of the section; absent for the record itself.",
            Get::Int(|r| r.section),
        ),
        Column::new(
            |c| c.section_name,
            "Type of the section.",
            Get::Text(|r| text(&r.section_name)),
        ),
        Column::new(|c| c.name, "Name of the field.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.value, "Value, as printed.", Get::Text(|r| text(&r.value))),
    ],
};
