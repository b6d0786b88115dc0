//! `needed_symbols`: one row for each module, with the symbol file that it needs and the one that
//! was found.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::NeededSymbol;

pub(super) static TABLE: TableDef<NeededSymbol> = TableDef {
    doc: "One row for each module: the symbol file that it needs, and what was found.",
    answers: "(none)",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User],
    examples: &[Example {
        sql: "SELECT module, status, store_path FROM needed_symbols WHERE found_at IS NULL",
        doc: "The symbol files that are missing.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.module, "Name of the module.", Get::Text(|r| text(&r.module))),
        Column::new(|c| c.base, "Base of the module.", Get::Addr(|r| r.base)),
        Column::new(|c| c.pdb, "Name of the PDB file.", Get::Text(|r| text(&r.pdb))),
        Column::new(
            |c| c.guid,
            "GUID of the PDB, upper case without separators.",
            Get::Text(|r| text(&r.guid)),
        ),
        Column::new(|c| c.age, "Age of the PDB.", Get::Int(|r| r.age)),
        Column::new(
            |c| c.store_path,
            "Where a symbol store keeps the file, below its folder: `PDB/GUIDAGE/PDB`.",
            Get::Text(|r| text(&r.store_path)),
        ),
        Column::new(|c| c.found_at, "Where it was found.", Get::Text(|r| text(&r.found_at))),
        Column::new(|c| c.status, "What is known of its symbols.", Get::Text(|r| text(&r.status))),
    ],
};
