//! Converts section numbers and offsets of a PDB to offsets in the image.
//!
//! Some images were rearranged after linking; their PDBs contain the original sections and an
//! address map (OMAP).

use crate::symbol::bytes::{u16_at, u32_at};

const SECTION: usize = 40;

/// The sections of an image.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// Start and size of each section.
    sections: Vec<(u32, u32)>,
    /// Original offsets with their new offsets, if the image was rearranged.
    moved: Vec<(u32, u32)>,
}

impl Addresses {
    /// Reads section headers, and the address map of a rearranged image.
    pub(super) fn new(headers: &[u8], map: Option<&[u8]>) -> Self {
        let section = |header: &[u8]| Some((u32_at(header, 12)?, u32_at(header, 8)?));
        let sections = headers.chunks_exact(SECTION).filter_map(section).collect();
        let pair = |pair: &[u8]| Some((u32_at(pair, 0)?, u32_at(pair, 4)?));
        let mut moved: Vec<_> = map.unwrap_or_default().chunks_exact(8).filter_map(pair).collect();
        moved.sort_unstable();
        Self { sections, moved }
    }

    /// The offset in the image of an offset in a section; sections are counted from 1.
    pub(super) fn rva(&self, section: u16, offset: u32) -> Option<u32> {
        let (start, _) = self.sections.get(usize::from(section).checked_sub(1)?)?;
        let old = start.checked_add(offset)?;
        if self.moved.is_empty() {
            return Some(old);
        }
        let next = self.moved.partition_point(|(from, _)| *from <= old);
        let (from, to) = *self.moved.get(next.checked_sub(1)?)?;
        // A mapping to 0 means that the code was removed from the image.
        if to == 0 { None } else { to.checked_add(old.checked_sub(from)?) }
    }

    /// The offset in the image of a section and offset in a record.
    pub(super) fn place(&self, bytes: &[u8], offset: usize, section: usize) -> Option<u32> {
        self.rva(u16_at(bytes, section)?, u32_at(bytes, offset)?)
    }
}
