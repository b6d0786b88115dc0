//! `irp_stack`: one row for each stack location of each I/O request packet, the highest first.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::IrpLocation;

pub(super) static TABLE: TableDef<IrpLocation> = TableDef {
    doc: "One row for each stack location of each I/O request packet (IRP), the highest first.",
    answers: "!irp",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT irp, driver, major_name, completion_symbol FROM irp_stack WHERE is_current",
        doc: "The driver that has each IRP now.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.irp, "Address of the `_IRP`.", Get::Addr(|r| r.irp)),
        Column::new(
            |c| c.index,
            "Number of the stack location, from 1 for the lowest.",
            Get::Int(|r| r.index),
        ),
        Column::new(
            |c| c.is_current,
            "Whether it is the current one.",
            Get::Bool(|r| r.is_current),
        ),
        Column::new(|c| c.major, "Major function code.", Get::Int(|r| r.major)),
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
        Column::hex(|c| c.flags, "Flags.", Get::Int(|r| r.flags)),
        Column::hex(|c| c.control, "Control flags.", Get::Int(|r| r.control)),
        Column::new(|c| c.arg1, "First parameter.", Get::Addr(|r| r.arg1)),
        Column::new(|c| c.arg2, "Second parameter.", Get::Addr(|r| r.arg2)),
        Column::new(|c| c.arg3, "Third parameter.", Get::Addr(|r| r.arg3)),
        Column::new(|c| c.arg4, "Fourth parameter.", Get::Addr(|r| r.arg4)),
        Column::new(|c| c.device_object, "Device of the location.", Get::Addr(|r| r.device_object)),
        Column::new(|c| c.driver, "Name of the device's driver.", Get::Text(|r| text(&r.driver))),
        Column::new(|c| c.file_object, "File of the location.", Get::Addr(|r| r.file_object)),
        Column::new(|c| c.file_name, "Name of the file.", Get::Text(|r| text(&r.file_name))),
        Column::new(
            |c| c.completion_routine,
            "Address of the completion routine.",
            Get::Addr(|r| r.completion_routine),
        ),
        Column::new(
            |c| c.completion_symbol,
            "Symbol of the completion routine.",
            Get::Text(|r| text(&r.completion_symbol)),
        ),
        Column::new(
            |c| c.context,
            "Context argument of the completion routine.",
            Get::Addr(|r| r.context),
        ),
        Column::new(
            |c| c.completes_on,
            "When the routine is called: `success`, `error`, `cancel`, separated by spaces.",
            Get::Text(|r| text(&r.completes_on)),
        ),
    ],
};
