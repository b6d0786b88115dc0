//! Whole systems for other tests: a session on a dump of a system, with or without symbols.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{Format, System};
use dumpql::{Options, Session};

pub(crate) use crate::systems::ALL;

/// A file of the names of a system's variables; it is gone when this is.
pub(crate) struct Names(PathBuf);

impl Names {
    /// Writes the names as an ISF file, which has no types that anybody reads.
    pub(crate) fn of(system: &System) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dumpql-names-{}-{count}.json", std::process::id());
        let path = std::env::temp_dir().join(name);
        let offset = |address: &u64| serde_json::json!({ "address": address - system.kernel.0 });
        let symbols: serde_json::Map<String, serde_json::Value> =
            system.symbols.iter().map(|(name, at)| (name.clone(), offset(at))).collect();
        let (pdb, guid, age) = system.pdb();
        let isf = serde_json::json!({
            "metadata": { "format": "6.2.0", "windows": {
                "pdb": { "database": pdb, "GUID": guid, "age": age } } },
            "base_types": {}, "enums": {}, "symbols": symbols,
            "user_types": { "_NONE": { "kind": "struct", "size": 4, "fields": {} } },
        });
        std::fs::write(&path, isf.to_string()).expect("a file for a moment");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A session on a dump of a system, which knows the names of its variables.
pub(crate) fn open(system: &System, format: Format) -> Session {
    let names = Names::of(system);
    let options = Options::default().symbols([names.path()]);
    session(system, format, &options)
}

/// A session on a dump of a system.
pub(crate) fn session(system: &System, format: Format, options: &Options) -> Session {
    let image = Image::from_bytes("made.dmp", system.to_vec(format));
    Session::from_images(vec![image], options).expect("it is a dump")
}

/// The rows of an answer, each with bars between its cells.
/// The rows of a shipped query with the values that its parameters have by themselves.
pub(crate) fn shipped(session: &Session, name: &str) -> Vec<String> {
    let query = dumpql::internals::session::find_query(name).expect("it is shipped");
    let params = dumpql::internals::session::parameters(query, &std::collections::BTreeMap::new());
    rows(&session.query_with(&query.text, &params.expect("each has a default")).expect(name))
}

pub(crate) fn ask(session: &Session, sql: &str) -> Vec<String> {
    rows(&session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}")))
}

fn rows(result: &dumpql::ResultSet) -> Vec<String> {
    let columns = 0..result.fields().len();
    let line = |row| columns.clone().map(|col| result.text(row, col)).collect::<Vec<_>>().join("|");
    (0..result.len()).map(line).collect()
}
