//! `system_ptes`: one row for each range of system page table entries.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::SystemPte;

pub(super) static TABLE: TableDef<SystemPte> = TableDef {
    doc: "One row for each range of system page table entries.",
    answers: "!sysptes",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT caller, sum(pages) FROM system_ptes GROUP BY 1 ORDER BY 2 DESC",
        doc: "The callers that map the most pages.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.address,
            "Address of the first entry, or the address that it maps.",
            Get::Addr(|r| r.address),
        ),
        Column::new(|c| c.pages, "Number of entries.", Get::Int(|r| r.pages)),
        Column::new(|c| c.state, "`free` or `allocated`.", Get::Text(|r| text(&r.state))),
        Column::new(|c| c.mdl, "Address of the `_MDL`.", Get::Addr(|r| r.mdl)),
        Column::new(|c| c.caller, "Who allocated it.", Get::Text(|r| text(&r.caller))),
        Column::new(
            |c| c.callers_caller,
            "Caller of that function.",
            Get::Text(|r| text(&r.callers_caller)),
        ),
    ],
};
