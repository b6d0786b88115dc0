//! Dumps whose pages are described by a bitmap: the `SUMMARY_DUMP` structure after the header.
//!
//! Up to Windows 7 (type 2) its numbers are 32 bits wide; since Windows 8 (types 5, 6 and 7) they
//! are 64 bits wide, at other offsets. Nothing in the structure says which form it has, so the form
//! whose numbers are consistent is used.

use super::bytes::{Width, u32_at, u64_at};
use super::header::header_bytes;
use super::pages::{BitmapHeader, Pages, bytes_of};
use crate::memory::{Bitmap, PAGE, PageMap, View};

/// The numbers before the bits take less.
const LONGEST: usize = 0x40;

/// Whether such a structure is at an offset. Kernel dumps have the signature `SDMP`, complete dumps
/// `FDMP`.
pub(super) fn is_there(file: View<'_>, start: usize) -> bool {
    matches!(file.part(start, 8), b"SDMPDUMP" | b"FDMPDUMP")
}

/// The numbers of the structure, and the offset of the bits after it.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    header: BitmapHeader,
    start: usize,
}

impl Numbers {
    /// Whether the numbers are consistent.
    fn agree(&self) -> bool {
        let BitmapHeader { first_page, bits, pages } = self.header;
        bits != 0 && pages <= bits && first_page >= self.end()
    }

    /// The offset at which the bits end.
    fn end(&self) -> u64 {
        (self.start as u64).saturating_add(self.header.bits.div_ceil(8))
    }
}

/// The numbers in the form since Windows 8.
fn wide(file: &[u8], start: usize) -> Option<Numbers> {
    let header = BitmapHeader {
        first_page: u64_at(file, start.saturating_add(0x20))?,
        pages: u64_at(file, start.saturating_add(0x28))?,
        bits: u64_at(file, start.saturating_add(0x30))?,
    };
    Some(Numbers { header, start: start.saturating_add(0x38) })
}

/// The numbers in the form up to Windows 7.
fn narrow(file: &[u8], start: usize, width: Width) -> Option<Numbers> {
    let number = |offset: usize| u32_at(file, start.saturating_add(offset)).map(u64::from);
    let header =
        BitmapHeader { first_page: number(0xc)?, bits: number(0x10)?, pages: number(0x14)? };
    // The bitmap repeats its size.
    if number(0x18)? != header.bits {
        return None;
    }
    let bits = match width {
        Width::W32 => 0x20,
        Width::W64 => 0x28,
    };
    Some(Numbers { header, start: start.saturating_add(bits) })
}

/// Reads the structure.
pub(super) fn parse(file: View<'_>, width: Width) -> Pages {
    let start = header_bytes(width);
    let head = file.head(start.saturating_add(LONGEST));
    let Some(wide) = wide(head, start) else {
        return Pages::none("the file is cut off within the header of its bitmap".to_owned());
    };
    let narrow = narrow(head, start, width);
    let mut problems = Vec::new();
    let numbers = match narrow.filter(Numbers::agree) {
        Some(narrow) if !wide.agree() => narrow,
        _ => wide,
    };
    let mut header = numbers.header;
    if header.first_page < numbers.end() || header.first_page == 0 {
        let stated = header.first_page;
        header.first_page = numbers.end().div_ceil(PAGE).saturating_mul(PAGE);
        let used = header.first_page;
        problems.push(format!(
            "the first page would be at {stated:#x}, within the bitmap; {used:#x} is used"
        ));
    }
    let bitmap = Bitmap::new(file, numbers.start, header.bits, header.first_page);
    if bitmap.bits() < header.bits {
        let (held, bits) = (bitmap.bits(), header.bits);
        problems.push(format!("the file holds {held} of the {bits} bits of its bitmap"));
    }
    let set = bitmap.set();
    if set != header.pages && bitmap.bits() == header.bits {
        let counted = header.pages;
        problems.push(format!("the header counts {counted} pages, the bitmap has {set}"));
    }
    let needed = header.first_page.saturating_add(bytes_of(set));
    let mut pages = Pages::new(PageMap::Bitmap(bitmap), set, needed, "bitmap", problems);
    pages.facts.bitmap = Some(numbers.header);
    pages
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod tests {
    use super::*;
    use crate::dump::header::{self, KernelHeader};
    use crate::dump::pages;

    /// A dump with these pages, built byte by byte.
    fn dump(width: Width, code: u32, is_wide: bool, present: &[u64]) -> (Vec<u8>, KernelHeader) {
        let start = header_bytes(width);
        let mut file = b"PAGE".repeat(start / 4);
        let (mark, kind) = match width {
            Width::W32 => (b"DUMP", 0xf88),
            Width::W64 => (b"DU64", 0xf98),
        };
        file[4..8].copy_from_slice(mark);
        file[kind..kind + 4].copy_from_slice(&code.to_le_bytes());
        let bits = 0x108u64;
        file.extend(b"SDMPDUMP");
        let first = start as u64 + 0x1000;
        let pages = present.len() as u64;
        if is_wide {
            file.extend([0; 0x18]);
            file.extend([first, pages, bits].map(u64::to_le_bytes).concat());
        } else {
            file.extend(
                [1, first as u32, bits as u32, pages as u32].map(u32::to_le_bytes).concat(),
            );
            file.extend((bits as u32).to_le_bytes());
            let pad = if width == Width::W64 { 12 } else { 4 };
            file.extend(vec![0xcc; pad]);
        }
        let mut map = [0u8; 0x21];
        for page in present {
            map[*page as usize / 8] |= 1 << (page % 8);
        }
        file.extend(map);
        file.resize(first as usize, 0);
        for page in present {
            file.extend(vec![*page as u8; 0x1000]);
        }
        let header = header::parse(&file, width);
        (file, header)
    }

    #[test]
    fn both_layouts_on_both_widths() {
        for width in [Width::W32, Width::W64] {
            for (code, is_wide) in [(2, false), (2, true), (5, true), (6, true), (7, true)] {
                let (file, header) = dump(width, code, is_wide, &[1, 2, 9, 0x100]);
                let pages = pages::parse(&file, &header);
                assert_eq!(pages.facts.problems, [""; 0], "{width:?} {code} {is_wide}");
                assert!(pages.facts.is_complete());
                assert_eq!(pages.facts.needed_bytes, file.len() as u64);
                let memory = crate::memory::Physical::new(&file, &pages.map);
                for page in [1, 2, 9, 0x100] {
                    assert_eq!(memory.page(page).unwrap(), [page as u8; 0x1000]);
                }
                assert_eq!(memory.page(3), None);
            }
        }
    }

    #[test]
    fn wrong_counts_are_reported_and_the_pages_used() {
        let (mut file, header) = dump(Width::W64, 5, true, &[1, 2]);
        file[0x2028] = 9;
        file.truncate(file.len() - 1);
        let pages = pages::parse(&file, &header);
        assert_eq!(
            pages.facts.problems,
            [
                "the header counts 9 pages, the bitmap has 2",
                "the file is cut off: it holds 1 of 2 pages"
            ]
        );
        assert!(!pages.facts.is_complete());
        file[0x2020..0x2028].copy_from_slice(&8u64.to_le_bytes());
        let pages = pages::parse(&file, &header);
        assert_eq!(pages.map.offset_of(&file, 1), Some(0x3000));
        file[0x2030..0x2038].copy_from_slice(&u64::MAX.to_le_bytes());
        let pages = pages::parse(&file, &header);
        assert!(!pages.facts.is_complete() || pages.map.present() <= 2);
    }
}
