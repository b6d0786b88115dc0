//! The physical pages of a kernel dump, independent of how the container describes them.
//!
//! The structure found in the file decides, not the dump type in the header: the types are wrong
//! more often than the structures.

use super::header::{DumpType, KernelHeader, header_bytes};
use super::{bitmap, rdmp, runs};
use crate::memory::{PAGE, PageMap, Runs, View};

/// The pages of a dump.
#[derive(Debug)]
pub struct Pages {
    /// Where they are in the file.
    pub map: PageMap,
    /// What is known about them.
    pub facts: Facts,
}

/// What the container says about its pages, and how much of it the file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The header of the bitmap, if there is one.
    pub bitmap: Option<BitmapHeader>,
    /// The size of a complete file.
    pub needed_bytes: u64,
    /// How many pages the container describes.
    pub described: u64,
    /// How many of them the file holds.
    pub held: u64,
    /// The name for a range of pages.
    pub kind: &'static str,
    /// What is missing or inconsistent.
    pub problems: Vec<String>,
}

/// The header of a bitmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitmapHeader {
    /// The offset of the first page in the file.
    pub first_page: u64,
    /// How many bits there are.
    pub bits: u64,
    /// How many of them are set.
    pub pages: u64,
}

impl Pages {
    /// No pages, because their description cannot be read.
    pub(super) fn none(problem: String) -> Self {
        Self::new(PageMap::Runs(Runs::default()), 0, 0, "memory run", vec![problem])
    }

    /// The pages of a map; records a problem if some of the described pages are missing.
    pub(super) fn new(
        map: PageMap,
        described: u64,
        needed_bytes: u64,
        kind: &'static str,
        mut problems: Vec<String>,
    ) -> Self {
        let held = map.present();
        if held < described {
            problems.push(format!("the file is cut off: it holds {held} of {described} pages"));
        }
        let facts = Facts { bitmap: None, needed_bytes, described, held, kind, problems };
        Self { map, facts }
    }
}

impl Facts {
    /// Whether the file holds all described pages.
    pub const fn is_complete(&self) -> bool {
        self.held >= self.described && self.described != 0
    }
}

/// Reads the description of the pages, for all dumps except triage dumps.
pub fn parse<'f>(file: impl Into<View<'f>>, header: &KernelHeader) -> Pages {
    let file = file.into();
    let start = header_bytes(header.width);
    let (mut pages, expected): (_, &[DumpType]) = if bitmap::is_there(file, start) {
        use DumpType::{Automatic, BitmapFull, BitmapKernel, Summary};
        (bitmap::parse(file, header.width), &[Summary, BitmapFull, BitmapKernel, Automatic])
    } else if rdmp::is_there(file, start) {
        use DumpType::{Complete, KernelAndUser, KernelMemory};
        (rdmp::parse(file, start, header.dump_type), &[KernelMemory, KernelAndUser, Complete])
    } else if needs_more(header.dump_type) {
        let words = header.dump_type.words();
        return Pages::none(format!(
            "the dump is of type \"{words}\", but no list of its pages follows the header"
        ));
    } else {
        (runs::parse(file, header), &[DumpType::Full])
    };
    if !expected.contains(&header.dump_type) {
        let words = header.dump_type.words();
        let kind = pages.facts.kind;
        pages
            .facts
            .problems
            .push(format!("the dump type is \"{words}\", its pages are those of a {kind}"));
    }
    pages
}

/// Whether the runs of the header do not give the location of the pages.
const fn needs_more(kind: DumpType) -> bool {
    !matches!(kind, DumpType::Full | DumpType::Other(_))
}

/// The size of this many pages in bytes, saturating.
pub(super) const fn bytes_of(pages: u64) -> u64 {
    pages.saturating_mul(PAGE)
}
