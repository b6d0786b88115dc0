//! Cabinet files.

use std::collections::BTreeMap;
use std::io::Cursor;

use cab::Cabinet;

use super::take::{Stop, Taker};
use crate::dump::Image;
use crate::dump::bytes::{slice, text, u8_at, u16_at, u32_at};

/// Offset of the flags in the header, and the flags of a cabinet set: another cabinet precedes or
/// follows.
const FLAGS: usize = 30;
const OF_A_SET: u16 = 3;
/// The flag of a header with reserved bytes.
const RESERVED: u16 = 4;
/// Upper limit on the data blocks that are walked; a cabinet of 2 GB has a sixteenth of that.
const MAX_BLOCKS: usize = 1 << 20;

/// Takes the members in file order.
pub(super) fn members(image: &Image, taker: &mut Taker<'_>) -> Result<(), Stop> {
    let bytes = image.whole();
    if u16_at(bytes, FLAGS).is_some_and(|flags| flags & OF_A_SET != 0) {
        let why = "that is one of a set; `extrac32 /a /e` or cabextract unpacks all of them";
        return Err(Stop::Archive(why.to_owned()));
    }
    let damaged = || Stop::Archive("that is damaged or cut off".to_owned());
    let places = places(bytes).ok_or_else(damaged)?;
    let mut cabinet = Cabinet::new(Cursor::new(bytes))?;
    let files = cabinet.folder_entries().flat_map(|folder| folder.file_entries());
    let names: Vec<String> = files.map(|file| file.name().to_owned()).collect();
    for name in names {
        taker.see()?;
        // The data before a member in its folder has to be decompressed first.
        taker.pass(&name, places.get(&name).copied().unwrap_or_default())?;
        match cabinet.read_file(&name) {
            Ok(mut member) => taker.take(&name, image.len() as u64, &mut member)?,
            Err(error) => taker.refuse(&name, &format!("a damaged member: {error}")),
        }
    }
    Ok(())
}

/// The offset of each member in its decompressed folder. Returns `None` if a member exceeds its
/// folder or two members have the same name, because the crate relies on neither being so.
fn places(file: &[u8]) -> Option<BTreeMap<String, u64>> {
    let (folders, files) = (u16_at(file, 26)?, u16_at(file, 28)?);
    let (mut at, mut of_folder, mut of_block) = (36usize, 0, 0);
    if u16_at(file, FLAGS)? & RESERVED != 0 {
        at = usize::from(u16_at(file, 36)?).checked_add(40)?;
        of_folder = usize::from(u8_at(file, 38)?);
        of_block = usize::from(u8_at(file, 39)?);
    }
    let mut sizes = Vec::new();
    let mut walked = 0usize;
    for _ in 0..folders {
        let mut block = usize::try_from(u32_at(file, at)?).ok()?;
        let mut size = 0u64;
        for _ in 0..u16_at(file, at.checked_add(4)?)? {
            walked = walked.checked_add(1).filter(|walked| *walked <= MAX_BLOCKS)?;
            let head = slice(file, block, 8)?;
            let data = usize::from(u16_at(head, 4)?).checked_add(of_block)?;
            size = size.checked_add(u16_at(head, 6)?.into())?;
            block = block.checked_add(8)?.checked_add(data).filter(|end| *end <= file.len())?;
        }
        sizes.push(size);
        at = at.checked_add(8)?.checked_add(of_folder)?;
    }
    let mut at = usize::try_from(u32_at(file, 16)?).ok()?;
    let mut places = BTreeMap::new();
    for _ in 0..files {
        let start = u64::from(u32_at(file, at.checked_add(4)?)?);
        let end = start.checked_add(u32_at(file, at)?.into())?;
        let folder = usize::from(u16_at(file, at.checked_add(8)?)?);
        if end > *sizes.get(folder)? {
            return None;
        }
        at = at.checked_add(16)?;
        let name = file.get(at..)?;
        let name = name.get(..memchr::memchr(0, name)?)?;
        at = at.checked_add(name.len())?.checked_add(1)?;
        if places.insert(text(name), start).is_some() {
            return None;
        }
    }
    Some(places)
}
