//! `extension_facts`: one row for each name and value, or cell of a table, that an extension command printed.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::ExtensionFact;

pub(super) static TABLE: TableDef<ExtensionFact> = TableDef {
    doc: "One row for each name and value, or cell of a table, that an extension command printed.",
    answers: "!wdfkd, !ndiskd, !usbkd, !storagekd, !scsikd, !sysinfo, !heap -s, !job, !gle, !exploitable",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT command, block, name, value FROM extension_facts WHERE name ILIKE '%state%'",
        doc: "States of drivers and devices.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.command, "Name of the command.", Get::Text(|r| text(&r.command))),
        Column::new(|c| c.block, "Heading above it.", Get::Text(|r| text(&r.block))),
        Column::new(
            |c| c.item,
            "Row of a table, from 1; absent outside tables.",
            Get::Int(|r| r.item),
        ),
        Column::new(
            |c| c.name,
            "The name, or the heading of a column; absent if the line has no name.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(|c| c.value, "The value, as printed.", Get::Text(|r| text(&r.value))),
    ],
};
