//! A block of pool, and which blocks a reader asks for.

use crate::model::{ColumnId, Control, Progress, Row, Want};
use crate::source::kernel::pool::tag::{Tags, shown, shown_tags, tag_text};

/// The tags that tables of objects look for.
const OBJECTS: [[u8; 4]; 2] = [*b"Irp ", *b"Driv"];

/// A block of pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where it begins, its header included.
    pub(crate) address: u64,
    /// Size in bytes, header included.
    pub(crate) bytes: u64,
    /// Bytes of header in front of what its owner uses: none of a big block.
    pub(crate) header: u8,
    /// Size in bytes of the block before it, as the header states it.
    pub(crate) previous: Option<u16>,
    /// The tag as it stands in memory, without the bit that protects the block.
    pub(crate) tag: [u8; 4],
    /// Of which pool.
    pub(crate) kind: PoolKind,
    /// Whether it is in use.
    pub(crate) state: State,
    /// Whether the header says that a process is charged for it.
    pub(crate) is_charged: bool,
    /// By which means it was found.
    pub(crate) found: FoundBy,
    /// The session whose pool it is in.
    pub(crate) session: Option<u32>,
}

/// Which pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PoolKind {
    /// Whether it is paged; `None` where nothing says.
    pub(crate) is_paged: Option<bool>,
    /// Whether it is a session's.
    pub(crate) is_session: bool,
}

/// Whether a block is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is.
    Allocated,
    /// It is, and whoever frees it has to name its tag.
    Protected,
    /// It is not.
    Free,
    /// Its header contradicts those around it; size and tag are what is left of it.
    Damaged,
}

/// By which means a block was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// By the headers of its page, each of which leads to the next.
    Headers,
    /// In the kernel's table of big allocations.
    BigTable,
    /// In a subsegment of chunks of a segment heap.
    Chunks,
    /// In a subsegment of blocks of one size.
    OneSize,
    /// By its header alone, which looks like one.
    Search,
    /// By the page that was made for it.
    Special,
}

/// Which blocks a reader asks for. The scan leaves out what does not fulfil it.
#[derive(Debug, Clone)]
pub(crate) struct PoolHint<'a> {
    /// Tags as they are shown.
    tags: Option<Vec<[u8; 4]>>,
    kinds: Option<Vec<String>>,
    /// First and last address at which a block may begin.
    pub(crate) range: (u64, u64),
    control: Control<'a>,
}

impl PoolKind {
    /// As tables write it.
    pub(crate) const fn text(self) -> Option<&'static str> {
        match (self.is_paged, self.is_session) {
            (Some(false), false) => Some("nonpaged"),
            (Some(true), false) => Some("paged"),
            (Some(false), true) => Some("nonpaged session"),
            (Some(true), true) => Some("paged session"),
            (None, _) => None,
        }
    }
}

impl State {
    /// As tables write it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Protected => "allocated, protected",
            Self::Free => "free",
            Self::Damaged => "damaged",
        }
    }
}

impl FoundBy {
    /// As tables write it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::BigTable => "big table",
            Self::Chunks => "VS",
            Self::OneSize => "LFH",
            Self::Search => "search",
            Self::Special => "special pool",
        }
    }
}

impl Block {
    /// Where what its owner uses begins.
    pub(crate) const fn body(&self) -> u64 {
        self.address.saturating_add(self.header as u64)
    }

    /// Whether somebody uses it.
    pub(crate) const fn is_in_use(&self) -> bool {
        matches!(self.state, State::Allocated | State::Protected)
    }

    /// The tag as a text, each byte that is no printable character a stop.
    pub(crate) fn tag_text(&self) -> String {
        tag_text(self.tag)
    }
}

impl<'a> PoolHint<'a> {
    /// The blocks of a query over a table that has these columns for tag, type of pool and address.
    pub(crate) fn of<R: Row>(
        want: &Want<'a, R>,
        columns: impl FnOnce(&R::Columns) -> [ColumnId<R>; 3],
    ) -> Self {
        let [tag, pool_type, address] = columns(R::COLUMNS);
        let kinds = want.texts(|_| pool_type);
        let kinds = kinds.map(|kinds| kinds.into_iter().map(str::to_owned).collect());
        let (first, last) = want.addresses(|_| address);
        let tags = want.texts(|_| tag).map(|tags| shown_tags(&tags));
        Self { tags, kinds, range: (first, last), control: want.control() }
    }

    /// The blocks with one of these tags, as long as a query is not cancelled.
    pub(crate) fn tags(tags: &[&str], control: Control<'a>) -> Self {
        Self { tags: Some(shown_tags(tags)), kinds: None, range: (0, u64::MAX), control }
    }

    /// No blocks, but the pages: all of them, as what a page is depends on those before it.
    pub(crate) fn pages(control: Control<'a>) -> Self {
        Self { tags: Some(Vec::new()), kinds: None, range: (0, u64::MAX), control }
    }

    /// The same, but for all blocks that several tables want, if it asks for some of those and for
    /// nothing else.
    pub(crate) fn for_all_tables(&self) -> Option<Self> {
        let tags = self.tags.as_ref()?;
        let is_part = tags.iter().all(|tag| OBJECTS.contains(tag)) && !tags.is_empty();
        (is_part && self.kinds.is_none() && self.is_everywhere())
            .then(|| Self { tags: Some(OBJECTS.to_vec()), ..self.clone() })
    }

    /// Whom to tell how far a search is.
    pub(crate) const fn progress(&self) -> Option<&'a Progress> {
        self.control.progress()
    }

    /// Whether it asks for blocks wherever they are.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.range == (0, u64::MAX)
    }

    /// The tags that it asks for, as a first look knows them.
    pub(crate) fn words(&self) -> Tags {
        Tags::of(self.tags.as_deref())
    }

    /// Whether it asks for blocks of that tag.
    pub(crate) fn takes_tag(&self, tag: [u8; 4]) -> bool {
        let tag = tag.map(shown);
        self.tags.as_ref().is_none_or(|tags| tags.contains(&tag))
    }

    /// Whether it asks for the block.
    pub(crate) fn takes(&self, block: &Block) -> bool {
        let (first, last) = self.range;
        (first..=last).contains(&block.address)
            && self.takes_tag(block.tag)
            && self.kinds.as_ref().is_none_or(|kinds| {
                block.kind.text().is_some_and(|kind| kinds.iter().any(|k| k == kind))
            })
    }

    /// Whether nobody waits for blocks any more.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }
}
