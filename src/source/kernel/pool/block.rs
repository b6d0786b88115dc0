//! A pool block, and the hint that says which blocks a reader asks for.

use crate::model::{ColumnId, Control, Progress, Row, Want};
use crate::source::kernel::pool::tag::{Tags, shown, shown_tags, tag_text};

/// The tags that tables of kernel objects search for.
const OBJECTS: [[u8; 4]; 2] = [*b"Irp ", *b"Driv"];

/// A pool block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// The address of its header.
    pub(crate) address: u64,
    /// Size in bytes, including the header.
    pub(crate) bytes: u64,
    /// Size in bytes of the header before the caller's data; 0 for a big allocation.
    pub(crate) header: u8,
    /// Size in bytes of the previous block, as the header states it.
    pub(crate) previous: Option<u16>,
    /// The tag as it is in memory, without the protection bit.
    pub(crate) tag: [u8; 4],
    /// The pool that it belongs to.
    pub(crate) kind: PoolKind,
    /// Whether it is in use.
    pub(crate) state: State,
    /// Whether the header says that a process is charged quota for it.
    pub(crate) is_charged: bool,
    /// How it was found.
    pub(crate) found: FoundBy,
    /// The session that owns its pool.
    pub(crate) session: Option<u32>,
}

/// A pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PoolKind {
    /// Whether it is paged; `None` if unknown.
    pub(crate) is_paged: Option<bool>,
    /// Whether it is session pool.
    pub(crate) is_session: bool,
}

/// Whether a block is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Allocated.
    Allocated,
    /// Allocated, and must be freed with its tag (`ExFreePoolWithTag`).
    Protected,
    /// Free.
    Free,
    /// The header contradicts its neighbours; only size and tag are reported.
    Damaged,
}

/// How a block was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundBy {
    /// By walking the headers of its page, each of which gives the address of the next.
    Headers,
    /// In the kernel's table of big allocations.
    BigTable,
    /// In a VS subsegment of a segment heap.
    Chunks,
    /// In an LFH subsegment of a segment heap.
    Lfh,
    /// By a search for headers; only its own header identifies it.
    Search,
    /// On a page of special pool.
    Special,
}

/// The blocks that a reader asks for. The scan leaves out blocks that do not match.
#[derive(Debug, Clone)]
pub(crate) struct PoolHint<'a> {
    /// Tags as they are displayed.
    tags: Option<Vec<[u8; 4]>>,
    kinds: Option<Vec<String>>,
    /// First and last address at which a block may begin.
    pub(crate) range: (u64, u64),
    control: Control<'a>,
}

impl PoolKind {
    /// The name that tables show.
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
    /// The name that tables show.
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
    /// The name that tables show.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::BigTable => "big table",
            Self::Chunks => "VS",
            Self::Lfh => "LFH",
            Self::Search => "search",
            Self::Special => "special pool",
        }
    }
}

impl Block {
    /// The address of the caller's data, behind the header.
    pub(crate) const fn body(&self) -> u64 {
        self.address.saturating_add(self.header as u64)
    }

    /// Whether the block is in use.
    pub(crate) const fn is_in_use(&self) -> bool {
        matches!(self.state, State::Allocated | State::Protected)
    }

    /// The tag as text; each byte that is not printable becomes a full stop.
    pub(crate) fn tag_text(&self) -> String {
        tag_text(self.tag)
    }
}

impl<'a> PoolHint<'a> {
    /// The hint of a query over a table whose columns for tag, pool type and address are these.
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

    /// All blocks with one of these tags, until the query is cancelled.
    pub(crate) fn tags(tags: &[&str], control: Control<'a>) -> Self {
        Self { tags: Some(shown_tags(tags)), kinds: None, range: (0, u64::MAX), control }
    }

    /// No blocks, but every page: what a page holds depends on the pages before it.
    pub(crate) fn pages(control: Control<'a>) -> Self {
        Self { tags: Some(Vec::new()), kinds: None, range: (0, u64::MAX), control }
    }

    /// The same hint widened to all blocks that the object tables want, if it asks for some of them
    /// and for nothing else.
    pub(crate) fn for_all_tables(&self) -> Option<Self> {
        let tags = self.tags.as_ref()?;
        let is_part = tags.iter().all(|tag| OBJECTS.contains(tag)) && !tags.is_empty();
        (is_part && self.kinds.is_none() && self.is_everywhere())
            .then(|| Self { tags: Some(OBJECTS.to_vec()), ..self.clone() })
    }

    /// Where a search reports its progress.
    pub(crate) const fn progress(&self) -> Option<&'a Progress> {
        self.control.progress()
    }

    /// Whether it asks for blocks at every address.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.range == (0, u64::MAX)
    }

    /// The tags that it asks for, in the form of the quick check.
    pub(crate) fn words(&self) -> Tags {
        Tags::of(self.tags.as_deref())
    }

    /// Whether it asks for blocks with this tag.
    pub(crate) fn takes_tag(&self, tag: [u8; 4]) -> bool {
        let tag = tag.map(shown);
        self.tags.as_ref().is_none_or(|tags| tags.contains(&tag))
    }

    /// Whether it asks for this block.
    pub(crate) fn takes(&self, block: &Block) -> bool {
        let (first, last) = self.range;
        (first..=last).contains(&block.address)
            && self.takes_tag(block.tag)
            && self.kinds.as_ref().is_none_or(|kinds| {
                block.kind.text().is_some_and(|kind| kinds.iter().any(|k| k == kind))
            })
    }

    /// Whether the query was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }
}
