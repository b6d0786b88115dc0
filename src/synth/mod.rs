//! Synthetic dumps, built in memory from type layouts.
//!
//! [`sample`] is the dump that `--sample` opens; [`triage`] builds any other from a
//! [`TriageSpec`], for tests and for whoever wants a dump with known content. [`system`] builds a
//! whole running system from a [`SystemSpec`], which is then written in any form of memory dump.
//! Shares no container, paging or layout-reading code with the readers: two wrongs must not agree.

mod bytes;
mod context;
mod form;
mod hostile;
mod image;
mod kernel_file;
mod layout;
mod memory;
mod objects;
mod pe;
mod sample;
mod scenario;
mod spec;
mod system;
mod triage;
mod write;

pub use hostile::{Damage, Lie, truncated};
pub use image::image_header;
pub use kernel_file::KernelFile;
pub use sample::{sample, sample_spec};
pub use scenario::{crowded, healthy, server_2003};
pub use spec::{Arch, Block, Cpu, Driver, ExceptionRecord, Process, Thread, TriageSpec, Unloaded};
pub use system::{
    Counters, NamedObject, PageFile, PoolBlock, PoolRequest, PoolState, Processor, Session, System,
    SystemHandle, SystemProcess, SystemSpec, SystemThread, ThreadState, Timer, UnloadedDriver, Vad,
    Windows, system,
};
pub use triage::triage;
pub use write::Format;
