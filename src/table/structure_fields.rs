//! `structure_fields`: one row for each field of a structure that a debugger printed.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::StructureField;

pub(super) static TABLE: TableDef<StructureField> = TableDef {
    doc: "One row for each field of a structure that a debugger printed.",
    answers: "dt, dx, !ddt",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT path, value FROM structure_fields WHERE name = 'UniqueProcessId'",
        doc: "The values of a field in all printed structures.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.structure,
            "Type of the structure, or the expression that was printed.",
            Get::Text(|r| text(&r.structure)),
        ),
        Column::new(|c| c.address, "Address of the structure.", Get::Addr(|r| r.address)),
        Column::new(
            |c| c.path,
            "Names of the enclosing fields, separated by dots.",
            Get::Text(|r| text(&r.path)),
        ),
        Column::new(|c| c.name, "Name of the field.", Get::Text(|r| text(&r.name))),
        Column::hex(
            |c| c.offset,
            "Offset in the structure that contains it.",
            Get::Int(|r| r.offset),
        ),
        Column::new(
            |c| c.kind,
            "Type of the field, where it is printed.",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(|c| c.value, "Value, as printed.", Get::Text(|r| text(&r.value))),
        Column::new(|c| c.number, "The value as a number or an address.", Get::Addr(|r| r.number)),
    ],
};
