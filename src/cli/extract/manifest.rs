//! The manifest: one line of JSON per file, written when the file is complete.
//!
//! An incomplete last line, left by an aborted run, is ignored, and its file is written again. If
//! several lines concern the same table of the same dump, the last one is used.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::inputs::{Identity, Input};
use super::problems::Problem;
use crate::export;

const FILE: &str = "manifest.jsonl";

/// The result for one table of one dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The name in the column `dump`.
    pub(super) dump: String,
    /// The absolute path of the dump.
    pub(super) path: String,
    /// The size of the dump in bytes.
    pub(super) bytes: u64,
    /// When the dump was modified, in nanoseconds since 1970.
    pub(super) modified: u64,
    /// The checksum of its first 8 KiB, in hexadecimal.
    pub(super) start: String,
    pub(super) table: String,
    pub(super) rows: u64,
    /// The path of the file, relative to the folder of the manifest.
    pub(super) file: String,
    pub(super) file_bytes: u64,
    /// Why the table has no rows or lacks values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<Problem>,
    /// The version of dumpql that wrote it, which determines its columns.
    pub(super) version: String,
}

impl Record {
    /// Whether the record is of the unchanged dump and of this version.
    fn is_of(&self, identity: &Identity) -> bool {
        self.bytes == identity.bytes
            && self.modified == identity.modified
            && self.start == format!("{:016x}", identity.start)
            && self.version == env!("CARGO_PKG_VERSION")
    }
}

/// The records of earlier runs, and the file to which this run appends.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    folder: PathBuf,
    /// By path of the dump and table.
    known: BTreeMap<(String, String), Record>,
    out: Option<Mutex<File>>,
}

impl Manifest {
    /// Reads the manifest of a folder, and rewrites it with only the valid lines.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut known = BTreeMap::new();
        for record in text.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok()) {
            known.insert((record.path.clone(), record.table.clone()), record);
        }
        export::write_file(&path, |out| {
            for record in known.values() {
                serde_json::to_writer(&mut *out, record)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        })?;
        let out = OpenOptions::new().append(true).open(&path)?;
        Ok(Self { folder: folder.to_owned(), known, out: Some(Mutex::new(out)) })
    }

    /// The names of dumps, by their paths.
    pub(super) fn names(&self) -> BTreeMap<String, String> {
        self.known.values().map(|r| (r.path.clone(), r.dump.clone())).collect()
    }

    /// Whether the file of a table of a dump exists, is complete and is of the unchanged dump.
    pub(super) fn has(
        &self,
        input: &Input,
        identity: &Identity,
        table: &str,
        place: &Path,
    ) -> bool {
        let Some(record) = self.known.get(&(input.whole.clone(), table.to_owned())) else {
            return false;
        };
        record.is_of(identity)
            && Path::new(&record.file) == place
            && is_whole(&self.folder.join(place), record.file_bytes)
    }

    /// The problems that an earlier run recorded for a table of a dump.
    pub(super) fn problems(&self, input: &Input, table: &str) -> Vec<Problem> {
        let record = self.known.get(&(input.whole.clone(), table.to_owned()));
        record.map(|record| record.problems.clone()).unwrap_or_default()
    }

    /// Records a complete file.
    ///
    /// # Errors
    ///
    /// If the line cannot be written.
    pub(super) fn add(&self, record: &Record) -> io::Result<()> {
        let Some(out) = &self.out else { return Ok(()) };
        let mut line = serde_json::to_string(record)?;
        line.push('\n');
        out.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }
}

/// Whether a file has the recorded length and ends as a Parquet file does.
fn is_whole(path: &Path, bytes: u64) -> bool {
    let end = || {
        let mut file = File::open(path)?;
        let mut end = [0; 4];
        let length = file.seek(SeekFrom::End(-4))?.saturating_add(4);
        file.read_exact(&mut end)?;
        io::Result::Ok((length, end))
    };
    end().is_ok_and(|found| found == (bytes, *b"PAR1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_line_is_ignored() {
        let folder = std::env::temp_dir().join(format!("dumpql-manifest-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("t.parquet"), "1PAR1").unwrap();
        let identity = Identity { bytes: 7, modified: 8, start: 9 };
        let record = Record {
            dump: "x.dmp".to_owned(),
            path: "/x.dmp".to_owned(),
            bytes: 7,
            modified: 8,
            start: format!("{:016x}", 9),
            table: "threads".to_owned(),
            rows: 3,
            file: "t.parquet".to_owned(),
            file_bytes: 5,
            problems: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Manifest::open(&folder).unwrap().add(&record).unwrap();
        let mut text = fs::read_to_string(folder.join(FILE)).unwrap();
        text.push_str("{\"dump\":\"y.dmp\",\"pa");
        fs::write(folder.join(FILE), &text).unwrap();
        let manifest = Manifest::open(&folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join(FILE)).unwrap().lines().count(), 1);
        let input = Input {
            path: PathBuf::from("x.dmp"),
            url: None,
            whole: "/x.dmp".to_owned(),
            name: "x.dmp".to_owned(),
        };
        let has =
            |identity: &Identity| manifest.has(&input, identity, "threads", Path::new("t.parquet"));
        assert!(has(&identity));
        assert!(!has(&Identity { modified: 9, ..identity.clone() }));
        fs::write(folder.join("t.parquet"), "12345").unwrap();
        assert!(!has(&identity));
        fs::remove_dir_all(&folder).unwrap();
    }
}
