//! From sections and offsets, as a PDB counts them, to offsets in the image that was linked.
//!
//! Some images were rearranged after they were linked; their PDBs keep the old sections and a map
//! from old places to new ones.

use crate::symbol::bytes::{u16_at, u32_at};

const SECTION: usize = 40;

/// Where the sections of an image are.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// Start and size of each section.
    sections: Vec<(u32, u32)>,
    /// Old places with the new ones, where the image was rearranged.
    moved: Vec<(u32, u32)>,
}

impl Addresses {
    /// Reads section headers, and the map of an image that was rearranged.
    pub(super) fn new(headers: &[u8], map: Option<&[u8]>) -> Self {
        let section = |header: &[u8]| Some((u32_at(header, 12)?, u32_at(header, 8)?));
        let sections = headers.chunks_exact(SECTION).filter_map(section).collect();
        let pair = |pair: &[u8]| Some((u32_at(pair, 0)?, u32_at(pair, 4)?));
        let mut moved: Vec<_> = map.unwrap_or_default().chunks_exact(8).filter_map(pair).collect();
        moved.sort_unstable();
        Self { sections, moved }
    }

    /// The offset in the image of a place in a section, counted from 1.
    pub(super) fn rva(&self, section: u16, offset: u32) -> Option<u32> {
        let (start, _) = self.sections.get(usize::from(section).checked_sub(1)?)?;
        let old = start.checked_add(offset)?;
        if self.moved.is_empty() {
            return Some(old);
        }
        let next = self.moved.partition_point(|(from, _)| *from <= old);
        let (from, to) = *self.moved.get(next.checked_sub(1)?)?;
        // What leads to nowhere was left out of the image.
        if to == 0 { None } else { to.checked_add(old.checked_sub(from)?) }
    }

    /// The offset in the image of a section and offset that stand in a record.
    pub(super) fn place(&self, bytes: &[u8], offset: usize, section: usize) -> Option<u32> {
        self.rva(u16_at(bytes, section)?, u32_at(bytes, offset)?)
    }
}
