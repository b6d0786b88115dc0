//! Ready threads: in the ready queues of processors and, since Windows 8.1, in queues that several
//! processors share. Windows XP has one array of queues for all processors, whose address symbols
//! give; without symbols any ready thread leads to its queue and so to the array.

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, ReadyThread, Unanswered};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::scheduler::{prcbs, thread};

/// Upper limit on a queue; a longer one is circular.
const MAX_READY: usize = 100_000;
const PRIORITIES: u64 = 32;
const SHARED: &str = "_KSHARED_READY_QUEUE";
const OWN: &str = "DispatcherReadyListHead";
/// `KTHREAD_STATE`.
const READY: u64 = 1;

/// An array of lists, one for each priority.
struct Queue {
    /// The processor that it belongs to, unless it is shared.
    processor: Cell<i64>,
    /// Bit mask of the priorities whose list is not empty.
    summary: Cell<u64>,
    heads: Cell<u64>,
}

pub(crate) fn each_ready(core: &Core, emit: Emit<'_, ReadyThread>) -> Result<(), Unanswered> {
    let links = core.field("_KTHREAD", "WaitListEntry");
    let links = links.ok_or_else(|| Unanswered::because("no layout of _KTHREAD is known"))?;
    let mut seen = HashSet::new();
    for queue in ready_queues(core) {
        if each_in_queue(core, &queue, links.offset as u64, &mut seen, emit).is_break() {
            break;
        }
    }
    Ok(())
}

/// The queues of the processors, then the shared queues.
fn ready_queues(core: &Core) -> Vec<Queue> {
    let mut own = Vec::new();
    let mut shared: Vec<u64> = Vec::new();
    if core.has_field("_KPRCB", "CurrentThread") && !core.has_field("_KPRCB", OWN) {
        own.extend(global_queue(core));
    }
    for (number, prcb) in (0..).zip(prcbs::prcbs(core)) {
        let Some(prcb) = prcb else { continue };
        own.push(Queue {
            processor: Ok(number),
            summary: prcb.unsigned("ReadySummary"),
            heads: prcb.at(OWN),
        });
        let queue = prcb.pointer("SharedReadyQueue");
        shared.extend(queue.ok().filter(|queue| !shared.contains(queue)));
    }
    own.extend(shared.into_iter().map(|at| {
        let queue = core.structure(SHARED, at);
        Queue {
            processor: Err(Absent::NotApplicable),
            summary: queue.unsigned("ReadySummary"),
            heads: queue.at("ReadyListHead"),
        }
    }));
    own
}

/// The only array of queues on Windows XP.
fn global_queue(core: &Core) -> Option<Queue> {
    let named = core.symbol_address("nt", "KiDispatcherReadyListHead");
    let heads = named.or_else(|| row_of_ready(core))?;
    Some(Queue {
        processor: Err(Absent::NotApplicable),
        // The lists themselves show which of them are empty.
        summary: Ok(u64::MAX),
        heads: Ok(heads),
    })
}

/// The array of queues that the first ready thread leads to.
fn row_of_ready(core: &Core) -> Option<u64> {
    let mut row = None;
    let _ = thread::for_each_thread(core, &mut |thread, _| {
        if thread.unsigned("Tcb.State") == Ok(READY) {
            row = row_of(core, thread);
        }
        if row.is_some() { Flow::Break(()) } else { Flow::Continue(()) }
    });
    row
}

/// The array of queues that holds the list of a thread's priority: the only list element that is a
/// variable of the kernel is the head.
fn row_of(core: &Core, thread: &Structure<'_>) -> Option<u64> {
    let priority = thread.unsigned("Tcb.Priority").ok().filter(|of| *of < PRIORITIES)?;
    let entry = thread.at("Tcb.WaitListEntry").ok()?;
    let listed = core.kernel_space().list(entry, MAX_READY).entries;
    let head = listed.into_iter().find(|at| core.is_in_kernel(*at) == Ok(true))?;
    let step = 2 * core.header.width.bytes() as u64;
    let row = head.checked_sub(priority * step)?;
    (0..PRIORITIES).all(|i| core.is_list_head(row + i * step)).then_some(row)
}

fn each_in_queue(
    core: &Core,
    queue: &Queue,
    links: u64,
    seen: &mut HashSet<u64>,
    emit: Emit<'_, ReadyThread>,
) -> Flow {
    let Ok(heads) = queue.heads else { return Flow::Continue(()) };
    let summary = queue.summary.unwrap_or(u64::MAX);
    let step = 2 * core.header.width.bytes() as u64;
    for priority in (0..PRIORITIES).rev() {
        if summary >> priority & 1 == 0 {
            continue;
        }
        let head = heads.checked_add(priority * step).ok_or(Absent::Unreadable);
        let threads = core.listed(head, links, MAX_READY).into_iter();
        let new = threads.filter(|thread| seen.insert(*thread));
        for (position, ethread) in (0..).zip(new) {
            let named = thread::named_thread(core, ethread);
            emit.row(ReadyThread {
                processor: queue.processor,
                priority: i64::try_from(priority).map_err(|_| Absent::Unreadable),
                position: Ok(position),
                ethread: Ok(ethread),
                tid: named.tid,
                pid: named.pid,
                process: named.process,
                ..ReadyThread::default()
            })?;
        }
    }
    Flow::Continue(())
}
