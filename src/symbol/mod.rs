//! Where names and layouts come from.

pub mod pack;

use std::path::PathBuf;

/// The symbol path and what was loaded from it. Files are opened only when a source asks.
#[derive(Debug, Default)]
pub struct Store {
    paths: Vec<PathBuf>,
}

impl Store {
    /// A store over folders and files of layouts.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths }
    }

    /// The folders and files, in the order in which they are searched.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }
}
