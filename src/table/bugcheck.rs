//! `bugcheck`: the bug check of a kernel dump.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Bugcheck;

pub(super) static TABLE: TableDef<Bugcheck> = TableDef {
    doc: "One row for each kernel dump that records a bug check: the code, its four parameters and what they mean.",
    answers: ".bugcheck, !analyze",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT code, name, p1, p2, p3, p4 FROM bugcheck",
            doc: "The bug check and its parameters.",
        },
        Example {
            sql: "SELECT bucket_id, count(*) FROM bugcheck GROUP BY ALL ORDER BY 2 DESC",
            doc: "Equal crashes over a folder of dumps.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::hex(|c| c.code, "Bug check code.", Get::Int(|r| r.code)),
        Column::new(|c| c.name, "Name of the bug check code.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.p1, "First parameter.", Get::Addr(|r| r.p1)),
        Column::new(|c| c.p2, "Second parameter.", Get::Addr(|r| r.p2)),
        Column::new(|c| c.p3, "Third parameter.", Get::Addr(|r| r.p3)),
        Column::new(|c| c.p4, "Fourth parameter.", Get::Addr(|r| r.p4)),
        Column::new(
            |c| c.p1_description,
            "What the first parameter means, where documented.",
            Get::Text(|r| text(&r.p1_description)),
        ),
        Column::new(
            |c| c.p2_description,
            "What the second parameter means, where documented.",
            Get::Text(|r| text(&r.p2_description)),
        ),
        Column::new(
            |c| c.p3_description,
            "What the third parameter means, where documented.",
            Get::Text(|r| text(&r.p3_description)),
        ),
        Column::new(
            |c| c.p4_description,
            "What the fourth parameter means, where documented.",
            Get::Text(|r| text(&r.p4_description)),
        ),
        Column::new(|c| c.ethread, "Thread that was running.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.process, "Name of its process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.module, "Module that is to blame.", Get::Text(|r| text(&r.module))),
        Column::new(
            |c| c.symbol,
            "Symbol in it that is to blame, or the module and offset.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(
            |c| c.bucket_id,
            "Short text that equal crashes share, whatever the build of the kernel: code, exception or kind, and the place in the culprit.",
            Get::Text(|r| text(&r.bucket_id)),
        ),
        Column::new(
            |c| c.culprit_module,
            "Module that is to blame, as far as the dump tells, or `hardware`, or the process that died; the bug check's own frames and Microsoft's modules are passed over as long as another one is there.",
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
