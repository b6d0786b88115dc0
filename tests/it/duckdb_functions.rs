//! `docs/duckdb-functions.md`: each of DuckDB's functions exists here, has another name, or has a
//! reason why it does not.
//!
//! The page is made from `tests/oracle/duckdb-functions.txt` and the catalog, so a new function
//! appears as present. If DuckDB is installed, the list is compared with its `duckdb_functions()`.
//! `UPDATE_DOCS=1` rewrites the page.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use dumpql::Session;
use dumpql::internals::catalog::FunctionKind;

const LIST: &str = include_str!("../oracle/duckdb-functions.txt");

const HEAD: &str =
    "<!-- Generated from tests/oracle/duckdb-functions.txt by `UPDATE_DOCS=1 cargo test docs`. -->

# DuckDB's functions

Scalar functions and aggregates of DuckDB 2.0, with their names in dumpql.
A star matches any letters.
Functions that dumpql adds are in [generated/functions.md](generated/functions.md).

| DuckDB | here |
|---|---|
";

/// The entry of a function in the list.
#[derive(Debug, Clone, Copy)]
enum Entry<'a> {
    Here,
    Other(&'a str),
    Not(&'a str),
}

fn entries() -> impl Iterator<Item = (&'static str, Entry<'static>)> {
    LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        if let Some((name, reason)) = line.split_once(" - ") {
            (name, Entry::Not(reason))
        } else if let Some((name, other)) = line.split_once(" = ") {
            (name, Entry::Other(other))
        } else {
            (line, Entry::Here)
        }
    })
}

/// Whether a name matches an entry, in which a star stands for any letters.
fn fits(entry: &str, name: &str) -> bool {
    match entry.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => entry == name,
    }
}

#[test]
fn docs_map_every_function_of_duckdb() {
    let session = Session::sample().unwrap();
    let catalog = session.catalog();
    let mut page = HEAD.to_owned();
    for (name, entry) in entries() {
        // A table function with that name is a different function.
        let own = catalog.function(name).filter(|f| f.kind != FunctionKind::Table);
        let shown = match entry {
            _ if own.is_some_and(|own| own.name == name) => "yes".to_owned(),
            _ if own.is_some() => format!("yes, as `{}`", own.map_or(name, |own| own.name)),
            Entry::Other(other) => format!("`{other}`"),
            Entry::Not(reason) => reason.to_owned(),
            Entry::Here => panic!("{name} is not there, and the list gives no reason"),
        };
        let _ = writeln!(page, "| `{name}` | {} |", shown.replace('|', "\\|"));
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/duckdb-functions.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/duckdb-functions.md is stale: run UPDATE_DOCS=1 cargo test docs");
}

#[test]
fn the_list_of_duckdb_functions_is_complete() {
    let python = std::env::var("DUMPQL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "import duckdb
for row in duckdb.sql(\"select distinct lower(function_name) from duckdb_functions() where schema_name = 'main' and function_type in ('scalar', 'macro', 'aggregate')\").fetchall():
    print(row[0])";
    let found = Command::new(&python).args(["-c", script]).output();
    let Some(found) = found.ok().filter(|found| found.status.success()) else {
        eprintln!("SKIPPED: {python} with the module duckdb not found (set DUMPQL_PYTHON)");
        return;
    };
    let names = String::from_utf8(found.stdout).unwrap();
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let unknown: Vec<&str> = names
        .lines()
        .filter(is_name)
        .filter(|name| !entries().any(|(entry, _)| fits(entry, name)))
        .collect();
    assert!(unknown.is_empty(), "not in tests/oracle/duckdb-functions.txt: {unknown:?}");
}
