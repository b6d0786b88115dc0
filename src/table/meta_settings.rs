//! `meta.settings`: the settings that `SET` changes.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{Example, Setting};
use crate::model::Row;

impl Row for Setting {
    type Columns = ();
    const TABLE: &'static str = "meta.settings";
    const COLUMNS: &'static () = &();
}

pub(super) static TABLE: TableDef<Setting> = TableDef {
    doc: "One row for each setting of the session: SET changes it, RESET undoes that.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT name, value FROM meta.settings WHERE value <> \"default\"",
        doc: "The settings that were changed.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for setting in catalog.settings() {
            if emit.row(setting.clone()).is_break() {
                return;
            }
        }
    }),
    columns: &[
        Column::named("name", "Name of the setting.", Get::Text(|s| Ok(s.name))),
        Column::named("value", "Its value.", Get::Owned(|s| Ok(s.value.clone()))),
        Column::named("default", "The value at first.", Get::Owned(|s| Ok(s.default.clone()))),
        Column::named("doc", "What it is for.", Get::Text(|s| Ok(s.doc))),
    ],
};
