//! `pool_pages`: one row for each page of the pool.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PoolPage;

pub(super) static TABLE: TableDef<PoolPage> = TableDef {
    doc: "One row for each page of the pool. For a kernel dump, unused pages are listed if one of the 64 pages of their map row is used, and in up to 16 map rows between two such rows.",
    answers: "xpool -map",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT state, count(*) FROM pool_pages GROUP BY 1",
        doc: "The number of pool pages in each state.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "Address of the page.", Get::Addr(|r| r.address)),
        Column::new(
            |c| c.pool_type,
            "`nonpaged`, `paged` or `paged session`.",
            Get::Text(|r| text(&r.pool_type)),
        ),
        Column::new(
            |c| c.state,
            "`unused`, `one page`, `first`, `middle`, `last`, as the page lies in its run.",
            Get::Text(|r| text(&r.state)),
        ),
        Column::new(
            |c| c.is_paged_out,
            "Whether the page is in a page file.",
            Get::Bool(|r| r.is_paged_out),
        ),
        Column::new(|c| c.run_pages, "Length of its run.", Get::Int(|r| r.run_pages)),
        Column::new(|c| c.session, "Session whose pool it is in.", Get::Int(|r| r.session)),
    ],
};
