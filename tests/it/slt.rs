//! Runs `tests/slt`: queries with their expected answers, one file per feature.
//!
//! A file whose first line is `# dump: triage` runs on a small triage dump, any other on no dump;
//! the tables of [`crate::rows::small`] are there in both. Column types are checked: I integer, R
//! double, T text, B boolean, A address, D timestamp, V interval, N untyped NULL. NULL is shown as
//! such, empty text as `(empty)`. An error must match the whole rendered message, including the
//! caret.

use std::path::{Path, PathBuf};

use dumpql::internals::catalog::PointerWidth;
use dumpql::{Session, Ty, Value};
use sqllogictest::{ColumnType, DB, DBOutput, Runner};

use crate::rows;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column(char);

impl ColumnType for Column {
    fn from_char(value: char) -> Option<Self> {
        "IRTBADVN".contains(value).then_some(Self(value))
    }

    fn to_char(&self) -> char {
        self.0
    }
}

#[derive(Debug)]
struct Rendered(String);

impl std::fmt::Display for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rendered {}

struct Engine(Session);

impl DB for Engine {
    type Error = Rendered;
    type ColumnType = Column;

    fn run(&mut self, sql: &str) -> Result<DBOutput<Column>, Rendered> {
        let result = self.0.query(sql).map_err(|e| Rendered(e.render(None, false)))?;
        let types = result.fields().iter().map(|f| Column(letter(f.ty))).collect();
        let cell = |row: usize, column: usize| match result.value(row, column) {
            Value::Null => "NULL".to_owned(),
            Value::Text(t) if t.is_empty() => "(empty)".to_owned(),
            _ => result.text(row, column),
        };
        let columns = result.fields().len();
        let rows = (0..result.len()).map(|row| (0..columns).map(|c| cell(row, c)).collect());
        assert_eq!(result.pointer_width(), PointerWidth::Bits64);
        Ok(DBOutput::Rows { types, rows: rows.collect() })
    }
}

const fn letter(ty: Ty) -> char {
    match ty {
        Ty::Null => 'N',
        Ty::Bool => 'B',
        Ty::Int => 'I',
        Ty::Double | Ty::Decimal(_) => 'R',
        Ty::Text => 'T',
        Ty::Addr => 'A',
        Ty::Time | Ty::Date => 'D',
        Ty::Interval => 'V',
        _ => '?',
    }
}

#[test]
fn query_results_match_the_slt_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let only = std::env::var("SLT").unwrap_or_default();
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(!files.is_empty(), "no file in {}", root.display());
    let mut failures = Vec::new();
    for file in files.iter().filter(|f| f.to_string_lossy().contains(&only)) {
        let script = std::fs::read_to_string(file).expect("a readable file");
        let sample = script.starts_with("# dump: triage\n");
        failures.extend(run(file, &script, sample));
    }
    assert!(failures.is_empty(), "{} failures\n\n{}", failures.len(), failures.join("\n"));
}

/// Runs every record of a file, and not only those before the first failure.
fn run(file: &Path, script: &str, sample: bool) -> Vec<String> {
    let name = file.to_string_lossy();
    let records = sqllogictest::parse_with_name::<Column>(script, name.as_ref());
    let records = match records {
        Ok(records) => records,
        Err(error) => return vec![error.to_string()],
    };
    let mut runner = Runner::new(|| async { Ok(Engine(rows::session(&rows::small(), sample))) });
    runner.with_column_validator(sqllogictest::strict_column_validator);
    runner.with_normalizer(|cell| cell.trim_end().to_owned());
    records
        .into_iter()
        .filter_map(|record| runner.run(record).err())
        .map(|e| e.to_string())
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a folder's entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "slt") {
            files.push(path);
        }
    }
}
