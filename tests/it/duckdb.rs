//! The same queries over the same rows in DuckDB give equal answers.
//!
//! The queries are those of `queries.sql`, `nested.sql` and `types.sql` of `tests/oracle`, and others that
//! [`crate::generate`] makes.
//! Rows are compared in order if the query has `ORDER BY`, as a multiset otherwise; numbers with a
//! tolerance of one in 10^9.
//!
//! Documented differences are not tested:
//! - types of results: sums of integers (`HUGEINT` in DuckDB), whole numbers from `ceil` and
//!   `floor`, decimals for literals with a point (`DOUBLE` here), the widths of decimals;
//! - results outside a type's range, and arguments outside a function's domain, which are errors
//!   here and infinite or NaN in DuckDB (`sqrt(-1)`, `ln(0)`, `exp(1000)`);
//! - `//` of floating-point numbers, `upper('ß')`, `epoch_ms` (rounded in DuckDB, truncated here),
//!   `date_diff('week', …)`, `date_part('epoch', …)` (whole seconds here), months and years as
//!   durations, text of floating-point numbers, `count_if` of no rows (0 here).

mod tpch;

use std::path::PathBuf;
use std::process::Command;

use dumpql::{Format, PointerWidth, ResultSet, Session, Ty, Value};
use serde_json::{Value as Json, json};

use crate::generate;
use crate::rows::{self, Rows};

#[test]
#[ignore = "needs DuckDB (DUMPQL_PYTHON)"]
fn answers_equal_those_of_duckdb() {
    let tables = generate::tables();
    let queries = queries();
    assert!(queries.len() >= 500, "{} queries", queries.len());
    let Some(answers) = ask(&tables, &queries) else { return };
    assert_eq!(answers.len(), queries.len());
    let session = rows::session(&tables, false);
    let mut failures = Vec::new();
    let mut refused = 0;
    for (query, answer) in queries.iter().zip(&answers) {
        match judge(&session, query, answer) {
            Ok(true) => {}
            Ok(false) => refused += 1,
            Err(reason) => failures.push(format!("{query}\n  {reason}")),
        }
    }
    println!(
        "{} queries equal, {refused} refused by both",
        queries.len() - refused - failures.len()
    );
    assert!(refused * 10 <= queries.len(), "{refused} queries are errors to both engines");
    assert!(failures.is_empty(), "{} differ\n{}", failures.len(), failures.join("\n"));
}

/// The written queries, and generated ones: `DUMPQL_TIMES` times as many as usual.
fn queries() -> Vec<String> {
    let times = std::env::var("DUMPQL_TIMES").ok().and_then(|times| times.parse().ok());
    let times: usize = times.unwrap_or(1);
    let written = include_str!("../oracle/queries.sql").lines();
    let written = written.filter(|l| !l.is_empty() && !l.starts_with("--")).map(str::to_owned);
    let nested = include_str!("../oracle/nested.sql").lines();
    let nested = nested.filter(|l| !l.is_empty() && !l.starts_with("--")).map(str::to_owned);
    let types = include_str!("../oracle/types.sql").lines();
    let types = types.filter(|l| !l.is_empty() && !l.starts_with("--")).map(str::to_owned);
    written
        .chain(nested)
        .chain(types)
        .chain(generate::queries(700 * times))
        .chain(generate::windows(300 * times))
        .chain(generate::sub_queries(300 * times))
        .chain(generate::typed(400 * times))
        .chain(generate::wide(500 * times))
        .collect()
}

/// A Python that has DuckDB; `None`, with a message, if there is none.
fn python() -> Option<String> {
    let python = std::env::var("DUMPQL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import duckdb"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: {python} with the module duckdb not found (set DUMPQL_PYTHON)");
        return None;
    }
    Some(python)
}

/// DuckDB's answers; `None`, with a message, if it is not installed.
fn ask(tables: &[Rows], queries: &[String]) -> Option<Vec<Json>> {
    let python = python()?;
    let folder = std::env::temp_dir().join(format!("dumpql-duckdb-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let (job, answers) = (folder.join("job.json"), folder.join("answers.json"));
    let tables: Vec<Json> = tables.iter().map(table_json).collect();
    std::fs::write(&job, json!({ "tables": tables, "queries": queries }).to_string())
        .expect("written");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/duckdb_diff.py");
    let run =
        Command::new(&python).arg(script).args([&job, &answers]).output().expect("python runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = std::fs::read_to_string(&answers).expect("answers");
    let _ = std::fs::remove_dir_all(&folder);
    match serde_json::from_str(&text).expect("JSON") {
        Json::Array(answers) => Some(answers),
        other => panic!("not a list: {other}"),
    }
}

fn table_json(table: &Rows) -> Json {
    let columns: Vec<Json> = table.columns.iter().map(|(n, ty)| json!([n, ty.name()])).collect();
    let rows: Vec<Json> =
        table.data.iter().map(|row| Json::Array(row.iter().map(json_of).collect())).collect();
    json!({ "name": table.name, "columns": columns, "rows": rows })
}

fn json_of(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(v) => json!(v),
        Value::Int(v) | Value::Time(v) | Value::Interval(v) | Value::Date(v) => json!(v),
        Value::Double(v) if v.is_nan() => json!("nan"),
        Value::Double(v) if v.is_infinite() => json!(if *v > 0.0 { "inf" } else { "-inf" }),
        Value::Double(v) => json!(v),
        Value::Text(v) => json!(v),
        Value::Addr(v) => json!(v),
        Value::List(v) => Json::Array(v.values().map(|v| json_of(&v)).collect()),
        Value::Struct(v) => {
            let Ty::Struct(of) = v.ty() else { unreachable!("a structure has its type") };
            let values = v.values().map(|v| json_of(&v));
            if of.fields().iter().all(|(name, _)| name.is_empty()) {
                return Json::Array(values.collect());
            }
            let names = of.fields().iter().map(|(name, _)| (*name).to_owned());
            Json::Object(names.zip(values).collect())
        }
        Value::Decimal(..) => {
            let text = Format::Plain.render(value, PointerWidth::Bits64);
            json!(text.parse::<f64>().expect("a decimal is a number"))
        }
        Value::Map(v) => {
            let key = |key: Value<'_>| match json_of(&key) {
                Json::String(text) => text,
                other => other.to_string(),
            };
            Json::Object(v.entries().map(|(k, v)| (key(k), json_of(&v))).collect())
        }
        other => unreachable!("tables of tests hold no {other:?}"),
    }
}

/// Whether the answers are equal; `Ok(false)` if both are errors.
fn judge(session: &Session, query: &str, answer: &Json) -> Result<bool, String> {
    let ours = session.query(query);
    let theirs = answer["rows"].as_array();
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Some(theirs)) => (cells(&ours), theirs.clone()),
        (Err(_), None) => return Ok(false),
        (Ok(_), None) => return Err(format!("only DuckDB refuses: {}", answer["error"])),
        (Err(error), Some(_)) => {
            return Err(format!("only dumpql refuses:\n{}", error.render(None, false)));
        }
    };
    if ours.len() != theirs.len() {
        return Err(format!("{} rows, DuckDB has {}", ours.len(), theirs.len()));
    }
    let mut ours = ours;
    let mut theirs: Vec<Vec<Json>> =
        theirs.iter().map(|row| row.as_array().cloned().unwrap_or_default()).collect();
    if !is_ordered(query) {
        ours.sort_by_cached_key(|row| key(row));
        theirs.sort_by_cached_key(|row| key(row));
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let equal = ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b));
        if !equal {
            return Err(format!("{ours:?}\n  DuckDB: {theirs:?}"));
        }
    }
    Ok(true)
}

/// Whether the last clause of the outermost query is ORDER BY; generated orders are total.
fn is_ordered(query: &str) -> bool {
    query.rfind("ORDER BY").is_some_and(|at| {
        let depth =
            query[at..].chars().fold(0i32, |d, c| d + i32::from(c == '(') - i32::from(c == ')'));
        depth == 0
    })
}

fn cells(result: &ResultSet) -> Vec<Vec<Json>> {
    let columns = result.fields().len();
    let is_null = |ty: Ty| ty == Ty::Null;
    (0..result.len())
        .map(|row| {
            let cell = |c: usize| {
                if is_null(result.fields()[c].ty) {
                    Json::Null
                } else {
                    json_of(&result.value(row, c))
                }
            };
            (0..columns).map(cell).collect()
        })
        .collect()
}

/// A key that is the same for rows that are equal within the tolerance, except near a rounding
/// boundary.
fn key(row: &[Json]) -> String {
    let cell = |value: &Json| match value.as_f64() {
        Some(number) => format!("{:.7e}", number + 0.0),
        None => value.to_string(),
    };
    row.iter().map(cell).collect::<Vec<_>>().join("|")
}

fn same(a: &Json, b: &Json) -> bool {
    if let (Some(x), Some(y)) = (a.as_i64(), b.as_i64()) {
        return x == y;
    }
    if let (Some(x), Some(y)) = (a.as_u64(), b.as_u64()) {
        return x == y;
    }
    if let (Json::Array(x), Json::Array(y)) = (a, b) {
        return x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y));
    }
    if let (Json::Object(x), Json::Object(y)) = (a, b) {
        return x.len() == y.len() && x.iter().zip(y).all(|(x, y)| x.0 == y.0 && same(x.1, y.1));
    }
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1.0),
        _ => a == b,
    }
}
