//! Options for opening a session.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::access::Folders;
use super::cancel::CancelToken;
use crate::dump::Spooling;

/// The default of [`Options::memory`]: together with a copy that an operator above makes, a query
/// stays below 500 MB.
pub(super) const MEMORY: usize = 224 << 20;

/// Options for opening a session. Each setting has a method of its name:
///
/// ```
/// let options = dumpql::Options::default().offline(true).strict(true);
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "independent settings, each with a method")]
pub struct Options {
    pub(crate) symbols: Vec<PathBuf>,
    pub(crate) environment_symbols: String,
    pub(crate) offline: bool,
    pub(crate) pool_tags: Option<PathBuf>,
    pub(crate) cache: Option<PathBuf>,
    pub(crate) strict: bool,
    pub(crate) memory: Option<usize>,
    pub(crate) files: bool,
    pub(crate) temporary: Option<PathBuf>,
    pub(crate) unpacked: Option<u64>,
    pub(crate) folders: Option<Folders>,
    pub(crate) overwrite: bool,
    pub(crate) handle_faults: bool,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) urls: Urls,
}

/// Which URLs a session opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Urls {
    #[default]
    None,
    /// Those that the program names, and no query.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command line does"))]
    Named,
    All,
}

impl Options {
    /// Folders and files with symbols and layouts, and symbol paths in the notation of Windows
    /// debuggers (`srv*cache*url`), whose servers are used.
    #[must_use]
    pub fn symbols<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.symbols = paths.into_iter().map(Into::into).collect();
        self
    }

    /// A symbol path such as the value of `_NT_SYMBOL_PATH`. Missing folders are skipped, and its
    /// servers are not used.
    #[must_use]
    pub fn environment_symbols(mut self, path: impl Into<String>) -> Self {
        self.environment_symbols = path.into();
        self
    }

    /// Whether symbol servers are not used.
    #[must_use]
    pub const fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// A file in the format of `pooltag.txt` with descriptions of pool tags, which has priority
    /// over the built-in list.
    #[must_use]
    pub fn pool_tags(mut self, file: impl Into<PathBuf>) -> Self {
        self.pool_tags = Some(file.into());
        self
    }

    /// A cache directory for indexes of dumps, so that a search runs only once, and for
    /// decompressed layout files; without one nothing is cached. The command line uses
    /// [`Options::own_cache`].
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Whether a value that cannot be read is an error.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// A limit on the bytes that the rows and values of a query may take, by default 224 MiB. A query
    /// that would exceed it fails. [`Prepared::memory`](super::Prepared::memory) sets it for
    /// one query.
    #[must_use]
    pub const fn memory(mut self, bytes: usize) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Whether queries may open files by their path (`ATTACH`, functions that read files). By
    /// default they may not, because a program may run queries that others wrote; the command line
    /// allows it.
    #[must_use]
    pub const fn files(mut self, allowed: bool) -> Self {
        self.files = allowed;
        self
    }

    /// The folder for temporary files, which hold unpacked archives, piped input and what was read of
    /// URLs; by default the system's, which `TMPDIR` names. They are deleted when the session is closed.
    #[must_use]
    pub fn temporary(mut self, folder: impl Into<PathBuf>) -> Self {
        self.temporary = Some(folder.into());
        self
    }

    /// The maximum number of bytes that are unpacked from one file, or read of one that is read range
    /// by range, by default 64 GiB. Setting it also allows higher compression ratios than dumps have.
    #[must_use]
    pub const fn unpacked(mut self, bytes: u64) -> Self {
        self.unpacked = Some(bytes);
        self
    }

    /// Whether a path may be the URL of a dump on an HTTP server (`http://…`, `https://…`): one that
    /// the session is opened with, and one that a query attaches. By default it may not, because a
    /// program may pass on names that others chose. The server has to give ranges; only those that
    /// queries need are read, and kept in a temporary file until the session is closed. Needs the
    /// feature `net`. [`Image::open_url`](crate::Image::open_url) opens a URL whatever is set here.
    #[must_use]
    pub const fn urls(mut self, allowed: bool) -> Self {
        self.urls = if allowed { Urls::All } else { Urls::None };
        self
    }

    /// Does what has to be done before a file is opened.
    pub(super) fn prepare(&self) {
        super::threads::prepare();
        if self.handle_faults {
            crate::dump::handle_faults();
        }
    }

    /// A token that ends the unpacking of files while a session is opened, with E0306. What a query
    /// attaches ends with that query.
    #[must_use]
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel = Some(token.clone());
        self
    }

    /// How files are unpacked for a query, which may be stopped.
    pub(super) fn spooling_until(&self, stop: &Arc<AtomicBool>) -> Spooling {
        Spooling { stop: Some(Arc::clone(stop)), ..self.spooling() }
    }

    /// How files are unpacked.
    pub(super) fn spooling(&self) -> Spooling {
        let stop = self.cancel.as_ref().map(CancelToken::flag);
        Spooling { folder: self.temporary.clone(), limit: self.unpacked, stop }
    }

    /// Allows queries to open only files below the folders `read`, and to write only files below
    /// the folders `write` (`ATTACH`, `COPY`, functions that read files). Links and `..` are
    /// resolved before the check; a relative path is resolved against each of the folders. Replaces
    /// [`Options::files`].
    #[must_use]
    pub fn folders<R: Into<PathBuf>, W: Into<PathBuf>>(
        mut self,
        read: impl IntoIterator<Item = R>,
        write: impl IntoIterator<Item = W>,
    ) -> Self {
        let read = read.into_iter().map(Into::into).collect();
        let write = write.into_iter().map(Into::into).collect();
        self.folders = Some(Folders::new(read, write));
        self.files = false;
        self
    }

    /// Whether `COPY` replaces a file that is there. It does not by default, unless the statement says
    /// `OVERWRITE true`.
    #[must_use]
    pub const fn overwrite(mut self, allowed: bool) -> Self {
        self.overwrite = allowed;
        self
    }

    /// Whether a dump that is cut, or that its disk or server no longer gives, while it is open ends
    /// queries in E0402 and not the process. On Unix this handles the signal SIGBUS from when a
    /// session is opened, for the whole process and for good; faults that have nothing to do with
    /// dumps go to the handler that was there before. The command line allows it, a program has to.
    #[must_use]
    pub const fn handle_faults(mut self, handled: bool) -> Self {
        self.handle_faults = handled;
        self
    }

    /// The folder, below the user's cache folder, in which the command line keeps indexes.
    pub fn own_cache() -> PathBuf {
        crate::symbol::own_cache().join("index")
    }
}
