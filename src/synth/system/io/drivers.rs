//! Driver objects.

use std::collections::HashMap;

use super::Io;
use super::spec::DriverObject;
use crate::synth::system::build::Builder;
use crate::synth::system::objects::{Objects, Wanted};

/// Allocates every driver object, and fills unspecified dispatch routines with the kernel's.
pub(super) fn allocate(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    drivers: &mut [DriverObject],
) {
    // The driver extension follows the object, in the same pool block.
    let layout = builder.layout;
    let size = (layout.size("_DRIVER_OBJECT") + layout.size("_DRIVER_EXTENSION")) as u64;
    let refused = builder.routine("IopInvalidDeviceRequest", 0x3a00);
    for driver in drivers {
        let path = if driver.is_hidden { "" } else { driver.path.as_str() };
        let address = driver.address;
        driver.address = objects.make(builder, &Wanted { kind: "Driver", size, path, address });
        driver.major.iter_mut().filter(|routine| **routine == 0).for_each(|to| *to = refused);
    }
}

/// Writes the driver objects with their extensions; `modules` has the module list entries by image
/// base.
pub(super) fn write(builder: &mut Builder<'_>, io: &Io, modules: &HashMap<u64, u64>) {
    let size = builder.layout.size("_DRIVER_OBJECT") as u64;
    for driver in &io.drivers {
        let extension = driver.address + size;
        let mut object = builder.new_object("_DRIVER_EXTENSION");
        object.set("DriverObject", driver.address).set("AddDevice", driver.add_device);
        object.set("Count", 1);
        builder.string(&mut object, "ServiceKeyName", &driver.service);
        builder.place(extension, object);

        let mut object = builder.new_object("_DRIVER_OBJECT");
        object.set("Type", 4).set("Size", size).set("Flags", 0x12);
        object.set("DriverStart", driver.image.0).set("DriverSize", driver.image.1.into());
        object.set("DriverSection", modules.get(&driver.image.0).copied().unwrap_or(0));
        object.set("DriverExtension", extension).set("DriverInit", driver.init);
        object.set("DriverStartIo", driver.start_io).set("DriverUnload", driver.unload);
        builder.string(&mut object, "DriverName", &driver.path);
        for (major, routine) in driver.major.iter().enumerate() {
            object.set(&format!("MajorFunction[{major}]"), *routine);
        }
        // The device list begins with the newest device.
        let newest = io.devices.iter().rev().find(|device| device.driver == driver.path);
        object.set("DeviceObject", newest.map_or(0, |device| device.address));
        builder.place(driver.address, object);
    }
}
