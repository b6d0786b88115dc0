//! `mapped_files`: one row for each control area with pages in memory.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::MappedFile;

pub(super) static TABLE: TableDef<MappedFile> = TableDef {
    doc: "One row for each control area with pages in memory.",
    answers: "!memusage, !filecache",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, valid_bytes FROM mapped_files ORDER BY 2 DESC LIMIT 10",
        doc: "The files that take most memory.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.control_area,
            "Address of the `_CONTROL_AREA`.",
            Get::Addr(|r| r.control_area),
        ),
        Column::new(
            |c| c.name,
            "Name of the file, or what else it is.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(|c| c.valid_bytes, "Pages in working sets.", Get::Int(|r| r.valid_bytes)),
        Column::new(
            |c| c.standby_bytes,
            "Pages on the standby list.",
            Get::Int(|r| r.standby_bytes),
        ),
        Column::new(|c| c.dirty_bytes, "Pages that are modified.", Get::Int(|r| r.dirty_bytes)),
        Column::new(
            |c| c.shared_bytes,
            "Pages that processes share.",
            Get::Int(|r| r.shared_bytes),
        ),
        Column::new(|c| c.locked_bytes, "Pages that are locked.", Get::Int(|r| r.locked_bytes)),
        Column::new(|c| c.page_table_bytes, "Page tables.", Get::Int(|r| r.page_table_bytes)),
    ],
};
