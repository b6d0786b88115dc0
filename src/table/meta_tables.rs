//! `meta.tables`: the tables themselves.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{Example, TableSpec};
use crate::model::Row;

impl Row for TableSpec {
    type Columns = ();
    const TABLE: &'static str = "meta.tables";
    const COLUMNS: &'static () = &();
}

pub(super) static TABLE: TableDef<TableSpec> = TableDef {
    doc: "One row for each table, this one included.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT name, doc FROM meta.tables WHERE answers LIKE '%!thread%'",
        doc: "The table that answers a debugger command.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for table in catalog.tables() {
            if emit.row(table.clone()).is_break() {
                return;
            }
        }
    }),
    columns: &[
        Column::named("name", "Name of the table.", Get::Text(|t| Ok(t.name))),
        Column::named("doc", "What one row is.", Get::Text(|t| Ok(t.doc))),
        Column::named(
            "answers",
            "Debugger commands that it answers.",
            Get::Text(|t| Ok(t.answers)),
        ),
        Column::named(
            "sources",
            "Kinds of source that can fill it; empty for tables about dumpql itself.",
            Get::Owned(|t| Ok(t.kind_names())),
        ),
        Column::named(
            "column_count",
            "Number of columns, hidden ones included.",
            Get::Int(|t| Ok(i64::try_from(t.columns.len()).unwrap_or(i64::MAX))),
        ),
    ],
};
