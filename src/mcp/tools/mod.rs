//! The tools: one file for each, or for a few related ones.

mod code;
mod files;
mod help;
mod overview;
mod query;
mod saved;
mod tables;

use std::any::Any;
use std::sync::Arc;

use rmcp::handler::server::common::{schema_for_empty_input, schema_for_input};
use rmcp::model::{JsonObject, Tool as Described, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{Caps, Shape};
use super::call::{Call, Outcome};
use super::text;
use crate::diag::{Code, Diagnostic};
use crate::session::Error;

pub(super) use self::saved::described as described_query;
pub(super) use self::tables::described;

/// A tool: its name, its description, its arguments, and its code.
trait Tool {
    type Arguments: DeserializeOwned + JsonSchema + Any;
    const NAME: &'static str;
    const DOC: &'static str;
    /// Whether it changes nothing, not even which dumps are open.
    const READS_ONLY: bool = true;

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome;
}

/// A tool with its argument type erased.
#[derive(Debug)]
pub(super) struct Entry {
    name: &'static str,
    doc: &'static str,
    reads_only: bool,
    schema: fn() -> Arc<JsonObject>,
    pub(super) run: fn(&Call<'_>, JsonObject) -> Outcome,
}

const fn entry<T: Tool>() -> Entry {
    Entry {
        name: T::NAME,
        doc: T::DOC,
        reads_only: T::READS_ONLY,
        schema: schema::<T>,
        run: run::<T>,
    }
}

fn schema<T: Tool>() -> Arc<JsonObject> {
    schema_for_input::<T::Arguments>().unwrap_or_else(|_| schema_for_empty_input())
}

fn run<T: Tool>(call: &Call<'_>, arguments: JsonObject) -> Outcome {
    let read = serde_json::from_value(serde_json::Value::Object(arguments));
    T::run(call, read.map_err(|error| bad(T::NAME, &error.to_string()))?)
}

/// The error for invalid arguments.
fn bad(tool: &str, found: &str) -> Error {
    let message = format!("the arguments of {tool}: {}", text::name(found));
    Diagnostic::new(Code::BadArguments, message).into()
}

static ALL: [Entry; 13] = [
    entry::<files::Open>(),
    entry::<files::Close>(),
    entry::<overview::Overview>(),
    entry::<tables::ListTables>(),
    entry::<tables::DescribeTable>(),
    entry::<query::Query>(),
    entry::<query::Explain>(),
    entry::<saved::ListSavedQueries>(),
    entry::<saved::RunSavedQuery>(),
    entry::<help::SearchHelp>(),
    entry::<code::Stack>(),
    entry::<code::Disassemble>(),
    entry::<files::ListOpen>(),
];

pub(super) fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|tool| tool.name == name)
}

pub(super) fn list() -> Vec<Described> {
    let each = ALL.iter().map(|tool| {
        let hints =
            ToolAnnotations::new().read_only(tool.reads_only).destructive(false).open_world(false);
        let mut described = Described::new(tool.name, tool.doc, (tool.schema)());
        described.annotations = Some(hints);
        described
    });
    each.collect()
}

/// The format of rows.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(rename_all = "lowercase")]
enum Form {
    /// Comma-separated values; the most compact.
    #[default]
    Csv,
    /// A Markdown table.
    Markdown,
}

/// The limits of an answer in the arguments.
#[derive(Debug, Default)]
struct Limits {
    rows: Option<u32>,
    bytes: Option<u32>,
    cell: Option<u32>,
    form: Form,
}

/// The maximum limits that arguments can set.
const MOST_ROWS: u32 = 5000;
const MOST_BYTES: u32 = 256 << 10;
const MOST_CELL: u32 = 8000;

impl From<Limits> for Caps {
    fn from(limits: Limits) -> Self {
        let own = Self::default();
        let within = |asked: Option<u32>, most: u32, default: usize| {
            asked.map_or(default, |n| n.clamp(1, most) as usize)
        };
        Self {
            rows: within(limits.rows, MOST_ROWS, own.rows),
            bytes: within(limits.bytes, MOST_BYTES, own.bytes),
            cell: within(limits.cell, MOST_CELL, own.cell),
            shape: match limits.form {
                Form::Csv => Shape::Csv,
                Form::Markdown => Shape::Markdown,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_description_and_a_schema() {
        for tool in list() {
            let doc = tool.description.as_deref().unwrap_or_default();
            assert!(doc.ends_with('.'), "{}: {doc}", tool.name);
            assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
            let Some(properties) = tool.input_schema.get("properties") else { continue };
            for (name, property) in properties.as_object().unwrap() {
                let doc = property["description"].as_str().unwrap_or_default();
                assert!(!doc.is_empty(), "{}.{name}", tool.name);
            }
        }
    }
}
