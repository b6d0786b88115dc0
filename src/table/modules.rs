//! `modules`: the loaded images.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Module;

/// The table.
pub static TABLE: TableDef<Module> = TableDef {
    name: "modules",
    doc: "One row for every loaded image, in load order.",
    answers: "lm, lmv",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, base, size_bytes FROM modules ORDER BY size_bytes DESC LIMIT 5",
        doc: "The five largest images.",
    }],
    rows: Rows::Source(|source, want, emit| source.modules(want, emit)),
    columns: &[
        Column::new("base", "First address of the image.", Get::Addr(|m| m.base)),
        Column::new(
            "name",
            "Name as debuggers print it: no directory, no extension, `nt` for the kernel.",
            Get::Text(|m| text(&m.name)),
        ),
    ],
};
