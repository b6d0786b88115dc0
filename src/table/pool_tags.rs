//! `pool_tags`: one row for each pool tag.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PoolTag;

pub(super) static TABLE: TableDef<PoolTag> = TableDef {
    doc: "One row for each pool tag. For a kernel dump, session pool has separate rows, one for each tag of each session.",
    answers: "!poolused",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT tag, paged_bytes, description FROM pool_tags WHERE session IS NULL ORDER BY paged_bytes DESC LIMIT 10",
            doc: "The tags that use the most paged pool.",
        },
        Example {
            sql: "SELECT session, sum(paged_bytes) FROM pool_tags WHERE session IS NOT NULL GROUP BY 1",
            doc: "The session pool that each session uses.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.tag, "The tag, four characters.", Get::Text(|r| text(&r.tag))),
        Column::new(
            |c| c.nonpaged_allocs,
            "Allocations from the nonpaged pool.",
            Get::Int(|r| r.nonpaged_allocs),
        ),
        Column::new(
            |c| c.nonpaged_frees,
            "Frees to the nonpaged pool.",
            Get::Int(|r| r.nonpaged_frees),
        ),
        Column::new(
            |c| c.nonpaged_diff,
            "Allocations that were not freed.",
            Get::Int(|r| r.nonpaged_diff),
        ),
        Column::new(|c| c.nonpaged_bytes, "Bytes in use.", Get::Int(|r| r.nonpaged_bytes)),
        Column::new(
            |c| c.paged_allocs,
            "Allocations from the paged pool.",
            Get::Int(|r| r.paged_allocs),
        ),
        Column::new(|c| c.paged_frees, "Frees to the paged pool.", Get::Int(|r| r.paged_frees)),
        Column::new(
            |c| c.paged_diff,
            "Allocations that were not freed.",
            Get::Int(|r| r.paged_diff),
        ),
        Column::new(|c| c.paged_bytes, "Bytes in use.", Get::Int(|r| r.paged_bytes)),
        Column::new(|c| c.description, "What the tag is for.", Get::Text(|r| text(&r.description))),
        Column::new(
            |c| c.binary,
            "Driver or kernel component that uses the tag, if known.",
            Get::Text(|r| text(&r.binary)),
        ),
        Column::new(
            |c| c.owner_modules,
            "Loaded modules whose image contains the bytes of the tag.",
            Get::Text(|r| text(&r.owner_modules)),
        ),
        Column::new(
            |c| c.session,
            "Session whose table counts it; absent for the system's table.",
            Get::Int(|r| r.session),
        ),
    ],
};
