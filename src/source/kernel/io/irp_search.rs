//! Finds IRPs: on the IRP lists of threads, at devices and in their queues, and in pool blocks.
//!
//! An IRP that is found in several places is returned once. `irps` and `irp_stack` read its
//! contents.

use crate::source::kernel::core::structure::Structure;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;

use crate::catalog::{Absent, Cell};
use crate::model::{Control, Flow, Unanswered};
use crate::source::kernel::batches;
use crate::source::kernel::core::Core;
use crate::source::kernel::io::devices;
use crate::source::kernel::io::state::{FoundIrp, Io, IrpPlace};
use crate::source::kernel::objects::manager::ObjectManager;
use crate::source::kernel::pool::block::{Block, PoolHint};
use crate::source::kernel::pool::scan;
use crate::source::kernel::pool::state::Pool;
use crate::source::kernel::scheduler::thread;
use crate::source::kernel::scheduler::thread::FoundThread;

/// Upper limit on the IRP list of a thread; a longer one is circular.
const MAX_LISTED: usize = 100_000;
/// How many threads' lists are walked in parallel, and how many blocks are checked in parallel.
const THREADS: usize = 256;
const JUDGED: usize = 1 << 14;
/// Upper limit on the IRPs of a dump.
const MAX_IRPS: usize = 4_000_000;
/// Upper limit on the IRPs that are kept for the next table.
const MAX_KEPT: usize = 1 << 20;
pub(crate) const IRP: &str = "_IRP";
pub(crate) const LOCATION: &str = "_IO_STACK_LOCATION";
/// The tag of pool blocks that hold IRPs.
const TAG: &str = "Irp ";
/// `IO_TYPE_IRP`.
const IRP_TYPE: u64 = 6;

/// IRPs in the order in which they were first found.
#[derive(Debug, Default)]
struct FoundIrps {
    all: Vec<FoundIrp>,
    index: HashMap<u64, usize>,
}

/// The sizes by which IRPs are validated and their stack locations are found.
pub(crate) struct IrpLayout<'a> {
    core: &'a Core,
    /// Size of an IRP in bytes.
    size: u64,
    /// Size of a stack location in bytes.
    step: u64,
}

impl FoundIrps {
    fn add(&mut self, irp: u64, place: IrpPlace, thread: Option<u64>) {
        if self.all.len() >= MAX_IRPS {
            return;
        }
        let at = *self.index.entry(irp).or_insert_with(|| {
            self.all.push(FoundIrp { irp, thread: None, places: 0 });
            self.all.len() - 1
        });
        if let Some(found) = self.all.get_mut(at) {
            found.places |= place.bit();
            found.thread = found.thread.or(thread);
        }
    }
}

/// The IRP layout of this dump.
pub(crate) fn irp_layout(core: &Core) -> Result<IrpLayout<'_>, Unanswered> {
    let size = |ty| core.size_of(ty).filter(|size| *size != 0);
    size(IRP)
        .zip(size(LOCATION))
        .map(|(size, step)| IrpLayout { core, size, step })
        .ok_or_else(|| Unanswered::because("no layout of _IRP is known"))
}

/// The IRPs of the dump without duplicates: of threads, of devices, of the pool.
///
/// They are kept for the next table that asks.
pub(crate) fn irps<'a>(
    core: &'a Core,
    objects: &'a ObjectManager,
    pool: &'a Pool,
    io: &'a Io,
    control: Control<'_>,
) -> Result<Cow<'a, [FoundIrp]>, Unanswered> {
    if let Some(kept) = io.irps.get() {
        return Ok(Cow::Borrowed(kept));
    }
    let (found, is_whole) = find_irps(core, objects, pool, io, control)?;
    if !is_whole || found.len() > MAX_KEPT {
        return Ok(Cow::Owned(found));
    }
    Ok(Cow::Borrowed(io.irps.get_or_init(|| found)))
}

/// Finds the IRPs; returns whether they are complete.
fn find_irps(
    core: &Core,
    objects: &ObjectManager,
    pool: &Pool,
    io: &Io,
    control: Control<'_>,
) -> Result<(Vec<FoundIrp>, bool), Unanswered> {
    let layout = irp_layout(core)?;
    let mut irps = FoundIrps::default();
    irps_of_threads(core, &mut irps)?;
    for irp in devices::irps_of_devices(core, objects, io) {
        irps.add(irp, IrpPlace::Device, None);
    }
    let may_be = |found: &FoundIrp| layout.may_be(&layout.at(found.irp));
    let mut are = irps.all.par_iter().map(may_be).collect::<Vec<_>>().into_iter();
    irps.all.retain(|_| are.next() == Some(true));
    irps.index = (0..).zip(&irps.all).map(|(at, found)| (found.irp, at)).collect();
    let is_whole = irps_of_pool(core, pool, control, &layout, &mut irps);
    let FoundIrps { all, .. } = irps;
    Ok((all, is_whole))
}

/// The IRPs in pool blocks; returns whether the whole pool was searched. If the pool cannot be
/// read, the lists remain.
fn irps_of_pool(
    core: &Core,
    pool: &Pool,
    control: Control<'_>,
    layout: &IrpLayout<'_>,
    irps: &mut FoundIrps,
) -> bool {
    let mut blocks = Vec::new();
    let mut judge = |blocks: &mut Vec<Block>| {
        let is_irp = |block: &Block| {
            let room = block.bytes.saturating_sub(block.header.into());
            block.is_in_use() && layout.fills(&layout.at(block.body()), room)
        };
        let are: Vec<bool> = blocks.par_iter().map(is_irp).collect();
        for (block, _) in blocks.drain(..).zip(are).filter(|(_, is_irp)| *is_irp) {
            irps.add(block.body(), IrpPlace::Pool, None);
        }
        if irps.all.len() < MAX_IRPS { Flow::Continue(()) } else { Flow::Break(()) }
    };
    let flow = scan::pool_blocks(core, pool, &PoolHint::tags(&[TAG], control), &mut |block| {
        blocks.push(*block);
        if blocks.len() < JUDGED { Flow::Continue(()) } else { judge(&mut blocks) }
    });
    let rest = judge(&mut blocks);
    flow.map_or(true, |flow| flow.is_continue() && rest.is_continue())
}

fn irps_of_threads(core: &Core, irps: &mut FoundIrps) -> Result<(), Unanswered> {
    let links = core.field(IRP, "ThreadListEntry");
    let links = links.ok_or_else(|| Unanswered::because("no layout of _IRP is known"))?;
    // Damaged lists can lead to the same IRPs again and again.
    let mut left = MAX_IRPS;
    let add = |threads: Vec<FoundThread<'_>>| {
        let most = left.min(MAX_LISTED);
        let listed = |seen: &FoundThread<'_>| {
            let thread = seen.object(core)?;
            let listed = core.listed(thread.at("IrpList"), links.offset as u64, most);
            Some((thread.address.ok(), listed))
        };
        let lists: Vec<_> = threads.par_iter().filter_map(listed).collect();
        for (thread, listed) in lists {
            let room = left.min(listed.len());
            left -= room;
            for irp in listed.into_iter().take(room) {
                irps.add(irp, IrpPlace::Thread, thread);
            }
        }
        if left > 0 { Flow::Continue(()) } else { Flow::Break(()) }
    };
    batches::of_walk(THREADS, |visit| thread::for_each_seen(core, visit), add)
}

impl IrpLayout<'_> {
    /// The IRP at an address.
    pub(crate) fn at(&self, irp: u64) -> Structure<'_> {
        self.core.structure(IRP, irp).read()
    }

    /// Whether an address from a list may be an IRP; one that the dump does not hold may be.
    fn may_be(&self, irp: &Structure<'_>) -> bool {
        !irp.is_held() || self.is_irp(irp)
    }

    /// Whether an IRP is at an address: type, size and stack counts agree.
    pub(crate) fn is_irp(&self, irp: &Structure<'_>) -> bool {
        let counts = Self::counts(irp).and_then(|(count, current)| {
            let room = self.size + count * self.step;
            // An IRP from a lookaside list may have room for more stack locations than it uses.
            let fits = irp.unsigned("Size")? >= room;
            // After completion the current location is the stack count plus two.
            Ok(fits && (1..=count + 2).contains(&current))
        });
        irp.unsigned("Type") == Ok(IRP_TYPE) && counts == Ok(true)
    }

    /// Whether an IRP is in a block of this size; then its pointer to the current stack location
    /// has to agree too.
    fn fills(&self, irp: &Structure<'_>, room: u64) -> bool {
        let agrees = Self::counts(irp).and_then(|(count, current)| {
            let stated = irp.raw_pointer("Tail.Overlay.CurrentStackLocation")?;
            let fits = self.size + count * self.step <= room;
            Ok(fits && stated == self.location(irp.address?, current)?)
        });
        agrees == Ok(true) && self.is_irp(irp)
    }

    /// The number of stack locations, and the number of the current one. Both are signed bytes.
    pub(crate) fn counts(irp: &Structure<'_>) -> Cell<(u64, u64)> {
        let byte = |path| match irp.unsigned(path)? {
            count @ 0..=127 => Ok(count),
            _ => Err(Absent::Unreadable),
        };
        Ok((byte("StackCount")?, byte("CurrentLocation")?))
    }

    /// The address of a stack location. The stack locations follow the IRP, the lowest first, and
    /// are numbered from 1.
    pub(crate) fn location(&self, irp: u64, index: u64) -> Cell<u64> {
        let offset = index.checked_sub(1).and_then(|index| index.checked_mul(self.step));
        let at = offset.and_then(|offset| irp.checked_add(self.size)?.checked_add(offset));
        at.ok_or(Absent::Unreadable)
    }
}
