//! `vads`: one row for each virtual address descriptor of each process.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Vad;

pub(super) static TABLE: TableDef<Vad> = TableDef {
    doc: "One row for each virtual address descriptor (VAD) of each process.",
    answers: "!vad",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT process, type, sum(size_bytes) FROM vads GROUP BY ALL ORDER BY 3 DESC",
        doc: "Address space by kind.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.vad, "Address of the `_MMVAD`.", Get::Addr(|r| r.vad)),
        Column::new(|c| c.eprocess, "Address of the `_EPROCESS`.", Get::Addr(|r| r.eprocess)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.start, "First address.", Get::Addr(|r| r.start)),
        Column::new(|c| c.end, "Address after the last.", Get::Addr(|r| r.end)),
        Column::new(|c| c.size_bytes, "Size of the range.", Get::Int(|r| r.size_bytes)),
        Column::new(|c| c.level, "Depth in the tree, from 0.", Get::Int(|r| r.level)),
        Column::new(
            |c| c.protection,
            "Protection (`PAGE_READWRITE`).",
            Get::Text(|r| text(&r.protection)),
        ),
        Column::new(
            |c| c.kind,
            "`Private`, `Mapped`, `Image` and so on.",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(
            |c| c.is_private,
            "Whether its pages are private.",
            Get::Bool(|r| r.is_private),
        ),
        Column::new(|c| c.commit_pages, "Pages committed.", Get::Int(|r| r.commit_pages)),
        Column::new(|c| c.file, "File that is mapped.", Get::Text(|r| text(&r.file))),
        Column::new(|c| c.parent, "Address of the parent in the tree.", Get::Addr(|r| r.parent)),
    ],
};
