//! Device objects: those of every driver and those that device stacks lead to, with their position
//! in the stack and the state that the Plug and Play manager keeps for them.

use crate::source::kernel::core::structure::Structure;
use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::model::{Device, Emit, OfRow, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::io::drivers;
use crate::source::kernel::io::drivers::{DEVICE, DEVICE_TYPE, MAX_DEVICES};
use crate::source::kernel::io::state::Io;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::ObjectManager;
use crate::source::kernel::wanted::wanted;

/// Upper limit on a device stack (`_DEVICE_OBJECT.StackSize` is a signed byte).
const MAX_DEPTH: usize = 128;
/// Upper limit on the IRPs in the queues of all devices.
const MAX_QUEUED: usize = 4_000_000;
const QUEUE_TYPE: u64 = 20;

/// The device objects without duplicates: first those on drivers' device lists, then those that
/// device stacks lead to.
pub(crate) fn device_objects<'a>(
    core: &'a Core,
    objects: &'a ObjectManager,
    io: &'a Io,
) -> &'a [u64] {
    io.devices.get_or_init(|| {
        let mut seen = HashSet::new();
        let listed = drivers::driver_objects(core, objects, io)
            .iter()
            .flat_map(|driver| drivers::devices_of(core, *driver));
        let mut all: Vec<u64> = listed.filter(|at| seen.insert(*at)).take(MAX_DEVICES).collect();
        let mut done = 0;
        while let Some(at) = all.get(done).copied() {
            done += 1;
            let device = core.structure(DEVICE, at);
            let others = [device.pointer("AttachedDevice"), attached_to(core, at)];
            for other in others.into_iter().flatten() {
                let is_new = all.len() < MAX_DEVICES && !seen.contains(&other);
                if is_new && is_device(core, other) && seen.insert(other) {
                    all.push(other);
                }
            }
        }
        all
    })
}

/// Whether a device object is at an address.
fn is_device(core: &Core, address: u64) -> bool {
    let device = core.structure(DEVICE, address);
    let size = device.size().unwrap_or(u64::MAX);
    device.unsigned("Type") == Ok(DEVICE_TYPE)
        && device.unsigned("Size").is_ok_and(|stated| stated >= size)
}

/// The device below this one in its stack.
fn attached_to(core: &Core, device: u64) -> Cell<u64> {
    let extension = core.structure(DEVICE, device);
    extension
        .follow("DeviceObjectExtension", "_DEVOBJ_EXTENSION")
        .and_then(|extension| extension.pointer("AttachedTo"))
}

/// The lowest device of a stack, and the number of devices below the given one.
fn stack_below(core: &Core, device: u64) -> Cell<(u64, i64)> {
    let mut at = device;
    let mut seen = vec![device];
    loop {
        match attached_to(core, at) {
            Ok(lower) if seen.contains(&lower) || seen.len() > MAX_DEPTH => {
                return Err(Absent::Unreadable);
            }
            Ok(lower) => {
                seen.push(lower);
                at = lower;
            }
            Err(Absent::NotApplicable) => break,
            Err(absent) => return Err(absent),
        }
    }
    i64::try_from(seen.len() - 1).map(|depth| (at, depth)).map_err(|_| Absent::Unreadable)
}

pub(crate) fn each_device(
    core: &Core,
    objects: &ObjectManager,
    io: &Io,
    want: &Want<'_, Device>,
    emit: Emit<'_, Device>,
) -> Result<(), Unanswered> {
    if core.size_of(DEVICE).is_none_or(|size| size == 0) {
        return Err(Unanswered::because("no layout of _DEVICE_OBJECT is known"));
    }
    let manager = manager::manager(core, objects)?;
    if device_objects(core, objects, io).is_empty() && manager.root.is_err() {
        return Err(Unanswered::because("the object directory is not in the dump"));
    }
    let mut left = MAX_QUEUED;
    for address in device_objects(core, objects, io) {
        if emit.row(device_row(core, objects, want, *address, &mut left)).is_break() {
            break;
        }
    }
    Ok(())
}

fn device_row(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, Device>,
    address: u64,
    left: &mut usize,
) -> Device {
    let device = core.structure(DEVICE, address).read();
    let driver = device.pointer("DriverObject");
    let extension = device.pointer("DeviceObjectExtension");
    let extension = extension.map(|at| core.structure("_DEVOBJ_EXTENSION", at));
    let node = extension.and_then(|extension| extension.pointer("DeviceNode"));
    let node_text = |column: OfRow<Device>, path: &'static str| {
        wanted(want, column, || core.structure("_DEVICE_NODE", node?).unicode(path))
    };
    let below = if want.has_any(|c| [c.stack_depth, c.lowest_device_object]) {
        stack_below(core, address)
    } else {
        Err(Absent::NotApplicable)
    };
    Device {
        device_object: Ok(address),
        name: wanted(want, |c| c.name, || manager::object_name(core, objects, address)),
        driver_object: driver,
        driver: wanted(want, |c| c.driver, || drivers::driver_object_name(core, objects, driver?)),
        device_type: device.code("DeviceType"),
        flags: device.code("Flags"),
        characteristics: device.code("Characteristics"),
        device_extension: device.pointer("DeviceExtension"),
        attached_device_object: device.pointer("AttachedDevice"),
        attached_to: extension.and_then(|extension| extension.pointer("AttachedTo")),
        stack_depth: below.map(|below| below.1),
        lowest_device_object: below.map(|below| below.0),
        reference_count: device.int("ReferenceCount"),
        current_irp: device.pointer("CurrentIrp"),
        queue_length: wanted(want, |c| c.queue_length, || queue_length(core, &device, left)),
        device_node: node,
        instance_path: node_text(|c| c.instance_path, "InstancePath"),
        service: node_text(|c| c.service, "ServiceName"),
        ..Device::default()
    }
}

/// The IRPs that a device processes or has in its queue, the current one first.
pub(crate) fn irps_of_devices(core: &Core, objects: &ObjectManager, io: &Io) -> Vec<u64> {
    let entry = core.field("_IRP", "Tail.Overlay.DeviceQueueEntry");
    let entry = entry.map(|field| field.offset as u64);
    let mut found = Vec::new();
    for device in device_objects(core, objects, io) {
        let device = core.structure(DEVICE, *device).read();
        found.extend(device.pointer("CurrentIrp"));
        if let (Ok(head), Some(entry)) = (queue_head(&device), entry) {
            let left = MAX_QUEUED.saturating_sub(found.len());
            found.extend(core.listed(Ok(head), entry, left));
        }
    }
    found
}

/// The head of a device's queue; file system devices do not initialize it.
fn queue_head(device: &Structure<'_>) -> Cell<u64> {
    if device.unsigned("DeviceQueue.Type")? != QUEUE_TYPE {
        return Err(Absent::NotApplicable);
    }
    device.at("DeviceQueue.DeviceListHead")
}

/// The number of entries of a device's queue; at most `left` are visited.
fn queue_length(core: &Core, device: &Structure<'_>, left: &mut usize) -> Cell<i64> {
    let listed = core.kernel_space().list(queue_head(device)?, *left);
    *left = left.saturating_sub(listed.entries.len());
    if !listed.is_whole {
        return Err(Absent::Unreadable);
    }
    i64::try_from(listed.entries.len()).map_err(|_| Absent::Unreadable)
}
