//! Files: what they are, and their bytes. One file of this room for each container format.
//!
//! The only place that opens dump files and the only `unsafe` (the mapping). Nothing here knows
//! what an `_ETHREAD` is.

// Every number here comes from a file that may be damaged.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub mod bare;
mod bitmap;
pub mod bytes;
pub mod cache;
mod detect;
mod elf;
mod foreign;
pub mod header;
mod image;
pub mod kdbg;
mod notes;
pub mod pages;
mod rdmp;
mod runs;
pub mod triage;
mod windows;

pub use bytes::Width;
pub use detect::{Format, detect};
pub use image::Image;
pub use notes::Stopped;
pub use windows::Windows;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The content is something else, or too damaged to start with.
    #[error("{path}: {found}")]
    NotADump {
        /// The file.
        path: String,
        /// What it is, as the end of a sentence ("an ELF core file; …").
        found: String,
    },
}
