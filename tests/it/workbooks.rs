//! Workbooks are what the schema of Office Open XML says, by the validator of Microsoft's SDK.

use std::process::Command;

use crate::cli::{Folder, program};

/// What the validator says is wrong with a file.
fn complaints(path: &str) -> String {
    let validator = std::env::var("DUMPQL_OOXML").unwrap_or_else(|_| "ooxml-validator".to_owned());
    let output = Command::new(&validator).arg(path).output().expect("the validator runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let said: serde_json::Value = serde_json::from_str(&text).expect("it says so in JSON");
    match said["ok"].as_bool() {
        Some(true) => String::new(),
        _ => text.into_owned(),
    }
}

fn check(name: &str, arguments: &[&str]) {
    let folder = Folder::new(name);
    let book = folder.file("book.xlsx");
    let written = program().args(arguments).args(["-o", &book]).output().unwrap();
    let said = String::from_utf8_lossy(&written.stderr).into_owned();
    assert_eq!(written.status.code(), Some(0), "{said}");
    let wrong = complaints(&book);
    assert!(wrong.is_empty(), "{name}: {wrong}");
}

#[test]
#[ignore = "needs a validator of Office Open XML (DUMPQL_OOXML)"]
fn the_validator_finds_what_is_wrong() {
    let folder = Folder::new("no-book");
    let file = folder.file("no.xlsx");
    std::fs::write(&file, "no workbook").unwrap();
    assert!(!complaints(&file).is_empty());
}

#[test]
#[ignore = "needs a validator of Office Open XML (DUMPQL_OOXML)"]
fn workbooks_of_every_kind_are_valid() {
    let library = dumpql::library::library();
    // Saved queries that need no argument and answer on the sample, with their charts and maps.
    let all: Vec<&str> = library
        .iter()
        .filter(|query| query.params.iter().all(|param| param.default.is_some()))
        .filter(|query| query.needs.iter().all(|need| need != "log_commands"))
        .map(|query| query.name.as_str())
        .collect();
    let session = dumpql::Session::sample().unwrap();
    let answers = |name: &&&str| {
        let query = dumpql::library::find_query(name).unwrap();
        let params = dumpql::library::parameters(query, &std::collections::BTreeMap::new());
        params.is_ok_and(|params| session.query_with(&query.text, &params).is_ok())
    };
    let names: Vec<&str> = all.iter().filter(answers).copied().collect();
    assert!(names.len() > 40, "{} queries answer", names.len());
    let mut arguments = vec!["--sample"];
    arguments.extend(names.iter().flat_map(|name| ["-q", name]));
    check("all-queries", &arguments);
}

#[test]
#[ignore = "needs a validator of Office Open XML (DUMPQL_OOXML)"]
fn workbooks_of_hostile_names_and_values_are_valid() {
    let hostile = "SELECT '=cmd|'' /C calc''!A0' AS \"=1+1\", 'a' || chr(1) || chr(27) AS \"a[]:*?/\\b\", \
        repeat('x', 40000) AS x, NULL AS n, 1e308 AS d, 'nan'::DOUBLE AS e, \
        TIMESTAMP '1601-01-01' AS t, INTERVAL '400' DAY AS i, 0xffffffffffffffff AS a, \
        9007199254740993 AS big, true AS b, '<b>&\"' AS \"<&>\", '_x0041_' AS \"_x000D_\", \
        [1, 2] AS list, {'a': 1} AS structure";
    let same = "SELECT 1 AS a, 2 AS \"A\", 3 AS \"a\"";
    let chart = "SELECT chr(60) || range || '!A1' AS x, range * 1.5 AS y, 'nt!A' || range % 3 AS s \
        FROM range(90)";
    check(
        "hostile-values",
        &["--sample", "-c", hostile, "-c", same, "-c", "SELECT 1 AS a WHERE false"],
    );
    for kind in ["bar", "column", "line", "area", "scatter", "histogram"] {
        let x = if matches!(kind, "scatter" | "histogram") { "x=y" } else { "x=x" };
        let arguments = ["--sample", "-c", chart, "--chart", kind, x, "y=y", "series=s"];
        check(kind, &arguments);
    }
    check("heat", &["--sample", "-c", chart, "--chart", "heat", "x=x", "y=s", "value=y"]);
    let folder = Folder::new("names");
    let mut arguments = vec!["--sample".to_owned()];
    for at in 0..40 {
        // Names of files become names of sheets: equal but for case, and longer than Excel's limit.
        let name = format!("{}'s [query] {}.sql", "a very long name indeed ".repeat(2), at % 7);
        let name = if at % 2 == 0 { name } else { name.to_uppercase() };
        let file = folder.file(&name);
        std::fs::write(&file, "SELECT name, base, size_bytes FROM modules;").unwrap();
        arguments.extend(["-f".to_owned(), file]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    check("names", &arguments);
}
