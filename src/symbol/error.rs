//! Why a symbol file cannot be used.

/// An unusable symbol path, or an unusable file on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An I/O error.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a readable PDB.
    #[error("{path}: {found}")]
    NotSymbols {
        /// The file.
        path: String,
        /// What is wrong with it, as the end of a sentence.
        found: String,
    },
    /// The file is not a readable layout.
    #[error("{path}: {found}")]
    NotALayout {
        /// The file.
        path: String,
        /// What is wrong with it, as the end of a sentence.
        found: String,
    },
}

impl Error {
    /// The file or folder that the error is about.
    pub fn path(&self) -> &str {
        match self {
            Self::Io { path, .. }
            | Self::NotSymbols { path, .. }
            | Self::NotALayout { path, .. } => path,
        }
    }
}
