//! `pool_faults`: one row for each corrupt pool page, and for each invalid header in it.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PoolFault;

pub(super) static TABLE: TableDef<PoolFault> = TableDef {
    doc: "One row for each pool page that the debugger reports as corrupt, and for each invalid header in it.",
    answers: "!poolval",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT page, address, fault, found, expected FROM pool_faults",
        doc: "The corruption that was found in the pool.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.page, "The page.", Get::Addr(|r| r.page)),
        Column::new(
            |c| c.pool_type,
            "Pool that the page belongs to.",
            Get::Text(|r| text(&r.pool_type)),
        ),
        Column::new(
            |c| c.address,
            "Address of the header that is wrong; of the page as a whole, none.",
            Get::Addr(|r| r.address),
        ),
        Column::new(
            |c| c.fault,
            "Description, as the debugger prints it.",
            Get::Text(|r| text(&r.fault)),
        ),
        Column::hex(|c| c.found, "Number that stands in the header.", Get::Int(|r| r.found)),
        Column::hex(|c| c.expected, "Number that should stand there.", Get::Int(|r| r.expected)),
    ],
};
