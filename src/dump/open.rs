//! From files to images that readers take: archives are unpacked, and pages that are compressed or
//! that another file places get a layout.

use super::archive::{self, Kind};
use super::spool::Spooling;
use super::{Error, Image, hiber, lime, vmware};

/// What a file held: itself, or the members of an archive.
#[derive(Debug, Default)]
pub struct Expanded {
    /// What can be read further.
    pub images: Vec<Image>,
    /// What cannot.
    pub errors: Vec<Error>,
}

/// Unpacks a file if it is packed.
pub fn expand(image: Image, spooling: &Spooling) -> Expanded {
    let mut expanded = Expanded::default();
    match Kind::of(&image) {
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

/// The image with a layout of its pages, if it needs one.
fn placed(image: Image, spooling: &Spooling) -> Result<Image, Error> {
    if image.layout().is_some() {
        Ok(image)
    } else if lime::is_avml(&image) {
        lime::unpack(&image, spooling)
    } else if hiber::is_one(&image) {
        hiber::unpack(&image, spooling)
    } else if vmware::is_state(&image) {
        vmware::open(&image, spooling)
    } else {
        Ok(vmware::of_memory(&image).unwrap_or(image))
    }
}
