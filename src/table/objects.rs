//! `objects`: one row for each named kernel object.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::KernelObject;

pub(super) static TABLE: TableDef<KernelObject> = TableDef {
    doc: "One row for each named kernel object.",
    answers: "!object",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT type, count(*) FROM objects GROUP BY 1 ORDER BY 2 DESC",
        doc: "Objects by type.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.object, "Address of the object.", Get::Addr(|r| r.object)),
        Column::new(|c| c.kind, "Type of the object.", Get::Text(|r| text(&r.kind))),
        Column::new(|c| c.name, "Name of the object.", Get::Text(|r| text(&r.name))),
        Column::new(
            |c| c.path,
            "Full path in the object manager's namespace.",
            Get::Text(|r| text(&r.path)),
        ),
        Column::new(
            |c| c.directory,
            "Address of the directory that holds it.",
            Get::Addr(|r| r.directory),
        ),
        Column::new(|c| c.handle_count, "Open handles.", Get::Int(|r| r.handle_count)),
        Column::new(|c| c.pointer_count, "References.", Get::Int(|r| r.pointer_count)),
        Column::new(
            |c| c.object_header,
            "Address of the `_OBJECT_HEADER`.",
            Get::Addr(|r| r.object_header),
        ),
        Column::new(
            |c| c.link_target,
            "Target of a symbolic link.",
            Get::Text(|r| text(&r.link_target)),
        ),
    ],
};
