//! `registers`: the context records that the dump holds.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Register;

pub(super) static TABLE: TableDef<Register> = TableDef {
    doc: "One row for each register of each context record in the dump.",
    answers: "r",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT name, value, symbol FROM registers WHERE is_in_module",
            doc: "Registers that point into a module.",
        },
        Example {
            sql: "SELECT name, value, ascii, utf16 FROM registers WHERE ascii IS NOT NULL OR utf16 IS NOT NULL",
            doc: "Registers that hold text where a pointer or a number belongs: a sign of a buffer overflow.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.ethread,
            "Thread object of the context, in kernel dumps.",
            Get::Addr(|r| r.ethread),
        ),
        Column::new(|c| c.tid, "Id of the thread of the context.", Get::Int(|r| r.tid)),
        Column::new(|c| c.processor, "Processor of the context.", Get::Int(|r| r.processor)),
        Column::new(
            |c| c.name,
            "Name of the register, as debuggers print it.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(
            |c| c.value,
            "Value; the low 64 bits of wider registers.",
            Get::Addr(|r| r.value),
        ),
        Column::new(
            |c| c.symbol,
            "Symbol that the value points to, or the module and offset.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(
            |c| c.ascii,
            "The bytes of the value as ASCII, where four or more are printable.",
            Get::Text(|r| text(&r.ascii)),
        ),
        Column::new(
            |c| c.utf16,
            "The bytes of the value as UTF-16, where two or more characters are printable.",
            Get::Text(|r| text(&r.utf16)),
        ),
        Column::new(
            |c| c.is_in_module,
            "Whether the value lies in a loaded module.",
            Get::Bool(|r| r.is_in_module),
        ),
    ],
};
