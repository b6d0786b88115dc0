//! `pool_failures`: one row for each pool whose allocations have failed.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PoolFailure;

pub(super) static TABLE: TableDef<PoolFailure> = TableDef {
    doc: "One row for each count of failed pool allocations.",
    answers: "!vm",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT pool, count FROM pool_failures",
        doc: "Whether pool allocations failed, and in which pool.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.pool,
            "`nonpaged`, `paged`, `session`, or `all` where they are counted together.",
            Get::Text(|r| text(&r.pool)),
        ),
        Column::new(|c| c.session, "Session, of session pools.", Get::Int(|r| r.session)),
        Column::new(|c| c.count, "Allocations that failed.", Get::Int(|r| r.count)),
    ],
};
