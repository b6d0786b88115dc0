//! `wait_objects`: one row for each object that a waiting thread waits for.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WaitObject;

/// The table.
pub(super) static TABLE: TableDef<WaitObject> = TableDef {
    name: "wait_objects",
    doc: "One row for each object that a waiting thread waits for.",
    answers: "!thread",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, type, count(*) FROM wait_objects GROUP BY ALL ORDER BY 3 DESC",
        doc: "What threads wait for, by number.",
    }],
    rows: Rows::Source(|source, want, emit| source.wait_objects(want, emit)),
    columns: &[
        Column::new("ethread", "Address of the waiting `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new("tid", "Thread id.", Get::Int(|r| r.tid)),
        Column::new("pid", "Process id.", Get::Int(|r| r.pid)),
        Column::new("process", "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            "index",
            "Position among the wait blocks of the thread, from 0.",
            Get::Int(|r| r.index),
        ),
        Column::new("object", "Address of the object.", Get::Addr(|r| r.object)),
        Column::new(
            "type",
            "Type of the object (`SynchronizationEvent`, `Mutant`, `Thread`).",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(
            "name",
            "Name of the object, or the symbol at its address.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new("wait_type", "`WaitAny` or `WaitAll`.", Get::Text(|r| text(&r.wait_type))),
        Column::new(
            "owner_ethread",
            "Thread that owns the object, or the lock that it serves; NULL where several share that.",
            Get::Addr(|r| r.owner_ethread),
        ),
        Column::new(
            "lock",
            "Address of the lock that the object serves: of a mutex that it is a part of, or of the one that the thread notes.",
            Get::Addr(|r| r.lock),
        ),
        Column::new(
            "lock_type",
            "Type of that lock: `PushLock`, `Resource`, `FastMutex`, `GuardedMutex`.",
            Get::Text(|r| text(&r.lock_kind)),
        ),
    ],
};
