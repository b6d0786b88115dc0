//! `environment`: one row for each environment variable of a process.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::EnvironmentVariable;

pub(super) static TABLE: TableDef<EnvironmentVariable> = TableDef {
    doc: "One row for each environment variable of a process, from its PEB. A process whose environment is paged out has one row without a name, and `why(value)` gives the reason.",
    answers: "!peb",
    kinds: &[SourceKind::Kernel, SourceKind::Log],
    examples: &[Example {
        sql: "SELECT pid, process, value FROM environment WHERE name = 'USERNAME'",
        doc: "The account under which each process runs.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.eprocess, "Address of the `_EPROCESS`.", Get::Addr(|r| r.eprocess)),
        Column::new(|c| c.pid, "Process id.", Get::Int(|r| r.pid)),
        Column::new(|c| c.process, "Image name of the process.", Get::Text(|r| text(&r.process))),
        Column::new(|c| c.name, "Name of the variable.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.value, "Value of the variable.", Get::Text(|r| text(&r.value))),
    ],
};
