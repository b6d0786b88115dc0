//! `exception`: exception records.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Exception;

pub(super) static TABLE: TableDef<Exception> = TableDef {
    doc: "One row for each exception that the dump records.",
    answers: ".exr, .ecxr",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT code, name, address, symbol, description FROM exception",
        doc: "What happened, and where.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::hex(|c| c.code, "Exception code.", Get::Int(|r| r.code)),
        Column::new(|c| c.name, "Name of the exception code.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.address, "Where it happened.", Get::Addr(|r| r.address)),
        Column::new(
            |c| c.symbol,
            "Symbol there, or the module and offset.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::hex(|c| c.flags, "Exception flags.", Get::Int(|r| r.flags)),
        Column::new(
            |c| c.is_continuable,
            "Whether execution could have gone on.",
            Get::Bool(|r| r.is_continuable),
        ),
        Column::new(
            |c| c.parameters,
            "Parameters in hex, separated by blanks.",
            Get::Text(|r| text(&r.parameters)),
        ),
        Column::new(|c| c.ethread, "Thread object, in kernel dumps.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Id of the thread.", Get::Int(|r| r.tid)),
        Column::new(|c| c.is_clr, "Whether the .NET runtime raised it.", Get::Bool(|r| r.is_clr)),
        Column::new(
            |c| c.description,
            "What the parameters say, such as `read of 0x0000000000000010`.",
            Get::Text(|r| text(&r.description)),
        ),
        Column::new(
            |c| c.culprit_module,
            "Module that is to blame, as far as the dump tells; the bug check's own frames and Microsoft's core modules are passed over as long as another one is there.",
            Get::Text(|r| text(&r.culprit_module)),
        ),
        Column::new(
            |c| c.culprit_symbol,
            "Symbol in it, or the module and offset.",
            Get::Text(|r| text(&r.culprit_symbol)),
        ),
        Column::new(
            |c| c.culprit_frame,
            "Number of its frame on the stack of the crash, if it has one there.",
            Get::Int(|r| r.culprit_frame),
        ),
        Column::new(
            |c| c.culprit_reason,
            "Rule that decided, such as `first frame outside the kernel after the trap frame`.",
            Get::Text(|r| text(&r.culprit_reason)),
        ),
    ],
};
