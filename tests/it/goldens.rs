//! What every shipped query answers on the sample, on a system that is sick and on one that is
//! healthy: columns, the number of rows, and the first rows. `UPDATE_EXPECT=1` rewrites the files;
//! the difference is to be read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::library::{library, parameters};
use dumpql::{Code, Options, Session};
use expect_test::expect_file;

/// Rows that are shown of a query.
const ROWS: usize = 3;
/// Letters that are shown of a row.
const LETTERS: usize = 240;

/// Queries whose rows name paths of the machine that asks.
const OF_THE_MACHINE: [&str; 2] = ["doctor", "needed-symbols"];

fn made(spec: &SystemSpec) -> Session {
    let mut bytes = std::io::Cursor::new(Vec::new());
    synth::system(spec).write(Format::BitmapFull, &mut bytes).unwrap();
    let image = Image::from_bytes("made.dmp", bytes.into_inner());
    Session::from_images(vec![image], &Options::default()).unwrap()
}

/// The rows as lines.
fn answers(session: &Session) -> String {
    // A value for each parameter that has no default.
    let values = [
        ("address", "0xfffff80000000000"),
        ("text", "Wait"),
        ("irp", "0xfffff80000000000"),
        ("driver", "ntfs"),
        ("device", "0xfffff80000000000"),
        ("tag", "Irp*"),
    ];
    let mut text = String::new();
    for query in library() {
        let _ = writeln!(text, "\n## {}", query.name);
        let lacks = |name: &str| query.params.iter().any(|p| p.name == name && p.default.is_none());
        let given: BTreeMap<String, String> = values
            .iter()
            .filter(|(name, _)| lacks(name))
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let params = parameters(query, &given).unwrap();
        let result = match session.query_with(&query.text, &params) {
            Ok(result) => result,
            Err(error) if error.code() == Code::NoSource => {
                text.push_str("no source\n");
                continue;
            }
            Err(error) => panic!("{}:\n{}", query.name, error.render(None, false)),
        };
        let names: Vec<&str> = result.fields().iter().map(|field| field.name.as_str()).collect();
        let _ = writeln!(text, "{} rows: {}", result.len(), names.join(", "));
        let shown = if OF_THE_MACHINE.contains(&query.name.as_str()) { 0 } else { ROWS };
        for row in 0..result.len().min(shown) {
            let cells: Vec<String> = (0..names.len()).map(|at| result.text(row, at)).collect();
            let line: String =
                cells.join(" | ").replace('\n', "\\n").chars().take(LETTERS).collect();
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

fn check(name: &str, session: &Session) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    expect_file![path].assert_eq(&answers(session));
}

#[test]
fn every_query_answers_the_sample_as_before() {
    check("sample.txt", &Session::sample().unwrap());
}

#[test]
fn every_query_answers_a_sick_system_as_before() {
    check("sick.txt", &made(&synth::sick(Windows::Windows10)));
}

#[test]
fn every_query_answers_a_healthy_system_as_before() {
    check("healthy.txt", &made(&synth::healthy(Windows::Windows10)));
}
