//! `LiME` images, and uncompressed AVML images: ranges of physical memory, each preceded by a
//! header of 32 bytes. In AVML's own format the ranges are compressed (framed Snappy), and each is
//! followed by its compressed size.
//!
//! Header: magic, version, first address, last address (inclusive), eight reserved bytes.

use super::bytes::{slice_at, u32_at, u64_at};
use super::layout::{Layout, Saved};
use super::spool::{Failure, Spooling};
use super::{Error, Image};
use crate::memory::{PAGE, View};

const LIME: &[u8] = b"EMiL\x01\0\0\0";
const AVML: &[u8] = b"AVML\x02\0\0\0";
const HEADER: u64 = 32;
/// The compressed size behind a range.
const TRAILER: u64 = 8;
/// Upper limit on ranges. AVML writes ranges of 16 MB, so this covers 256 TB.
const MAX_RANGES: usize = 1 << 24;

/// Whether it is a `LiME` image.
pub(super) fn is_lime(file: &[u8]) -> bool {
    file.starts_with(LIME)
}

/// Whether it is a compressed AVML image.
pub(super) fn is_avml(file: &[u8]) -> bool {
    file.starts_with(AVML)
}

/// Address and length of the range whose header is at an offset.
fn header(file: View<'_>, offset: u64, magic: &[u8]) -> Option<(u64, u64)> {
    let bytes = file.slice_at(offset, HEADER).filter(|bytes| bytes.starts_with(magic))?;
    let (first, last) = (u64_at(bytes, 8)?, u64_at(bytes, 16)?);
    Some((first, last.checked_sub(first)?.checked_add(1)?))
}

/// The ranges of a `LiME` image.
pub(super) fn parse<'f>(file: impl Into<View<'f>>) -> Layout {
    let file = file.into();
    let mut layout = Layout::new(Saved::Lime, "memory range");
    let mut at = 0u64;
    for _ in 0..MAX_RANGES {
        if at >= file.len() as u64 {
            return layout;
        }
        let Some((address, bytes)) = header(file, at, LIME) else {
            layout.problems.push(format!("no header of a range of memory at offset {at:#x}"));
            return layout;
        };
        let start = at.saturating_add(HEADER);
        layout.range(address, bytes, start);
        at = start.saturating_add(bytes);
    }
    layout
}

/// Decompresses an AVML image into a temporary file.
pub(super) fn unpack(image: &Image, spooling: &Spooling) -> Result<Image, Error> {
    let mut layout = Layout::new(Saved::Avml, "memory range");
    let mut spool = spooling.file(image.path())?;
    let mut budget = spooling.budget();
    let file = image.whole();
    let packed = file.len() as u64;
    let mut at = 0u64;
    for _ in 0..MAX_RANGES {
        if at >= packed {
            break;
        }
        let Some((address, bytes)) = header(file.into(), at, AVML) else {
            layout.problems.push(format!("no header of a range of memory at offset {at:#x}"));
            break;
        };
        let start = at.saturating_add(HEADER);
        let whole = slice_at(file, start, packed.saturating_sub(start)).unwrap_or_default();
        let mut rest = whole;
        let offset = spool.bytes();
        let mut frames = std::io::Read::take(snap::read::FrameDecoder::new(&mut rest), bytes);
        match spool.copy(&mut frames, packed, &mut budget) {
            Ok(()) => {}
            Err(Failure::Source(error)) => {
                layout.problems.push(format!("the range at {address:#x} is damaged: {error}"));
            }
            Err(Failure::TooMuch(why)) => {
                return Err(image.not_a_dump(format!("an AVML image that {why}")));
            }
            Err(Failure::Target(error)) => return Err(error),
        }
        let held = spool.bytes().saturating_sub(offset);
        layout.range(address, held, offset);
        layout.missing(bytes.saturating_sub(held) / PAGE);
        let used = (whole.len() as u64).saturating_sub(rest.len() as u64);
        let stated = slice_at(whole, used, TRAILER).and_then(|bytes| u64_at(bytes, 0));
        if held < bytes || stated != Some(used) {
            if held == bytes {
                let found = format!("the range at {address:#x} does not end with its size");
                layout.problems.push(found);
            }
            break;
        }
        at = start.saturating_add(used).saturating_add(TRAILER);
    }
    if layout.is_empty() {
        return Err(image.not_a_dump("an AVML image without a readable range of memory"));
    }
    Ok(spool.finish()?.in_place_of(image).with_layout(layout, None))
}

/// The description of an unsupported version, for the error message.
pub(super) fn describe(file: &[u8]) -> Option<String> {
    let tool = match file.get(..4)? {
        b"EMiL" => "a LiME image",
        b"AVML" => "an AVML image",
        _ => return None,
    };
    Some(format!("{tool} of version {}, which is not read", u32_at(file, 4)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_header(magic: &[u8], first: u64, last: u64, bytes: &[u8]) -> Vec<u8> {
        [magic, &first.to_le_bytes(), &last.to_le_bytes(), &[0; 8], bytes].concat()
    }

    #[test]
    fn ranges_follow_one_another() {
        let mut file = with_header(LIME, 0x1000, 0x2fff, &[1; 0x2000]);
        file.extend(with_header(LIME, 0x10_0000, 0x10_0fff, &[2; 0x1000]));
        let layout = parse(&file);
        assert_eq!(layout.problems, [""; 0]);
        let pages = layout.pages(file.len() as u64);
        assert!(pages.facts.is_complete());
        let memory = crate::memory::Physical::new(&file, &pages.map);
        assert_eq!(memory.page(0x100).unwrap(), [2; 0x1000]);
        assert_eq!(memory.page(3), None);
    }

    #[test]
    fn damage_ends_with_the_file() {
        let mut file = with_header(LIME, 0x1000, 0x2fff, &[1; 0x2000]);
        file.extend(with_header(LIME, 5, u64::MAX, &[2; 0x1000]));
        for len in 0..file.len() {
            let _ = parse(&file[..len]).pages(len as u64);
        }
        for at in (0..32).chain(0x2020..0x2040) {
            let mut edited = file.clone();
            edited[at] = 0xff;
            let layout = parse(&edited);
            let _ = layout.pages(edited.len() as u64);
        }
        assert_eq!(parse(&file[..0x1020]).pages(0x1020).facts.held, 1);
        assert!(describe(b"AVML\x03\0\0\0").unwrap().contains("version 3"));
    }

    #[test]
    fn frames_are_decompressed() {
        let page: Vec<u8> = (0..0x1000u32).map(|i| i.to_le_bytes()[0]).collect();
        let data = page.repeat(40);
        let frames = |data: &[u8]| {
            let mut out = snap::write::FrameEncoder::new(Vec::new());
            std::io::Write::write_all(&mut out, data).unwrap();
            let mut bytes = out.into_inner().unwrap();
            let len = bytes.len() as u64;
            bytes.extend(len.to_le_bytes());
            bytes
        };
        let mut file = with_header(AVML, 0x1000, 0x28fff, &frames(&data));
        let first = file.len();
        file.extend(with_header(AVML, 0x10_0000, 0x10_0fff, &frames(&page)));
        let of = |bytes: &[u8]| {
            unpack(&Image::from_bytes("x.avml", bytes.to_vec()), &Spooling::default())
        };
        let image = of(&file).unwrap();
        let pages = image.layout().unwrap().pages(image.len() as u64);
        assert_eq!(pages.facts.problems, [""; 0]);
        assert_eq!((pages.facts.held, image.file_bytes()), (41, file.len() as u64));
        let memory = crate::memory::Physical::new(&image, &pages.map);
        assert_eq!(memory.page(0x100).unwrap(), page);
        // Changes a byte of the first range: its chunk fails, and the rest of the range is not
        // trusted.
        file[first / 2] ^= 1;
        let image = of(&file).unwrap_or_else(|_| Image::from_bytes("none", Vec::new()));
        let held = image.layout().map_or(0, |layout| layout.pages(image.len() as u64).facts.held);
        assert!(held < 41);
        for len in 0..first {
            let _ = of(&file[..len]);
        }
    }
}
