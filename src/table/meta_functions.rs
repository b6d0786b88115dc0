//! `meta.functions`: the functions.

use super::def::{Column, Get, Rows, TableDef};
use crate::catalog::{Example, FunctionKind, FunctionSpec};
use crate::model::Row;

impl Row for &'static FunctionSpec {
    type Columns = ();
    const TABLE: &'static str = "meta.functions";
    const COLUMNS: &'static () = &();
}

pub(super) static TABLE: TableDef<&'static FunctionSpec> = TableDef {
    doc: "One row for each function.",
    answers: "",
    kinds: &[],
    examples: &[Example {
        sql: "SELECT name, signatures, doc FROM meta.functions WHERE family = 'text'",
        doc: "The text functions.",
    }],
    rows: Rows::Catalog(|catalog, emit| {
        for function in catalog.functions() {
            if emit.row(function).is_break() {
                return;
            }
        }
    }),
    columns: &[
        Column::named("name", "Name of the function.", Get::Text(|f| Ok(f.name))),
        Column::named(
            "aliases",
            "Other names for it, separated by commas.",
            Get::Owned(|f| Ok(f.aliases.join(", "))),
        ),
        Column::named("kind", "`scalar`, `aggregate` or `table`.", Get::Text(|f| Ok(kind(f.kind)))),
        Column::named("family", "What it works on.", Get::Text(|f| Ok(f.family))),
        Column::named(
            "signatures",
            "The ways to call it, separated by semicolons.",
            Get::Owned(|f| Ok(f.signature_texts().join("; "))),
        ),
        Column::named("doc", "What it returns.", Get::Text(|f| Ok(f.doc))),
        Column::named(
            "example",
            "An expression and its result.",
            Get::Owned(|f| {
                let first = f.examples.first();
                first
                    .map(|(e, result)| format!("{e} = {result}"))
                    .ok_or(crate::catalog::Absent::NotApplicable)
            }),
        ),
    ],
};

const fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Scalar => "scalar",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Window => "window",
        FunctionKind::Table => "table",
    }
}
