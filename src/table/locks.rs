//! `locks`: one row for each executive resource (`_ERESOURCE`).

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Lock;

pub(super) static TABLE: TableDef<Lock> = TableDef {
    doc: "One row for each executive resource (`_ERESOURCE`).",
    answers: "!locks",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT symbol, contention_count, shared_waiters, exclusive_waiters FROM locks ORDER BY 2 DESC",
        doc: "The resources with waiting threads.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.resource, "Address of the `_ERESOURCE`.", Get::Addr(|r| r.resource)),
        Column::new(|c| c.symbol, "Symbol at the address.", Get::Text(|r| text(&r.symbol))),
        Column::new(|c| c.state, "`free`, `shared`, `exclusive`.", Get::Text(|r| text(&r.state))),
        Column::new(|c| c.active_count, "How many times it is held.", Get::Int(|r| r.active_count)),
        Column::new(|c| c.owner_count, "Threads that hold it.", Get::Int(|r| r.owner_count)),
        Column::new(
            |c| c.contention_count,
            "How many times a thread had to wait for it.",
            Get::Int(|r| r.contention_count),
        ),
        Column::new(
            |c| c.shared_waiters,
            "Threads that wait for shared access.",
            Get::Int(|r| r.shared_waiters),
        ),
        Column::new(
            |c| c.exclusive_waiters,
            "Threads that wait for exclusive access.",
            Get::Int(|r| r.exclusive_waiters),
        ),
        Column::hex(|c| c.flags, "Flags.", Get::Int(|r| r.flags)),
    ],
};
