//! `page_table`: the page table entries that translate an address.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::PageTableEntry;

pub(super) static TABLE: TableDef<PageTableEntry> = TableDef {
    doc: "One row for each page table entry of an address translation.",
    answers: "!pte",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT address, pfn, flags FROM page_table WHERE level = 'PTE'",
        doc: "The pages that addresses are in.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "The address that is translated.", Get::Addr(|r| r.address)),
        Column::new(
            |c| c.level,
            "Level of the table: `PXE`, `PPE`, `PDE` or `PTE`.",
            Get::Text(|r| text(&r.level)),
        ),
        Column::new(|c| c.entry, "Where the entry stands.", Get::Addr(|r| r.entry)),
        Column::new(|c| c.contents, "What the entry contains.", Get::Addr(|r| r.contents)),
        Column::new(|c| c.pfn, "Number of the page that it leads to.", Get::Addr(|r| r.pfn)),
        Column::new(
            |c| c.flags,
            "Its bits as letters (`DA--KWEV`), or the debugger's text for an entry that is not valid.",
            Get::Text(|r| text(&r.flags)),
        ),
        Column::new(|c| c.is_valid, "Whether it leads to a page.", Get::Bool(|r| r.is_valid)),
        Column::new(
            |c| c.is_large_page,
            "Whether it maps a large page, so that no further table follows.",
            Get::Bool(|r| r.is_large_page),
        ),
    ],
};
