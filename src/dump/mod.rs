//! Dump files: their container formats, and their bytes. Each container format has one file in this
//! module.
//!
//! This is the only module that opens dump files, and it has the only `unsafe` code (the file
//! mapping). It knows nothing about kernel structures.

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
mod listing;
mod notes;
pub mod pages;
mod rdmp;
mod runs;
pub mod triage;
mod windows;

pub use bytes::Width;
pub use detect::{Format, detect};
pub use image::Image;
pub use listing::files;
pub use notes::Stopped;
pub use windows::Windows;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An I/O error.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is something else, or too damaged to open.
    #[error("{path}: {found}")]
    NotADump {
        /// The file.
        path: String,
        /// What the file is, as the end of a sentence ("an ELF core file; …").
        found: String,
    },
}
