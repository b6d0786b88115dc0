//! `pool_allocations`: one row for each block of pool.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PoolBlock;

pub(super) static TABLE: TableDef<PoolBlock> = TableDef {
    doc: "One row for each block of pool. In a kernel dump the pools are searched; damaged headers do not hide the blocks around them.",
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
            "Size of the previous block, from the header.",
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
            "`allocated`, `free`, `damaged`, or `protected`: allocated and to be freed with its tag.",
            Get::Text(|r| text(&r.state)),
        ),
        Column::new(|c| c.eprocess, "Process that is charged.", Get::Addr(|r| r.eprocess)),
        Column::new(|c| c.process, "Name of that process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.page, "Page of the block.", Get::Addr(|r| r.page)),
        Column::new(|c| c.is_big, "Whether it takes whole pages.", Get::Bool(|r| r.is_big)),
        Column::new(|c| c.session, "Session whose pool it is in.", Get::Int(|r| r.session)),
        Column::new(
            |c| c.found_by,
            "How it was found: by the chain of `headers` in its page, in the `big table`, in a subsegment of a segment heap (`VS`, `LFH`), or by a `search` for bytes that look like a header, which also finds freed blocks.",
            Get::Text(|r| text(&r.found_by)),
        ),
        Column::new(|c| c.description, "What the tag is for.", Get::Text(|r| text(&r.description))),
    ],
};
