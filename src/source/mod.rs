//! Sources: one folder for each kind.

mod build_time;
pub(crate) mod context;
pub(crate) mod frames;
pub mod kernel;
mod links;
mod listing;
mod log;
mod passed_over;
pub(crate) mod printable;
pub(crate) mod suspects;
mod typed;
pub mod user;
pub(crate) mod verdicts;
pub(crate) mod words;

use crate::dump::{self, Format, Image};
use crate::model::Source;
use crate::symbol::Store;

/// Opens an image as a source.
///
/// # Errors
/// [`dump::Error::NotADump`] if no reader takes it.
pub fn open(image: Image, symbols: &Store) -> Result<Box<dyn Source>, dump::Error> {
    let format = dump::detect(&image)?;
    match format {
        Format::Minidump => user::open(image, symbols),
        Format::Text => log::open(image),
        Format::Kernel64 | Format::Kernel32 | Format::ElfCore | Format::Raw | Format::Saved(_) => {
            kernel::open(image, format, symbols)
        }
    }
}
