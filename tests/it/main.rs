//! The integration tests: one binary, one module a subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests are tests: they may fail, and they say what they skip"
)]

mod api;
#[cfg(feature = "archives")]
mod archives;
mod attach;
mod big_pool;
mod browser;
#[cfg(target_os = "linux")]
mod budget;
mod cancel;
mod cli;
mod code;
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod containers;
mod corpus;
mod culprit;
mod docs;
mod duckdb;
mod duckdb_functions;
mod environment;
#[cfg(unix)]
mod evidence;
mod examples;
mod extract;
mod files;
mod fleet;
mod formats;
mod found;
mod functions;
mod generate;
mod goldens;
#[path = "../../examples/fuzz/query.rs"]
mod grammar;
mod holes;
mod host;
mod host_arrow;
mod host_table;
mod hostile;
mod hostile_kernel;
mod hostile_log;
mod irps;
mod kernel;
mod laws;
mod layouts;
mod library;
mod locks;
mod log;
#[path = "../../examples/fuzz/seeds.rs"]
#[allow(dead_code, reason = "the corpus of the fuzz targets; tests need some of it")]
mod made;
#[cfg(feature = "mcp")]
mod mcp;
mod memory_numbers;
mod nested;
#[allow(dead_code, reason = "servers need the feature `net`")]
mod object_server;
mod objects;
mod parse;
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod physical;
mod pivot;
mod pool;
mod pool_map;
mod pool_tags;
mod prompt;
mod properties;
#[path = "../../examples/budget/queries.rs"]
mod queries;
mod ranges;
mod readers;
mod routines;
mod rows;
mod scheduling;
mod seams;
mod session;
mod session_pool;
mod side_by_side;
mod slt;
#[cfg(target_os = "linux")]
mod small;
mod sql;
mod stacks;
mod stackwalk;
mod statements;
mod structures;
mod symbols;
mod synth;
mod system;
mod systems;
mod thread_locks;
mod triage;
#[cfg(feature = "net")]
mod urls;
mod user_types;
mod versions;
mod volatility;
mod waiting;
mod watchdog;
mod workbooks;
mod xpress;
