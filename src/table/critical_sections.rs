//! `critical_sections`: one row for each critical section of a process.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::CriticalSection;

pub(super) static TABLE: TableDef<CriticalSection> = TableDef {
    doc: "One row for each critical section of a process.",
    answers: "!locks (user), !cs",
    kinds: &[SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT symbol, owner_tid, contention_count FROM critical_sections WHERE is_locked",
        doc: "The sections that are held.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "Address of the section.", Get::Addr(|r| r.address)),
        Column::new(|c| c.symbol, "Symbol at the address.", Get::Text(|r| text(&r.symbol))),
        Column::new(|c| c.lock_count, "`LockCount` as recorded.", Get::Int(|r| r.lock_count)),
        Column::new(
            |c| c.recursion_count,
            "How many times the owner holds it.",
            Get::Int(|r| r.recursion_count),
        ),
        Column::new(|c| c.owner_tid, "Thread that holds it.", Get::Int(|r| r.owner_tid)),
        Column::new(|c| c.entry_count, "Entries so far.", Get::Int(|r| r.entry_count)),
        Column::new(
            |c| c.contention_count,
            "How many times a thread had to wait for it.",
            Get::Int(|r| r.contention_count),
        ),
        Column::new(|c| c.is_locked, "Whether it is held.", Get::Bool(|r| r.is_locked)),
        Column::new(
            |c| c.lock_semaphore,
            "Event that waiters wait for.",
            Get::Addr(|r| r.lock_semaphore),
        ),
        Column::new(|c| c.spin_count, "Spin count.", Get::Int(|r| r.spin_count)),
        Column::new(
            |c| c.debug_info,
            "Address of the debug information.",
            Get::Addr(|r| r.debug_info),
        ),
    ],
};
