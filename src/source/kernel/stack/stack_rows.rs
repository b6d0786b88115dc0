//! Rows of the stack tables: frames, and the words of each kernel stack.

use crate::source::frames;
use std::sync::Arc;

use crate::model::{Emit, Flow, Frame, RowSink, StackWord, Unanswered, Want};
use crate::source::context::Context;
use crate::source::frames::Owner;
use crate::source::kernel::batches;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::scheduler::thread::{FoundThread, LARGEST_STACK};
use crate::source::kernel::scheduler::{prcbs, thread};
use crate::source::kernel::stack::walks::{Stacks, Walks};
use crate::source::kernel::stack::{fetch, stacks, walks};
use crate::source::words;
use crate::unwind::{Registers, Walker};

/// Stacks per batch.
const BATCH: usize = 64;
/// Stacks per parallel task.
const PART: usize = 8;

pub(crate) fn each_frame(
    core: &Core,
    want: &Want<'_, Frame>,
    into: &mut dyn RowSink<Frame>,
) -> Result<(), Unanswered> {
    let stacks = Stacks::of(core)?;
    let rows = |batch: Vec<(FoundThread<'_>, Owner)>| {
        fetch::fetch_frames(core, want, &stacks, &batch);
        let make = |part: &[(FoundThread<'_>, Owner)], push: &mut dyn FnMut(Frame)| {
            let mut walks = stacks.take();
            for (seen, owner) in part {
                let Some(thread) = seen.object(core) else { continue };
                let (view, frames) = stacks::stack_of(core, &mut walks, &thread, seen.is_crash());
                let _ = frames::each(&view, owner, &frames, want, &mut |row| {
                    push(row);
                    Flow::Continue(())
                });
            }
            stacks.give(walks);
        };
        let flow = batches::hand_on(&batch, PART, make, into);
        stacks.settle();
        flow
    };
    batches::of_walk(
        BATCH,
        |visit| {
            for_each_stacked(core, &mut |seen| {
                let owner = seen.object(core).map(|thread| owner_of(core, &thread));
                match owner.filter(|owner| owner.is_wanted(want, frames::owner)) {
                    Some(owner) => visit((seen, owner)),
                    None => Flow::Continue(()),
                }
            })
        },
        rows,
    )
}

/// The words of each kernel stack, from the stack pointer to the stack base.
pub(crate) fn each_word(
    core: &Core,
    want: &Want<'_, StackWord>,
    emit: Emit<'_, StackWord>,
) -> Result<(), Unanswered> {
    let mut walks = Walks::of(&Arc::new(walks::starts(core)?));
    let cpu = walks::walked_cpu(core).ok();
    let mut left = words::most(core.image.len(), core.header.width.bytes() as u64);
    for_each_stacked(core, &mut |seen| {
        let Some(thread) = seen.object(core) else { return Flow::Continue(()) };
        let thread = thread.as_ref();
        let owner = owner_of(core, thread);
        if !owner.is_wanted(want, words::owner) {
            return Flow::Continue(());
        }
        let bounds = thread::bounds(thread);
        let running = thread.address.ok().and_then(|at| walks.start.running.get(&at));
        let sp = core.crash_context().filter(|_| seen.is_crash()).and_then(Context::sp);
        let sp = sp.or_else(|| running.and_then(Registers::sp));
        let sp = sp.filter(|sp| bounds.contains(sp));
        let Some(sp) = sp.or_else(|| thread.pointer("Tcb.KernelStack").ok()) else {
            return Flow::Continue(());
        };
        let range = sp..bounds.end.min(sp.saturating_add(LARGEST_STACK));
        let view = stacks::view_of(core, &mut walks, thread);
        let mut walker = Walker::with(&view, std::mem::take(&mut walks.knowledge));
        let flow = words::each(&view, &mut walker, (&owner, cpu), range, (want, &mut left), emit);
        walks.knowledge = walker.into_knowledge();
        flow
    })
}

fn owner_of(core: &Core, thread: &Structure<'_>) -> Owner {
    let named = thread::named(core, thread);
    let (tid, pid, process) = (named.tid, named.pid, named.process);
    Owner { ethread: thread.address, tid, pid, process }
}

/// Visits the threads that have stacks: first the threads that run on processors without being on a
/// thread list, which are the idle threads.
fn for_each_stacked<'a>(
    core: &'a Core,
    visit: &mut dyn FnMut(FoundThread<'a>) -> Flow,
) -> Result<(), Unanswered> {
    let mut idle = Vec::new();
    if core.triage.is_none() {
        for prcb in prcbs::prcbs(core).into_iter().flatten() {
            let current = prcb.pointer("CurrentThread");
            if current.is_ok() && current == prcb.pointer("IdleThread") {
                idle.extend(current);
            }
        }
    }
    for address in idle {
        if visit(FoundThread::Listed(address)).is_break() {
            return Ok(());
        }
    }
    thread::for_each_seen(core, visit)
}
