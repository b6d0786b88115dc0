//! The commands and queries of docs/fleet.md under DuckDB; the answers equal those of dumpql over
//! the same dumps.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::cli::{Folder, program};
use crate::extract::dumps;

const PAGE: &str = include_str!("../../docs/fleet.md");

/// The blocks of one language.
fn blocks(kind: &str) -> Vec<String> {
    let start = format!("```{kind}\n");
    PAGE.split(&start)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()))
        .collect()
}

/// DuckDB's answers to queries in a folder, as rows of text.
fn ask(folder: &Path, queries: &[String]) -> Vec<Vec<Vec<String>>> {
    const SCRIPT: &str = "import duckdb, json, sys\n\
        rows = lambda sql: [['' if v is None else str(v) for v in row] for row in duckdb.execute(sql).fetchall()]\n\
        print(json.dumps([rows(sql) for sql in json.load(sys.stdin)]))";
    let python = std::env::var("DUMPQL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let job = folder.join("job.json");
    std::fs::write(&job, Json::from(queries.to_vec()).to_string()).unwrap();
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .current_dir(folder)
        .stdin(std::fs::File::open(&job).unwrap())
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs DuckDB (DUMPQL_PYTHON)"]
fn duckdb_answers_over_the_files_as_dumpql_does_over_the_dumps() {
    let folder = Folder::new("fleet");
    dumps(&folder.path().join("crash"), 40, 20);
    let commands = blocks("sh run");
    assert!(!commands.is_empty());
    for block in &commands {
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["dumpql", arguments @ ..] = words.as_slice() else { panic!("{line}") };
            let done = program().args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(done.status.success(), "{line}\n{}", String::from_utf8_lossy(&done.stderr));
        }
    }
    let queries = blocks("sql duckdb");
    assert!(queries.len() >= 4, "{} queries", queries.len());
    let answers = ask(folder.path(), &queries);
    for (query, rows) in queries.iter().zip(&answers) {
        assert!(!rows.is_empty(), "no rows:\n{query}");
    }

    let of_buckets = queries.iter().position(|query| query.contains("bucket_id")).unwrap();
    let crash = folder.path().join("crash");
    let paths: Vec<_> = crate::seams::files(&crash);
    let ours =
        program().args(&paths).args(["-q", "buckets", "--format", "jsonl"]).output().unwrap();
    let ours: Vec<Vec<String>> = String::from_utf8(ours.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let row: Json = serde_json::from_str(line).unwrap();
            ["bucket_id", "dumps", "name", "module", "example"]
                .map(|column| match &row[column] {
                    Json::String(text) => text.clone(),
                    Json::Null => String::new(),
                    other => other.to_string(),
                })
                .to_vec()
        })
        .collect();
    assert!(ours.len() >= 2, "{ours:?}");
    assert_eq!(answers[of_buckets], ours);
}
