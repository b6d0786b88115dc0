//! The virtual tables: one file each, and one line each in [`ALL`].
//!
//! A table reads rows of the model and never reads memory. The schema, the scan with its
//! projection, completion, `DESCRIBE`, `meta.columns` and `docs/generated` follow from its
//! definition.

mod analysis;
mod apcs;
mod big_pool;
mod blocked_drivers;
mod bugcheck;
mod call;
mod callbacks;
mod coverage;
mod critical_sections;
mod deadlocks;
pub(crate) mod def;
mod devices;
mod disassembly;
mod dpcs;
mod driver_dispatch;
mod drivers;
mod dump;
mod environment;
mod error_records;
mod exception;
mod extension_facts;
mod filters;
mod handles;
mod idt;
mod information_schema;
mod irp_stack;
mod irps;
mod locals;
mod lock_entries;
mod lock_owners;
mod lock_waiters;
mod locks;
mod log_commands;
mod mapped_files;
mod memory_bytes;
mod memory_lists;
mod memory_regions;
mod meta_columns;
mod meta_functions;
mod meta_settings;
mod meta_tables;
mod modules;
mod needed_symbols;
mod object_types;
mod objects;
mod page_files;
mod page_table;
mod pool_allocations;
mod pool_failures;
mod pool_faults;
mod pool_pages;
mod pool_tags;
mod problems;
mod processes;
mod processors;
mod queued_locks;
mod raw_stack;
mod ready_threads;
mod registers;
mod scan;
mod sessions;
mod ssdt;
mod stacks;
mod structure_fields;
mod suspects;
mod symbols;
mod system_ptes;
mod threads;
mod timers;
mod unloaded_modules;
mod vads;
mod verifier;
mod verifier_stacks;
mod vm;
mod wait_objects;
mod work_items;
mod work_queues;

/// Why a scan got no rows from a source.
pub use crate::model::{Progress, Unanswered};
pub use call::{CallRows, columns as call_columns, rows as call_rows};
pub use def::{Column, FromRow, Get, Rows, Table, TableDef, text};
pub use scan::{Cx, NamedSource, Scan, ScanError, ScanRequest};

/// Every table, in the order in which documentation lists them.
pub static ALL: &[&dyn Table] = &[
    &dump::TABLE,
    &environment::TABLE,
    &bugcheck::TABLE,
    &exception::TABLE,
    &suspects::TABLE,
    &registers::TABLE,
    &processes::TABLE,
    &threads::TABLE,
    &wait_objects::TABLE,
    &stacks::TABLE,
    &raw_stack::TABLE,
    &processors::TABLE,
    &ready_threads::TABLE,
    &dpcs::TABLE,
    &timers::TABLE,
    &work_queues::TABLE,
    &work_items::TABLE,
    &modules::TABLE,
    &unloaded_modules::TABLE,
    &drivers::TABLE,
    &driver_dispatch::TABLE,
    &devices::TABLE,
    &irps::TABLE,
    &irp_stack::TABLE,
    &pool_tags::TABLE,
    &pool_allocations::TABLE,
    &big_pool::TABLE,
    &pool_pages::TABLE,
    &locks::TABLE,
    &lock_owners::TABLE,
    &lock_waiters::TABLE,
    &lock_entries::TABLE,
    &critical_sections::TABLE,
    &vm::TABLE,
    &page_files::TABLE,
    &memory_lists::TABLE,
    &pool_failures::TABLE,
    &sessions::TABLE,
    &handles::TABLE,
    &objects::TABLE,
    &object_types::TABLE,
    &vads::TABLE,
    &memory_regions::TABLE,
    &callbacks::TABLE,
    &ssdt::TABLE,
    &idt::TABLE,
    &verifier_stacks::TABLE,
    &disassembly::TABLE,
    &coverage::TABLE,
    &problems::TABLE,
    &needed_symbols::TABLE,
    &filters::TABLE,
    &verifier::TABLE,
    &mapped_files::TABLE,
    &queued_locks::TABLE,
    &pool_faults::TABLE,
    &blocked_drivers::TABLE,
    &error_records::TABLE,
    &analysis::TABLE,
    &extension_facts::TABLE,
    &structure_fields::TABLE,
    &memory_bytes::TABLE,
    &locals::TABLE,
    &symbols::TABLE,
    &deadlocks::TABLE,
    &system_ptes::TABLE,
    &apcs::TABLE,
    &page_table::TABLE,
    &log_commands::TABLE,
    &meta_tables::TABLE,
    &meta_columns::TABLE,
    &meta_functions::TABLE,
    &meta_settings::TABLE,
    &information_schema::TABLES,
    &information_schema::COLUMNS,
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
    fn definitions_follow_the_rules() {
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
