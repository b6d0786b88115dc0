//! The location of the real dumps, and opening them.

use std::path::PathBuf;

use dumpql::internals::dump::Image;
use dumpql::internals::synth;
use dumpql::{Options, Session};

/// The folder of real files: `DUMPQL_CORPUS`, or `../shared` next to the project.
pub(crate) fn folder() -> Option<PathBuf> {
    let path = std::env::var_os("DUMPQL_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if path.join("dumps").is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: corpus not found at {} (set DUMPQL_CORPUS)", path.display());
    None
}

/// The dumps below a folder of the corpus (`kernel`, `user`), sorted; empty without a corpus.
pub(crate) fn dumps(kind: &str) -> Vec<PathBuf> {
    let Some(folder) = folder() else { return Vec::new() };
    let entries = std::fs::read_dir(folder.join("dumps").join(kind)).expect("corpus is readable");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("corpus is readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "dmp"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus has no {kind} dumps");
    paths
}

/// A session with a small generated dump.
pub(crate) fn triage_sample() -> Session {
    let image = Image::from_bytes("sample", synth::triage_sample());
    Session::from_images(vec![image], &Options::default()).expect("the triage sample opens")
}

/// The samples with their names, each in its own session.
pub(crate) fn samples() -> Vec<(String, Session)> {
    vec![
        ("sample".to_owned(), Session::sample().expect("the sample opens")),
        ("triage sample".to_owned(), triage_sample()),
    ]
}

/// All dumps of the corpus with their names, each in its own session.
pub(crate) fn sessions() -> Vec<(String, Session)> {
    let mut all = Vec::new();
    for path in dumps("kernel").into_iter().chain(dumps("user")) {
        let session = Session::open_with(&[&path], &Options::default())
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        all.push((path.file_name().unwrap().to_string_lossy().into_owned(), session));
    }
    all
}
