//! `raw_stack`: one row for each word of memory that may be a pointer, lowest address first.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::StackWord;

pub(super) static TABLE: TableDef<StackWord> = TableDef {
    doc: "One row for each word of a stack, or in a log of any memory that is shown as pointers (`dps`), lowest address first.",
    answers: "dps, dds, dqs",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT address, value, symbol FROM raw_stack WHERE symbol IS NOT NULL",
        doc: "The words that point into modules.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.ethread,
            "Address of the `_ETHREAD` whose stack it is, in kernel dumps.",
            Get::Addr(|r| r.ethread),
        ),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.address, "Address of the word.", Get::Addr(|r| r.address)),
        Column::new(|c| c.value, "The word.", Get::Addr(|r| r.value)),
        Column::new(
            |c| c.symbol,
            "Symbol that the word points to.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(
            |c| c.is_return_address,
            "Whether the word is the address after a call instruction.",
            Get::Bool(|r| r.is_return_address),
        ),
        Column::new(
            |c| c.ascii,
            "Bytes of the word as printable ASCII, if at least four are.",
            Get::Text(|r| text(&r.ascii)),
        ),
        Column::new(
            |c| c.utf16,
            "Bytes of the word as printable UTF-16, if at least two are.",
            Get::Text(|r| text(&r.utf16)),
        ),
        Column::new(|c| c.string, "Text that the word points to.", Get::Text(|r| text(&r.string))),
    ],
};
