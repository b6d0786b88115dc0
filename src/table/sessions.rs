//! `sessions`: one row for each session.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{Example, SourceKind};
use crate::model::SessionSpace;

/// The table.
pub(super) static TABLE: TableDef<SessionSpace> = TableDef {
    name: "sessions",
    doc: "One row for each session.",
    answers: "!session, !vm 4",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT session, paged_pool_bytes, pool_failures FROM sessions",
        doc: "The sessions and their pools.",
    }],
    rows: Rows::Source(|source, want, emit| source.sessions(want, emit)),
    columns: &[
        Column::new("session", "Session id.", Get::Int(|r| r.session)),
        Column::new("address", "Address of the `_MM_SESSION_SPACE`.", Get::Addr(|r| r.address)),
        Column::new("process_count", "Processes in the session.", Get::Int(|r| r.process_count)),
        Column::new("paged_pool_bytes", "Paged pool in use.", Get::Int(|r| r.paged_pool_bytes)),
        Column::new(
            "paged_pool_limit_bytes",
            "Paged pool at most.",
            Get::Int(|r| r.paged_pool_limit_bytes),
        ),
        Column::new("view_limit_bytes", "View space at most.", Get::Int(|r| r.view_limit_bytes)),
        Column::new("commit_bytes", "Commit charge.", Get::Int(|r| r.commit_bytes)),
        Column::new(
            "pool_failures",
            "Pool allocations that failed.",
            Get::Int(|r| r.pool_failures),
        ),
        Column::new("view_failures", "View mappings that failed.", Get::Int(|r| r.view_failures)),
    ],
};
