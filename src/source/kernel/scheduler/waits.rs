//! The objects that threads wait for.
//!
//! If an object is part of a lock or represents one, the row also gives the lock and its owner.
//!
//! Most waits have a wait block for each object. A thread that waits for a gate waits only for that
//! gate: kernels before Windows 7 store the gate in the field that otherwise holds the list of wait
//! blocks.

use std::collections::HashMap;

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Unanswered, WaitObject, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::locks::autoboost;
use crate::source::kernel::locks::autoboost::{Entries, awaited_kind};
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::ObjectManager;
use crate::source::kernel::objects::names::Names;
use crate::source::kernel::scheduler::dispatcher::BLOCK;
use crate::source::kernel::scheduler::thread::{GATE_WAIT, Named, WAITING};
use crate::source::kernel::scheduler::{dispatcher, thread};

const MUTANT: usize = 2;

/// The object types that have these headers; other dispatcher objects are embedded in something
/// else.
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

/// An object that a thread waits for.
struct Waited {
    object: Cell<u64>,
    wait_type: Cell<String>,
}

/// The lock that an awaited object belongs to.
struct Lock {
    address: u64,
    kind: Cell<String>,
    owner: Cell<u64>,
}

/// What is known about the locks of all threads.
struct Locks<'a> {
    core: &'a Core,
    entries: Option<Entries>,
    /// The threads that hold each lock, determined on first use.
    owners: Option<HashMap<u64, Vec<u64>>>,
}

impl Locks<'_> {
    /// The lock that contains the only object that a thread waits for.
    fn behind(&mut self, thread: &Structure<'_>, object: u64, with_owner: bool) -> Option<Lock> {
        if let Some((address, owner)) = autoboost::mutex_around(self.core, thread, object) {
            let kind = awaited_kind(thread).or_else(|_| Ok("FastMutex".to_owned()));
            return Some(Lock { address, kind, owner: Ok(owner) });
        }
        let address = self.entries.as_ref()?.awaited(self.core, thread)?;
        let owner = if with_owner { self.owner(address) } else { Err(Absent::NotApplicable) };
        Some(Lock { address, kind: awaited_kind(thread), owner })
    }

    /// The thread that holds a lock, if exactly one does.
    fn owner(&mut self, lock: u64) -> Cell<u64> {
        let Self { core, entries, owners } = self;
        let owners = owners
            .get_or_insert_with(|| entries.as_ref().map(|e| e.owners(core)).unwrap_or_default());
        match owners.get(&lock).map(Vec::as_slice) {
            Some([owner]) => Ok(*owner),
            _ => Err(Absent::NotApplicable),
        }
    }
}

pub(crate) fn each_wait(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, WaitObject>,
    emit: Emit<'_, WaitObject>,
) -> Result<(), Unanswered> {
    let manager = core.whole_memory().and_then(|()| manager::manager(core, objects));
    let mut names = manager.ok().filter(|_| want.has(|c| c.name)).map(|m| Names::new(core, m));
    let wants_lock = want.has_any(|c| [c.lock, c.lock_kind, c.owner_ethread]);
    let mut locks = Locks { core, entries: Entries::of(core), owners: None };
    thread::for_each_thread(core, &mut |thread, _| {
        if !matches!(thread.unsigned("Tcb.State"), Ok(WAITING | GATE_WAIT)) {
            return Flow::Continue(());
        }
        let named = thread::named(core, thread);
        let all = waited(core, thread);
        let lock = match all.as_slice() {
            [Waited { object: Ok(object), .. }] if wants_lock => {
                locks.behind(thread, *object, want.has(|c| c.owner_ethread))
            }
            _ => None,
        };
        for (index, waited) in (0..).zip(all) {
            let row = wait_row(core, thread, &named, index, waited, names.as_mut());
            emit.row(match &lock {
                Some(lock) => row.behind(lock),
                None => row,
            })?;
        }
        Flow::Continue(())
    })
}

/// What a thread waits for.
fn waited(core: &Core, thread: &Structure<'_>) -> Vec<Waited> {
    if let Some(object) = thread::gate(thread) {
        return vec![Waited { object, wait_type: Err(Absent::NotApplicable) }];
    }
    let blocks = dispatcher::wait_blocks(core, thread).into_iter();
    let blocks = blocks.map(|block| core.structure(BLOCK, block));
    let wait_type = |block: Structure<'_>| match block.unsigned("WaitType")? {
        0 => Ok("WaitAll".to_owned()),
        1 => Ok("WaitAny".to_owned()),
        // Queues, and wait types that newer versions added.
        _ => Err(Absent::NotApplicable),
    };
    blocks
        .map(|block| Waited { object: block.pointer("Object"), wait_type: wait_type(block) })
        .collect()
}

/// The name of a dispatcher object: its symbol, or its object name if it is an object manager
/// object.
fn dispatcher_object_name(core: &Core, object: u64, names: Option<&mut Names<'_>>) -> Cell<String> {
    let symbol = core.place_of(object).map(|place| place.display());
    let (Some(names), Err(absent)) = (names, &symbol) else { return symbol };
    let kind = dispatcher::dispatcher_kind(core, object)?;
    match OBJECTS.get(kind) {
        Some(kind) if names.is_of(object, kind) => names.of(object, kind),
        _ => Err(*absent),
    }
}

fn wait_row(
    core: &Core,
    thread: &Structure<'_>,
    named: &Named,
    index: i64,
    waited: Waited,
    names: Option<&mut Names<'_>>,
) -> WaitObject {
    let object = waited.object;
    let owner = match object.and_then(|at| Ok((at, dispatcher::dispatcher_kind(core, at)?))) {
        Ok((at, MUTANT)) => core.structure("_KMUTANT", at).pointer("OwnerThread"),
        _ => Err(Absent::NotApplicable),
    };
    WaitObject {
        ethread: thread.address,
        tid: named.tid,
        pid: named.pid,
        process: named.process.clone(),
        index: Ok(index),
        object,
        kind: object.and_then(|at| dispatcher::dispatcher_name(core, at)),
        name: object.and_then(|at| dispatcher_object_name(core, at, names)),
        wait_type: waited.wait_type,
        owner_ethread: owner,
        ..WaitObject::default()
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
