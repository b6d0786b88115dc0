//! `symbols`: one row for each symbol that was looked up, with its address.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::KnownSymbol;

pub(super) static TABLE: TableDef<KnownSymbol> = TableDef {
    doc: "One row for each symbol that was looked up, with its address.",
    answers: "x, ln",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT symbol, address FROM symbols WHERE module = 'nt'",
        doc: "Addresses of symbols.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "Address of the symbol.", Get::Addr(|r| r.address)),
        Column::new(|c| c.module, "Module.", Get::Text(|r| text(&r.module))),
        Column::new(|c| c.symbol, "The symbol with its module.", Get::Text(|r| text(&r.symbol))),
        Column::hex(
            |c| c.offset,
            "Offset of the requested address from the symbol.",
            Get::Int(|r| r.offset),
        ),
        Column::new(
            |c| c.kind,
            "Type or parameters, where they are printed.",
            Get::Text(|r| text(&r.kind)),
        ),
        Column::new(|c| c.value, "Value, where it is printed.", Get::Text(|r| text(&r.value))),
    ],
};
