//! The export table: symbols of images without other symbols.

use super::{EXPORTS, Image};
use crate::symbol::bytes::{cstring, u16_at, u32_at};

/// Export ordinals are 16 bits wide.
const MAX_EXPORTS: u32 = 0x1_0000;
/// Upper limit on a name; C++ names are long.
const MAX_NAME: usize = 1024;
/// How much is read first; nearly all names are shorter.
const SHORT: usize = 64;
/// Upper limit on the total size of the names of an image.
const MAX_TEXT: usize = 8 << 20;

/// The exports by offset. Names on missing pages are left out, and so are forwarders to other
/// images.
pub(super) fn read(image: &Image<'_>) -> Option<Vec<(u32, String)>> {
    let (at, size) = image.directory(EXPORTS)?;
    let head = image.bytes(at, 40)?;
    let functions = u32_at(&head, 20)?.min(MAX_EXPORTS) as usize;
    let names = u32_at(&head, 24)?.min(MAX_EXPORTS) as usize;
    let addresses = image.prefix(u32_at(&head, 28)?, functions.saturating_mul(4));
    let places = image.prefix(u32_at(&head, 32)?, names.saturating_mul(4));
    let ordinals = image.prefix(u32_at(&head, 36)?, names.saturating_mul(2));
    let forwarders = at..at.saturating_add(size);
    let mut found = Vec::new();
    let mut text = 0;
    for i in 0..names {
        let place = u32_at(&places, i.saturating_mul(4));
        let ordinal = u16_at(&ordinals, i.saturating_mul(2));
        let Some((place, ordinal)) = place.zip(ordinal) else { break };
        let Some(address) = u32_at(&addresses, usize::from(ordinal).saturating_mul(4)) else {
            continue;
        };
        if address == 0 || forwarders.contains(&address) {
            continue;
        }
        let Some(name) = name_at(image, place) else { continue };
        text = name.len().saturating_add(text);
        if text > MAX_TEXT {
            break;
        }
        found.push((address, name));
    }
    found.sort();
    Some(found)
}

fn name_at(image: &Image<'_>, at: u32) -> Option<String> {
    for len in [SHORT, MAX_NAME] {
        let bytes = image.prefix(at, len);
        let name = cstring(&bytes, 0)?;
        if name.len() < bytes.len() {
            let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
            return is_name.then(|| String::from_utf8_lossy(name).into_owned());
        }
    }
    None
}
