//! `meta.tables`: the tables themselves.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{Example, TableSpec};
use crate::model::Logged;

impl Logged for TableSpec {}

/// The table.
pub(super) static TABLE: TableDef<TableSpec> = TableDef {
    name: "meta.tables",
    doc: "One row for each table, this one included.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT name, doc FROM meta.tables WHERE answers LIKE '%!thread%'",
        doc: "The table that answers a debugger command.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for table in catalog.tables() {
            if emit(table.clone()).is_break() {
                return;
            }
        }
    }),
    columns: &[
        Column::new("name", "Name of the table.", Get::Text(|t| Ok(t.name))),
        Column::new("doc", "What one row is.", Get::Text(|t| Ok(t.doc))),
        Column::new("answers", "Debugger commands that it answers.", Get::Text(|t| Ok(t.answers))),
        Column::new(
            "sources",
            "Kinds of source that can fill it; empty for tables about dumpql itself.",
            Get::Owned(|t| Ok(t.kind_names())),
        ),
        Column::new(
            "column_count",
            "Number of columns, hidden ones included.",
            Get::Int(|t| Ok(i64::try_from(t.columns.len()).unwrap_or(i64::MAX))),
        ),
    ],
};
