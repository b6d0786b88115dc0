//! `memory_bytes`: one row for each line of bytes or characters of memory.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::MemoryBytes;

pub(super) static TABLE: TableDef<MemoryBytes> = TableDef {
    doc: "One row for each line of bytes or characters of memory.",
    answers: "db, dc, da, du, dW",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT address, text FROM memory_bytes WHERE text LIKE '%.sys%'",
        doc: "Texts in memory.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "Address of the first byte.", Get::Addr(|r| r.address)),
        Column::new(|c| c.size_bytes, "Number of bytes.", Get::Int(|r| r.size_bytes)),
        Column::new(
            |c| c.hex,
            "The bytes in hexadecimal, in memory order.",
            Get::Text(|r| text(&r.hex)),
        ),
        Column::new(|c| c.text, "The characters, as printed.", Get::Text(|r| text(&r.text))),
    ],
};
