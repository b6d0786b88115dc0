//! `driver_dispatch`: one row for each dispatch routine of each driver object.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Dispatch;

pub(super) static TABLE: TableDef<Dispatch> = TableDef {
    doc: "One row for each dispatch routine of each driver object.",
    answers: "!drvobj 2",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT driver, major_name, symbol FROM driver_dispatch WHERE is_outside_module",
        doc: "Dispatch routines outside the driver's own image.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(
            |c| c.driver_object,
            "Address of the `_DRIVER_OBJECT`.",
            Get::Addr(|r| r.driver_object),
        ),
        Column::new(|c| c.driver, "Name of the driver.", Get::Text(|r| text(&r.driver))),
        Column::new(|c| c.major, "Major function code.", Get::Int(|r| r.major)),
        Column::new(
            |c| c.major_name,
            "Its name (`IRP_MJ_READ`).",
            Get::Text(|r| text(&r.major_name)),
        ),
        Column::new(|c| c.address, "Address of the routine.", Get::Addr(|r| r.address)),
        Column::new(|c| c.symbol, "Symbol of the routine.", Get::Text(|r| text(&r.symbol))),
        Column::new(
            |c| c.is_outside_module,
            "Whether the routine is neither in the driver's image nor in the kernel.",
            Get::Bool(|r| r.is_outside_module),
        ),
    ],
};
