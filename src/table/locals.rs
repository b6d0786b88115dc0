//! `locals`: one row for each local variable or parameter of a frame.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Local;

pub(super) static TABLE: TableDef<Local> = TableDef {
    doc: "One row for each local variable or parameter of a frame.",
    answers: "dv",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, value FROM locals WHERE value LIKE '0x%'",
        doc: "Variables that hold pointers.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.name, "Name.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.kind, "Type, where it is printed.", Get::Text(|r| text(&r.kind))),
        Column::new(|c| c.value, "Value, as printed.", Get::Text(|r| text(&r.value))),
        Column::new(
            |c| c.address,
            "Where it is stored, if that is an address.",
            Get::Addr(|r| r.address),
        ),
        Column::new(
            |c| c.is_parameter,
            "Whether it is a parameter, where that is printed.",
            Get::Bool(|r| r.is_parameter),
        ),
    ],
};
