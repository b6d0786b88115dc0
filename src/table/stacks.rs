//! `stacks`: one row for each frame of each stack, the innermost first.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Frame;

pub(super) static TABLE: TableDef<Frame> = TableDef {
    doc: "One row for each frame of each stack, the innermost first.",
    answers: "k, kv, ~*k, !stacks 2",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT module, count(*) FROM stacks WHERE frame = 0 GROUP BY 1 ORDER BY 2 DESC",
        doc: "The modules on top of stacks.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.ethread,
            "Address of the `_ETHREAD`, in kernel dumps.",
            Get::Addr(|r| r.ethread),
        ),
        Column::new(|c| c.tid, "Thread id.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(
            |c| c.frame,
            "Number of the frame, 0 for the innermost.",
            Get::Int(|r| r.frame),
        ),
        Column::new(
            |c| c.sp,
            "Stack pointer or frame pointer of the frame, as debuggers print it.",
            Get::Addr(|r| r.sp),
        ),
        Column::new(|c| c.ip, "Instruction pointer.", Get::Addr(|r| r.ip)),
        Column::new(
            |c| c.return_address,
            "Return address of the frame.",
            Get::Addr(|r| r.return_address),
        ),
        Column::new(|c| c.module, "Module of the instruction.", Get::Text(|r| text(&r.module))),
        Column::new(
            |c| c.symbol,
            "`module!function`, or `module+offset` without symbols.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(|c| c.offset, "Bytes from the symbol.", Get::Int(|r| r.offset)),
        Column::new(|c| c.source_file, "Source file.", Get::Text(|r| text(&r.source_file))),
        Column::new(|c| c.line, "Line in the source file.", Get::Int(|r| r.line)),
        Column::new(
            |c| c.arg1,
            "First argument, or the word where it would be.",
            Get::Addr(|r| r.arg1),
        ),
        Column::new(|c| c.arg2, "Second argument.", Get::Addr(|r| r.arg2)),
        Column::new(|c| c.arg3, "Third argument.", Get::Addr(|r| r.arg3)),
        Column::new(|c| c.arg4, "Fourth argument.", Get::Addr(|r| r.arg4)),
        Column::new(
            |c| c.trust,
            "How the frame was found: `context`, `unwind`, `frame_pointer`, `scan`, `trap_frame`.",
            Get::Text(|r| text(&r.trust)),
        ),
        Column::new(
            |c| c.is_inline,
            "Whether the function is inlined into its caller.",
            Get::Bool(|r| r.is_inline),
        ),
        Column::new(
            |c| c.is_wow64,
            "Whether it is a frame of 32-bit code in a 64-bit process; these frames follow those of the WoW64 layer.",
            Get::Bool(|r| r.is_wow64),
        ),
    ],
};
