//! The bytes of a file: mapped, held in memory, or fetched range by range.

use std::fmt;
use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use memmap2::Mmap;

use super::cache::Identity;
use super::fault::{Health, Registered};
use super::kinds::{is_pipe, is_remote, special};
use super::layout::Layout;
use super::remote::{RangeReader, Remote};
use super::spool::{self, Spooling};
use super::{Error, shown};
use crate::memory::View;

/// How long a request to a server may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The bytes of a dump and the name under which it was opened. Cheap to clone.
#[derive(Clone)]
pub struct Image {
    path: Arc<str>,
    /// The name in the column `dump`, if it differs from the file name.
    name: Option<Arc<str>>,
    /// The path, if it is a file.
    file: Option<Arc<Path>>,
    /// A second file that was read for this image.
    beside: Option<Arc<Path>>,
    bytes: Bytes,
    /// Whether what is read is what the file held.
    health: Health,
    /// The size of the file, if it differs from the number of bytes.
    file_bytes: Option<u64>,
    /// Where physical pages are in the bytes, if the bytes themselves do not say it.
    layout: Option<Arc<Layout>>,
    /// Whether it is an archive member that may turn out not to be a dump.
    is_guess: bool,
    /// Size and time of the file.
    identity: Option<Identity>,
    /// The cache directory for search results.
    cache: Option<Arc<Path>>,
}

#[derive(Clone)]
enum Bytes {
    Mapped(Arc<Mapped>),
    Owned(Arc<[u8]>),
    Remote(Arc<Remote>),
}

/// A mapping; what it consists of is dropped in this order.
struct Mapped {
    bytes: Mmap,
    /// A file that is deleted when it is closed.
    #[allow(dead_code, reason = "it is closed after the mapping has ended")]
    temporary: Option<File>,
    registered: Arc<Registered>,
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // Something else may be mapped there next.
        self.registered.end();
    }
}

impl Image {
    /// Maps the file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened or mapped, [`Error::NotADump`] if it is empty or not a
    /// file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, &Spooling::default())
    }

    /// The same for arguments of the command line: the contents of a pipe that a shell made
    /// (`/dev/stdin`, `<(…)`) are copied to a temporary file.
    ///
    /// # Errors
    /// As [`Image::open`].
    pub fn open_with(path: &Path, spooling: &Spooling) -> Result<Self, Error> {
        let name = path.display().to_string();
        let io = |source| Error::Io { path: name.clone(), source };
        let not = |found: &str| Error::NotADump { path: name.clone(), found: found.to_owned() };
        // Opening a named pipe blocks until something opens its other end.
        let metadata = std::fs::metadata(path).map_err(io)?;
        let kind = metadata.file_type();
        if is_pipe(kind) && spool::is_inherited(path) {
            return spool::pipe(&name, &mut File::open(path).map_err(io)?, spooling);
        }
        if let Some(found) = special(kind) {
            return Err(not(found));
        }
        let mut file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.len() == 0 {
            return Err(not("an empty file"));
        }
        if is_remote(path) {
            return spool::pipe(&name, &mut file, spooling);
        }
        let mapped = map(&file).map_err(io)?;
        let health = Health::of(&name, &mapped.registered, Some((path, &metadata)));
        let image = Self { health, ..Self::new(&name, Bytes::Mapped(Arc::new(mapped))) };
        Ok(Self { file: Some(Arc::from(path)), identity: Identity::of(&metadata), ..image })
    }

    /// Uses bytes that are already in memory; `path` is their name in messages.
    pub fn from_bytes(path: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::new(path, Bytes::Owned(bytes.into()))
    }

    /// Uses a file that a reader gives range by range, such as an object of a store; `path` is its
    /// name in messages. Nothing is read before a session opens it. What is read is kept in a
    /// temporary file, so that nothing is read twice.
    pub fn from_reader(path: &str, reader: Box<dyn RangeReader>) -> Self {
        let remote = Arc::new(Remote::new(path, reader));
        let health = Health::of_remote(&remote);
        let (bytes, version) = remote.about();
        let identity = version.map(|version| Identity::of_version(path, bytes, version));
        Self { health, identity, ..Self::new(path, Bytes::Remote(remote)) }
    }

    /// The size and the version of an object of an HTTP server.
    ///
    /// # Errors
    /// As [`Image::open_url`].
    #[cfg(feature = "cli")]
    pub(crate) fn about_url(url: &str) -> std::io::Result<(u64, Option<String>)> {
        let reader = super::remote::open_url(url, LIMIT)?;
        Ok((reader.size(), reader.version()))
    }

    /// Opens an object of an HTTP server, which has to give ranges of it (`Range`). Asks the server
    /// for its size; a request and its answer may take half a minute.
    ///
    /// # Errors
    /// [`Error::Io`] if the server cannot be asked, does not have it, or gives no ranges.
    pub fn open_url(url: &str) -> Result<Self, Error> {
        Self::open_url_within(url, LIMIT)
    }

    /// The same with another limit on the time that a request and its answer may take, however often
    /// it has to be repeated.
    ///
    /// # Errors
    /// As [`Image::open_url`].
    pub fn open_url_within(url: &str, limit: Duration) -> Result<Self, Error> {
        let name = super::remote::shown_url(url);
        match super::remote::open_url(url, limit) {
            Ok(reader) => Ok(Self::from_reader(&name, reader)),
            Err(error) => {
                let source = std::io::Error::new(error.kind(), shown(&error.to_string()));
                Err(Error::Io { path: name, source })
            }
        }
    }

    /// The image for another source that reads it again, if it is read by ranges: what this one could
    /// not read, that one may. What was read is kept.
    pub(crate) fn again(&self) -> Option<Self> {
        let Bytes::Remote(remote) = &self.bytes else { return None };
        let remote = Arc::new(remote.again());
        let health = Health::of_remote(&remote);
        Some(Self { bytes: Bytes::Remote(remote), health, ..self.clone() })
    }

    /// Makes the temporary file for what is fetched, if that is how the image is read.
    pub(super) fn prepare(&self, spooling: &Spooling) -> Result<(), Error> {
        match &self.bytes {
            Bytes::Remote(remote) => remote.prepare(spooling),
            _ => Ok(()),
        }
    }

    fn new(path: &str, bytes: Bytes) -> Self {
        Self {
            path: path.into(),
            name: None,
            file: None,
            beside: None,
            bytes,
            health: Health::default(),
            file_bytes: None,
            layout: None,
            is_guess: false,
            identity: None,
            cache: None,
        }
    }

    /// The bytes of a temporary file, which is deleted when the last copy of the image is dropped.
    pub(super) fn of_temporary(path: &str, file: File) -> std::io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::from_bytes(path, Vec::new()));
        }
        let mut mapped = map(&file)?;
        mapped.temporary = Some(file);
        let health = Health::of(path, &mapped.registered, None);
        Ok(Self { health, ..Self::new(path, Bytes::Mapped(Arc::new(mapped))) })
    }

    /// The image as a member of an archive.
    #[cfg(feature = "archives")]
    pub(super) fn member_of(self, archive: &Self, member: &str, is_guess: bool) -> Self {
        let name = format!("{}!{member}", spool::file_name(archive.name()));
        Self {
            path: format!("{}!{member}", archive.path).into(),
            name: Some(name.into()),
            file: archive.file.clone(),
            identity: archive.identity.map(|identity| identity.of_member(member, self.len())),
            is_guess,
            ..self
        }
    }

    /// The decompressed image under the name and identity of the original file.
    pub(super) fn in_place_of(self, file: &Self) -> Self {
        Self {
            path: file.path.clone(),
            name: file.name.clone(),
            file: file.file.clone(),
            identity: file.identity,
            file_bytes: Some(file.file_bytes()),
            is_guess: file.is_guess,
            ..self
        }
    }

    /// The image with the locations of its pages, and the second file from which they come.
    pub(super) fn with_layout(self, layout: Layout, beside: Option<&Path>) -> Self {
        Self { layout: Some(Arc::new(layout)), beside: beside.map(Arc::from), ..self }
    }

    /// Where physical pages are, if the bytes themselves do not say it.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.layout.as_deref()
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

    /// Whether what is read of the image is what the file held when it was opened.
    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    /// The path of the file; `None` for bytes in memory.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// All files that were read: the archive of a member, and the file with the locations of the
    /// pages.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.file.iter().chain(&self.beside).map(Deref::deref)
    }

    /// Whether it is an archive member that may turn out not to be a dump.
    pub const fn is_guess(&self) -> bool {
        self.is_guess
    }

    /// The bytes, which are fetched when they are read.
    pub(crate) fn view(&self) -> View<'_> {
        match &self.bytes {
            Bytes::Mapped(mapped) => View::Here(&mapped.bytes),
            Bytes::Owned(bytes) => View::Here(bytes),
            Bytes::Remote(remote) => View::Elsewhere(&**remote),
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a range; `None` unless all of them are there and can be fetched.
    pub fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        self.view().get(range)
    }

    /// The first bytes, at most `most` of them.
    pub fn head(&self, most: usize) -> &[u8] {
        self.view().head(most)
    }

    /// All bytes, which are fetched first; none if that fails.
    pub fn whole(&self) -> &[u8] {
        self.view().head(self.len())
    }

    /// How many bytes were fetched; `None` if the file is on this machine.
    pub fn fetched_bytes(&self) -> Option<u64> {
        match &self.bytes {
            Bytes::Remote(remote) => Some(remote.fetched()),
            _ => None,
        }
    }

    /// The size of the file, or of the archive member.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes.unwrap_or(self.len() as u64)
    }

    /// The name under which the dump was opened.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path, or the names of the archive and of the member.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }

    /// The names of the archive and of the member, if it is one.
    pub fn member(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// An error that says what the file is.
    pub(super) fn not_a_dump(&self, found: impl AsRef<str>) -> Error {
        Error::NotADump { path: self.path.to_string(), found: shown(found.as_ref()) }
    }
}

#[allow(unsafe_code, reason = "the only place where a file is mapped")]
fn map(file: &File) -> std::io::Result<Mapped> {
    // SAFETY: the mapping is read only. Another process that cuts the file while it is mapped makes
    // later reads fault, which `fault` handles; one that writes to it changes bytes that are read
    // once each, by offset, and are believed in no way that a hostile file could not use.
    let bytes = unsafe { Mmap::map(file) }?;
    let registered = Arc::new(Registered::new(&raw const bytes[..]));
    Ok(Mapped { bytes, temporary: None, registered })
}

impl<'a> From<&'a Image> for View<'a> {
    fn from(image: &'a Image) -> Self {
        image.view()
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
