//! The bytes of a file: mapped, or held in memory.

use std::fmt;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::Error;
use super::cache::Identity;

/// The bytes of a dump and the name under which it was opened. Cheap to clone.
#[derive(Clone)]
pub struct Image {
    path: Arc<str>,
    /// The path, if it is a file.
    file: Option<Arc<Path>>,
    bytes: Bytes,
    /// Size and time of the file.
    identity: Option<Identity>,
    /// The cache directory for search results.
    cache: Option<Arc<Path>>,
}

#[derive(Clone)]
enum Bytes {
    Mapped(Arc<Mmap>),
    Owned(Arc<[u8]>),
}

impl Image {
    /// Maps the file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened or mapped, [`Error::NotADump`] if it is a folder or
    /// empty.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let io = |source| Error::Io { path: name.clone(), source };
        let not = |found: &str| Error::NotADump { path: name.clone(), found: found.to_owned() };
        let file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.is_dir() {
            return Err(not("a folder, not a file"));
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(not("an empty file"));
        }
        let bytes = Bytes::Mapped(Arc::new(map(&file).map_err(io)?));
        let identity = Identity::of(&metadata);
        let file = Some(Arc::from(path));
        Ok(Self { path: name.as_str().into(), file, bytes, identity, cache: None })
    }

    /// Uses bytes that are already in memory; `path` is their name in messages.
    pub fn from_bytes(path: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = Bytes::Owned(bytes.into());
        Self { path: path.into(), file: None, bytes, identity: None, cache: None }
    }

    /// The image with a cache directory for search results, see [`super::cache`].
    #[must_use]
    pub fn with_cache(self, folder: Option<&Path>) -> Self {
        Self { cache: folder.map(Arc::from), ..self }
    }

    /// The cache directory for search results.
    pub(super) fn cache(&self) -> Option<&Path> {
        self.cache.as_deref()
    }

    /// Size and time of the file.
    pub(super) const fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// The path of the file; `None` for bytes in memory.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The name under which the dump was opened.
    pub fn path(&self) -> &str {
        &self.path
    }
}

#[allow(unsafe_code, reason = "the only place where a file is mapped")]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the mapping is read only. Another process that truncates the file while it is mapped
    // makes later reads fault; dumps are written once and then left alone, and every tool that
    // maps them, debuggers included, accepts this.
    unsafe { Mmap::map(file) }
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("path", &self.path)
            .field("bytes", &self.len())
            .finish_non_exhaustive()
    }
}
