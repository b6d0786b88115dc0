//! Every shipped query and every documented example runs.

use std::collections::BTreeMap;

use dumpql::internals::diag::Code;
use dumpql::internals::dump::Image;
use dumpql::internals::session::{find_query, library, parameters};
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::{Options, Params, ResultSet, Session};

use crate::corpus;

/// Runs `sql`; the only allowed error is a table that the source cannot answer.
fn run(session: &Session, what: &str, sql: &str, params: &Params) -> Option<ResultSet> {
    match session.query_with(sql, params) {
        Ok(result) => Some(result),
        Err(error) if error.code() == Code::NoSource => None,
        Err(error) => panic!("{what}:\n{}", error.render(None, false)),
    }
}

#[test]
fn shipped_queries_run_on_the_samples() {
    run_shipped(corpus::samples());
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn shipped_queries_run_on_every_dump() {
    run_shipped(corpus::sessions());
}

fn run_shipped(sessions: Vec<(String, Session)>) {
    let values = [
        ("address", "0xfffff80000000000"),
        ("text", "Wait"),
        ("irp", "0xfffff80000000000"),
        ("driver", "ntfs"),
        ("device", "0xfffff80000000000"),
        ("tag", "Irp*"),
    ];
    for (name, session) in sessions {
        for query in library() {
            let of =
                |name: &str| query.params.iter().any(|p| p.name == name && p.default.is_none());
            let given = values.iter().filter(|(name, _)| of(name));
            let given = given.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            let params =
                parameters(query, &given).unwrap_or_else(|e| panic!("{}: {e}", query.name));
            run(&session, &format!("{name}: {}", query.name), &query.text, &params);
        }
    }
}

#[test]
fn shipped_queries_answer_on_the_sample() {
    let session = Session::sample().unwrap();
    for name in [
        "overview",
        "crash",
        "modules",
        "unloaded-often",
        "register-pointers",
        "threads",
        "completeness",
        "missing",
        "buckets",
        "oldest-modules",
        "open-files",
        "handles-to",
        "handle-types",
        "objects-by-directory",
        "address-space",
        "sessions",
        "stack",
        "unique-stacks",
        "work-queues",
        "timers-by-module",
        "who-waits",
        "irp-distribution",
    ] {
        let query = find_query(name).unwrap();
        let params = parameters(query, &BTreeMap::new()).unwrap();
        let result = run(&session, name, &query.text, &params);
        let result = result.unwrap_or_else(|| panic!("{name} is not answered by the sample"));
        assert!(!result.is_empty(), "{name} gives no row on the sample");
        if name == "irp-distribution" {
            let nobody = (0..result.len()).any(|row| result.text(row, 0).is_empty());
            assert!(!nobody, "requests of the sample have no driver");
        }
    }
}

/// A dump whose system service tables are damaged, and a triage dump, which has none.
#[test]
fn optional_tables_may_be_missing_but_not_all() {
    let spec = synth::healthy(Windows::Windows10);
    let system = synth::system(&spec);
    let limit = |name: &str| synth::Block { address: system.symbols[name] + 16, bytes: vec![7, 0] };
    let blocks = ["KeServiceDescriptorTable", "KeServiceDescriptorTableShadow"].map(limit).to_vec();
    let damaged = synth::system(&SystemSpec { blocks, ..spec }).to_vec(Format::BitmapFull);
    let open = |bytes| {
        let images = vec![Image::from_bytes("made", bytes)];
        Session::from_images(images, &Options::default()).unwrap()
    };
    let hooks = &find_query("hooks").unwrap().text;
    let session = open(damaged);
    let result = session.query(hooks).unwrap();
    let unread: Vec<_> = result.unread().iter().map(|unread| unread.table).collect();
    assert_eq!(unread, ["ssdt"]);
    assert!(
        result.unread()[0].because[0].starts_with("made: the system service table cannot be found")
    );
    // Without the header, the query fails.
    let error = session.query("SELECT count(*) FROM ssdt").unwrap_err();
    assert_eq!(error.code(), Code::NoSource);
    let error = open(synth::triage_sample()).query(hooks).unwrap_err();
    assert_eq!(error.code(), Code::NoSource);
    // In the order of the text, and complete if no table is missing.
    let whole = Session::sample().unwrap().query(hooks).unwrap();
    assert!(whole.unread().is_empty());
}

#[test]
fn documented_examples_run_on_the_samples() {
    run_examples(corpus::samples());
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn documented_examples_run_on_every_dump() {
    run_examples(corpus::sessions());
}

fn run_examples(sessions: Vec<(String, Session)>) {
    for (name, session) in sessions {
        for table in session.catalog().tables() {
            for example in table.examples {
                run(&session, &format!("{name}: {}", table.name), example.sql, &Params::new());
            }
        }
    }
}

/// The logs of the corpus, including the archive, each in its own session.
fn logs() -> Vec<(String, Session)> {
    let Some(corpus) = corpus::folder() else { return Vec::new() };
    let below = |folder: std::path::PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let folders = below(corpus.join("logs")).into_iter().chain([corpus.join("reference")]);
    let files = folders.filter(|folder| folder.is_dir()).flat_map(below);
    let named = files.filter_map(|path| {
        // Files that are not logs do not open.
        Some((path.display().to_string(), Session::open(&path).ok()?))
    });
    named.collect()
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn shipped_queries_run_unchanged_on_logs() {
    run_shipped(logs());
}

#[test]
fn saved_queries_answer_for_each_dump_by_itself() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/log/own/kernel.txt");
    let (session, failures) =
        Session::open_each(&[std::path::Path::new(log)], true, &Options::default());
    assert!(failures.is_empty(), "{failures:?}");
    let rows = |name: &str| session.query(&find_query(name).unwrap().text).unwrap();
    let names = |result: &ResultSet| {
        let mut names: Vec<_> = (0..result.len()).map(|row| result.text(row, 0)).collect();
        names.dedup();
        names
    };
    let crash = rows("crash");
    assert_eq!(crash.fields()[0].name, "dump");
    assert_eq!(names(&crash), ["sample", "kernel.txt"]);
    let alone = Session::sample().unwrap().query(&find_query("crash").unwrap().text).unwrap();
    let row = |result: &ResultSet, row, from| {
        (from..result.fields().len()).map(|column| result.text(row, column)).collect::<Vec<_>>()
    };
    for at in 0..alone.len() {
        assert_eq!(row(&crash, at, 1), row(&alone, at, 0));
    }
    // A dump without the tables is omitted; a query that compares dumps runs once.
    assert_eq!(names(&rows("needed-symbols")), ["sample"]);
    let overview = rows("overview");
    assert_eq!(overview.fields().iter().filter(|field| field.name == "dump").count(), 1);
    assert_eq!(names(&overview), ["sample", "kernel.txt"]);
    // Other queries cover all dumps at once.
    assert_eq!(session.query("SELECT count(*) AS n FROM dump").unwrap().len(), 1);
}

/// A saved query, its parameters, and its number of rows.
type Answer = (&'static str, &'static [(&'static str, &'static str)], usize);

/// The numbers of rows in a log of the repository, counted by reading it.
const ANSWERS: [Answer; 25] = [
    ("overview", &[], 1),
    ("crash", &[], 6),
    ("register-pointers", &[], 1),
    ("register-text", &[], 1),
    ("top-frames", &[], 2),
    ("modules", &[], 3),
    ("oldest-modules", &[], 1),
    ("module-at", &[("address", "0xfffff80235000010")], 1),
    ("unloaded-often", &[], 1),
    ("running", &[], 2),
    ("ready", &[], 2),
    ("waits", &[], 1),
    ("who-waits", &[], 3),
    ("wait-chains", &[], 1),
    ("high-contention", &[], 2),
    ("threads-by-ticks", &[], 3),
    ("processes", &[], 3),
    ("irp-distribution", &[], 2),
    ("irp-anomaly", &[("least", "2")], 1),
    ("poolused-nonpaged", &[], 2),
    ("poolused-paged", &[], 1),
    ("pool-leak", &[], 1),
    ("vm", &[], 4),
    ("handle-types", &[], 1),
    ("log-commands", &[], 15),
];

#[test]
fn shipped_queries_answer_from_a_log() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/log/own/kernel.txt");
    let session = Session::open(path).unwrap();
    let mut wrong = Vec::new();
    for (name, given, expected) in ANSWERS {
        let query = find_query(name).unwrap();
        let given = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let params = parameters(query, &given).unwrap();
        let rows = run(&session, name, &query.text, &params).map(|result| result.len());
        if rows != Some(expected) {
            wrong.push(format!("{name}: {rows:?} rows, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let problems = session.query("FROM problems").unwrap();
    assert!(problems.is_empty(), "{}", problems.text(0, 0));
}
