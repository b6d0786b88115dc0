//! Device objects in their stacks, and the device nodes of physical devices.

use super::Io;
use super::spec::{Device, Request};
use crate::synth::system::build::Builder;
use crate::synth::system::objects::{Objects, Wanted};

/// Allocates every device object and every device node.
pub(super) fn allocate(builder: &mut Builder<'_>, objects: &mut Objects, devices: &mut [Device]) {
    let size =
        (builder.layout.size("_DEVICE_OBJECT") + builder.layout.size("_DEVOBJ_EXTENSION")) as u64;
    let node = builder.layout.size("_DEVICE_NODE") as u64;
    for device in devices {
        let (path, address) = (device.path.as_str(), device.address);
        device.address = objects.make(builder, &Wanted { kind: "Device", size, path, address });
        if device.node.is_some() && device.node_address == 0 && node != 0 {
            device.node_address = builder.pool(false, *b"PnpN", node);
        }
    }
}

/// Writes the device objects. The device extension follows the object.
pub(super) fn write(builder: &mut Builder<'_>, io: &Io) {
    let size = builder.layout.size("_DEVICE_OBJECT") as u64;
    let driver = |path: &str| io.drivers.iter().find(|driver| driver.path == path);
    let address = |index: Option<usize>| {
        index.and_then(|index| io.devices.get(index)).map_or(0, |device| device.address)
    };
    for (number, device) in io.devices.iter().enumerate() {
        let at = device.address;
        let older = io.devices.iter().take(number).rev().find(|d| d.driver == device.driver);
        let upper = io.devices.iter().find(|upper| upper.lower == Some(number));
        let mut object = builder.new_object("_DEVICE_OBJECT");
        object.set("Type", 3).set("Size", size).set("ReferenceCount", device.references);
        object.set("DriverObject", driver(&device.driver).map_or(0, |driver| driver.address));
        object.set("NextDevice", older.map_or(0, |device| device.address));
        object.set("AttachedDevice", upper.map_or(0, |device| device.address));
        object.set("Flags", device.flags).set("Characteristics", device.characteristics);
        object.set("DeviceExtension", device.extension).set("DeviceType", device.kind);
        object.set("StackSize", height(io, number)).set("DeviceObjectExtension", at + size);
        let current = device.current.and_then(|index| io.requests.get(index));
        object.set("CurrentIrp", current.map_or(0, |request| request.address));
        if let Some(queue) = &device.queue {
            object.set("DeviceQueue.Type", 20).set("DeviceQueue.Size", 0x28);
            object.set("DeviceQueue.Busy", u64::from(device.current.is_some()));
            builder.place(at, object);
            queued(builder, at, queue, &io.requests);
        } else {
            builder.place(at, object);
        }
        let mut object = builder.new_object("_DEVOBJ_EXTENSION");
        object.set("Type", 13).set("DeviceObject", at).set("AttachedTo", address(device.lower));
        object.set("DeviceNode", device.node_address);
        builder.place(at + size, object);
        node(builder, device);
    }
}

/// How many stack locations an IRP for a device needs: one for the device and each device below it.
fn height(io: &Io, number: usize) -> u64 {
    let mut height = 1;
    let mut at = io.devices.get(number).and_then(|device| device.lower);
    while let Some(device) = at.and_then(|index| io.devices.get(index)) {
        height += 1;
        at = device.lower;
    }
    height
}

/// Links IRPs into the queue of a device.
fn queued(builder: &mut Builder<'_>, device: u64, queue: &[usize], requests: &[Request]) {
    let head = device + builder.offset("_DEVICE_OBJECT", "DeviceQueue.DeviceListHead");
    let entry = builder.offset("_IRP", "Tail.Overlay.DeviceQueueEntry");
    let listed = queue.iter().filter_map(|index| requests.get(*index));
    builder.link(head, &listed.map(|request| request.address + entry).collect::<Vec<_>>());
}

fn node(builder: &mut Builder<'_>, device: &Device) {
    let Some((instance, service)) = device.node.as_ref().filter(|_| device.node_address != 0)
    else {
        return;
    };
    let mut object = builder.new_object("_DEVICE_NODE");
    object.set("PhysicalDeviceObject", device.address).set("Level", 1).set("State", 0x308);
    builder.string(&mut object, "InstancePath", instance);
    builder.string(&mut object, "ServiceName", service);
    builder.place(device.node_address, object);
}
