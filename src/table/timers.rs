//! `timers`: one row for each timer in the timer tables.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Timer;

pub(super) static TABLE: TableDef<Timer> = TableDef {
    doc: "One row for each timer in the timer tables.",
    answers: "!timer",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT routine_symbol, count(*) FROM timers GROUP BY 1 ORDER BY 2 DESC",
        doc: "Timers by routine.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.processor, "Processor of the timer table.", Get::Int(|r| r.processor)),
        Column::new(|c| c.list, "Number of the list in the table.", Get::Int(|r| r.list)),
        Column::new(|c| c.timer, "Address of the `_KTIMER`.", Get::Addr(|r| r.timer)),
        Column::new(
            |c| c.due,
            "When it is due, in interrupt time of 100 ns units.",
            Get::Addr(|r| r.due),
        ),
        Column::new(
            |c| c.due_time,
            "When it is due, in UTC if the time zone is known.",
            Get::Time(|r| r.due_time),
        ),
        Column::new(|c| c.is_periodic, "Whether it starts again.", Get::Bool(|r| r.is_periodic)),
        Column::new(|c| c.period_ms, "The period.", Get::Int(|r| r.period_ms)),
        Column::new(|c| c.dpc, "Address of the `_KDPC` that it queues.", Get::Addr(|r| r.dpc)),
        Column::new(
            |c| c.routine,
            "Address of the routine of that call.",
            Get::Addr(|r| r.routine),
        ),
        Column::new(
            |c| c.routine_symbol,
            "Symbol of the routine.",
            Get::Text(|r| text(&r.routine_symbol)),
        ),
        Column::new(|c| c.ethread, "Thread whose own timer it is.", Get::Addr(|r| r.ethread)),
    ],
};
