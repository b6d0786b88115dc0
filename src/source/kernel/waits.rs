//! What threads wait for, and threads that are ready to run.

use super::KernelDump;
use super::object::Object;
use super::structure::Structure;
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, ReadyThread, Unanswered, WaitObject};

/// A thread waits for no more objects at once (`MAXIMUM_WAIT_OBJECTS`).
const MAX_OBJECTS: u64 = 64;
/// No processor has a longer queue; a longer one runs in a circle.
const MAX_READY: usize = 100_000;
const PRIORITIES: u64 = 32;
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
const MUTANT: u64 = 2;

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

    pub(super) fn each_wait(&self, emit: Emit<'_, WaitObject>) -> Result<(), Unanswered> {
        self.for_each_thread(&mut |thread, _| {
            if !matches!(thread.unsigned("Tcb.State"), Ok(WAITING | GATE_WAIT)) {
                return Flow::Continue(());
            }
            let named = self.named(thread);
            for (index, block) in (0..).zip(self.wait_blocks(thread)) {
                let block = self.structure(BLOCK, block);
                emit(self.wait_row(thread, &named, index, block))?;
            }
            Flow::Continue(())
        })
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
        block: Structure<'_>,
    ) -> WaitObject {
        let object = block.pointer("Object");
        let kind = object.and_then(|at| self.structure(HEADER, at).unsigned("Type"));
        // Bits above the seventh are flags of timers and threads.
        let kind = kind.map(|kind| kind & 0x7f);
        let name = kind.and_then(|kind| {
            let name = usize::try_from(kind).ok().and_then(|kind| TYPES.get(kind));
            name.map(|name| (*name).to_owned()).ok_or(Absent::Unreadable)
        });
        let owner = match (kind, object) {
            (Ok(MUTANT), Ok(at)) => self.structure("_KMUTANT", at).pointer("OwnerThread"),
            _ => Err(Absent::NotApplicable),
        };
        let wait_type = block.unsigned("WaitType").and_then(|ty| match ty {
            0 => Ok("WaitAll".to_owned()),
            1 => Ok("WaitAny".to_owned()),
            // Queues and other new kinds of waiting.
            _ => Err(Absent::NotApplicable),
        });
        WaitObject {
            ethread: thread.address,
            tid: named.tid,
            pid: named.pid,
            process: named.process.clone(),
            index: Ok(index),
            object,
            kind: name,
            name: object.and_then(|at| self.place_of(at)).map(|place| place.display()),
            wait_type,
            owner_ethread: owner,
            ..WaitObject::default()
        }
    }

    pub(super) fn each_ready(&self, emit: Emit<'_, ReadyThread>) -> Result<(), Unanswered> {
        let links = self.types().other("_KTHREAD", "WaitListEntry");
        let links = links.ok_or_else(|| Unanswered::because("no layout of _KTHREAD is known"))?;
        let step = 2 * self.header.width.bytes() as u64;
        for (number, prcb) in (0..).zip(self.prcbs()) {
            let Some(prcb) = prcb else { continue };
            let summary = prcb.unsigned("ReadySummary").unwrap_or(u64::MAX);
            let Ok(heads) = prcb.address_of("DispatcherReadyListHead") else { continue };
            for priority in (0..PRIORITIES).rev() {
                if summary >> priority & 1 == 0 {
                    continue;
                }
                let head = heads.checked_add(priority * step).ok_or(Absent::Unreadable);
                let threads = self.listed(head, links.offset as u64, MAX_READY);
                for (position, ethread) in (0..).zip(threads) {
                    let named = self.named_thread(ethread);
                    let row = ReadyThread {
                        processor: Ok(number),
                        priority: i64::try_from(priority).map_err(|_| Absent::Unreadable),
                        position: Ok(position),
                        ethread: Ok(ethread),
                        tid: named.tid,
                        pid: named.pid,
                        process: named.process,
                        ..ReadyThread::default()
                    };
                    if emit(row).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}
