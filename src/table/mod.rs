//! The virtual tables: one file each, and one line each in [`ALL`].
//!
//! A table asks the model and never reads memory. From its one definition come the schema, the
//! scan with its projection, completion, `DESCRIBE`, `meta.columns` and `docs/generated`.

mod bugcheck;
mod coverage;
pub(crate) mod def;
mod dump;
mod exception;
mod handles;
mod memory_regions;
mod meta_columns;
mod meta_functions;
mod meta_tables;
mod modules;
mod problems;
mod processes;
mod processors;
mod registers;
mod threads;
mod unloaded_modules;

/// Why a scan got nothing from a source.
pub use crate::model::Unanswered;
pub use def::{Cx, NamedSource, Scan, ScanError, ScanRequest, Table};

/// Every table, in the order in which documentation lists them.
pub static ALL: &[&dyn Table] = &[
    &dump::TABLE,
    &bugcheck::TABLE,
    &exception::TABLE,
    &registers::TABLE,
    &processes::TABLE,
    &threads::TABLE,
    &processors::TABLE,
    &modules::TABLE,
    &unloaded_modules::TABLE,
    &handles::TABLE,
    &memory_regions::TABLE,
    &coverage::TABLE,
    &problems::TABLE,
    &meta_tables::TABLE,
    &meta_columns::TABLE,
    &meta_functions::TABLE,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_snake_case(name: &str) -> bool {
        name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
    }

    #[test]
    fn definitions_keep_the_house_rules() {
        let mut tables = HashSet::new();
        for table in ALL {
            let spec = table.spec(false);
            assert!(tables.insert(spec.name), "{} twice", spec.name);
            assert!(is_snake_case(spec.name), "{}", spec.name);
            assert!(spec.doc.ends_with('.'), "{}: {}", spec.name, spec.doc);
            assert!(!spec.examples.is_empty(), "{} has no example", spec.name);
            let mut columns = HashSet::new();
            for column in &spec.columns {
                let name = format!("{}.{}", spec.name, column.name);
                assert!(columns.insert(column.name), "{name} twice");
                assert!(is_snake_case(column.name), "{name}");
                assert!(column.doc.ends_with('.'), "{name}: {}", column.doc);
            }
        }
    }
}
