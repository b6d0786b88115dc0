//! `query` and `explain`: run or explain any SQL.

use std::time::{Duration, Instant};

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Caps, Form, Limits, Outcome, Tool};
use crate::diag::{Code, Diagnostic};
use crate::mcp::answer::{self, CLOSE, OPEN};
use crate::mcp::call::{Budget, Reply};
use crate::mcp::{pages, text};
use crate::session::Params;

pub(super) struct Query;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// SQL in the dialect of DuckDB; may contain several statements.
    sql: Option<String>,
    /// The cursor of an earlier answer, instead of sql, for the rows that it did not show.
    cursor: Option<String>,
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// The format of rows.
    #[serde(default)]
    format: Form,
    /// The maximum number of rows to return (default 50, at most 5000).
    max_rows: Option<u32>,
    /// The maximum number of bytes of rows to return (default 16384, at most 262144).
    max_bytes: Option<u32>,
    /// The maximum number of characters of a cell (default 300, at most 8000).
    max_cell: Option<u32>,
    /// The memory limit of rows and values in megabytes; at most the server's own limit.
    memory_mb: Option<u32>,
    /// The time limit in seconds; at most the server's own limit.
    timeout_seconds: Option<u32>,
}

impl Tool for Query {
    type Arguments = Arguments;
    const NAME: &'static str = "query";
    const DOC: &'static str = "Runs SQL over an open dump. Answers are cut to max_rows and max_bytes; the answer then \
        names a cursor, and query with that cursor alone returns the next rows. why(column) says why a \
        value is NULL.";
    const READS_ONLY: bool = false;

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        if let Some(cursor) = &arguments.cursor {
            if arguments.sql.is_some() {
                return Err(super::bad(Self::NAME, "sql and cursor exclude each other"));
            }
            return rest(call, cursor, &arguments);
        }
        let Some(sql) = &arguments.sql else {
            return Err(super::bad(Self::NAME, "either sql or cursor is needed"));
        };
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let within = |seconds| Instant::now().checked_add(Duration::from_secs(u64::from(seconds)));
        let budget = Budget {
            memory: arguments.memory_mb.map(|mb| (mb.max(1) as usize).saturating_mul(1 << 20)),
            deadline: arguments.timeout_seconds.and_then(within),
        };
        let results = call.ask(&dump, sql, &Params::new(), budget)?;
        let mut reply = Reply::default();
        if results.is_empty() {
            reply.text.push_str("done; the statements return no rows\n");
        }
        call.tell_all(results, caps(&arguments), &mut reply);
        Ok(reply)
    }
}

fn caps(arguments: &Arguments) -> Caps {
    let Arguments { max_rows, max_bytes, max_cell, format, .. } = arguments;
    Limits { rows: *max_rows, bytes: *max_bytes, cell: *max_cell, form: *format }.into()
}

/// Further rows of an earlier answer, in the same format unless another one is requested.
fn rest(call: &Call<'_>, cursor: &str, arguments: &Arguments) -> Outcome {
    let Some((kept, row)) = call.state.pages.find(cursor.trim()) else {
        let message = format!("no answer is kept for the cursor `{}`", text::name(cursor));
        return Err(Diagnostic::new(Code::BadArguments, message)
            .help("only the last answers are kept: run the query again, with ORDER BY and OFFSET")
            .into());
    };
    let asked = caps(arguments);
    let caps = Caps {
        rows: if arguments.max_rows.is_some() { asked.rows } else { kept.caps.rows },
        bytes: if arguments.max_bytes.is_some() { asked.bytes } else { kept.caps.bytes },
        cell: if arguments.max_cell.is_some() { asked.cell } else { kept.caps.cell },
        shape: kept.caps.shape,
    };
    let number = cursor.trim().trim_start_matches('q').split('.').next();
    let number = number.and_then(|number| number.parse().ok()).unwrap_or_default();
    let mut reply = Reply::default();
    let next = |row| pages::cursor(number, row);
    reply.cursor = answer::write(&kept.result, row, caps, next, &mut reply.text);
    Ok(reply)
}

pub(super) struct Explain;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainArguments {
    /// A query.
    sql: String,
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// Run the query and report the number of rows of each step.
    #[serde(default)]
    analyze: bool,
}

impl Tool for Explain {
    type Arguments = ExplainArguments;
    const NAME: &'static str = "explain";
    const DOC: &'static str = "The plan of a query: which tables are read, which columns, what is pushed down. Checks a \
        query without running it.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let word = if arguments.analyze { "EXPLAIN ANALYZE" } else { "EXPLAIN" };
        let results = call.ask(
            &dump,
            &format!("{word} {}", arguments.sql),
            &Params::new(),
            Budget::default(),
        )?;
        let mut reply = Reply::from(OPEN.to_owned());
        for result in &results {
            for row in 0..result.len() {
                let cells: Vec<String> =
                    (0..result.fields().len()).map(|column| result.text(row, column)).collect();
                reply.text.push_str(&text::lines(&cells.join(" ")));
                reply.text.push('\n');
            }
        }
        reply.text.push_str(CLOSE);
        Ok(reply)
    }
}
