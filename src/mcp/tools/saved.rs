//! `list_saved_queries` and `run_saved_query`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Form, Limits, Outcome, Tool};
use crate::diag::{Code, Diagnostic};
use crate::mcp::call::{Budget, Reply};
use crate::mcp::text;
use crate::session::{self, SavedQuery};

pub(super) struct ListSavedQueries;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct ListArguments {
    /// Only queries whose name, text, tables or debugger commands contain this, such as `pool` or
    /// `!locks`.
    #[serde(default)]
    pattern: String,
}

impl Tool for ListSavedQueries {
    type Arguments = ListArguments;
    const NAME: &'static str = "list_saved_queries";
    const DOC: &'static str = "The saved queries: what each answers, its parameters, and the debugger commands that \
        run it.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let wanted = arguments.pattern.to_lowercase();
        let fits = |query: &&SavedQuery| {
            let texts = [&query.name, &query.title, &query.description].into_iter();
            let mut all = texts.chain(&query.aliases).chain(&query.debugger).chain(&query.needs);
            all.any(|text| text.to_lowercase().contains(&wanted))
        };
        let mut text = String::new();
        for query in call.state.config.library.queries().filter(fits) {
            let params: Vec<String> = query.params.iter().map(|p| p.name.clone()).collect();
            let params =
                if params.is_empty() { String::new() } else { format!(" ({})", params.join(", ")) };
            let commands = query.debugger.join("; ");
            let commands = if commands.is_empty() { commands } else { format!(" [{commands}]") };
            let _ = writeln!(text, "{}{params}: {}.{commands}", query.name, query.title);
        }
        if text.is_empty() {
            text.push_str("none; list_saved_queries without a pattern lists all\n");
        }
        Ok(text.into())
    }
}

/// The description of a saved query.
pub(in crate::mcp) fn described(query: &SavedQuery) -> String {
    let mut text = format!("{}: {}. {}\n", query.name, query.title, query.description);
    if !query.reading.is_empty() {
        let _ = writeln!(text, "how to read it: {}", query.reading);
    }
    if let Some(pattern) = &query.pattern {
        let _ = writeln!(
            text,
            "a row is evidence of: {}. {} Next: {}",
            pattern.title, pattern.meaning, pattern.next
        );
    }
    if !query.debugger.is_empty() {
        let _ = writeln!(text, "debugger commands: {}", query.debugger.join("; "));
    }
    for param in &query.params {
        let default =
            param.default.as_deref().map_or("required".to_owned(), |d| format!("default {d}"));
        let _ = writeln!(text, "- {} {}, {default}: {}", param.name, param.ty, param.doc);
    }
    text
}

pub(super) struct RunSavedQuery;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct RunArguments {
    /// The name of a saved query, or a debugger command such as `!locks`, `!irpfind` or `k`.
    name: String,
    /// Values of the query's parameters, by name.
    #[serde(default)]
    params: BTreeMap<String, serde_json::Value>,
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// The format of rows.
    #[serde(default)]
    format: Form,
    /// The maximum number of rows of each result (default 50, at most 5000).
    max_rows: Option<u32>,
    /// The maximum number of bytes of each result (default 16384, at most 262144).
    max_bytes: Option<u32>,
}

impl Tool for RunSavedQuery {
    type Arguments = RunArguments;
    const NAME: &'static str = "run_saved_query";
    const DOC: &'static str =
        "Runs a saved query, by its name or by the debugger command that it answers.";
    const READS_ONLY: bool = false;

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let found = call.state.config.library.find(arguments.name.trim())?;
        let mut given = found.given.clone();
        for (name, value) in &arguments.params {
            let name = name.trim_start_matches('$');
            let Some(param) = found.query.params.iter().find(|p| p.name.eq_ignore_ascii_case(name))
            else {
                let message =
                    format!("{} has no parameter `{}`", found.query.name, text::name(name));
                let names = found.query.params.iter().map(|param| param.name.as_str());
                return Err(Diagnostic::new(Code::Parameter, message).nearest(name, names).into());
            };
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            given.insert(param.name.clone(), value);
        }
        let params = session::parameters(found.query, &given)?;
        let results = call.ask(&dump, &found.query.text, &params, Budget::default())?;
        let mut reply = Reply::from(format!("{}: {}\n", found.query.name, found.query.title));
        if !found.query.reading.is_empty() {
            let _ = writeln!(reply.text, "how to read it: {}", found.query.reading);
        }
        let RunArguments { max_rows, max_bytes, format, .. } = arguments;
        let limits = Limits { rows: max_rows, bytes: max_bytes, cell: None, form: format };
        call.tell_all(results, limits.into(), &mut reply);
        Ok(reply)
    }
}
