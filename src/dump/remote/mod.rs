//! Files that are read range by range: objects of a store, files of a server.
//!
//! What was read stands in a temporary file, so that nothing is read twice; slices of it are borrowed
//! like those of a mapped file. A range that cannot be read marks the image as damaged: what was made
//! of the rest may be wrong, and whoever returns results asks for the mark first.

mod blocks;
#[cfg(feature = "net")]
mod http;
mod sparse;
mod waiting;

use std::io;
use std::time::Duration;

pub(super) use self::waiting::{Remote, Wait};

/// A file that gives any range of its bytes, such as an object of a store.
///
/// ```
/// use dumpql::{Image, Options, RangeReader, Session};
///
/// /// Bytes that stand for an object of a store.
/// struct Object(Vec<u8>);
///
/// impl RangeReader for Object {
///     fn size(&self) -> u64 {
///         self.0.len() as u64
///     }
///
///     fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
///         let start = usize::try_from(offset).map_err(std::io::Error::other)?;
///         let bytes = self.0.get(start..start + buffer.len());
///         buffer.copy_from_slice(bytes.ok_or(std::io::ErrorKind::UnexpectedEof)?);
///         Ok(())
///     }
/// }
///
/// let object = Object(dumpql::sample_file());
/// let image = Image::from_reader("bucket/sample.dmp", Box::new(object));
/// let session = Session::from_images(vec![image.clone()], &Options::default())?;
/// assert_eq!(session.query("FROM bugcheck SELECT code")?.len(), 1);
/// assert!(image.fetched_bytes() < Some(image.file_bytes()));
/// # Ok::<(), dumpql::Error>(())
/// ```
pub trait RangeReader: Send + Sync {
    /// The size of the file in bytes. It is asked for once.
    fn size(&self) -> u64;

    /// What tells the file from another one of its name and size, such as the entity tag of an object;
    /// `None` if there is nothing. Indexes are kept only of a file that has it.
    fn version(&self) -> Option<String> {
        None
    }

    /// Fills the buffer with the bytes from an offset on, never beyond the end of the file. Threads
    /// call it at the same time.
    ///
    /// # Errors
    /// Why the bytes cannot be read; the text is shown to the user, as the query fails. The next query
    /// opens the dump again. A reader tries again by itself what may succeed soon, gives up after some
    /// time, and reports a file that is no longer the same as an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// Whether a name is a URL that can be opened.
pub fn is_url(name: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// A URL as it is shown: without a password, and without a query, which may hold a signature.
pub(crate) fn shown_url(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return super::shown(plain) };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit('@').next().unwrap_or_default();
    super::shown(&format!("{scheme}://{host}{path}"))
}

/// Opens an object of an HTTP server.
#[cfg(feature = "net")]
pub(super) fn open_url(url: &str, limit: Duration) -> io::Result<Box<dyn RangeReader>> {
    Ok(Box::new(http::Object::open(url, limit)?))
}

/// Fails.
#[cfg(not(feature = "net"))]
pub(super) fn open_url(_: &str, _: Duration) -> io::Result<Box<dyn RangeReader>> {
    let message = "this program was built without network access (the feature `net`)";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}
