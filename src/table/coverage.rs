//! `coverage`: the ranges of memory that the dump holds.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::CoverageRange;

pub(super) static TABLE: TableDef<CoverageRange> = TableDef {
    doc: "One row for each range of memory that the dump holds, in order of address. It shows how complete the numbers from a partial dump are.",
    answers: "(none)",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT kind, count(*) AS ranges, sum(size_bytes) AS bytes FROM coverage GROUP BY kind ORDER BY bytes DESC",
        doc: "The memory in the dump, by kind.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.space, "`virtual` or `physical`.", Get::Text(|r| text(&r.space))),
        Column::new(|c| c.start, "First address.", Get::Addr(|r| r.start)),
        Column::new(|c| c.end, "Address after the last.", Get::Addr(|r| r.end)),
        Column::new(|c| c.size_bytes, "Size.", Get::Int(|r| r.size_bytes)),
        Column::new(
            |c| c.present_pages,
            "Pages present, in whole or in part.",
            Get::Int(|r| r.present_pages),
        ),
        Column::hex(
            |c| c.file_offset,
            "Offset of the bytes in the file.",
            Get::Int(|r| r.file_offset),
        ),
        Column::new(|c| c.kind, "What the range is.", Get::Text(|r| text(&r.kind))),
    ],
};
