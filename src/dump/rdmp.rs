//! Live dumps, which debuggers and Task Manager write while the system continues to run (types 8, 9
//! and 10): `RDMP` after the header, and ranges of pages.
//!
//! The layout is documented by a public reader of the format (kdmp-parser), not by Microsoft.

use super::bytes::u64_at;
use super::header::DumpType;
use super::pages::{Pages, bytes_of};
use crate::memory::{PageMap, Run, Runs, View};

/// The number before the signature.
const MARKER: [u8; 4] = 0x40u32.to_le_bytes();
/// The offset of the ranges.
const RANGES: usize = 0x30;
/// The size of a range: the number of its first page, and its number of pages.
const RANGE: usize = 16;
/// Upper limit on ranges; a longer list is damaged.
const MAX_RANGES: usize = 1 << 20;

/// The same in bytes, with room for ranges that touch and count as one.
const MAX_LIST: usize = 4 * MAX_RANGES * RANGE;

/// Whether such a structure is at an offset.
pub(super) fn is_there(file: View<'_>, start: usize) -> bool {
    let head = file.part(start, 12);
    head.len() == 12 && head.starts_with(&MARKER) && head.ends_with(b"RDMPDUMP")
}

/// Reads the structure.
pub(super) fn parse(file: View<'_>, start: usize, kind: DumpType) -> Pages {
    let head = file.part(start, RANGES);
    let number = |offset: usize| u64_at(head, offset);
    let Some((metadata, first_page, total)) = number(0x10)
        .zip(number(0x18))
        .zip(number(0x28))
        .map(|((metadata, first_page), total)| (metadata, first_page, total))
    else {
        return Pages::none("the file is cut off within the header of its ranges".to_owned());
    };
    let mut problems = Vec::new();
    // The metadata is everything between its own header and the first page.
    let stated_end = (start as u64).saturating_add(0x20).saturating_add(metadata);
    if stated_end != first_page {
        problems.push(format!(
            "the list of ranges ends at {stated_end:#x}, the first page is at {first_page:#x}"
        ));
    }
    let end = usize::try_from(stated_end.min(first_page)).unwrap_or(usize::MAX);
    let first = start.saturating_add(RANGES);
    let list = file.part(first, end.saturating_sub(first).min(MAX_LIST));
    let limit = if kind == DumpType::Complete { total } else { u64::MAX };
    let (stated, described) = ranges(list, first_page, limit);
    if stated.len() == MAX_RANGES {
        problems.push(format!("the list of ranges is read up to its entry {MAX_RANGES}"));
    }
    if kind == DumpType::Complete && described != total {
        problems.push(format!("the header counts {total} pages, its ranges have {described}"));
    }
    let map = PageMap::Runs(Runs::new(stated, file.len() as u64));
    let needed = first_page.saturating_add(bytes_of(described));
    Pages::new(map, described, needed, "page range", problems)
}

/// The ranges up to the terminating entry, and the sum of their pages.
fn ranges(list: &[u8], first_page: u64, limit: u64) -> (Vec<Run>, u64) {
    let mut stated: Vec<Run> = Vec::new();
    let mut pages = 0u64;
    let mut offset = first_page;
    for entry in list.chunks_exact(RANGE) {
        let first = u64_at(entry, 0).unwrap_or_default();
        let count = u64_at(entry, 8).unwrap_or_default();
        // Page 0 is never dumped; an empty range ends the list.
        if first == 0 || count == 0 || pages >= limit || stated.len() == MAX_RANGES {
            break;
        }
        match stated.last_mut() {
            Some(last) if last.end() == first => last.pages = last.pages.saturating_add(count),
            _ => stated.push(Run { first, pages: count, offset }),
        }
        pages = pages.saturating_add(count);
        offset = offset.saturating_add(bytes_of(count));
    }
    (stated, pages)
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod tests {
    use super::*;
    use crate::dump::header::{self, KernelHeader};
    use crate::dump::{Width, pages};

    fn dump(code: u32, ranges: &[(u64, u64)], total: u64) -> (Vec<u8>, KernelHeader) {
        let mut file = b"PAGE".repeat(0x800);
        file[4..8].copy_from_slice(b"DU64");
        file[0xf98..0xf9c].copy_from_slice(&code.to_le_bytes());
        file.extend(MARKER);
        file.extend(b"RDMPDUMP\0\0\0\0");
        file.extend([0x4000u64 - 0x2020, 0x4000].map(u64::to_le_bytes).concat());
        file.extend([ranges.len() as u64, total].map(u64::to_le_bytes).concat());
        for (first, pages) in ranges {
            file.extend([first.to_le_bytes(), pages.to_le_bytes()].concat());
        }
        file.resize(0x4000, 0);
        for page in ranges.iter().flat_map(|(first, pages)| *first..first + pages) {
            file.extend(vec![page as u8; 0x1000]);
        }
        let header = header::parse(&file, Width::W64);
        (file, header)
    }

    #[test]
    fn ranges_of_all_three_types() {
        for code in [8, 9, 10] {
            let (file, header) = dump(code, &[(0x10, 2), (0x20, 1), (5, 1)], 4);
            let pages = pages::parse(&file, &header);
            assert_eq!(pages.facts.problems, [""; 0]);
            assert!(pages.facts.is_complete());
            let memory = crate::memory::Physical::new(&file, &pages.map);
            for page in [0x10, 0x11, 0x20, 5] {
                assert_eq!(memory.page(page).unwrap(), [page as u8; 0x1000]);
            }
            assert_eq!(memory.page(0x12), None);
        }
    }

    #[test]
    fn a_complete_dump_ends_with_its_count() {
        let (file, header) = dump(10, &[(0x10, 2), (0x20, 1)], 2);
        let pages = pages::parse(&file, &header);
        assert_eq!(pages.map.present(), 2);
        let (file, header) = dump(8, &[(0x10, 2), (0x20, 1)], 2);
        assert_eq!(pages::parse(&file, &header).map.present(), 3);
    }

    #[test]
    fn absurd_counts_end_with_the_file() {
        let (mut file, header) = dump(8, &[(0x10, 2), (0x20, 1)], 3);
        file[0x2038..0x2040].copy_from_slice(&u64::MAX.to_le_bytes());
        let pages = pages::parse(&file, &header);
        assert_eq!((pages.map.present(), pages.facts.is_complete()), (3, false));
        assert_eq!(pages.facts.problems.len(), 1);
        file[0x2010..0x2018].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(pages::parse(&file, &header).facts.problems.len(), 2);
    }
}
