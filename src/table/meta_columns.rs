//! `meta.columns`: the columns of all tables.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{ColumnSpec, Example};
use crate::model::Logged;

/// One column and the table it is of.
pub(super) struct Row {
    table: &'static str,
    position: i64,
    column: ColumnSpec,
}

impl Logged for Row {}

/// The table.
pub(super) static TABLE: TableDef<Row> = TableDef {
    name: "meta.columns",
    doc: "One row for each column of each table.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT \"table\", name, type FROM meta.columns WHERE name = 'ethread'",
        doc: "The tables that can be joined on a thread object.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for table in catalog.tables() {
            for (position, column) in (0i64..).zip(&table.columns) {
                let row = Row { table: table.name, position, column: column.clone() };
                if emit(row).is_break() {
                    return;
                }
            }
        }
    }),
    columns: &[
        Column::new("table", "Name of the table.", Get::Text(|r| Ok(r.table))),
        Column::new("position", "Position in the table, from 0.", Get::Int(|r| Ok(r.position))),
        Column::new("name", "Name of the column.", Get::Text(|r| Ok(r.column.name))),
        Column::new("type", "Type of the values.", Get::Text(|r| Ok(r.column.ty.name()))),
        Column::new("unit", "Unit of the values.", Get::Text(|r| Ok(r.column.unit.as_str()))),
        Column::new(
            "is_hidden",
            "Whether `SELECT *` leaves it out.",
            Get::Bool(|r| Ok(r.column.hidden)),
        ),
        Column::new("doc", "What the value is.", Get::Text(|r| Ok(r.column.doc))),
    ],
};
