//! `processes`: the processes of the system.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Process;

pub(super) static TABLE: TableDef<Process> = TableDef {
    doc: "One row for each process that the dump knows.",
    answers: "!process, pslist",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT pid, name, create_time FROM processes ORDER BY create_time",
        doc: "Processes in the order of their creation.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.eprocess, "Address of the `_EPROCESS`.", Get::Addr(|r| r.eprocess)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.ppid, "Id of the process that created it.", Get::Int(|r| r.ppid)),
        Column::new(
            |c| c.name,
            "Image name; kernels keep the first 15 characters.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(|c| c.path, "Full path of the image.", Get::Text(|r| text(&r.path))),
        Column::new(|c| c.command_line, "Command line.", Get::Text(|r| text(&r.command_line))),
        Column::new(|c| c.session, "Session id.", Get::Int(|r| r.session)),
        Column::new(
            |c| c.is_wow64,
            "Whether it is a 32-bit process on a 64-bit system.",
            Get::Bool(|r| r.is_wow64),
        ),
        Column::new(|c| c.dtb, "Page directory base.", Get::Addr(|r| r.dtb)),
        Column::new(|c| c.peb, "Address of the process environment block.", Get::Addr(|r| r.peb)),
        Column::new(
            |c| c.object_table,
            "Address of the handle table.",
            Get::Addr(|r| r.object_table),
        ),
        Column::new(|c| c.handle_count, "Number of handles.", Get::Int(|r| r.handle_count)),
        Column::new(|c| c.thread_count, "Number of threads.", Get::Int(|r| r.thread_count)),
        Column::new(
            |c| c.create_time,
            "When it was created, in UTC.",
            Get::Time(|r| r.create_time),
        ),
        Column::new(|c| c.exit_time, "When it ended, in UTC.", Get::Time(|r| r.exit_time)),
        Column::new(
            |c| c.user_time_ms,
            "Processor time in user mode.",
            Get::Int(|r| r.user_time_ms),
        ),
        Column::new(
            |c| c.kernel_time_ms,
            "Processor time in kernel mode.",
            Get::Int(|r| r.kernel_time_ms),
        ),
        Column::new(|c| c.working_set_bytes, "Working set.", Get::Int(|r| r.working_set_bytes)),
        Column::new(
            |c| c.peak_working_set_bytes,
            "Peak working set.",
            Get::Int(|r| r.peak_working_set_bytes),
        ),
        Column::new(|c| c.private_bytes, "Private memory.", Get::Int(|r| r.private_bytes)),
        Column::new(|c| c.commit_bytes, "Commit charge.", Get::Int(|r| r.commit_bytes)),
        Column::new(|c| c.virtual_bytes, "Address space in use.", Get::Int(|r| r.virtual_bytes)),
        Column::new(|c| c.page_faults, "Page faults.", Get::Int(|r| r.page_faults)),
        Column::new(|c| c.base_priority, "Base priority.", Get::Int(|r| r.base_priority)),
        Column::new(|c| c.token, "Address of the primary token.", Get::Addr(|r| r.token)),
        Column::new(|c| c.job, "Address of the job object.", Get::Addr(|r| r.job)),
        Column::new(
            |c| c.vad_root,
            "Address of the root of the VAD tree.",
            Get::Addr(|r| r.vad_root),
        ),
        Column::new(
            |c| c.paged_quota_bytes,
            "Paged pool quota charged.",
            Get::Int(|r| r.paged_quota_bytes),
        ),
        Column::new(
            |c| c.nonpaged_quota_bytes,
            "Nonpaged pool quota charged.",
            Get::Int(|r| r.nonpaged_quota_bytes),
        ),
    ],
};
