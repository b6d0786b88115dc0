//! `drivers`: one row for each driver object.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Driver;

pub(super) static TABLE: TableDef<Driver> = TableDef {
    doc: "One row for each driver object.",
    answers: "!drvobj",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT driver, start, size_bytes, device_count FROM drivers",
        doc: "The drivers and how many devices each has.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.driver_object,
            "Address of the `_DRIVER_OBJECT`.",
            Get::Addr(|r| r.driver_object),
        ),
        Column::new(|c| c.driver, "Name (`\\Driver\\Ntfs`).", Get::Text(|r| text(&r.driver))),
        Column::new(|c| c.service_key, "Name of the service.", Get::Text(|r| text(&r.service_key))),
        Column::new(|c| c.start, "Base of the image.", Get::Addr(|r| r.start)),
        Column::new(|c| c.size_bytes, "Size of the image.", Get::Int(|r| r.size_bytes)),
        Column::new(|c| c.init, "Address of the entry point.", Get::Addr(|r| r.init)),
        Column::new(
            |c| c.init_symbol,
            "Symbol of the entry point.",
            Get::Text(|r| text(&r.init_symbol)),
        ),
        Column::new(|c| c.start_io, "Address of the StartIo routine.", Get::Addr(|r| r.start_io)),
        Column::new(
            |c| c.start_io_symbol,
            "Symbol of the StartIo routine.",
            Get::Text(|r| text(&r.start_io_symbol)),
        ),
        Column::new(|c| c.unload, "Address of the unload routine.", Get::Addr(|r| r.unload)),
        Column::new(
            |c| c.unload_symbol,
            "Symbol of the unload routine.",
            Get::Text(|r| text(&r.unload_symbol)),
        ),
        Column::new(
            |c| c.add_device,
            "Address of the AddDevice routine.",
            Get::Addr(|r| r.add_device),
        ),
        Column::new(
            |c| c.add_device_symbol,
            "Symbol of the AddDevice routine.",
            Get::Text(|r| text(&r.add_device_symbol)),
        ),
        Column::new(|c| c.device_count, "Number of its devices.", Get::Int(|r| r.device_count)),
        Column::new(|c| c.module, "Module of the image.", Get::Text(|r| text(&r.module))),
        Column::new(
            |c| c.is_listed,
            "Whether an object directory lists it; the others were found only in the pool.",
            Get::Bool(|r| r.is_listed),
        ),
    ],
};
