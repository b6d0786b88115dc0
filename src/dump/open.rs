//! Turns files into images that sources can read: archives are decompressed, and images with
//! compressed pages or with page locations in a second file get a layout.

use super::archive::{self, Kind};
use super::spool::Spooling;
use super::{Error, Image, hiber, lime, vmware};

/// The result for a file: the file itself, or the members of an archive.
#[derive(Debug, Default)]
pub struct Expanded {
    /// The images that can be read.
    pub images: Vec<Image>,
    /// Why other parts cannot be read.
    pub errors: Vec<Error>,
}

/// Decompresses a file if it is compressed.
pub fn expand(image: Image, spooling: &Spooling) -> Expanded {
    let mut expanded = Expanded::default();
    if let Err(error) = image.prepare(spooling) {
        expanded.errors.push(error);
        return expanded;
    }
    match Kind::of(image.head(Kind::MAGIC)) {
        Some(kind) => {
            let unpacked = archive::unpack(&image, kind, spooling);
            expanded.errors = unpacked.errors;
            for member in unpacked.images {
                expanded.take(placed(member, spooling));
            }
        }
        None => expanded.take(placed(image, spooling)),
    }
    expanded
}

impl Expanded {
    fn take(&mut self, opened: Result<Image, Error>) {
        match opened {
            Ok(image) => self.images.push(image),
            Err(error) => self.errors.push(error),
        }
    }
}

/// Adds a layout of the pages to an image that needs one.
fn placed(image: Image, spooling: &Spooling) -> Result<Image, Error> {
    if image.layout().is_some() {
        Ok(image)
    } else if lime::is_avml(image.head(8)) {
        lime::unpack(&image, spooling)
    } else if hiber::is_one(&image) {
        hiber::unpack(&image, spooling)
    } else if vmware::is_state(&image) {
        vmware::open(&image, spooling)
    } else {
        Ok(vmware::of_memory(&image).unwrap_or(image))
    }
}
