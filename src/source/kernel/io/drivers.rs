//! Driver objects, from the object directories of the I/O manager and from the pool, and their
//! dispatch routines.

use std::collections::{HashMap, HashSet};

use crate::catalog::{Absent, Cell, names};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::io::state::Io;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::ObjectManager;

/// The directories of the root directory that hold drivers.
const DIRECTORIES: [&str; 2] = ["Driver", "FileSystem"];
pub(crate) const DRIVER: &str = "_DRIVER_OBJECT";
/// `IO_TYPE_DRIVER`.
const DRIVER_TYPE: u64 = 4;

/// Upper limit on the devices of a driver; a longer chain is circular.
pub(crate) const MAX_DEVICES: usize = 100_000;
pub(crate) const DEVICE: &str = "_DEVICE_OBJECT";
/// `IO_TYPE_DEVICE`, and the kernel object type of device queues.
pub(crate) const DEVICE_TYPE: u64 = 3;

/// The driver objects without duplicates, determined on first use.
pub(crate) fn driver_objects<'a>(
    core: &'a Core,
    objects: &'a ObjectManager,
    io: &'a Io,
) -> &'a [u64] {
    io.drivers.get_or_init(|| {
        let mut seen = HashSet::new();
        let listed =
            DIRECTORIES.iter().flat_map(|name| manager::objects_below_root(core, objects, name));
        listed.filter(|at| is_driver(core, *at) && seen.insert(*at)).collect()
    })
}

/// Whether a driver object is at an address.
pub(crate) fn is_driver(core: &Core, address: u64) -> bool {
    let driver = core.structure(DRIVER, address);
    driver.unsigned("Type") == Ok(DRIVER_TYPE) && driver.unsigned("Size") == driver.size()
}

/// The name of a driver object (`\Driver\Ntfs`).
pub(crate) fn driver_object_name(
    core: &Core,
    objects: &ObjectManager,
    address: u64,
) -> Cell<String> {
    let stated = core.structure(DRIVER, address).unicode("DriverName");
    // A rootkit that hides its driver may have cleared either name.
    stated.or_else(|absent| manager::object_name(core, objects, address).map_err(|_| absent))
}

/// The driver object of the image at a base address.
pub(crate) fn driver_of_image(
    core: &Core,
    objects: &ObjectManager,
    io: &Io,
    base: u64,
) -> Cell<u64> {
    let images = io.images.get_or_init(|| {
        let mut images = HashMap::new();
        for at in driver_objects(core, objects, io) {
            if let Ok(start) = core.structure(DRIVER, *at).pointer("DriverStart") {
                images.entry(start).or_insert(*at);
            }
        }
        images
    });
    if images.is_empty() {
        return Err(Absent::NotInDump);
    }
    // Export drivers and the kernel have no driver object.
    images.get(&base).copied().ok_or(Absent::NotApplicable)
}

pub(crate) fn dispatch_routine(driver: Structure<'_>, major: u64) -> Cell<u64> {
    match driver.element("MajorFunction", major)? {
        0 => Err(Absent::NotApplicable),
        routine => Ok(routine),
    }
}

/// A driver's dispatch routine for a major function code.
pub(crate) fn dispatch_of(core: &Core, driver: u64, major: u64) -> Cell<u64> {
    dispatch_routine(core.structure(DRIVER, driver), major)
}

/// The name of a major function code.
pub(crate) fn major_name(major: u64) -> Cell<String> {
    let name = u8::try_from(major).ok().and_then(names::irp_major);
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}

/// The name of a minor function code, which depends on the major one.
pub(crate) fn minor_name(major: u64, minor: u64) -> Cell<String> {
    let codes = u8::try_from(major).ok().zip(u8::try_from(minor).ok());
    let name = codes.and_then(|(major, minor)| names::irp_minor(major, minor));
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}

/// The devices of a driver, newest first like the driver's list.
pub(crate) fn devices_of(core: &Core, driver: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut next = core.structure("_DRIVER_OBJECT", driver).pointer("DeviceObject");
    while let Ok(at) = next {
        let device = core.structure(DEVICE, at);
        let is_device = device.unsigned("Type") == Ok(DEVICE_TYPE);
        if !is_device || found.len() == MAX_DEVICES || !seen.insert(at) {
            break;
        }
        found.push(at);
        next = device.pointer("NextDevice");
    }
    found
}
