//! Locks that threads hold and wait for, from the lock entries that the kernel uses to boost lock
//! owners (`AutoBoost`, since Windows 8.1); and mutexes, which record their owner themselves.
//!
//! A thread has a few `_KLOCK_ENTRY`. It takes one before it acquires a push lock or a similar lock
//! and returns it after the release. In between the entry holds the address of the lock, whose two
//! lowest bits and highest bit are flags. A push lock does not record its owner; these entries do.
//! Locks of a thread that has more locks than entries are not recorded.

use std::collections::HashMap;

use crate::catalog::{Absent, Cell};
use crate::dump::Width;
use crate::model::{Emit, Flow, LockEntry, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::scheduler::thread::wait_reason;
use crate::source::kernel::scheduler::{dispatcher, thread};
use crate::symbol::Field;

const ENTRY: &str = "_KLOCK_ENTRY";
/// Upper limit on the entries of a thread.
const MOST: usize = 64;
/// Flags in the lowest bits of a lock's address.
const MARKS: u64 = 3;

/// Where the entries and their fields are.
#[derive(Debug)]
pub(crate) struct Entries {
    /// Offset of the first entry in its thread.
    first: usize,
    size: usize,
    count: usize,
    lock: Option<Field>,
    acquired: Option<Field>,
    waiting: Option<Field>,
}

/// A lock that a thread holds or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) lock: u64,
    pub(crate) is_owner: bool,
}

/// The kind of lock that a thread with this wait reason waits for.
fn kind(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "WrPushLock" => "PushLock",
        "WrResource" => "Resource",
        "WrFastMutex" => "FastMutex",
        "WrGuardedMutex" => "GuardedMutex",
        _ => return None,
    })
}

/// The kind of lock that a thread waits for, from its wait reason.
pub(crate) fn awaited_kind(thread: &Structure<'_>) -> Cell<String> {
    let kind = kind(&wait_reason(thread)?).ok_or(Absent::NotApplicable)?;
    Ok(kind.to_owned())
}

impl Entries {
    /// `None` for versions whose threads have no lock entries.
    pub(crate) fn of(core: &Core) -> Option<Self> {
        let size = usize::try_from(core.size_of(ENTRY)?).ok().filter(|size| *size > 0)?;
        let field = |path| core.known_field(THREAD, path).ok();
        // Late versions have a pointer to them, behind the `_KTHREAD` part of the thread.
        let first = field("LockEntries").or_else(|| field("Tcb.LockEntries"))?;
        let waiting = ["WaitingBit", "WaitingByte", "LockState.Waiting"];
        Some(Self {
            first: first.offset,
            size,
            count: (first.size / size).clamp(1, MOST),
            lock: core.field(ENTRY, "LockState.LockState"),
            acquired: core.field(ENTRY, "AcquiredByte"),
            waiting: core.field_of(ENTRY, &waiting),
        })
    }

    /// The locks that a thread holds or waits for.
    pub(crate) fn used(&self, core: &Core, thread: &Structure<'_>) -> Vec<Used> {
        let first = thread.address.ok().and_then(|at| at.checked_add(self.first as u64));
        let held = first.and_then(|first| core.prefix(first, self.size * self.count).ok());
        let Some(held) = held else { return Vec::new() };
        let used = |entry: &[u8]| {
            let marked = core.pointer_in(entry, self.lock).ok().filter(|lock| *lock != 0)?;
            let is = |field| core.number(entry, field).is_ok_and(|value| value != 0);
            let is_owner = is(self.acquired);
            let lock = marked & !MARKS | top_bit(core.header.width);
            (is_owner || is(self.waiting)).then_some(Used { lock, is_owner })
        };
        held.chunks_exact(self.size).filter_map(used).collect()
    }

    /// The lock that a thread waits for; a thread waits for one lock at a time.
    pub(crate) fn awaited(&self, core: &Core, thread: &Structure<'_>) -> Option<u64> {
        let used = self.used(core, thread).into_iter();
        let mut waiting = used.filter(|used| !used.is_owner);
        waiting.next().map(|used| used.lock).filter(|_| waiting.next().is_none())
    }

    /// The threads that hold each lock.
    pub(crate) fn owners(&self, core: &Core) -> HashMap<u64, Vec<u64>> {
        let mut owners: HashMap<u64, Vec<u64>> = HashMap::new();
        // Without threads there are no owners.
        let _ = thread::for_each_thread(core, &mut |thread, _| {
            let Ok(ethread) = thread.address else { return Flow::Continue(()) };
            for used in self.used(core, thread).iter().filter(|used| used.is_owner) {
                let all = owners.entry(used.lock).or_default();
                if all.last() != Some(&ethread) {
                    all.push(ethread);
                }
            }
            Flow::Continue(())
        });
        owners
    }

    /// The kinds of the locks that threads wait for.
    fn kinds(&self, core: &Core) -> HashMap<u64, String> {
        let mut kinds = HashMap::new();
        let _ = thread::for_each_thread(core, &mut |thread, _| {
            if let (Some(lock), Ok(kind)) = (self.awaited(core, thread), awaited_kind(thread)) {
                kinds.insert(lock, kind);
            }
            Flow::Continue(())
        });
        kinds
    }
}

/// The highest address bit, which is set in every kernel address and which entries use as a flag.
const fn top_bit(width: Width) -> u64 {
    1 << (8 * width.bytes() - 1)
}

pub(crate) fn each_lock_entry(
    core: &Core,
    want: &Want<'_, LockEntry>,
    emit: Emit<'_, LockEntry>,
) -> Result<(), Unanswered> {
    core.has_memory()?;
    let entries = Entries::of(core)
        .ok_or_else(|| Unanswered::because("threads record their locks only since Windows 8.1"))?;
    let kinds = if want.has(|c| c.kind) { entries.kinds(core) } else { HashMap::new() };
    thread::for_each_thread(core, &mut |thread, _| {
        let used = entries.used(core, thread);
        if used.is_empty() {
            return Flow::Continue(());
        }
        let named = thread::named(core, thread);
        for Used { lock, is_owner } in used {
            emit.row(LockEntry {
                ethread: thread.address,
                tid: named.tid,
                pid: named.pid,
                process: named.process.clone(),
                lock: Ok(lock),
                symbol: core.place_of(lock).map(|place| place.display()),
                kind: kinds.get(&lock).cloned().ok_or(Absent::NotApplicable),
                state: Ok(if is_owner { "owner" } else { "waiting" }.to_owned()),
                wait_ms: if is_owner {
                    Err(Absent::NotApplicable)
                } else {
                    thread::waited_ms(core, thread)
                },
                ..LockEntry::default()
            })?;
        }
        Flow::Continue(())
    })
}

/// The fast or guarded mutex that contains an object that a thread waits for, and its owner. A
/// mutex with waiters has an owner, which proves that the object is part of a mutex.
pub(crate) fn mutex_around(core: &Core, thread: &Structure<'_>, object: u64) -> Option<(u64, u64)> {
    let reason = wait_reason(thread).ok()?;
    let ty = match reason.as_str() {
        "WrGuardedMutex" => "_KGUARDED_MUTEX",
        // Before Windows Server 2003 the wait reason is the general one.
        "WrFastMutex" | "Executive" => "_FAST_MUTEX",
        _ => return None,
    };
    let part = core.field_of(ty, &["Event", "Gate"])?.offset as u64;
    let mutex = core.structure(ty, object.checked_sub(part)?);
    let owner = mutex.pointer("Owner").ok()? & !MARKS;
    dispatcher::is_thread(core, owner).then_some((mutex.address.ok()?, owner))
}
