//! Synthetic dumps, built in memory from type layouts.
//!
//! [`system`] builds a whole running system from a [`SystemSpec`], which can be written in any
//! memory dump format; [`sample`] is the dump that `--sample` opens. [`triage`] builds a small dump
//! from a [`TriageSpec`]. They are for tests and for users who need a dump with known contents.
//! This module shares no container, paging or layout code with the readers, so that a common error
//! cannot go unnoticed.

mod bytes;
mod context;
mod form;
mod hostile;
mod image;
mod kernel_file;
mod layout;
mod memory;
mod notes;
mod objects;
mod pe;
mod scenario;
mod spec;
mod system;
mod triage;
mod triage_sample;
mod write;

pub use hostile::{Damage, Lie, truncated};
pub use image::image_header;
pub use kernel_file::KernelFile;
pub use scenario::{crowded, healthy, hooked, mapped, pile, server_2003, sick};
pub use spec::{Arch, Block, Cpu, Driver, ExceptionRecord, Process, Thread, TriageSpec, Unloaded};
pub use system::{
    Counters, Device, DriverObject, Io, Location, NamedObject, PageFile, PoolBlock, PoolMap,
    PoolRequest, PoolState, Processor, Request, Resource, Routines, Session, System, SystemHandle,
    SystemProcess, SystemSpec, SystemThread, TagUse, ThreadLock, ThreadState, Timer, Trace,
    UnloadedDriver, Vad, Vector, Windows, WorkItem, WorkQueue, system,
};
pub use triage::triage;
pub use triage_sample::{triage_sample, triage_sample_spec};
pub use write::Format;

/// The dump that `--sample` opens: the busy server of [`server_2003`], the same bytes at every call.
pub fn sample() -> Vec<u8> {
    system(&server_2003()).to_vec(Format::KernelSummary)
}
