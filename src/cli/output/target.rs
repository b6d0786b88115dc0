//! Where results are written: never to evidence, and to a file that is there only if that was said.

use std::io;
use std::path::Path;

use crate::cli::table::push_clean;
use crate::session::Session;

/// Where results are written.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Target<'a> {
    pub(in crate::cli) path: &'a Path,
    /// Whether a file that is there is replaced.
    pub(in crate::cli) force: bool,
}

impl Target<'_> {
    /// Fails if the path is a file that is open, as a dump is evidence and never written to, or one
    /// that is there and that nobody said to replace.
    ///
    /// # Errors
    /// An error that names the file.
    pub(in crate::cli) fn check(self, session: &Session) -> io::Result<()> {
        refuse_evidence(self.path, session)?;
        self.refuse_existing()
    }

    /// Fails if the file is there and nobody said to replace it.
    ///
    /// # Errors
    /// An error that names the file.
    pub(in crate::cli) fn refuse_existing(self) -> io::Result<()> {
        if self.force || !self.exists() {
            return Ok(());
        }
        let message = format!("{} exists; --force replaces it", shown(self.path));
        Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
    }

    /// Whether there is an ordinary file.
    pub(in crate::cli) fn exists(self) -> bool {
        self.path.is_file()
    }
}

pub(super) fn shown(path: &Path) -> String {
    let mut text = String::new();
    push_clean(&path.display().to_string(), &mut text);
    text
}

fn refuse_evidence(path: &Path, session: &Session) -> io::Result<()> {
    let Some(used_as) = session.use_of(path) else { return Ok(()) };
    let message = format!("{} is open as {used_as} and is not written to", shown(path));
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}
