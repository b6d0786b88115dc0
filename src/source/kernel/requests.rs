//! Where I/O request packets are found: on the lists of threads, at devices and in their queues.
//!
//! The same packet found in several places is one. What stands in them is for `irps` and `irp_stack`.

use std::borrow::Cow;
use std::collections::HashMap;

use rayon::prelude::*;

use super::KernelDump;
use super::batches;
use super::pool::{Block, PoolHint};
use super::records::{Form, Record};
use super::threads::Seen;
use crate::catalog::{Absent, Cell};
use crate::model::{Control, Flow, Unanswered};

/// No list of a thread is longer; a longer one runs in a circle.
const MAX_LISTED: usize = 100_000;
/// The lists of so many threads are walked side by side, and so many blocks are judged so.
const THREADS: usize = 256;
const JUDGED: usize = 1 << 14;
/// No dump has more packets.
const MAX_PACKETS: usize = 4_000_000;
/// So many are kept for the next table.
const MAX_KEPT: usize = 1 << 20;
pub(super) const IRP: &str = "_IRP";
pub(super) const LOCATION: &str = "_IO_STACK_LOCATION";
/// The tag of blocks that hold packets.
const TAG: &str = "Irp ";
/// `IO_TYPE_IRP`.
const PACKET_TYPE: u64 = 6;

/// A place where a packet is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The list of a thread.
    Thread,
    /// A device, as the request that it works on or in its queue.
    Device,
    /// A block of the pool.
    Pool,
}

impl Place {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Thread, "thread"), (Self::Device, "device"), (Self::Pool, "pool")];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A packet, and where it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) irp: u64,
    /// The thread on whose list it is.
    pub(super) thread: Option<u64>,
    places: u8,
}

impl Found {
    /// The words for the places, separated by blanks: where the system itself has it comes first.
    pub(super) fn found_in(&self) -> String {
        let held = Place::ALL.iter().filter(|(place, _)| self.places & place.bit() != 0);
        held.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}

/// Packets in the order in which they were first found.
#[derive(Debug, Default)]
struct Packets {
    all: Vec<Found>,
    index: HashMap<u64, usize>,
}

impl Packets {
    fn add(&mut self, irp: u64, place: Place, thread: Option<u64>) {
        if self.all.len() >= MAX_PACKETS {
            return;
        }
        let at = *self.index.entry(irp).or_insert_with(|| {
            self.all.push(Found { irp, thread: None, places: 0 });
            self.all.len() - 1
        });
        if let Some(found) = self.all.get_mut(at) {
            found.places |= place.bit();
            found.thread = found.thread.or(thread);
        }
    }
}

/// The sizes by which packets are judged and their locations are placed.
pub(super) struct Packet<'a> {
    pub(super) form: Form<'a>,
    /// Bytes of a stack location.
    pub(super) step: u64,
}

/// The fields of a packet that are read to judge it, and those that rows show.
pub(super) const FIELDS: &[&str] = &[
    "Type",
    "Size",
    "StackCount",
    "CurrentLocation",
    "Tail.Overlay.Thread",
    "Tail.Overlay.CurrentStackLocation",
    "MdlAddress",
    "Flags",
    "Cancel",
    "CancelRoutine",
    "UserEvent",
    "AssociatedIrp.SystemBuffer",
    "IoStatus.Status",
    "IoStatus.Information",
];

impl KernelDump {
    /// How packets look in this dump.
    pub(super) fn packet(&self) -> Result<Packet<'_>, Unanswered> {
        let form = self.form(IRP, FIELDS);
        let step = self.types().size_of(LOCATION).filter(|size| *size != 0);
        form.zip(step)
            .map(|(form, step)| Packet { form, step })
            .ok_or_else(|| Unanswered::because("no layout of _IRP is known"))
    }

    /// The packets of the dump, none twice: of threads, of devices, of the pool.
    ///
    /// They are kept for the next table that asks.
    pub(super) fn packets(&self, control: Control<'_>) -> Result<Cow<'_, [Found]>, Unanswered> {
        if let Some(kept) = self.io.packets.get() {
            return Ok(Cow::Borrowed(kept));
        }
        let (found, is_whole) = self.packets_found(control)?;
        if !is_whole || found.len() > MAX_KEPT {
            return Ok(Cow::Owned(found));
        }
        Ok(Cow::Borrowed(self.io.packets.get_or_init(|| found)))
    }

    /// Finds the packets; says whether they are all.
    fn packets_found(&self, control: Control<'_>) -> Result<(Vec<Found>, bool), Unanswered> {
        let packet = self.packet()?;
        let mut packets = Packets::default();
        self.packets_of_threads(&mut packets)?;
        for irp in self.requests_of_devices() {
            packets.add(irp, Place::Device, None);
        }
        let may_be = |found: &Found| packet.may_be(&packet.form.at(found.irp));
        let mut are = packets.all.par_iter().map(may_be).collect::<Vec<_>>().into_iter();
        packets.all.retain(|_| are.next() == Some(true));
        packets.index = (0..).zip(&packets.all).map(|(at, found)| (found.irp, at)).collect();
        let is_whole = self.packets_of_pool(control, &packet, &mut packets);
        let Packets { all, .. } = packets;
        Ok((all, is_whole))
    }

    /// The packets in blocks of the pool; says whether all of it was searched. What the pool cannot
    /// tell, lists may.
    fn packets_of_pool(
        &self,
        control: Control<'_>,
        packet: &Packet<'_>,
        packets: &mut Packets,
    ) -> bool {
        let mut blocks = Vec::new();
        let mut judge = |blocks: &mut Vec<Block>| {
            let is_packet = |block: &Block| {
                let room = block.bytes.saturating_sub(block.header.into());
                block.is_in_use() && packet.fills(&packet.form.at(block.body()), room)
            };
            let are: Vec<bool> = blocks.par_iter().map(is_packet).collect();
            for (block, _) in blocks.drain(..).zip(are).filter(|(_, is_packet)| *is_packet) {
                packets.add(block.body(), Place::Pool, None);
            }
            if packets.all.len() < MAX_PACKETS { Flow::Continue(()) } else { Flow::Break(()) }
        };
        let flow = self.pool_blocks(&PoolHint::tags(&[TAG], control), &mut |block| {
            blocks.push(*block);
            if blocks.len() < JUDGED { Flow::Continue(()) } else { judge(&mut blocks) }
        });
        let rest = judge(&mut blocks);
        flow.map_or(true, |flow| flow.is_continue() && rest.is_continue())
    }

    fn packets_of_threads(&self, packets: &mut Packets) -> Result<(), Unanswered> {
        let links = self.field(IRP, "ThreadListEntry");
        let links = links.ok_or_else(|| Unanswered::because("no layout of _IRP is known"))?;
        // Damaged lists can lead to the same packets again and again.
        let mut left = MAX_PACKETS;
        let add = |threads: Vec<Seen<'_>>| {
            let most = left.min(MAX_LISTED);
            let listed = |seen: &Seen<'_>| {
                let thread = seen.object(self)?;
                let listed = self.listed(thread.address_of("IrpList"), links.offset as u64, most);
                Some((thread.address.ok(), listed))
            };
            let lists: Vec<_> = threads.par_iter().filter_map(listed).collect();
            for (thread, listed) in lists {
                let room = left.min(listed.len());
                left -= room;
                for irp in listed.into_iter().take(room) {
                    packets.add(irp, Place::Thread, thread);
                }
            }
            if left > 0 { Flow::Continue(()) } else { Flow::Break(()) }
        };
        batches::of_walk(THREADS, |visit| self.for_each_seen(visit), add)
    }
}

impl Packet<'_> {
    /// Whether something that a list leads to may be a packet: what the dump does not hold may.
    fn may_be(&self, irp: &Record<'_>) -> bool {
        !irp.is_held() || self.is_packet(irp)
    }

    /// Whether a packet is at an address, by its structure: type, size, and counts that agree.
    pub(super) fn is_packet(&self, irp: &Record<'_>) -> bool {
        let counts = Self::counts(irp).and_then(|(count, current)| {
            let room = self.form.size + count * self.step;
            // A packet of a lookaside list has room for more locations than it uses.
            let fits = irp.unsigned("Size")? >= room;
            // Once completed, the number of the current one is beyond their number by two.
            Ok(fits && (1..=count + 2).contains(&current))
        });
        irp.unsigned("Type") == Ok(PACKET_TYPE) && counts == Ok(true)
    }

    /// Whether a packet is in a block of so many bytes: there it has to point to its own current
    /// location as well.
    fn fills(&self, irp: &Record<'_>, room: u64) -> bool {
        let agrees = Self::counts(irp).and_then(|(count, current)| {
            let stated = irp.raw_pointer("Tail.Overlay.CurrentStackLocation")?;
            let fits = self.form.size + count * self.step <= room;
            Ok(fits && stated == self.location(irp.address, current)?)
        });
        agrees == Ok(true) && self.is_packet(irp)
    }

    /// The number of stack locations, and the number of the current one. Both are signed bytes.
    pub(super) fn counts(irp: &Record<'_>) -> Cell<(u64, u64)> {
        let byte = |path| match irp.unsigned(path)? {
            count @ 0..=127 => Ok(count),
            _ => Err(Absent::Unreadable),
        };
        Ok((byte("StackCount")?, byte("CurrentLocation")?))
    }

    /// Where a location stands; they follow the packet, the lowest first, and are counted from 1.
    pub(super) fn location(&self, irp: u64, index: u64) -> Cell<u64> {
        let offset = index.checked_sub(1).and_then(|index| index.checked_mul(self.step));
        let at = offset.and_then(|offset| irp.checked_add(self.form.size)?.checked_add(offset));
        at.ok_or(Absent::Unreadable)
    }
}
