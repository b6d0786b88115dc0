//! The blocks of a file that is read range by range: which are here, which are on their way, and how
//! many are read at once.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use super::RangeReader;
use super::sparse::{BLOCK, Sparse};
use crate::dump::spool::Spooling;
use crate::dump::{Error, shown};

/// The most that is asked for at once, in blocks.
const MOST_BLOCKS: usize = 64;
/// The largest file; no memory of a Windows system is larger.
const LARGEST: u64 = 1 << 44;
/// How many sequences of reads are followed at a time.
const STREAMS: usize = 8;

/// A file of which some blocks are here.
pub(super) struct Blocks {
    pub(super) name: String,
    reader: Box<dyn RangeReader>,
    size: u64,
    version: Option<String>,
    /// What is here, from when the file is opened on.
    held: OnceLock<Held>,
    state: Mutex<State>,
    /// Blocks arrived, or never will.
    pub(super) changed: Condvar,
}

/// What is here.
pub(super) struct Held {
    pub(super) blocks: Sparse,
    spooling: Spooling,
}

#[derive(Default)]
pub(super) struct State {
    /// Blocks that threads are fetching.
    busy: Vec<Range<usize>>,
    fetched: u64,
    streams: [Stream; STREAMS],
    /// The sequence that is given up for the next.
    oldest: usize,
}

/// A sequence of reads.
#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    /// The block after the last that was read.
    next: usize,
    /// How many blocks were read at once.
    window: usize,
}

impl Stream {
    const fn is_next(self, block: usize) -> bool {
        self.window != 0 && self.next == block
    }
}

impl State {
    /// How many blocks are read from this one on: if it is the next of a sequence, twice as many as
    /// before.
    fn window(&self, block: usize) -> usize {
        let known = self.streams.iter().find(|stream| stream.is_next(block));
        known.map_or(1, |stream| stream.window.saturating_mul(2).min(MOST_BLOCKS))
    }

    /// Remembers that these blocks were read.
    fn follow(&mut self, blocks: &Range<usize>, window: usize) {
        let known = self.streams.iter().position(|stream| stream.is_next(blocks.start));
        let index = known.unwrap_or_else(|| {
            self.oldest = self.oldest.wrapping_add(1) % STREAMS;
            self.oldest
        });
        if let Some(stream) = self.streams.get_mut(index) {
            *stream = Stream { next: blocks.end, window };
        }
    }
}

/// What is to be done about a missing block.
pub(super) enum Step<'a> {
    /// It is there.
    There,
    /// Another thread fetches it.
    Wait(MutexGuard<'a, State>),
    Fetch(Claim),
}

/// Blocks that one thread fetches; others wait for them until it is dropped.
pub(super) struct Claim {
    of: Arc<Blocks>,
    blocks: Range<usize>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.of.locked().busy.retain(|busy| *busy != self.blocks);
        self.of.changed.notify_all();
    }
}

impl Claim {
    /// Fetches the blocks.
    pub(super) fn fill(&self) -> Result<(), String> {
        let (file, Some(held)) = (&self.of, self.of.held.get()) else { return Ok(()) };
        let (offset, len) = file.bytes_of(&self.blocks);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        file.reader.read_at(offset, &mut bytes).map_err(|error| {
            let last = offset.saturating_add(len).saturating_sub(1);
            let why = shown(&error.to_string());
            format!("its bytes {offset} to {last} cannot be read: {why}")
        })?;
        let written = held.blocks.write(self.blocks.start, &bytes);
        written.map_err(|error| held.spooling.full(&error).to_string())
    }
}

impl Blocks {
    pub(super) fn new(name: &str, reader: Box<dyn RangeReader>) -> Self {
        Self {
            name: name.to_owned(),
            size: reader.size(),
            version: reader.version(),
            reader,
            held: OnceLock::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Makes the temporary file; nothing can be read before.
    pub(super) fn prepare(&self, spooling: &Spooling) -> Result<(), Error> {
        if self.held.get().is_some() {
            return Ok(());
        }
        let not = |found: String| Error::NotADump { path: self.name.clone(), found };
        if self.size == 0 {
            return Err(not("an empty file".to_owned()));
        }
        let len = isize::try_from(self.size).ok().filter(|_| self.size <= LARGEST);
        let len = len.and_then(|len| usize::try_from(len).ok());
        let len = len.ok_or_else(|| not("a file too large to be a dump".to_owned()))?;
        // Elsewhere a temporary file takes its whole size at once.
        if cfg!(not(unix)) && self.size > spooling.most() {
            return Err(not(format!("a file that {}", spooling.too_much())));
        }
        let blocks = Sparse::new(spooling.sparse(self.size)?, len);
        let blocks = blocks.map_err(|source| Error::Io { path: self.name.clone(), source })?;
        // Another thread may have been faster.
        let _ = self.held.set(Held { blocks, spooling: spooling.clone() });
        Ok(())
    }

    /// What is here; `None` before the file is opened.
    pub(super) fn held(&self) -> Option<&Held> {
        self.held.get()
    }

    /// The size and the version of the file.
    pub(super) fn about(&self) -> (u64, Option<&str>) {
        (self.size, self.version.as_deref())
    }

    /// How many bytes were read.
    pub(super) fn fetched(&self) -> u64 {
        self.locked().fetched
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes blocks from a missing one on, up to `end` or some more.
    pub(super) fn step<'a>(
        self: &'a Arc<Self>,
        held: &Held,
        block: usize,
        end: usize,
    ) -> Result<Step<'a>, String> {
        let mut state = self.locked();
        if held.blocks.has(block) {
            return Ok(Step::There);
        }
        if state.busy.iter().any(|busy| busy.contains(&block)) {
            return Ok(Step::Wait(state));
        }
        let window = state.window(block);
        let most = window.max(end.saturating_sub(block)).min(MOST_BLOCKS);
        let last = block.saturating_add(most).min(held.blocks.blocks());
        let is_taken =
            |at: &usize| held.blocks.has(*at) || state.busy.iter().any(|busy| busy.contains(at));
        let blocks = block..(block.saturating_add(1)..last).find(is_taken).unwrap_or(last);
        let fetched = state.fetched.saturating_add(self.bytes_of(&blocks).1);
        if fetched > held.spooling.most() {
            return Err(format!("reading more of it {}", held.spooling.too_much()));
        }
        state.fetched = fetched;
        state.follow(&blocks, window);
        state.busy.push(blocks.clone());
        Ok(Step::Fetch(Claim { of: Arc::clone(self), blocks }))
    }

    /// The offset and the number of the bytes of blocks.
    fn bytes_of(&self, blocks: &Range<usize>) -> (u64, u64) {
        let start = (blocks.start as u64).saturating_mul(BLOCK as u64);
        let end = (blocks.end as u64).saturating_mul(BLOCK as u64).min(self.size);
        (start, end.saturating_sub(start))
    }
}
