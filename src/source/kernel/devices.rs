//! Device objects: those of every driver and those that stacks lead to, with their place in the
//! stack and what the plug and play manager knows of them.

use std::collections::HashSet;

use super::KernelDump;
use super::records::{Form, Record, wanted};
use crate::catalog::{Absent, Cell};
use crate::model::{Device, Emit, OfRow, Unanswered, Want};

/// No driver has more devices; more is a chain that runs in a circle of its own making.
const MAX_DEVICES: usize = 100_000;
/// No stack of devices is higher (`_DEVICE_OBJECT.StackSize` is a signed byte).
const MAX_DEPTH: usize = 128;
/// All devices together have no more requests in their queues.
const MAX_QUEUED: usize = 4_000_000;
pub(super) const DEVICE: &str = "_DEVICE_OBJECT";
/// `IO_TYPE_DEVICE`, and the kind of kernel object that a device queue is.
const DEVICE_TYPE: u64 = 3;
const QUEUE_TYPE: u64 = 20;

const FIELDS: &[&str] = &[
    "Type",
    "ReferenceCount",
    "DriverObject",
    "NextDevice",
    "AttachedDevice",
    "CurrentIrp",
    "Flags",
    "Characteristics",
    "DeviceExtension",
    "DeviceType",
    "DeviceObjectExtension",
    "DeviceQueue.Type",
    "DeviceQueue.DeviceListHead",
];

impl KernelDump {
    fn device_form(&self) -> Option<Form<'_>> {
        self.form(DEVICE, FIELDS)
    }

    /// The devices of a driver, the newest first as the driver lists them.
    pub(super) fn devices_of(&self, driver: u64) -> Vec<u64> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut next = self.structure("_DRIVER_OBJECT", driver).pointer("DeviceObject");
        while let Ok(at) = next {
            let device = self.structure(DEVICE, at);
            let is_device = device.unsigned("Type") == Ok(DEVICE_TYPE);
            if !is_device || found.len() == MAX_DEVICES || !seen.insert(at) {
                break;
            }
            found.push(at);
            next = device.pointer("NextDevice");
        }
        found
    }

    /// The device objects, none twice: those that drivers list, then those that stacks lead to.
    pub(super) fn device_objects(&self) -> &[u64] {
        self.io.devices.get_or_init(|| {
            let mut seen = HashSet::new();
            let listed = self.driver_objects().iter().flat_map(|driver| self.devices_of(*driver));
            let mut all: Vec<u64> =
                listed.filter(|at| seen.insert(*at)).take(MAX_DEVICES).collect();
            let mut done = 0;
            while let Some(at) = all.get(done).copied() {
                done += 1;
                let device = self.structure(DEVICE, at);
                let others = [device.pointer("AttachedDevice"), self.attached_to(at)];
                for other in others.into_iter().flatten() {
                    let is_new = all.len() < MAX_DEVICES && !seen.contains(&other);
                    if is_new && self.is_device(other) && seen.insert(other) {
                        all.push(other);
                    }
                }
            }
            all
        })
    }

    /// Whether a device object is at an address.
    fn is_device(&self, address: u64) -> bool {
        let device = self.structure(DEVICE, address);
        let size = device.size().unwrap_or(u64::MAX);
        device.unsigned("Type") == Ok(DEVICE_TYPE)
            && device.unsigned("Size").is_ok_and(|stated| stated >= size)
    }

    /// The device below one in its stack.
    fn attached_to(&self, device: u64) -> Cell<u64> {
        let extension = self.structure(DEVICE, device);
        extension
            .follow("DeviceObjectExtension", "_DEVOBJ_EXTENSION")
            .and_then(|extension| extension.pointer("AttachedTo"))
    }

    /// The lowest device of a stack, and how many devices are below the given one.
    fn stack_below(&self, device: u64) -> Cell<(u64, i64)> {
        let mut at = device;
        let mut seen = vec![device];
        loop {
            match self.attached_to(at) {
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

    pub(super) fn each_device(
        &self,
        want: &Want<'_, Device>,
        emit: Emit<'_, Device>,
    ) -> Result<(), Unanswered> {
        let form = self.device_form();
        let form =
            form.ok_or_else(|| Unanswered::because("no layout of _DEVICE_OBJECT is known"))?;
        let manager = self.manager()?;
        if self.device_objects().is_empty() && manager.root.is_err() {
            return Err(Unanswered::because("the directory of objects is not in the dump"));
        }
        let mut left = MAX_QUEUED;
        for address in self.device_objects() {
            if emit.row(self.device_row(want, &form.at(*address), &mut left)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn device_row(&self, want: &Want<'_, Device>, device: &Record<'_>, left: &mut usize) -> Device {
        let address = device.address;
        let driver = device.pointer("DriverObject");
        let extension = device.pointer("DeviceObjectExtension");
        let extension = extension.map(|at| self.structure("_DEVOBJ_EXTENSION", at));
        let node = extension.and_then(|extension| extension.pointer("DeviceNode"));
        let node_text = |column: OfRow<Device>, path: &'static str| {
            wanted(want, column, || self.structure("_DEVICE_NODE", node?).unicode(path))
        };
        let below = if want.has_any(|c| [c.stack_depth, c.lowest_device_object]) {
            self.stack_below(address)
        } else {
            Err(Absent::NotApplicable)
        };
        Device {
            device_object: Ok(address),
            name: wanted(want, |c| c.name, || self.object_name(address)),
            driver_object: driver,
            driver: wanted(want, |c| c.driver, || self.driver_object_name(driver?)),
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
            queue_length: wanted(want, |c| c.queue_length, || queue_length(self, device, left)),
            device_node: node,
            instance_path: node_text(|c| c.instance_path, "InstancePath"),
            service: node_text(|c| c.service, "ServiceName"),
            ..Device::default()
        }
    }

    /// The requests that a device works on or has in its queue, the current one first.
    pub(super) fn requests_of_devices(&self) -> Vec<u64> {
        let Some(form) = self.device_form() else { return Vec::new() };
        let entry = self.field("_IRP", "Tail.Overlay.DeviceQueueEntry");
        let entry = entry.map(|field| field.offset as u64);
        let mut found = Vec::new();
        for device in self.device_objects() {
            let device = form.at(*device);
            found.extend(device.pointer("CurrentIrp"));
            if let (Ok(head), Some(entry)) = (queue_head(&device), entry) {
                let left = MAX_QUEUED.saturating_sub(found.len());
                found.extend(self.listed(Ok(head), entry, left));
            }
        }
        found
    }
}

/// The head of a device's queue; file systems do not make one.
fn queue_head(device: &Record<'_>) -> Cell<u64> {
    if device.unsigned("DeviceQueue.Type")? != QUEUE_TYPE {
        return Err(Absent::NotApplicable);
    }
    device.address_of("DeviceQueue.DeviceListHead")
}

/// The entries of a device's queue, of which no more than `left` are visited.
fn queue_length(dump: &KernelDump, device: &Record<'_>, left: &mut usize) -> Cell<i64> {
    let listed = dump.kernel_space().list(queue_head(device)?, *left);
    *left = left.saturating_sub(listed.entries.len());
    if !listed.is_whole {
        return Err(Absent::Unreadable);
    }
    i64::try_from(listed.entries.len()).map_err(|_| Absent::Unreadable)
}
