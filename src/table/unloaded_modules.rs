//! `unloaded_modules`: images that were unloaded.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::UnloadedModule;

pub(super) static TABLE: TableDef<UnloadedModule> = TableDef {
    doc: "One row for each image in the system's list of unloaded images; the same name may occur several times.",
    answers: "lm (tail), unloadedmodules",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, count(*) AS times FROM unloaded_modules GROUP BY name HAVING count(*) > 1 ORDER BY times DESC",
        doc: "Drivers that were loaded and unloaded repeatedly.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.name,
            "File name; old systems keep only the first characters.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(|c| c.start, "First address.", Get::Addr(|r| r.start)),
        Column::new(|c| c.end, "Address after the last.", Get::Addr(|r| r.end)),
        Column::new(
            |c| c.unload_time,
            "When it was unloaded, in UTC.",
            Get::Time(|r| r.unload_time),
        ),
        Column::hex(
            |c| c.timestamp,
            "Time date stamp of the PE header.",
            Get::Int(|r| r.timestamp),
        ),
        Column::hex(|c| c.checksum, "Checksum of the PE header.", Get::Int(|r| r.checksum)),
        Column::new(|c| c.size_bytes, "Size in memory.", Get::Int(|r| r.size_bytes)),
    ],
};
