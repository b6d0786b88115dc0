//! `handles`: open handles.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Handle;

pub(super) static TABLE: TableDef<Handle> = TableDef {
    doc: "One row for each open handle that the dump records.",
    answers: "!handle",
    kinds: &[SourceKind::Kernel, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT type, count(*) FROM handles GROUP BY type ORDER BY 2 DESC",
        doc: "Handles by type, to find a leak.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.eprocess,
            "Address of the `_EPROCESS`, in kernel dumps.",
            Get::Addr(|r| r.eprocess),
        ),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Process name.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.handle, "Handle value.", Get::Addr(|r| r.handle)),
        Column::new(
            |c| c.object,
            "Address of the object, in kernel dumps.",
            Get::Addr(|r| r.object),
        ),
        Column::new(|c| c.object_type, "Type of the object.", Get::Text(|r| text(&r.object_type))),
        Column::new(|c| c.name, "Name of the object.", Get::Text(|r| text(&r.name))),
        Column::hex(|c| c.granted_access, "Access mask.", Get::Int(|r| r.granted_access)),
        Column::hex(|c| c.attributes, "Attributes.", Get::Int(|r| r.attributes)),
        Column::new(|c| c.handle_count, "Handles to the object.", Get::Int(|r| r.handle_count)),
        Column::new(
            |c| c.pointer_count,
            "References to the object.",
            Get::Int(|r| r.pointer_count),
        ),
    ],
};
