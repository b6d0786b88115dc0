//! Searches the kernel's data sections for variables, without symbols.
//!
//! This module knows which sections of the kernel image are data and which are code. The caller
//! decides what a word may be.

use crate::source::kernel::core::Core;

use crate::dump::bytes::pointer_at;
use crate::model::Unanswered;
use crate::source::kernel::core::codeview;
use crate::symbol::image::ImageSection;

/// Section characteristics.
const DISCARDED: u32 = 0x0200_0000;
const RUN: u32 = 0x2000_0000;
const WRITTEN: u32 = 0x8000_0000;
/// Upper limit on the searched data, in bytes.
const MAX_DATA: u64 = 8 << 20;

/// Why a variable was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The dump does not give the kernel's data sections, or the layout of the structure is
    /// unknown.
    NoData,
    /// No address matches.
    Nowhere,
    /// More than one address matches.
    Ambiguous,
}

/// A variable, or why it was not found.
pub(crate) type Sought<T> = Result<T, Missing>;

/// Ranges of the kernel image: first address, and the address behind the last.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    data: Vec<(u64, u64)>,
    code: Vec<(u64, u64)>,
}

impl Missing {
    /// The same as a reason for a table; `what` cannot be found without symbols then.
    pub(crate) fn because(self, what: &str) -> Unanswered {
        Unanswered::because(match self {
            Self::NoData => format!("{what} cannot be found without kernel symbols"),
            Self::Nowhere => format!(
                "{what} cannot be found without kernel symbols: no address in the kernel's data matches"
            ),
            Self::Ambiguous => format!(
                "{what} cannot be found without kernel symbols: several addresses in the kernel's data match"
            ),
        })
    }
}

impl Sections {
    fn new(base: u64, size: u32, sections: &[ImageSection]) -> Self {
        let last = base.saturating_add(size.into());
        let mut made = Self::default();
        let mut left = MAX_DATA;
        for section in sections {
            let start = base.saturating_add(section.start.into()).min(last);
            let end = start.saturating_add(section.size.into()).min(last);
            if section.characteristics & RUN != 0 {
                made.code.push((start, end));
            } else if section.characteristics & (WRITTEN | DISCARDED) == WRITTEN {
                let end = end.min(start.saturating_add(left));
                left -= end - start;
                made.data.push((start, end));
            }
        }
        made
    }
}

fn is_in(ranges: &[(u64, u64)], address: u64) -> bool {
    ranges.iter().any(|(start, end)| (*start..*end).contains(&address))
}

/// The item on which all locations agree.
pub(crate) fn only<T: PartialEq>(places: impl IntoIterator<Item = T>) -> Sought<T> {
    let mut only = None;
    for place in places {
        match &only {
            None => only = Some(place),
            Some(first) if *first == place => {}
            Some(_) => return Err(Missing::Ambiguous),
        }
    }
    only.ok_or(Missing::Nowhere)
}

impl Core {
    /// The sections of the kernel image, from its headers in memory.
    fn kernel_sections(&self) -> Sought<&Sections> {
        let found = self.sections.get_or_init(|| {
            let base = self.kernel_base()?;
            codeview::with_image(self, base, |image| {
                Some(Sections::new(base, image.headers().size_of_image, &image.sections()))
            })
        });
        found.as_ref().ok_or(Missing::NoData)
    }

    /// Whether an address is in the kernel's code.
    pub(crate) fn is_kernel_code(&self, address: u64) -> bool {
        self.kernel_sections().is_ok_and(|sections| is_in(&sections.code, address))
    }

    /// Whether an address is in the kernel's data.
    pub(crate) fn is_kernel_data(&self, address: u64) -> bool {
        self.kernel_sections().is_ok_and(|sections| is_in(&sections.data, address))
    }

    /// The words of the kernel's data that may be pointers, with their addresses.
    pub(crate) fn slots(&self) -> Sought<impl Iterator<Item = (u64, u64)> + '_> {
        let width = self.header.width;
        let step = width.bytes() as u64;
        let sections = self.kernel_sections()?;
        let held = sections.data.iter().flat_map(move |(start, end)| {
            self.kernel_space().held(start.next_multiple_of(step), *end)
        });
        Ok(held.flat_map(move |(first, bytes)| {
            (0..bytes.len() / width.bytes()).filter_map(move |i| {
                let at = first.checked_add(i as u64 * step)?;
                Some((at, pointer_at(bytes, i * width.bytes(), width)?))
            })
        }))
    }

    /// The same without pointers that cannot refer to a kernel object.
    pub(crate) fn pointer_slots(&self) -> Sought<impl Iterator<Item = (u64, u64)> + '_> {
        let step = self.header.width.bytes() as u64;
        let is_pointer =
            move |slot: &(u64, u64)| slot.1.is_multiple_of(step) && self.is_system(slot.1);
        Ok(self.slots()?.filter(is_pointer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(start: u32, size: u32, characteristics: u32) -> ImageSection {
        ImageSection { start, size, characteristics, ..ImageSection::default() }
    }

    #[test]
    fn only_data_that_is_written_is_searched() {
        let sections = [
            section(0x1000, 0x2000, 0x6000_0020),
            section(0x3000, 0x1000, 0x4000_0040),
            section(0x4000, 0x1800, 0xc000_0040),
            section(0x6000, 0x1000, 0xe200_0020),
            section(0x7000, 0x1000, 0xc200_0040),
            section(0x8000, u32::MAX, 0xc000_0040),
        ];
        let made = Sections::new(0x8000_0000, 0x9000, &sections);
        let data = [(0x8000_4000, 0x8000_5800), (0x8000_8000, 0x8000_9000)];
        assert_eq!(made.data, data);
        assert_eq!(made.code, [(0x8000_1000, 0x8000_3000), (0x8000_6000, 0x8000_7000)]);
        let all = vec![section(0, u32::MAX, WRITTEN); 3];
        let huge = Sections::new(0, u32::MAX, &all);
        assert_eq!(huge.data.iter().map(|(start, end)| end - start).sum::<u64>(), MAX_DATA);
    }

    #[test]
    fn an_ambiguous_variable_is_not_found() {
        assert_eq!(only([7, 7]), Ok(7));
        assert_eq!(only([7, 8]), Err(Missing::Ambiguous));
        assert_eq!(only::<u8>([]), Err(Missing::Nowhere));
    }
}
