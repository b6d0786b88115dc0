//! `irps`: one row for each I/O request packet.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Irp;

pub(super) static TABLE: TableDef<Irp> = TableDef {
    doc: "One row for each I/O request packet (IRP).",
    answers: "!irpfind, !irp, !thread",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT driver, count(*) FROM irps WHERE NOT is_completed GROUP BY 1 ORDER BY 2 DESC",
        doc: "The drivers that have the most IRPs in progress.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.irp, "Address of the `_IRP`.", Get::Addr(|r| r.irp)),
        Column::new(
            |c| c.found_in,
            "Where it was found: `thread`, `device`, `pool`; several are separated by a space.",
            Get::Text(|r| text(&r.found_in)),
        ),
        Column::new(|c| c.ethread, "Thread that issued it.", Get::Addr(|r| r.ethread)),
        Column::new(|c| c.tid, "Id of that thread.", Get::Int(|r| r.tid)),
        Column::new(|c| c.pid, "Id of the thread's process.", Get::Int(|r| r.pid)),
        Column::new(
            |c| c.process,
            "Name of the thread's process.",
            Get::Text(|r| text(&r.process)),
        ),
        Column::new(|c| c.stack_count, "Number of stack locations.", Get::Int(|r| r.stack_count)),
        Column::new(
            |c| c.current_location,
            "Number of the current stack location; greater than the stack count after completion.",
            Get::Int(|r| r.current_location),
        ),
        Column::new(|c| c.is_completed, "Whether it is completed.", Get::Bool(|r| r.is_completed)),
        Column::new(
            |c| c.major,
            "Major function code of the current stack location.",
            Get::Int(|r| r.major),
        ),
        Column::new(|c| c.minor, "Minor function code.", Get::Int(|r| r.minor)),
        Column::new(
            |c| c.major_name,
            "Name of the major function.",
            Get::Text(|r| text(&r.major_name)),
        ),
        Column::new(
            |c| c.minor_name,
            "Name of the minor function, where the major one has any.",
            Get::Text(|r| text(&r.minor_name)),
        ),
        Column::new(|c| c.device_object, "Device that has it.", Get::Addr(|r| r.device_object)),
        Column::new(|c| c.driver_object, "Driver of that device.", Get::Addr(|r| r.driver_object)),
        Column::new(|c| c.driver, "Name of that driver.", Get::Text(|r| text(&r.driver))),
        Column::new(|c| c.file_object, "File that it is for.", Get::Addr(|r| r.file_object)),
        Column::new(|c| c.file_name, "Name of the file.", Get::Text(|r| text(&r.file_name))),
        Column::new(|c| c.mdl, "Address of the `_MDL`.", Get::Addr(|r| r.mdl)),
        Column::new(
            |c| c.mdl_process,
            "Process that owns the pages of the MDL.",
            Get::Addr(|r| r.mdl_process),
        ),
        Column::hex(|c| c.flags, "Flags (`IRP_…`).", Get::Int(|r| r.flags)),
        Column::new(
            |c| c.is_cancelled,
            "Whether cancellation was requested (`_IRP.Cancel`).",
            Get::Bool(|r| r.is_cancelled),
        ),
        Column::new(
            |c| c.is_pending,
            "Whether the current stack location is marked pending.",
            Get::Bool(|r| r.is_pending),
        ),
        Column::new(
            |c| c.cancel_routine,
            "Address of the cancel routine.",
            Get::Addr(|r| r.cancel_routine),
        ),
        Column::new(
            |c| c.cancel_symbol,
            "Symbol of the cancel routine.",
            Get::Text(|r| text(&r.cancel_symbol)),
        ),
        Column::new(
            |c| c.user_event,
            "Event that is set when it completes.",
            Get::Addr(|r| r.user_event),
        ),
        Column::new(
            |c| c.system_buffer,
            "Address of the system buffer.",
            Get::Addr(|r| r.system_buffer),
        ),
        Column::hex(|c| c.status, "Status of the request.", Get::Int(|r| r.status)),
        Column::new(
            |c| c.information,
            "`Information` of the I/O status block.",
            Get::Addr(|r| r.information),
        ),
        Column::new(
            |c| c.age_ms,
            "Age, if the thread waits for an event that the completion sets: the time since that wait began.",
            Get::Int(|r| r.age_ms),
        ),
    ],
};
