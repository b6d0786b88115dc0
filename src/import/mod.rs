//! Reads files as tables: the columns of separated values and JSON, with types inferred from their
//! values, and those of Parquet files.
//!
//! This module works on bytes that the caller has read. It depends on neither dumps nor sessions.

mod delimited;
mod infer;
mod json;
mod parquet;
mod several;

use std::sync::atomic::AtomicBool;

pub use delimited::{Error, Options};
pub use several::{Columns, combined};

/// The kinds of files that can be read as tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Separated values.
    Delimited,
    /// JSON.
    Json,
    /// Apache Parquet.
    Parquet,
}

impl Kind {
    /// The kind of a file by its extension; the contents of text files do not identify it.
    pub fn of_path(path: &str) -> Option<Self> {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        match ending.as_str() {
            "csv" | "tsv" | "tab" => Some(Self::Delimited),
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The columns of a file; the extension of its path may say that tabs are the delimiter.
    ///
    /// # Errors
    ///
    /// If the file is of another kind, damaged, or exceeds a limit.
    pub fn columns(
        self,
        bytes: &[u8],
        path: &str,
        options: &Options,
        stop: &AtomicBool,
    ) -> Result<Columns, Error> {
        match self {
            Self::Delimited => {
                let tabs = !path.to_ascii_lowercase().ends_with(".csv") && is_delimited(path);
                delimited::columns(bytes, tabs, options, stop)
            }
            Self::Json => json::columns(bytes, stop),
            Self::Parquet => parquet::columns(bytes, stop),
        }
    }
}

/// The columns `filename`, `content` and `size` of files that are read as text.
///
/// # Errors
///
/// If one is not text.
pub fn texts(files: &[(String, Vec<u8>)]) -> Result<Columns, Error> {
    use crate::catalog::{ColumnBuilder, Ty};
    let (mut names, mut contents) = (ColumnBuilder::new(Ty::Text), ColumnBuilder::new(Ty::Text));
    let mut sizes = ColumnBuilder::new(Ty::Int);
    for (path, bytes) in files {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Error(format!("{path}: byte {} is no UTF-8", error.valid_up_to())))?;
        names.push_text(Ok(path));
        contents.push_text(Ok(text));
        sizes.push_int(Ok(i64::try_from(bytes.len()).unwrap_or(i64::MAX)));
    }
    let columns = [("filename", names), ("content", contents), ("size", sizes)];
    Ok(columns.into_iter().map(|(name, data)| (name.to_owned(), data.finish())).collect())
}

/// The column `file` of paths.
pub fn paths(files: &[String]) -> Columns {
    let mut names = crate::catalog::ColumnBuilder::new(crate::catalog::Ty::Text);
    for path in files {
        names.push_text(Ok(path));
    }
    vec![("file".to_owned(), names.finish())]
}

/// Whether a file name has an extension of separated values; the contents of such a file do not
/// identify it.
pub fn is_delimited(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["csv", "tsv", "tab"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The name of the table for a file: its stem, converted to an identifier.
pub fn table_name(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut name: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_after_the_stem_of_its_file() {
        assert_eq!(table_name("/tmp/Known bad-drivers.v2.csv"), "known_bad_drivers_v2");
        assert_eq!(table_name(r"C:\x\2024.tsv"), "_2024");
        assert_eq!(table_name(""), "_");
        assert!(is_delimited("A.CSV") && is_delimited("b.tsv") && !is_delimited("csv"));
    }
}
