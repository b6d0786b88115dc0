//! The physical pages of a kernel dump, whichever way its container describes them.
//!
//! The description that the file holds counts, not the type that its header names: types lie more
//! often than structures do.

use super::header::{DumpType, KernelHeader, header_bytes};
use super::{bitmap, rdmp, runs};
use crate::memory::{PAGE, PageMap, Runs};

/// The pages of a dump.
#[derive(Debug)]
pub struct Pages {
    /// Where they are.
    pub map: PageMap,
    /// What is known of them.
    pub facts: Facts,
}

/// What the container says of the pages, and how far it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What the bitmap's header says, if there is one.
    pub bitmap: Option<BitmapHeader>,
    /// How long a file with all of them is.
    pub needed_bytes: u64,
    /// How many pages the container describes.
    pub described: u64,
    /// How many of them the file holds.
    pub held: u64,
    /// What each range is called.
    pub kind: &'static str,
    /// What is missing or contradicts itself.
    pub problems: Vec<String>,
}

/// What the header of a bitmap says.
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
    /// Pages of which nothing is known.
    pub(super) fn none(problem: String) -> Self {
        Self::new(PageMap::Runs(Runs::default()), 0, 0, "memory run", vec![problem])
    }

    /// Pages at these places; says how many of the described ones are not there.
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
    /// Whether the file holds all that is described.
    pub const fn is_complete(&self) -> bool {
        self.held >= self.described && self.described != 0
    }
}

/// Reads the description of the pages of a dump that is no triage dump.
pub fn parse(file: &[u8], header: &KernelHeader) -> Pages {
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

/// Whether the runs of the header do not say where the pages are.
const fn needs_more(kind: DumpType) -> bool {
    !matches!(kind, DumpType::Full | DumpType::Other(_))
}

/// The number of bytes of so many pages, or as many as there can be.
pub(super) const fn bytes_of(pages: u64) -> u64 {
    pages.saturating_mul(PAGE)
}
