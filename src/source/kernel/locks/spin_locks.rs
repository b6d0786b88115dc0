//! Queued spin locks: each processor's block has an entry for each lock.
//!
//! The two lowest bits of the lock's address in an entry say whether the processor waits for the
//! lock or owns it (`LOCK_QUEUE_WAIT`, `LOCK_QUEUE_OWNER`). The owner's entry points to the entry
//! of the first waiter, which points to the next. The index of an entry gives the purpose of its
//! lock (`KSPIN_LOCK_QUEUE_NUMBER`); versions never renumbered them but left gaps.

use std::collections::{HashMap, HashSet};

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, QueuedLock, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::PRCB;
use crate::source::kernel::scheduler::prcbs;

const ENTRY: &str = "_KSPIN_LOCK_QUEUE";
/// Upper limit on the entries of a processor.
const MOST: usize = 64;
const WAITING: u64 = 1;
const OWNER: u64 = 2;

/// The locks by index, as debuggers name them.
const NAMES: [&str; 16] = [
    "KE   - Dispatcher",
    "MM   - Expansion",
    "MM   - PFN",
    "MM   - System Space",
    "CC   - Vacb",
    "CC   - Master",
    "EX   - NonPagedPool",
    "IO   - Cancel",
    "EX   - WorkQueue",
    "IO   - Vpb",
    "IO   - Database",
    "IO   - Completion",
    "NTFS - Struct",
    "AFD  - WorkQueue",
    "CC   - Bcb",
    "MM   - MM NonPagedPool",
];

/// An entry that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queued {
    processor: usize,
    /// The index of the lock.
    lock: usize,
    state: SpinState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpinState {
    Owner,
    /// The position in the queue of waiters, from 1; none where the chain of entries is broken.
    Waiting(Option<i64>),
    Corrupt,
}

/// An entry as it is in memory.
struct Raw {
    next: u64,
    marks: u64,
}

impl SpinState {
    /// The letter that `!running` shows for it.
    fn mark(self) -> char {
        match self {
            Self::Owner => 'O',
            Self::Waiting(position) => {
                let digit = position.and_then(|position| u32::try_from(position).ok());
                digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or('9')
            }
            Self::Corrupt => 'C',
        }
    }
}

/// The entries of a processor with their addresses; none if the dump does not hold them.
fn lock_queue(core: &Core, prcb: &Structure<'_>) -> Vec<(u64, Raw)> {
    let Ok(all) = core.known_field(PRCB, "LockQueue") else { return Vec::new() };
    let (next, lock) = (core.field(ENTRY, "Next"), core.field(ENTRY, "Lock"));
    let size = core.size_of(ENTRY).and_then(|size| usize::try_from(size).ok());
    let Some(size) = size.filter(|size| *size > 0) else { return Vec::new() };
    let count = (all.size / size).clamp(1, MOST);
    let first = prcb.address.ok().and_then(|at| at.checked_add(all.offset as u64));
    let Some(first) = first else { return Vec::new() };
    let Ok(held) = core.prefix(first, size * count) else { return Vec::new() };
    let entries = (0u64..).zip(held.chunks_exact(size)).filter_map(|(i, entry)| {
        let next = core.pointer_in(entry, next).ok()?;
        let marks = core.pointer_in(entry, lock).ok()? & (WAITING | OWNER);
        Some((first + i * size as u64, Raw { next, marks }))
    });
    entries.collect()
}

/// The entries in use, by lock and then by processor; `None` if the dump holds no processor's
/// entries.
pub(crate) fn queued_spin_locks(
    core: &Core,
    prcbs: &[Option<Structure<'_>>],
) -> Option<Vec<Queued>> {
    let of = |prcb: &Option<Structure<'_>>| prcb.as_ref().map(|prcb| lock_queue(core, prcb));
    let all: Vec<Vec<(u64, Raw)>> = prcbs.iter().map(|prcb| of(prcb).unwrap_or_default()).collect();
    let count = all.iter().map(Vec::len).max().filter(|count| *count > 0)?;
    let mut found = Vec::new();
    for lock in 0..count {
        let entries: HashMap<u64, &Raw> =
            all.iter().filter_map(|of| of.get(lock)).map(|(at, raw)| (*at, raw)).collect();
        let positions = positions(&entries);
        for (processor, (at, raw)) in
            all.iter().enumerate().filter_map(|(i, of)| Some((i, of.get(lock)?)))
        {
            let state = match raw.marks {
                0 => continue,
                OWNER => SpinState::Owner,
                WAITING => SpinState::Waiting(positions.get(at).copied()),
                _ => SpinState::Corrupt,
            };
            found.push(Queued { processor, lock, state });
        }
    }
    Some(found)
}

/// The queued spin locks of a processor as `!running` shows them, one character each.
pub(crate) fn lock_marks(all: Option<&[Queued]>, processor: usize) -> Cell<String> {
    let mut marks = ['.'; NAMES.len()];
    for queued in all.ok_or(Absent::NotInDump)?.iter().filter(|q| q.processor == processor) {
        if let Some(mark) = marks.get_mut(queued.lock) {
            *mark = queued.state.mark();
        }
    }
    Ok(marks.iter().collect())
}

pub(crate) fn each_queued_lock(core: &Core, emit: Emit<'_, QueuedLock>) -> Result<(), Unanswered> {
    core.has_memory()?;
    let all = queued_spin_locks(core, &prcbs::prcbs(core))
        .ok_or_else(|| Unanswered::because("the dump holds no processor's queue of spin locks"))?;
    for Queued { processor, lock, state } in all {
        let name = NAMES.get(lock).map(|name| (*name).to_owned());
        let row = QueuedLock {
            name: Ok(name.unwrap_or_else(|| format!("LockQueue[{lock}]"))),
            processor: i64::try_from(processor).map_err(|_| Absent::Unreadable),
            state: Ok(match state {
                SpinState::Owner => "owner",
                SpinState::Waiting(_) => "waiting",
                SpinState::Corrupt => "corrupt",
            }
            .to_owned()),
            position: match state {
                SpinState::Waiting(position) => position.ok_or(Absent::Unreadable),
                _ => Err(Absent::NotApplicable),
            },
            ..QueuedLock::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// The queue position of each waiter, along the chain from the owner.
fn positions(entries: &HashMap<u64, &Raw>) -> HashMap<u64, i64> {
    let mut found = HashMap::new();
    let mut seen = HashSet::new();
    let owners: Vec<&Raw> = entries.values().filter(|raw| raw.marks == OWNER).copied().collect();
    let [owner] = owners.as_slice() else { return found };
    let mut raw: &Raw = owner;
    while let Some(next) = entries.get(&raw.next).filter(|_| seen.insert(raw.next)) {
        found.insert(raw.next, i64::try_from(seen.len()).unwrap_or(i64::MAX));
        raw = next;
    }
    found
}
