//! `memory_regions`: regions of address spaces.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::MemoryRegion;

pub(super) static TABLE: TableDef<MemoryRegion> = TableDef {
    doc: "One row for each region of an address space that the dump describes.",
    answers: "!address, !vad",
    kinds: &[SourceKind::Kernel, SourceKind::User, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT state, type, count(*) AS regions, sum(size_bytes) AS bytes FROM memory_regions GROUP BY ALL ORDER BY bytes DESC",
            doc: "Address space by use.",
        },
        Example {
            sql: "SELECT start, size_bytes, file FROM memory_regions WHERE protection ILIKE '%execute%write%'",
            doc: "Memory that is both writable and executable.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.eprocess,
            "Address of the `_EPROCESS`, in kernel dumps.",
            Get::Addr(|r| r.eprocess),
        ),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Process name.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.start, "First address.", Get::Addr(|r| r.start)),
        Column::new(|c| c.end, "Address after the last.", Get::Addr(|r| r.end)),
        Column::new(|c| c.size_bytes, "Size.", Get::Int(|r| r.size_bytes)),
        Column::new(|c| c.state, "`commit`, `reserve` or `free`.", Get::Text(|r| text(&r.state))),
        Column::new(
            |c| c.protection,
            "Protection, as the `PAGE_` constants are named.",
            Get::Text(|r| text(&r.protection)),
        ),
        Column::new(|c| c.kind, "`image`, `mapped` or `private`.", Get::Text(|r| text(&r.kind))),
        Column::new(|c| c.commit_pages, "Committed pages.", Get::Int(|r| r.commit_pages)),
        Column::new(|c| c.file, "File behind the region.", Get::Text(|r| text(&r.file))),
    ],
};
