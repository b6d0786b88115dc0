//! The locations of physical pages in a file that is not a Windows dump.

use super::notes::Stopped;
use super::pages::{Pages, bytes_of};
use crate::memory::{PAGE, PageMap, Run, Runs};

/// The program that saved the memory, if it was not Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// A `LiME` image, or an AVML image of version 1.
    Lime,
    /// An AVML image of version 2.
    Avml,
    /// A `VMware` virtual machine, suspended or with a snapshot.
    VMware,
    /// A hibernation file.
    Hibernation,
}

impl Saved {
    /// The name of the container in the table `dump`.
    pub const fn container(self) -> &'static str {
        match self {
            Self::Lime => "LiME",
            Self::Avml => "AVML",
            Self::VMware => "VMware",
            Self::Hibernation => "hiberfil",
        }
    }

    /// The text in the column for the dump type.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Lime => "physical memory (LiME)",
            Self::Avml => "physical memory (AVML)",
            Self::VMware => "physical memory (VMware)",
            Self::Hibernation => "physical memory (hibernation file)",
        }
    }

    /// The error text for a file of this kind that does not contain Windows.
    pub(super) const fn refusal(self) -> &'static str {
        match self {
            Self::Lime => "a LiME image without the memory of a Windows system",
            Self::Avml => "an AVML image without the memory of a Windows system",
            Self::VMware => "the memory of a VMware machine, in which no Windows kernel is found",
            Self::Hibernation => "a hibernation file in whose pages no Windows kernel is found",
        }
    }
}

/// The pages of a machine, and everything else that was saved with them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) saved: Saved,
    /// The locations of the pages.
    runs: Vec<Run>,
    /// How many pages are described.
    described: u64,
    /// The name for a range of pages.
    kind: &'static str,
    /// What is missing or inconsistent.
    pub(super) problems: Vec<String>,
    /// The processors with their registers.
    pub(super) processors: Vec<Stopped>,
}

impl Layout {
    pub(super) const fn new(saved: Saved, kind: &'static str) -> Self {
        Self {
            saved,
            runs: Vec::new(),
            described: 0,
            kind,
            problems: Vec::new(),
            processors: Vec::new(),
        }
    }

    /// Adds the complete pages of a range of physical memory whose bytes are at an offset.
    pub(super) fn range(&mut self, address: u64, bytes: u64, offset: u64) {
        let skip = address.wrapping_neg() % PAGE;
        let whole = bytes.checked_sub(skip).map(|bytes| bytes / PAGE).filter(|pages| *pages != 0);
        let first = address.checked_add(skip).map(|address| address / PAGE);
        let (Some(pages), Some(first)) = (whole, first) else { return };
        let Some(offset) = offset.checked_add(skip) else { return };
        self.described = self.described.saturating_add(pages);
        self.push(Run { first, pages, offset });
    }

    /// Adds a run, or extends the last run.
    fn push(&mut self, run: Run) {
        if let Some(last) = self.runs.last_mut()
            && last.end() == run.first
            && last.offset.saturating_add(bytes_of(last.pages)) == run.offset
        {
            last.pages = last.pages.saturating_add(run.pages);
        } else {
            self.runs.push(run);
        }
    }

    /// Counts pages that are described but missing from the file.
    pub(super) fn missing(&mut self, pages: u64) {
        self.described = self.described.saturating_add(pages);
    }

    /// Whether there are no pages.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The pages in a file of this length.
    pub(super) fn pages(&self, len: u64) -> Pages {
        let ends = self.runs.iter().map(|run| run.offset.saturating_add(bytes_of(run.pages)));
        let needed = ends.max().unwrap_or_default();
        let map = PageMap::Runs(Runs::new(self.runs.clone(), len));
        let mut problems = self.problems.clone();
        // A page that is described twice counts once.
        let mut described = self.described;
        if needed <= len && described > map.present() && self.repeats() {
            described = map.present();
            problems.push("pages are there more than once; the first counts".to_owned());
        }
        Pages::new(map, described, needed, self.kind, problems)
    }

    fn repeats(&self) -> bool {
        let mut sorted: Vec<&Run> = self.runs.iter().collect();
        sorted.sort_unstable_by_key(|run| run.first);
        sorted.windows(2).any(|pair| matches!(pair, [a, b] if a.end() > b.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_pages() {
        let mut layout = Layout::new(Saved::Lime, "memory range");
        layout.range(0x1800, 0x2800, 0x20);
        layout.range(0x4000, 0x1000, 0x2820);
        layout.range(0x8000, 0xfff, 0x4000);
        layout.range(u64::MAX - 5, u64::MAX, 0);
        assert_eq!(layout.runs, [Run { first: 2, pages: 3, offset: 0x820 }]);
        assert_eq!(layout.pages(0x10000).facts.held, 3);
        let cut = layout.pages(0x2000).facts;
        assert!(cut.problems[0].contains("1 of 3 pages"), "{cut:?}");
        layout.range(0x2000, 0x1000, 0x5000);
        let facts = layout.pages(0x10000).facts;
        assert!(facts.is_complete() && facts.problems[0].contains("more than once"), "{facts:?}");
    }
}
