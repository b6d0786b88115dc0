//! dumpql: an embeddable SQL-like query language over Windows crash dumps.
//!
//! ```text
//! file bytes -> dump -> memory -> symbol -> source -> model -> table -> exec <-> plan <-> lang -> export -> cli
//! ```

pub mod catalog;
pub mod cli;
pub mod diag;
pub mod dump;
pub mod exec;
pub mod export;
pub mod func;
pub mod import;
pub mod lang;
pub mod memory;
pub mod model;
pub mod plan;
pub mod session;
pub mod source;
pub mod symbol;
pub mod synth;
pub mod table;
pub mod unwind;

pub use catalog::{Ty, Value};
pub use exec::ResultSet;
pub use session::{Error, Options, Params, Session};
