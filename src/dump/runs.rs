//! Complete memory dumps (type 1): runs of pages that the header lists, one after another in the
//! file.

use super::header::{KernelHeader, header_bytes};
use super::pages::{Pages, bytes_of};
use crate::memory::{PageMap, Run, Runs, View};

/// Reads the runs of a header.
pub(super) fn parse(file: View<'_>, header: &KernelHeader) -> Pages {
    let Some(memory) = &header.physical_memory else {
        return Pages::none("the header lists no runs of pages".to_owned());
    };
    let mut offset = header_bytes(header.width) as u64;
    let mut stated = Vec::with_capacity(memory.runs.len());
    let mut described = 0u64;
    for (first, pages) in &memory.runs {
        stated.push(Run { first: *first, pages: *pages, offset });
        offset = offset.saturating_add(bytes_of(*pages));
        described = described.saturating_add(*pages);
    }
    let mut problems = Vec::new();
    if memory.pages != described {
        let counted = memory.pages;
        problems.push(format!("the header counts {counted} pages, its runs have {described}"));
    }
    let runs = Runs::new(stated, file.len() as u64);
    if has_overlaps(&memory.runs) {
        problems.push("runs of the header overlap; the first that has a page counts".to_owned());
        described = runs.present();
    }
    Pages::new(PageMap::Runs(runs), described, offset, "memory run", problems)
}

fn has_overlaps(runs: &[(u64, u64)]) -> bool {
    let mut sorted: Vec<(u64, u64)> = runs.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| match pair {
        [(first, pages), (next, _)] => first.saturating_add(*pages) > *next,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Width;
    use crate::dump::header;

    fn dump(runs: &[(u64, u64)], counted: u64, pages: usize) -> (Vec<u8>, KernelHeader) {
        let mut file = b"PAGE".repeat(0x800);
        file[4..8].copy_from_slice(b"DU64");
        file[0x88..0x90].copy_from_slice(&(runs.len() as u64).to_le_bytes());
        file[0x90..0x98].copy_from_slice(&counted.to_le_bytes());
        for (i, (first, pages)) in runs.iter().enumerate() {
            let at = 0x98 + i * 16;
            file[at..at + 8].copy_from_slice(&first.to_le_bytes());
            file[at + 8..at + 16].copy_from_slice(&pages.to_le_bytes());
        }
        file[0xf98..0xf9c].copy_from_slice(&1u32.to_le_bytes());
        file.resize(0x2000 + pages * 0x1000, 7);
        let header = header::parse(&file, Width::W64);
        (file, header)
    }

    #[test]
    fn pages_follow_one_another_in_the_order_of_the_runs() {
        let (file, header) = dump(&[(1, 2), (0x100, 3)], 5, 5);
        let pages = super::super::pages::parse(&file, &header);
        assert_eq!(pages.facts.problems, [""; 0]);
        assert!(pages.facts.is_complete());
        assert_eq!(pages.map.offset_of(&file, 0x101), Some(0x5000));
        assert_eq!(pages.facts.needed_bytes, file.len() as u64);
    }

    #[test]
    fn wrong_counts_are_reported_and_the_pages_used() {
        let (file, header) = dump(&[(1, 2), (2, 3)], 7, 3);
        let pages = super::super::pages::parse(&file, &header);
        assert_eq!(
            pages.facts.problems,
            [
                "the header counts 7 pages, its runs have 5",
                "runs of the header overlap; the first that has a page counts"
            ]
        );
        assert_eq!(pages.map.present(), 2);
        let (file, header) = dump(&[(1, u64::MAX), (2, 3)], 7, 1);
        let pages = super::super::pages::parse(&file, &header);
        assert_eq!(pages.map.offset_of(&file, 1), Some(0x2000));
        assert_eq!(pages.map.present(), 1);
    }
}
