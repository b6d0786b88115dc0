//! The virtual tables: one file each, and one line each in [`ALL`].
//!
//! A table asks the model and never reads memory. From its one definition come the schema, the
//! scan with its projection, completion, `DESCRIBE`, `meta.columns` and `docs/generated`.

pub(crate) mod def;
mod modules;

pub use def::{Cx, NamedSource, Scan, ScanError, ScanRequest, Table};

/// Every table, in the order in which documentation lists them.
pub static ALL: &[&dyn Table] = &[&modules::TABLE];
