//! `timers`: one row for each timer in the timer tables.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Timer;

/// The table.
pub(super) static TABLE: TableDef<Timer> = TableDef {
    name: "timers",
    doc: "One row for each timer in the timer tables.",
    answers: "!timer",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT routine_symbol, count(*) FROM timers GROUP BY 1 ORDER BY 2 DESC",
        doc: "Timers by routine.",
    }],
    rows: Rows::Source(|source, want, emit| source.timers(want, emit)),
    columns: &[
        Column::new("processor", "Processor of the timer table.", Get::Int(|r| r.processor)),
        Column::new("list", "Number of the list in the table.", Get::Int(|r| r.list)),
        Column::new("timer", "Address of the `_KTIMER`.", Get::Addr(|r| r.timer)),
        Column::new(
            "due",
            "When it is due, in interrupt time of 100 ns units.",
            Get::Addr(|r| r.due),
        ),
        Column::new(
            "due_time",
            "When it is due, in UTC as far as the zone is known.",
            Get::Time(|r| r.due_time),
        ),
        Column::new("is_periodic", "Whether it starts again.", Get::Bool(|r| r.is_periodic)),
        Column::new("period_ms", "The period.", Get::Int(|r| r.period_ms)),
        Column::new("dpc", "Address of the `_KDPC` that it queues.", Get::Addr(|r| r.dpc)),
        Column::new("routine", "Address of the routine of that call.", Get::Addr(|r| r.routine)),
        Column::new(
            "routine_symbol",
            "Symbol of the routine.",
            Get::Text(|r| text(&r.routine_symbol)),
        ),
        Column::new("ethread", "Thread whose own timer it is.", Get::Addr(|r| r.ethread)),
    ],
};
