//! Why a file of symbols cannot be used.

/// A symbol path or a file on it that is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The content is no PDB that can be read.
    #[error("{path}: {found}")]
    NotSymbols {
        /// The file.
        path: String,
        /// What is wrong with it, as the end of a sentence.
        found: String,
    },
    /// The content is no layout that can be read.
    #[error("{path}: {found}")]
    NotALayout {
        /// The file.
        path: String,
        /// What is wrong with it, as the end of a sentence.
        found: String,
    },
}

impl Error {
    /// The file or folder that it is about.
    pub fn path(&self) -> &str {
        match self {
            Self::Io { path, .. }
            | Self::NotSymbols { path, .. }
            | Self::NotALayout { path, .. } => path,
        }
    }
}
