//! `list_tables` and `describe_table`: the tables that can be queried.

use std::fmt::Write as _;

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Outcome, Tool};
use crate::catalog::{SourceKind, TableSpec};
use crate::diag::{Code, Diagnostic};
use crate::mcp::text;

pub(super) struct ListTables;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct ListArguments {
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// Only tables whose name, text or debugger commands contain this.
    #[serde(default)]
    pattern: String,
}

impl Tool for ListTables {
    type Arguments = ListArguments;
    const NAME: &'static str = "list_tables";
    const DOC: &'static str = "The tables that a dump can answer, with what one row is and the debugger command that \
        each stands for; and those that this kind of dump cannot answer.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let (catalog, kinds) = (dump.session.catalog(), dump.session.source_kinds());
        let wanted = arguments.pattern.to_lowercase();
        let fits = |table: &&TableSpec| {
            [table.name, table.doc, table.answers]
                .iter()
                .any(|t| t.to_lowercase().contains(&wanted))
        };
        let mut text = format!("{}\n", dump.title());
        let mut others = Vec::new();
        for table in catalog.tables().iter().filter(fits) {
            if is_answered(table, &kinds) {
                let _ =
                    writeln!(text, "{}: {} [{}]", text::name(table.name), table.doc, table.answers);
            } else {
                others.push(format!("{} ({})", table.name, table.kind_names()));
            }
        }
        if !others.is_empty() {
            let _ = writeln!(text, "not in this kind of dump: {}", others.join("; "));
        }
        Ok(text.into())
    }
}

fn is_answered(table: &TableSpec, kinds: &[SourceKind]) -> bool {
    table.kinds.is_empty() || kinds.iter().any(|kind| table.kinds.contains(kind))
}

pub(super) struct DescribeTable;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct DescribeArguments {
    /// The name of the table.
    table: String,
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
}

impl Tool for DescribeTable {
    type Arguments = DescribeArguments;
    const NAME: &'static str = "describe_table";
    const DOC: &'static str =
        "The columns of a table with their types, units and meaning, and example queries.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let catalog = dump.session.catalog();
        let Some(table) = catalog.table(arguments.table.trim()) else {
            let name = text::name(&arguments.table);
            let error = Diagnostic::new(Code::UnknownTable, format!("there is no table `{name}`"))
                .nearest(&name, catalog.tables().iter().map(|table| table.name))
                .help("list_tables lists the tables");
            return Err(error.into());
        };
        let mut text = described(table);
        if !is_answered(table, &dump.session.source_kinds()) {
            let _ = writeln!(
                text,
                "this kind of dump does not answer it: it needs {}",
                table.kind_names()
            );
        }
        Ok(text.into())
    }
}

/// The description of a table with its columns and examples.
pub(in crate::mcp) fn described(table: &TableSpec) -> String {
    let mut text = format!("{}: {}\n", text::name(table.name), table.doc);
    let _ = writeln!(text, "answers {}; sources: {}", table.answers, table.kind_names());
    for column in &table.columns {
        let unit = column.unit.as_str();
        let unit = if unit.is_empty() { String::new() } else { format!(" in {unit}") };
        let hidden = if column.hidden { ", not in *" } else { "" };
        let name = text::name(column.name);
        let _ = writeln!(text, "- {name} {}{unit}{hidden}: {}", column.ty, column.doc);
    }
    for example in table.examples {
        let _ = writeln!(text, "example: {}\n  {}", example.doc, example.sql);
    }
    text
}
