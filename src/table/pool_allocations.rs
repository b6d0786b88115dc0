//! `pool_allocations`: one row for each block of pool.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PoolBlock;

/// The table.
pub(super) static TABLE: TableDef<PoolBlock> = TableDef {
    doc: "One row for each block of pool. A kernel dump is searched for them; blocks around damaged headers are still listed.",
    answers: "!pool, !poolfind, !poolval",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT tag, count(*), sum(size_bytes) FROM pool_allocations GROUP BY 1 ORDER BY 3 DESC",
        doc: "Blocks by tag.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.address,
            "Address of the block, its header included.",
            Get::Addr(|r| r.address),
        ),
        Column::new(|c| c.size_bytes, "Size, header included.", Get::Int(|r| r.size_bytes)),
        Column::new(
            |c| c.previous_bytes,
            "Size of the block before it.",
            Get::Int(|r| r.previous_bytes),
        ),
        Column::new(|c| c.tag, "The tag, four characters.", Get::Text(|r| text(&r.tag))),
        Column::new(
            |c| c.pool_type,
            "`nonpaged`, `paged`, `session` and so on.",
            Get::Text(|r| text(&r.pool_type)),
        ),
        Column::new(
            |c| c.state,
            "`allocated`, `free`, `damaged`, and whether it is `protected` by its tag.",
            Get::Text(|r| text(&r.state)),
        ),
        Column::new(|c| c.eprocess, "Process that is charged.", Get::Addr(|r| r.eprocess)),
        Column::new(|c| c.process, "Name of that process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.page, "Page of the block.", Get::Addr(|r| r.page)),
        Column::new(|c| c.is_big, "Whether it takes whole pages.", Get::Bool(|r| r.is_big)),
        Column::new(|c| c.session, "Session whose pool it is in.", Get::Int(|r| r.session)),
        Column::new(
            |c| c.found_by,
            "How a dump shows it: `headers` of its page that lead to one another, the `big table`, a subsegment of a segment heap (`VS`, `LFH`), or the `search` for what looks like a header, which finds blocks that were freed as well.",
            Get::Text(|r| text(&r.found_by)),
        ),
        Column::new(|c| c.description, "What the tag is for.", Get::Text(|r| text(&r.description))),
    ],
};
