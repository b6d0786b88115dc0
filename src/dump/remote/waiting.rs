//! Readers that wait for blocks, and queries that are stopped meanwhile.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::RangeReader;
use super::blocks::{Blocks, Claim, Held, Step};
use super::sparse::BLOCK;
use crate::dump::Error;
use crate::dump::spool::Spooling;
use crate::memory::Fetch;

/// The interval of checks for cancellation.
const TICK: Duration = Duration::from_millis(50);

/// A file that is read range by range, as one source sees it: once something could not be read, what
/// the source made of the rest cannot be trusted.
pub(in crate::dump) struct Remote {
    file: Arc<Blocks>,
    failure: OnceLock<Failure>,
    /// The flags of the queries that read it.
    queries: Mutex<Vec<Arc<AtomicBool>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    /// All queries that waited were stopped.
    Stopped,
    Unread(String),
}

/// A query that reads a file, until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    of: Arc<Remote>,
    flag: Arc<AtomicBool>,
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut queries = self.of.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = queries.iter().position(|flag| Arc::ptr_eq(flag, &self.flag)) {
            queries.swap_remove(at);
        }
    }
}

impl Remote {
    pub(in crate::dump) fn new(name: &str, reader: Box<dyn RangeReader>) -> Self {
        Self::of(Arc::new(Blocks::new(name, reader)))
    }

    fn of(file: Arc<Blocks>) -> Self {
        Self { file, failure: OnceLock::new(), queries: Mutex::default() }
    }

    /// The same file for another source; what was read is kept.
    pub(in crate::dump) fn again(&self) -> Self {
        Self::of(Arc::clone(&self.file))
    }

    /// Makes the temporary file; nothing can be read before.
    pub(in crate::dump) fn prepare(&self, spooling: &Spooling) -> Result<(), Error> {
        self.file.prepare(spooling)
    }

    /// The size and the version of the file.
    pub(in crate::dump) fn about(&self) -> (u64, Option<&str>) {
        self.file.about()
    }

    /// How many bytes were read.
    pub(in crate::dump) fn fetched(&self) -> u64 {
        self.file.fetched()
    }

    /// What happened to the file, as a sentence with its name.
    pub(in crate::dump) fn damage(&self) -> Option<String> {
        let name = &self.file.name;
        match self.failure.get() {
            Some(Failure::Unread(why)) => return Some(format!("{name}: {why}")),
            Some(Failure::Stopped) => {
                return Some(format!("{name}: reading it was stopped with a query"));
            }
            None => {}
        }
        let is_damaged = self.file.held().is_some_and(|held| held.blocks.is_damaged());
        is_damaged.then(|| format!("{name}: what was read of it can no longer be read"))
    }

    /// Whether queries were stopped while they waited, and nothing else happened.
    pub(in crate::dump) fn is_stopped(&self) -> bool {
        self.failure.get() == Some(&Failure::Stopped)
    }

    /// Whether another source of the file may read it.
    pub(in crate::dump) fn may_succeed(&self) -> bool {
        self.failure.get().is_some()
            && self.file.held().is_none_or(|held| !held.blocks.is_damaged())
    }

    /// Registers the flag of a query. A reader that waits gives up when the flags of all are set.
    pub(in crate::dump) fn wait_for(self: &Arc<Self>, flag: &Arc<AtomicBool>) -> Wait {
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        queries.push(Arc::clone(flag));
        Wait { of: Arc::clone(self), flag: Arc::clone(flag) }
    }

    fn all_stopped(&self) -> bool {
        let queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        !queries.is_empty() && queries.iter().all(|flag| flag.load(Ordering::Relaxed))
    }

    /// Reads the missing blocks among these.
    fn fetch(&self, held: &Held, wanted: &Range<usize>) -> Result<(), Failure> {
        while let Some(block) = held.blocks.first_missing(wanted.clone()) {
            if let Some(failure) = self.failure.get() {
                return Err(failure.clone());
            }
            if self.all_stopped() {
                return Err(Failure::Stopped);
            }
            match self.file.step(held, block, wanted.end).map_err(Failure::Unread)? {
                Step::There => {}
                Step::Wait(state) => {
                    let waited = self.file.changed.wait_timeout(state, TICK);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                }
                Step::Fetch(claim) => self.await_blocks(claim)?,
            }
        }
        Ok(())
    }

    /// Reads blocks on a thread of its own, which goes on when nobody waits for it any more.
    fn await_blocks(&self, claim: Claim) -> Result<(), Failure> {
        let (done, result) = mpsc::channel();
        // If the receiver is gone, the result is not needed.
        let work = move || {
            let filled = claim.fill();
            drop(claim);
            drop(done.send(filled));
        };
        let started = std::thread::Builder::new().name("ranges".to_owned()).spawn(work);
        started.map_err(|error| Failure::Unread(format!("it cannot be read: {error}")))?;
        loop {
            match result.recv_timeout(TICK) {
                Ok(filled) => return filled.map_err(Failure::Unread),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Unread("its reader has a defect".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if self.all_stopped() => {
                    return Err(Failure::Stopped);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Fetch for Remote {
    fn size(&self) -> usize {
        usize::try_from(self.file.about().0).unwrap_or(usize::MAX)
    }

    fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        let held = self.file.held()?;
        if let Some(bytes) = held.blocks.get(range.clone()) {
            return Some(bytes);
        }
        if range.end > held.blocks.len() || range.start > range.end {
            return None;
        }
        let wanted = range.start / BLOCK..range.end.div_ceil(BLOCK);
        if let Err(failure) = self.fetch(held, &wanted) {
            // The first reason counts.
            let _ = self.failure.set(failure);
            return None;
        }
        held.blocks.get(range)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("name", &self.file.name).finish_non_exhaustive()
    }
}
