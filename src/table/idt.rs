//! `idt`: one row for each handler of each interrupt vector of each processor.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::InterruptVector;

pub(super) static TABLE: TableDef<InterruptVector> = TableDef {
    doc: "One row for each handler of each interrupt vector of each processor.",
    answers: "!idt",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT vector, symbol FROM idt WHERE is_outside_module",
        doc: "Interrupts that drivers handle.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.processor, "Processor.", Get::Int(|r| r.processor)),
        Column::hex(|c| c.vector, "Number of the vector.", Get::Int(|r| r.vector)),
        Column::new(
            |c| c.address,
            "Address of the handler; for an interrupt object, its service routine.",
            Get::Addr(|r| r.address),
        ),
        Column::new(|c| c.module, "Module of the handler.", Get::Text(|r| text(&r.module))),
        Column::new(|c| c.symbol, "Symbol of the handler.", Get::Text(|r| text(&r.symbol))),
        Column::new(
            |c| c.interrupt_object,
            "Address of the `_KINTERRUPT`.",
            Get::Addr(|r| r.interrupt_object),
        ),
        Column::new(
            |c| c.is_outside_module,
            "Whether the handler is outside the kernel's images.",
            Get::Bool(|r| r.is_outside_module),
        ),
    ],
};
