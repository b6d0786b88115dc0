//! `meta.columns`: the columns of all tables.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{ColumnSpec, Example};
use crate::model::Row;

/// A column and its table.
pub(super) struct TableColumn {
    table: &'static str,
    position: i64,
    column: ColumnSpec,
}

impl Row for TableColumn {
    type Columns = ();
    const TABLE: &'static str = "meta.columns";
    const COLUMNS: &'static () = &();
}

pub(super) static TABLE: TableDef<TableColumn> = TableDef {
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
                let row = TableColumn { table: table.name, position, column: column.clone() };
                if emit.row(row).is_break() {
                    return;
                }
            }
        }
    }),
    columns: &[
        Column::named("table", "Name of the table.", Get::Text(|r| Ok(r.table))),
        Column::named("position", "Position in the table, from 0.", Get::Int(|r| Ok(r.position))),
        Column::named("name", "Name of the column.", Get::Text(|r| Ok(r.column.name))),
        Column::named("type", "Type of the values.", Get::Text(|r| Ok(r.column.ty.name()))),
        Column::named("unit", "Unit of the values.", Get::Text(|r| Ok(r.column.unit.as_str()))),
        Column::named(
            "is_hidden",
            "Whether `SELECT *` leaves the column out.",
            Get::Bool(|r| Ok(r.column.hidden)),
        ),
        Column::named("doc", "What the value is.", Get::Text(|r| Ok(r.column.doc))),
    ],
};
