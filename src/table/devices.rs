//! `devices`: one row for each device object.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Device;

pub(super) static TABLE: TableDef<Device> = TableDef {
    doc: "One row for each device object.",
    answers: "!devobj, !devstack, !devnode",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT driver, count(*) FROM devices GROUP BY 1 ORDER BY 2 DESC",
        doc: "Devices by driver.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.device_object,
            "Address of the `_DEVICE_OBJECT`.",
            Get::Addr(|r| r.device_object),
        ),
        Column::new(|c| c.name, "Name of the device.", Get::Text(|r| text(&r.name))),
        Column::new(
            |c| c.driver_object,
            "Address of the `_DRIVER_OBJECT`.",
            Get::Addr(|r| r.driver_object),
        ),
        Column::new(|c| c.driver, "Name of the driver.", Get::Text(|r| text(&r.driver))),
        Column::new(|c| c.device_type, "Type, as in `FILE_DEVICE_…`.", Get::Int(|r| r.device_type)),
        Column::hex(|c| c.flags, "Flags (`DO_…`).", Get::Int(|r| r.flags)),
        Column::hex(
            |c| c.characteristics,
            "Characteristics (`FILE_…`).",
            Get::Int(|r| r.characteristics),
        ),
        Column::new(
            |c| c.device_extension,
            "Address of the device extension.",
            Get::Addr(|r| r.device_extension),
        ),
        Column::new(
            |c| c.attached_device_object,
            "Device that is attached on top of it.",
            Get::Addr(|r| r.attached_device_object),
        ),
        Column::new(
            |c| c.attached_to,
            "Device that it is attached to.",
            Get::Addr(|r| r.attached_to),
        ),
        Column::new(
            |c| c.stack_depth,
            "Position in its device stack, 0 for the lowest.",
            Get::Int(|r| r.stack_depth),
        ),
        Column::new(
            |c| c.lowest_device_object,
            "Lowest device of its stack, the same for all of them.",
            Get::Addr(|r| r.lowest_device_object),
        ),
        Column::new(|c| c.reference_count, "References.", Get::Int(|r| r.reference_count)),
        Column::new(
            |c| c.current_irp,
            "IRP that the StartIo routine is processing.",
            Get::Addr(|r| r.current_irp),
        ),
        Column::new(
            |c| c.queue_length,
            "Entries in its device queue.",
            Get::Int(|r| r.queue_length),
        ),
        Column::new(
            |c| c.device_node,
            "Address of the `_DEVICE_NODE`, of physical devices.",
            Get::Addr(|r| r.device_node),
        ),
        Column::new(
            |c| c.instance_path,
            "Instance path of the device node.",
            Get::Text(|r| text(&r.instance_path)),
        ),
        Column::new(|c| c.service, "Service of the device node.", Get::Text(|r| text(&r.service))),
    ],
};
