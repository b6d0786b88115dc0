//! Zip archives.

use std::io::Cursor;

use zip::ZipArchive;
use zip::result::ZipError;

use super::take::{Stop, Taker};
use crate::dump::Image;

/// Takes the members in the order of the directory.
pub(super) fn members(image: &Image, taker: &mut Taker<'_>) -> Result<(), Stop> {
    let bytes = image.whole();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| stop(&error))?;
    for index in 0..archive.len() {
        taker.see()?;
        let raw = archive.by_index_raw(index).map_err(|error| stop(&error))?;
        let name = String::from_utf8_lossy(raw.name_raw()).into_owned();
        let (is_folder, is_encrypted) = (raw.is_dir(), raw.encrypted());
        let packed = raw.compressed_size();
        drop(raw);
        if is_folder {
            continue;
        }
        if is_encrypted {
            taker.refuse(
                &name,
                "an encrypted member, which is not read; unzip asks for its password",
            );
            continue;
        }
        match archive.by_index(index) {
            Ok(mut member) => taker.take(&name, packed, &mut member)?,
            Err(error) => taker.refuse(&name, &format!("a member that is not read: {error}")),
        }
    }
    Ok(())
}

fn stop(error: &ZipError) -> Stop {
    let hint = "cut off, damaged, or a part of an archive of several volumes";
    Stop::Archive(format!("that cannot be read ({error}): {hint}"))
}
