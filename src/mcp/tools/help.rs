//! `search_help`: searches the built-in documentation.

use std::fmt::Write as _;

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Outcome, Tool};
use crate::mcp::docs;
use crate::mcp::text;

/// The number of passages that are returned, and their length.
const PASSAGES: usize = 6;
const CHARACTERS: usize = 900;

pub(super) struct SearchHelp;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// A few words, such as `asof join`, `pool tag leak`, `E0203` or `!irpfind`.
    words: String,
}

impl Tool for SearchHelp {
    type Arguments = Arguments;
    const NAME: &'static str = "search_help";
    const DOC: &'static str = "Searches the documentation that is built in: the language, tables, functions, saved \
        queries, error codes, and what answers each debugger command.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let found = docs::search(call.state, &arguments.words, PASSAGES);
        if found.is_empty() {
            let words = text::name(&arguments.words);
            return Ok(format!("nothing is said of `{words}`; list_tables and list_saved_queries list what there is\n").into());
        }
        let mut out = String::new();
        for passage in found {
            let end = passage.body.char_indices().nth(CHARACTERS);
            let (shown, more) = match end {
                Some((at, _)) => (passage.body.get(..at).unwrap_or_default(), true),
                None => (passage.body.as_str(), false),
            };
            let _ = writeln!(out, "## {}\n{}", passage.title, shown.trim_end());
            if more {
                let _ = writeln!(out, "… the rest: resource {}", passage.uri);
            }
        }
        Ok(out.into())
    }
}
