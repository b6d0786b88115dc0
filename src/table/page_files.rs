//! `page_files`: one row for each page file.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PageFile;

pub(super) static TABLE: TableDef<PageFile> = TableDef {
    doc: "One row for each page file.",
    answers: "!vm",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT path, current_bytes, free_bytes FROM page_files",
        doc: "How full the page files are.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.path, "Path of the file.", Get::Text(|r| text(&r.path))),
        Column::new(|c| c.current_bytes, "Size.", Get::Int(|r| r.current_bytes)),
        Column::new(|c| c.free_bytes, "Free space.", Get::Int(|r| r.free_bytes)),
        Column::new(|c| c.minimum_bytes, "Smallest size.", Get::Int(|r| r.minimum_bytes)),
        Column::new(|c| c.maximum_bytes, "Largest size.", Get::Int(|r| r.maximum_bytes)),
    ],
};
