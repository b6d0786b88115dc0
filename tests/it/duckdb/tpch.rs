//! The 22 queries of TPC-H, over CSV files that `tests/oracle/tpch.py` makes, have the answers of
//! DuckDB.

use std::path::PathBuf;
use std::process::Command;

use dumpql::{Options, Session};
use serde_json::Value as Json;

use super::{judge, python};

const TABLES: [&str; 8] =
    ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"];
const QUERIES: &str = include_str!("../../oracle/tpch.sql");

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The queries, which end with a semicolon at the end of a line.
fn queries() -> Vec<&'static str> {
    QUERIES.split(";\n").filter(|query| !query.trim().is_empty()).collect()
}

#[test]
#[ignore = "needs DuckDB (DUMPQL_PYTHON)"]
fn tpch_has_the_answers_of_duckdb() {
    let Some(python) = python() else { return };
    let name = format!("dumpql-tpch-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&folder.0).unwrap();
    let oracle = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let scale = std::env::var("DUMPQL_TPCH_SCALE").unwrap_or_else(|_| "0.01".to_owned());
    let run = Command::new(python)
        .arg(oracle.join("tpch.py"))
        .args([&folder.0, &oracle.join("tpch.sql")])
        .arg(scale)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let answers = std::fs::read_to_string(folder.0.join("answers.json")).unwrap();
    let answers: Vec<Json> = serde_json::from_str(&answers).unwrap();
    let queries = queries();
    assert_eq!((queries.len(), answers.len()), (22, 22));
    let session = Session::from_images(Vec::new(), &Options::default().files(true)).unwrap();
    for table in TABLES {
        let path = folder.0.join(format!("{table}.csv"));
        session.query(&format!("ATTACH '{}' AS {table}", path.display())).unwrap();
    }
    let mut failures = Vec::new();
    for (query, answer) in queries.iter().zip(&answers) {
        let title = query.trim().lines().next().unwrap_or_default();
        match judge(&session, query, answer) {
            Ok(true) => {}
            Ok(false) => failures.push(format!("{title}: both refuse: {answer}")),
            Err(reason) => failures.push(format!("{title}\n  {reason}")),
        }
        let rows = answer["rows"].as_array().map_or(0, Vec::len);
        if rows == 0 {
            failures.push(format!("{title}: no rows"));
        }
    }
    assert!(failures.is_empty(), "{} of 22 differ\n{}", failures.len(), failures.join("\n"));
}
