//! `information_schema.tables` and `information_schema.columns`, for programs that know SQL but not
//! dumpql.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{ColumnSpec, Example, TableSpec};
use crate::model::Row;

/// A table, and whether it is a view.
pub(super) struct ListedTable {
    table: TableSpec,
    is_view: bool,
}

/// A column and its table.
pub(super) struct ListedColumn {
    table: &'static str,
    position: i64,
    column: ColumnSpec,
}

impl Row for ListedTable {
    type Columns = ();
    const TABLE: &'static str = "information_schema.tables";
    const COLUMNS: &'static () = &();
}

impl Row for ListedColumn {
    type Columns = ();
    const TABLE: &'static str = "information_schema.columns";
    const COLUMNS: &'static () = &();
}

/// The only catalog.
const CATALOG: &str = "dumpql";

/// Schema and name of a table.
fn split(name: &'static str) -> (&'static str, &'static str) {
    name.split_once('.').unwrap_or(("main", name))
}

/// The tables.
pub(super) static TABLES: TableDef<ListedTable> = TableDef {
    doc: "One row for each table and view, as standard SQL lists them.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT table_name FROM information_schema.tables WHERE table_type = 'VIEW'",
        doc: "The views of the session.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for table in catalog.tables() {
            let is_view = catalog.is_view(table.name);
            if emit.row(ListedTable { table: table.clone(), is_view }).is_break() {
                return;
            }
        }
    }),
    columns: &[
        Column::named("table_catalog", "Always `dumpql`.", Get::Text(|_| Ok(CATALOG))),
        Column::named(
            "table_schema",
            "What stands before the dot of the name, else `main`.",
            Get::Text(|r| Ok(split(r.table.name).0)),
        ),
        Column::named("table_name", "Name of the table.", Get::Text(|r| Ok(split(r.table.name).1))),
        Column::named(
            "table_type",
            "`BASE TABLE` or `VIEW`.",
            Get::Text(|r| Ok(if r.is_view { "VIEW" } else { "BASE TABLE" })),
        ),
        Column::named("is_insertable_into", "Always `NO`.", Get::Text(|_| Ok("NO"))),
        Column::named("table_comment", "What one row is.", Get::Text(|r| Ok(r.table.doc))),
    ],
};

/// The columns of all tables.
pub(super) static COLUMNS: TableDef<ListedColumn> = TableDef {
    doc: "One row for each column of each table and view, as standard SQL lists them.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'modules' ORDER BY ordinal_position",
        doc: "The columns of a table.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for table in catalog.tables() {
            for (position, column) in (1i64..).zip(&table.columns) {
                let row = ListedColumn { table: table.name, position, column: column.clone() };
                if emit.row(row).is_break() {
                    return;
                }
            }
        }
    }),
    columns: &[
        Column::named("table_catalog", "Always `dumpql`.", Get::Text(|_| Ok(CATALOG))),
        Column::named(
            "table_schema",
            "What stands before the dot of the table's name, else `main`.",
            Get::Text(|r| Ok(split(r.table).0)),
        ),
        Column::named("table_name", "Name of the table.", Get::Text(|r| Ok(split(r.table).1))),
        Column::named("column_name", "Name of the column.", Get::Text(|r| Ok(r.column.name))),
        Column::named(
            "ordinal_position",
            "Position in the table, from 1.",
            Get::Int(|r| Ok(r.position)),
        ),
        Column::named("is_nullable", "Always `YES`.", Get::Text(|_| Ok("YES"))),
        Column::named("data_type", "Type of the values.", Get::Text(|r| Ok(r.column.ty.name()))),
        Column::named("column_comment", "What the value is.", Get::Text(|r| Ok(r.column.doc))),
    ],
};
