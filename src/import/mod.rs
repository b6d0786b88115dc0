//! Text files as tables: the columns of a CSV or TSV file, with types inferred from their values.
//!
//! This room works on bytes that the caller has read. It knows no dump, no session and no polars.

mod delimited;
mod infer;

pub use delimited::{Error, Options, columns};

/// Whether a file name has an extension of separated values; the contents of such a file do not
/// identify it.
pub fn is_delimited(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["csv", "tsv", "tab"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The name of the table that a file becomes: its stem, as a word of the language.
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
    fn a_table_is_called_by_the_stem_of_its_file() {
        assert_eq!(table_name("/tmp/Known bad-drivers.v2.csv"), "known_bad_drivers_v2");
        assert_eq!(table_name(r"C:\x\2024.tsv"), "_2024");
        assert_eq!(table_name(""), "_");
        assert!(is_delimited("A.CSV") && is_delimited("b.tsv") && !is_delimited("csv"));
    }
}
