//! `overview`: what a dump is, its crash, and which known patterns match.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Caps, Outcome, Tool, files};
use crate::diag::Code;
use crate::mcp::call::{Budget, Reply};
use crate::mcp::dumps::Dump;
use crate::mcp::text;
use crate::session::{self, Error, SavedPattern, SavedQuery};

/// The number of rows of evidence that are shown per pattern.
const EVIDENCE: usize = 3;

pub(super) struct Overview;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// Also look for known patterns (deadlocks, contended locks, accumulated IRPs, pool leaks,
    /// hooks …) and show the first rows of evidence. Searches all memory of the dump.
    #[serde(default)]
    patterns: bool,
}

impl Tool for Overview {
    type Arguments = Arguments;
    const NAME: &'static str = "overview";
    const DOC: &'static str = "What a dump is (system, build, time, completeness), what it stopped with and who is \
        to blame as far as the dump tells; with patterns=true also which known patterns match.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let mut reply = Reply::from(format!("{}\n", dump.title()));
        tell(call, &dump, &mut reply);
        stopped(call, &dump, &mut reply)?;
        if arguments.patterns {
            patterns(call, &dump, &mut reply)?;
        } else {
            reply.text.push_str("patterns: not looked for; overview with patterns=true does\n");
        }
        Ok(reply)
    }
}

/// Runs the saved query with that name and the defaults of its parameters.
fn saved(
    call: &Call<'_>,
    dump: &Dump,
    query: &SavedQuery,
) -> Result<Vec<session::ResultSet>, Error> {
    let params = session::parameters(query, &BTreeMap::new())?;
    call.ask(dump, &query.text, &params, Budget::default())
}

/// Appends the overview; a dump without one is open nevertheless.
pub(super) fn tell(call: &Call<'_>, dump: &Dump, reply: &mut Reply) {
    let found = call.state.config.library.find("overview");
    match found.and_then(|found| saved(call, dump, found.query)) {
        Ok(results) => call.tell_all(results, files::short(), reply),
        Err(error) => {
            let _ = writeln!(reply.text, "no overview: {}", text::name(&error.to_string()));
        }
    }
}

/// What a dump stopped with: a table, and the query for it.
const STOPS: [(&str, &str); 2] = [
    (
        "bugcheck",
        "-- optional: bugcheck\nSELECT code, name, p1, p2, p3, p4, module, culprit_module, \
         culprit_symbol, culprit_reason, bucket_id FROM bugcheck",
    ),
    (
        "exception",
        "-- optional: exception\nSELECT code, name, address, symbol, tid, culprit_module, \
         culprit_reason FROM exception",
    ),
];

/// Appends what the dump stopped with.
fn stopped(call: &Call<'_>, dump: &Dump, reply: &mut Reply) -> Result<(), Error> {
    for (name, sql) in STOPS {
        match call.ask(dump, sql, &session::Params::new(), Budget::default()) {
            Ok(results) if results.iter().any(|result| !result.is_empty()) => {
                let _ = write!(reply.text, "{name}: ");
                call.tell_all(results, files::short(), reply);
            }
            Ok(_) => {}
            Err(error) if ends(&error) => return Err(error),
            Err(error) => {
                let _ = writeln!(reply.text, "{name}: {}", text::name(&error.to_string()));
            }
        }
    }
    Ok(())
}

/// Whether the error means that no other query can succeed either.
fn ends(error: &Error) -> bool {
    matches!(error.code(), Code::Cancelled | Code::Deadline)
}

/// Appends the patterns that match, by descending severity, and names those that were checked.
fn patterns(call: &Call<'_>, dump: &Dump, reply: &mut Reply) -> Result<(), Error> {
    let all = call.state.config.library.queries();
    let mut known: Vec<(&SavedQuery, &SavedPattern)> =
        all.filter_map(|query| Some((query, query.pattern.as_ref()?))).collect();
    known.sort_by_key(|(_, pattern)| match pattern.severity.as_str() {
        "high" => 0,
        "medium" => 1,
        _ => 2,
    });
    let (mut absent, mut unknown) = (Vec::new(), Vec::new());
    for (query, pattern) in known {
        match saved(call, dump, query) {
            Ok(results) if results.iter().any(|result| !result.is_empty()) => {
                let _ = writeln!(
                    reply.text,
                    "pattern: {} ({}; saved query {})\nmeaning: {}\nnext: {}",
                    pattern.title, pattern.severity, query.name, pattern.meaning, pattern.next
                );
                let caps = Caps { rows: EVIDENCE, bytes: 2 << 10, ..Caps::default() };
                for result in results.into_iter().filter(|result| !result.is_empty()) {
                    call.tell(result, caps, reply);
                }
            }
            Ok(_) => absent.push(query.name.as_str()),
            Err(error) if ends(&error) => return Err(error),
            Err(error) => {
                let because = error.diagnostics().first().map(|d| text::name(&d.message));
                unknown.push(format!("{} ({})", query.name, because.unwrap_or_default()));
            }
        }
    }
    let _ = writeln!(reply.text, "looked for and not found: {}", absent.join(", "));
    if !unknown.is_empty() {
        let _ = writeln!(reply.text, "could not be looked for: {}", unknown.join("; "));
    }
    Ok(())
}
