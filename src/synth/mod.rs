//! Synthetic dumps, built in memory from type layouts.
//!
//! [`sample`] is the dump that `--sample` opens; [`triage`] builds any other from a
//! [`TriageSpec`], for tests and for whoever wants a dump with known content. Shares no container,
//! paging or layout-reading code with the readers: two wrongs must not agree.

mod bytes;
mod context;
mod image;
mod layout;
mod objects;
mod sample;
mod spec;
mod triage;

pub use image::image_header;
pub use sample::{sample, sample_spec};
pub use spec::{Arch, Block, Cpu, Driver, ExceptionRecord, Process, Thread, TriageSpec, Unloaded};
pub use triage::triage;
