//! Cabinet files.

use std::collections::BTreeSet;
use std::io::Cursor;

use cab::Cabinet;

use super::take::{Stop, Taker};
use crate::dump::Image;
use crate::dump::bytes::u16_at;

/// Where the flags of the header are, and those of a set of cabinets: one before, one behind.
const FLAGS: usize = 30;
const OF_A_SET: u16 = 3;

/// Takes the members in their order.
pub(super) fn members(image: &Image, taker: &mut Taker<'_>) -> Result<(), Stop> {
    if u16_at(image, FLAGS).is_some_and(|flags| flags & OF_A_SET != 0) {
        let why = "that is one of a set; `extrac32 /a /e` or cabextract unpacks all of them";
        return Err(Stop::Archive(why.to_owned()));
    }
    let bytes: &[u8] = image;
    let mut cabinet = Cabinet::new(Cursor::new(bytes))?;
    let mut seen = BTreeSet::new();
    let mut places = Vec::new();
    for folder in cabinet.folder_entries() {
        let mut before = 0u64;
        for file in folder.file_entries() {
            taker.see()?;
            let size = u64::from(file.uncompressed_size());
            // A name that is there twice means the first.
            if seen.insert(file.name().to_owned()) {
                places.push((file.name().to_owned(), before));
            }
            before = before.saturating_add(size);
        }
    }
    for (name, before) in places {
        // What stands before a member in its folder is unpacked to get there.
        taker.pass(&name, before)?;
        match cabinet.read_file(&name) {
            Ok(mut member) => taker.take(&name, image.len() as u64, &mut member)?,
            Err(error) => taker.refuse(&name, &format!("a damaged member: {error}")),
        }
    }
    Ok(())
}
