//! `wait_objects`: one row for each object that a waiting thread waits for.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::WaitObject;

pub(super) static TABLE: TableDef<WaitObject> = TableDef {
    doc: "One row for each object that a waiting thread waits for.",
    answers: "!thread",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, type, count(*) FROM wait_objects GROUP BY ALL ORDER BY 3 DESC",
        doc: "The objects that most threads wait for.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.ethread, "Address of the waiting `_ETHREAD`.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            |c| c.index,
            "Position among the wait blocks of the thread, from 0.",
            Get::Int(|r| r.index),
        ),
        Column::new(|c| c.object, "Address of the object.", Get::Addr(|r| r.object)),
        Column::new(
            |c| c.kind,
            "Type of the object (`SynchronizationEvent`, `Mutant`, `Thread`).",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(
            |c| c.name,
            "Name of the object, or the symbol at its address.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(|c| c.wait_type, "`WaitAny` or `WaitAll`.", Get::Text(|r| text(&r.wait_type))),
        Column::new(
            |c| c.owner_ethread,
            "Thread that owns the object or the lock that it belongs to; NULL if several share the lock.",
            Get::Addr(|r| r.owner_ethread),
        ),
        Column::new(
            |c| c.lock,
            "Address of the lock that the object serves: of a mutex that it is a part of, or of the one that the thread notes.",
            Get::Addr(|r| r.lock),
        ),
        Column::new(
            |c| c.lock_kind,
            "Type of that lock: `PushLock`, `Resource`, `FastMutex`, `GuardedMutex`.",
            Get::Text(|r| text(&r.lock_kind)),
        ),
    ],
};
