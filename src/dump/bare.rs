//! Physical memory without a dump header: raw memory images (one page after another, `.raw`,
//! `.mem`, `.vmem`) and ELF core files. They are accepted only if Windows is found in them.

use super::detect::ACCEPTED;
use super::pages::Pages;
use super::windows::{self, Windows};
use super::{Error, Format, Image, Stopped, elf, lime};
use crate::memory::{PAGE, PageMap, Physical, Run, Runs, View};

/// The memory of a machine that runs Windows.
#[derive(Debug)]
pub struct Bare {
    /// Its pages.
    pub pages: Pages,
    /// Windows.
    pub windows: Windows,
    /// The registers of the processors as the hypervisor saved them; empty for raw memory.
    pub processors: Vec<Stopped>,
}

/// Whether a raw image contains page tables of the form that Windows uses.
pub(super) fn has_tables(file: View<'_>) -> bool {
    let map = whole(file.len() as u64);
    !windows::tables(Physical::new(file, &map), &[], 1).is_empty()
}

/// The whole file as memory, one page after another.
fn whole(len: u64) -> PageMap {
    PageMap::Runs(Runs::new(vec![Run { first: 0, pages: len / PAGE, offset: 0 }], len))
}

/// Finds the pages, and Windows in them.
///
/// # Errors
/// [`Error::NotADump`] if there is no Windows.
pub fn parse(image: &Image, format: Format) -> Result<Bare, Error> {
    let bytes = image.len() as u64;
    let (pages, processors) = match (image.layout(), format) {
        (Some(layout), _) => (layout.pages(bytes), layout.processors.clone()),
        (None, Format::Saved(_)) => (lime::parse(image).pages(bytes), Vec::new()),
        (None, Format::ElfCore) => {
            let core = elf::parse(image);
            (core.pages, core.processors)
        }
        (None, _) => {
            (Pages::new(whole(bytes), bytes / PAGE, bytes, "memory", Vec::new()), Vec::new())
        }
    };
    let Pages { map, facts } = pages;
    let registers: Vec<u64> = processors.iter().filter_map(Stopped::table).collect();
    let tables = windows::tables(Physical::new(image, &map), &registers, windows::MAX_TABLES);
    let (map, found) = windows::find(image.view(), map, &tables);
    let windows = found.ok_or_else(|| image.not_a_dump(refusal(format)))?;
    Ok(Bare { pages: Pages { map, facts }, windows, processors })
}

fn refusal(format: Format) -> String {
    let what = match format {
        Format::ElfCore => "an ELF core file without the memory of a Windows system",
        Format::Saved(saved) => saved.refusal(),
        _ => "a memory image in which no Windows kernel is found",
    };
    format!("{what}; {ACCEPTED}")
}
