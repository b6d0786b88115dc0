//! Kernel dumps.

use crate::dump::{Error, Image};
use crate::model::Source;
use crate::symbol::Store;

/// Opens a kernel dump.
///
/// # Errors
/// [`Error::NotADump`] if the header is damaged beyond use.
pub fn open(image: Image, symbols: &Store) -> Result<Box<dyn Source>, Error> {
    let _ = symbols;
    Err(Error::NotADump { path: image.path().to_owned(), found: "a kernel dump".to_owned() })
}
