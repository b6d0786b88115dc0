//! `processors`: one row for each processor.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Processor;

pub(super) static TABLE: TableDef<Processor> = TableDef {
    doc: "One row for each processor that the dump knows.",
    answers: "!running, !pcr, !prcb, ~",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT processor, current_ethread, is_idle, mhz, vendor FROM processors",
        doc: "The thread that each processor runs.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.processor, "Number, from 0.", Get::Int(|r| r.processor)),
        Column::new(|c| c.prcb, "Address of the `_KPRCB`.", Get::Addr(|r| r.prcb)),
        Column::new(|c| c.current_ethread, "Running thread.", Get::Addr(|r| r.current_ethread)),
        Column::new(
            |c| c.next_ethread,
            "Thread chosen to run next.",
            Get::Addr(|r| r.next_ethread),
        ),
        Column::new(|c| c.idle_ethread, "Idle thread.", Get::Addr(|r| r.idle_ethread)),
        Column::new(|c| c.is_idle, "Whether the idle thread runs.", Get::Bool(|r| r.is_idle)),
        Column::new(
            |c| c.current_process,
            "Name of the process of the running thread.",
            Get::Text(|r| text(&r.current_process)),
        ),
        Column::new(|c| c.irql, "Interrupt request level.", Get::Int(|r| r.irql)),
        Column::new(|c| c.dpc_queue_depth, "DPCs in the queue.", Get::Int(|r| r.dpc_queue_depth)),
        Column::new(|c| c.dpc_count, "DPCs since boot.", Get::Int(|r| r.dpc_count)),
        Column::new(|c| c.dpc_time_ms, "Time in DPCs.", Get::Int(|r| r.dpc_time_ms)),
        Column::new(
            |c| c.interrupt_count,
            "Interrupts since boot.",
            Get::Int(|r| r.interrupt_count),
        ),
        Column::new(
            |c| c.interrupt_time_ms,
            "Time in interrupts.",
            Get::Int(|r| r.interrupt_time_ms),
        ),
        Column::new(|c| c.user_time_ms, "Time in user mode.", Get::Int(|r| r.user_time_ms)),
        Column::new(|c| c.kernel_time_ms, "Time in kernel mode.", Get::Int(|r| r.kernel_time_ms)),
        Column::new(|c| c.mhz, "Clock frequency.", Get::Int(|r| r.mhz)),
        Column::new(|c| c.vendor, "Vendor.", Get::Text(|r| text(&r.vendor))),
        Column::new(
            |c| c.queued_locks,
            "Queued spin locks that it owns or waits for.",
            Get::Text(|r| text(&r.queued_locks)),
        ),
    ],
};
