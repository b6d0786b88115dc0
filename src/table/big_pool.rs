//! `big_pool`: one row for each allocation of more than a page.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::BigBlock;

pub(super) static TABLE: TableDef<BigBlock> = TableDef {
    doc: "One row for each entry of the kernel's big page tables, which list allocations of more than a page: the table of the system and that of each session. Free entries are included.",
    answers: "!poolfind, bigpools",
    kinds: &[SourceKind::Kernel],
    examples: &[Example {
        sql: "SELECT tag, count(*), sum(size_bytes) FROM big_pool WHERE NOT is_free GROUP BY 1 ORDER BY 3 DESC",
        doc: "Large allocations by tag.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "Address, aligned to a page.", Get::Addr(|r| r.address)),
        Column::new(|c| c.tag, "The tag, four characters.", Get::Text(|r| text(&r.tag))),
        Column::new(
            |c| c.pool_type,
            "`nonpaged`, `paged`, `paged session`.",
            Get::Text(|r| text(&r.pool_type)),
        ),
        Column::new(|c| c.size_bytes, "Size.", Get::Int(|r| r.size_bytes)),
        Column::new(|c| c.is_free, "Whether it was freed.", Get::Bool(|r| r.is_free)),
        Column::new(
            |c| c.session,
            "Session whose table lists it; absent in the table of the system.",
            Get::Int(|r| r.session),
        ),
    ],
};
