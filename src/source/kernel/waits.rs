//! What threads wait for.
//!
//! An object that is part of a lock, or stands for one, is told with the lock and who has that.
//!
//! Most waits are for some objects, a wait block for each. A thread at a gate waits for that alone:
//! kernels before Windows 7 keep the gate where the list of blocks is otherwise.

use std::collections::HashMap;

use super::KernelDump;
use super::autoboost::{Entries, awaited_kind};
use super::names::Names;
use super::object::Object;
use super::structure::Structure;
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Unanswered, WaitObject, Want};

/// A thread waits for no more objects at once (`MAXIMUM_WAIT_OBJECTS`).
const MAX_OBJECTS: u64 = 64;
const BLOCK: &str = "_KWAIT_BLOCK";
const HEADER: &str = "_DISPATCHER_HEADER";
/// `KTHREAD_STATE`.
const WAITING: u64 = 5;
const GATE_WAIT: u64 = 8;

/// Dispatcher objects by `_DISPATCHER_HEADER.Type`, as debuggers name them.
const TYPES: [&str; 10] = [
    "NotificationEvent",
    "SynchronizationEvent",
    "Mutant",
    "ProcessObject",
    "QueueObject",
    "Semaphore",
    "Thread",
    "Gate",
    "NotificationTimer",
    "SynchronizationTimer",
];
const MUTANT: usize = 2;

/// The types of objects that have these headers; others are parts of something.
const OBJECTS: [&str; 10] = [
    "Event",
    "Event",
    "Mutant",
    "Process",
    "IoCompletion",
    "Semaphore",
    "Thread",
    "",
    "Timer",
    "Timer",
];

/// One of the things that a thread waits for.
struct Waited {
    object: Cell<u64>,
    wait_type: Cell<String>,
}

/// A lock that an awaited object serves.
struct Lock {
    address: u64,
    kind: Cell<String>,
    owner: Cell<u64>,
}

/// What is known of the locks of all threads.
struct Locks<'a> {
    dump: &'a KernelDump,
    entries: Option<Entries>,
    /// The threads that hold each lock; found when first needed.
    owners: Option<HashMap<u64, Vec<u64>>>,
}

impl Locks<'_> {
    /// The lock behind the only object that a thread waits for.
    fn behind(&mut self, thread: &Object<'_>, object: u64, with_owner: bool) -> Option<Lock> {
        if let Some((address, owner)) = self.dump.mutex_around(thread, object) {
            let kind = awaited_kind(thread).or_else(|_| Ok("FastMutex".to_owned()));
            return Some(Lock { address, kind, owner: Ok(owner) });
        }
        let address = self.entries.as_ref()?.awaited(self.dump, thread)?;
        let owner = if with_owner { self.owner(address) } else { Err(Absent::NotApplicable) };
        Some(Lock { address, kind: awaited_kind(thread), owner })
    }

    /// The thread that holds a lock, if it is one.
    fn owner(&mut self, lock: u64) -> Cell<u64> {
        let Self { dump, entries, owners } = self;
        let owners = owners
            .get_or_insert_with(|| entries.as_ref().map(|e| e.owners(dump)).unwrap_or_default());
        match owners.get(&lock).map(Vec::as_slice) {
            Some([owner]) => Ok(*owner),
            _ => Err(Absent::NotApplicable),
        }
    }
}

/// What names a thread.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) tid: Cell<i64>,
    pub(super) pid: Cell<i64>,
    pub(super) process: Cell<String>,
}

impl KernelDump {
    /// Ids and process of the thread at an address.
    pub(super) fn named_thread(&self, ethread: u64) -> Named {
        let Some(thread) = self.object(Ty::Thread, ethread) else {
            let missing = Absent::NotInDump;
            return Named { tid: Err(missing), pid: Err(missing), process: Err(missing) };
        };
        self.named(&thread)
    }

    /// The same of a thread that is read already.
    pub(super) fn named(&self, thread: &Object<'_>) -> Named {
        let owner = super::object::first(&["Tcb.Process", "ThreadsProcess"], |p| thread.pointer(p));
        Named {
            tid: thread.int("Cid.UniqueThread"),
            pid: thread.int("Cid.UniqueProcess"),
            process: self.process_name(owner),
        }
    }

    pub(super) fn each_wait(
        &self,
        want: &Want<'_, WaitObject>,
        emit: Emit<'_, WaitObject>,
    ) -> Result<(), Unanswered> {
        let manager = self.whole_memory().and_then(|()| self.manager());
        let mut names = manager.ok().filter(|_| want.has(|c| c.name)).map(|m| Names::new(self, m));
        let wants_lock = want.has_any(|c| [c.lock, c.lock_kind, c.owner_ethread]);
        let mut locks = Locks { dump: self, entries: Entries::of(self), owners: None };
        self.for_each_thread(&mut |thread, _| {
            if !matches!(thread.unsigned("Tcb.State"), Ok(WAITING | GATE_WAIT)) {
                return Flow::Continue(());
            }
            let named = self.named(thread);
            let all = self.waited(thread);
            let lock = match all.as_slice() {
                [Waited { object: Ok(object), .. }] if wants_lock => {
                    locks.behind(thread, *object, want.has(|c| c.owner_ethread))
                }
                _ => None,
            };
            for (index, waited) in (0..).zip(all) {
                let row = self.wait_row(thread, &named, index, waited, names.as_mut());
                emit.row(match &lock {
                    Some(lock) => row.behind(lock),
                    None => row,
                })?;
            }
            Flow::Continue(())
        })
    }

    /// The gate that a thread waits at, if it waits at one.
    pub(super) fn gate(thread: &Object<'_>) -> Option<Cell<u64>> {
        let at_gate = thread.unsigned("Tcb.State") == Ok(GATE_WAIT);
        (at_gate && thread.has("Tcb.GateObject")).then(|| thread.pointer("Tcb.GateObject"))
    }

    /// What a thread waits for.
    fn waited(&self, thread: &Object<'_>) -> Vec<Waited> {
        if let Some(object) = Self::gate(thread) {
            return vec![Waited { object, wait_type: Err(Absent::NotApplicable) }];
        }
        let blocks = self.wait_blocks(thread).into_iter();
        let blocks = blocks.map(|block| self.structure(BLOCK, block));
        let wait_type = |block: Structure<'_>| match block.unsigned("WaitType")? {
            0 => Ok("WaitAll".to_owned()),
            1 => Ok("WaitAny".to_owned()),
            // Queues and other new kinds of waiting.
            _ => Err(Absent::NotApplicable),
        };
        blocks
            .map(|block| Waited { object: block.pointer("Object"), wait_type: wait_type(block) })
            .collect()
    }

    /// The kind of a dispatcher object, as its header says.
    fn dispatcher_kind(&self, object: u64) -> Cell<usize> {
        // Bits above the seventh are flags of timers and threads.
        let kind = self.structure(HEADER, object).unsigned("Type")? & 0x7f;
        usize::try_from(kind).map_err(|_| Absent::Unreadable)
    }

    /// What debuggers call the kind of a dispatcher object.
    pub(super) fn dispatcher_name(&self, object: u64) -> Cell<String> {
        let name = TYPES.get(self.dispatcher_kind(object)?);
        name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
    }

    /// The name of a dispatcher object: its symbol, or its name if it is an object of its own.
    fn dispatcher_object_name(&self, object: u64, names: Option<&mut Names<'_>>) -> Cell<String> {
        let symbol = self.place_of(object).map(|place| place.display());
        let (Some(names), Err(absent)) = (names, &symbol) else { return symbol };
        let kind = self.dispatcher_kind(object)?;
        match OBJECTS.get(kind) {
            Some(kind) if names.is_of(object, kind) => names.of(object, kind),
            _ => Err(*absent),
        }
    }

    /// The wait blocks of a thread. Before Windows 8 each points to the next, the last to the first;
    /// since then they stand in a row, and the thread knows how many there are.
    fn wait_blocks(&self, thread: &Object<'_>) -> Vec<u64> {
        let Ok(first) = thread.pointer("Tcb.WaitBlockList") else { return Vec::new() };
        if self.knows(BLOCK, "NextWaitBlock") {
            let mut found = vec![first];
            let mut at = first;
            while (found.len() as u64) < MAX_OBJECTS {
                let next = self.structure(BLOCK, at).pointer("NextWaitBlock");
                let Ok(next) = next
                    .map_err(|_| ())
                    .and_then(|next| if found.contains(&next) { Err(()) } else { Ok(next) })
                else {
                    break;
                };
                found.push(next);
                at = next;
            }
            return found;
        }
        let count = thread.unsigned("Tcb.WaitBlockCount").unwrap_or(1).clamp(1, MAX_OBJECTS);
        let size = self.structure(BLOCK, first).size().unwrap_or(0);
        (0..count).filter_map(|i| first.checked_add(i.checked_mul(size)?)).collect()
    }

    /// What a waiting thread waits for.
    pub(super) fn awaited(&self, thread: &Object<'_>) -> Vec<u64> {
        if !matches!(thread.unsigned("Tcb.State"), Ok(WAITING | GATE_WAIT)) {
            return Vec::new();
        }
        let blocks = self.wait_blocks(thread).into_iter();
        blocks.filter_map(|block| self.structure(BLOCK, block).pointer("Object").ok()).collect()
    }

    fn wait_row(
        &self,
        thread: &Object<'_>,
        named: &Named,
        index: i64,
        waited: Waited,
        names: Option<&mut Names<'_>>,
    ) -> WaitObject {
        let object = waited.object;
        let owner = match object.and_then(|at| Ok((at, self.dispatcher_kind(at)?))) {
            Ok((at, MUTANT)) => self.structure("_KMUTANT", at).pointer("OwnerThread"),
            _ => Err(Absent::NotApplicable),
        };
        WaitObject {
            ethread: thread.address,
            tid: named.tid,
            pid: named.pid,
            process: named.process.clone(),
            index: Ok(index),
            object,
            kind: object.and_then(|at| self.dispatcher_name(at)),
            name: object.and_then(|at| self.dispatcher_object_name(at, names)),
            wait_type: waited.wait_type,
            owner_ethread: owner,
            ..WaitObject::default()
        }
    }
}

impl WaitObject {
    fn behind(self, lock: &Lock) -> Self {
        Self {
            lock: Ok(lock.address),
            lock_kind: lock.kind.clone(),
            owner_ethread: self.owner_ethread.or(lock.owner),
            ..self
        }
    }
}
