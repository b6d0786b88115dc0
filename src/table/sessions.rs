//! `sessions`: one row for each session.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{Example, SourceKind};
use crate::model::SessionSpace;

pub(super) static TABLE: TableDef<SessionSpace> = TableDef {
    doc: "One row for each session.",
    answers: "!session, !vm 4",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT session, paged_pool_bytes, pool_failures FROM sessions",
        doc: "The sessions and their pools.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.session, "Session id.", Get::Int(|r| r.session)),
        Column::new(|c| c.address, "Address of the `_MM_SESSION_SPACE`.", Get::Addr(|r| r.address)),
        Column::new(
            |c| c.process_count,
            "Processes in the session.",
            Get::Int(|r| r.process_count),
        ),
        Column::new(|c| c.paged_pool_bytes, "Paged pool in use.", Get::Int(|r| r.paged_pool_bytes)),
        Column::new(
            |c| c.paged_pool_limit_bytes,
            "Limit of the paged pool.",
            Get::Int(|r| r.paged_pool_limit_bytes),
        ),
        Column::new(
            |c| c.view_limit_bytes,
            "Limit of the view space.",
            Get::Int(|r| r.view_limit_bytes),
        ),
        Column::new(|c| c.commit_bytes, "Commit charge.", Get::Int(|r| r.commit_bytes)),
        Column::new(
            |c| c.pool_failures,
            "Pool allocations that failed.",
            Get::Int(|r| r.pool_failures),
        ),
        Column::new(
            |c| c.view_failures,
            "View mappings that failed.",
            Get::Int(|r| r.view_failures),
        ),
    ],
};
