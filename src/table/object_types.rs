//! `object_types`: one row for each type of kernel objects.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::ObjectType;

pub(super) static TABLE: TableDef<ObjectType> = TableDef {
    doc: "One row for each type of kernel objects.",
    answers: "!object \\ObjectTypes",
    kinds: &[SourceKind::Kernel],
    examples: &[Example {
        sql: "SELECT name, object_count, handle_count FROM object_types ORDER BY 3 DESC",
        doc: "The object types with the most objects.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.object_type,
            "Address of the `_OBJECT_TYPE`.",
            Get::Addr(|r| r.object_type),
        ),
        Column::new(|c| c.index, "Number of the type.", Get::Int(|r| r.index)),
        Column::new(|c| c.name, "Name.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.object_count, "Objects there are.", Get::Int(|r| r.object_count)),
        Column::new(|c| c.handle_count, "Handles there are.", Get::Int(|r| r.handle_count)),
        Column::new(
            |c| c.peak_object_count,
            "Peak number of objects.",
            Get::Int(|r| r.peak_object_count),
        ),
        Column::new(
            |c| c.peak_handle_count,
            "Peak number of handles.",
            Get::Int(|r| r.peak_handle_count),
        ),
        Column::new(|c| c.pool_tag, "Tag of its allocations.", Get::Text(|r| text(&r.pool_tag))),
    ],
};
