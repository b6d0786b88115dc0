//! Dump files: their container formats, and their bytes. Each container format has one file in this
//! module.
//!
//! This is the only module that opens dump files, and it has the `unsafe` code of mapping them and of
//! handling their faults. It knows nothing about kernel structures.

// Every number here comes from a file that may be damaged.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod archive;
pub mod bare;
mod bitmap;
pub mod bytes;
pub mod cache;
mod detect;
mod elf;
mod fault;
mod foreign;
pub mod header;
mod hiber;
mod image;
pub mod kdbg;
mod kinds;
mod layout;
mod lime;
mod listing;
mod notes;
mod open;
pub mod pages;
mod rdmp;
mod remote;
mod runs;
mod spool;
pub mod triage;
mod vmware;
mod windows;
mod xpress;

pub use bytes::Width;
pub use detect::{Format, detect};
pub use fault::{Health, install as handle_faults};
pub use image::Image;
pub use layout::Saved;
pub use listing::files;
pub use notes::Stopped;
pub use open::{Expanded, expand};
#[cfg(feature = "cli")]
pub(crate) use remote::shown_url;
pub use remote::{RangeReader, is_url};
pub use spool::{Spooling, stdin};
pub use windows::Windows;

/// A text as it is shown in a message: the text may contain bytes of the file, and messages are
/// single lines.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

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
    /// Unpacking was cancelled.
    #[error("{path}: unpacking was cancelled")]
    Cancelled {
        /// The file.
        path: String,
    },
}

impl Error {
    /// The file.
    pub fn path(&self) -> &str {
        match self {
            Self::Io { path, .. } | Self::NotADump { path, .. } | Self::Cancelled { path } => path,
        }
    }
}
