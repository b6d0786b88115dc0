//! Driver objects: those of the directories in which the I/O manager keeps them, those that only the
//! pool has, and their dispatch routines.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::KernelDump;
use super::pool::PoolHint;
use super::records::wanted;
use super::requests::Found;
use super::structure::Structure;
use crate::catalog::{Absent, Cell, names};
use crate::model::{Control, Dispatch, Driver, Emit, Flow, OfRow, Unanswered, Want};

/// The directories of the root that hold drivers.
const DIRECTORIES: [&str; 2] = ["Driver", "FileSystem"];
const DRIVER: &str = "_DRIVER_OBJECT";
/// The tag of blocks that hold drivers, and the most bytes of a block in front of one.
const TAG: &str = "Driv";
const MAX_HEADERS: u64 = 0x100;
/// No system has more drivers.
const MAX_DRIVERS: usize = 10_000;
/// `IO_TYPE_DRIVER`.
const DRIVER_TYPE: u64 = 4;
/// `IRP_MJ_MAXIMUM_FUNCTION` and one more.
const MAJORS: u64 = 28;

/// What is found once and then asked for by several tables.
#[derive(Debug, Default)]
pub(super) struct Io {
    drivers: OnceLock<Vec<u64>>,
    pub(super) devices: OnceLock<Vec<u64>>,
    /// The packets, if a query found all of them and there are not too many.
    pub(super) packets: OnceLock<Vec<Found>>,
    images: OnceLock<HashMap<u64, u64>>,
}

impl KernelDump {
    /// The objects of a directory of the root, in the order of its chains.
    pub(super) fn objects_below_root(&self, directory: &str) -> Vec<u64> {
        let Ok(manager) = self.manager() else { return Vec::new() };
        let Ok(root) = manager.root else { return Vec::new() };
        let mut seen = HashSet::new();
        let all = self.directory_objects(root, &mut seen);
        let found = all.into_iter().find(|object| {
            self.object_name(*object).is_ok_and(|name| name.eq_ignore_ascii_case(directory))
        });
        found.map(|at| self.directory_objects(at, &mut seen)).unwrap_or_default()
    }

    /// The name in an object's header.
    pub(super) fn object_name(&self, object: u64) -> Cell<String> {
        let manager = self.manager().map_err(|_| Absent::NoSymbols)?;
        let header = self.object_header(manager, object)?;
        self.header_name(manager, &header).map(|(_, name)| name)
    }

    /// The driver objects, none twice; found when first asked for.
    pub(super) fn driver_objects(&self) -> &[u64] {
        self.io.drivers.get_or_init(|| {
            let mut seen = HashSet::new();
            let listed = DIRECTORIES.iter().flat_map(|name| self.objects_below_root(name));
            listed.filter(|at| self.is_driver(*at) && seen.insert(*at)).collect()
        })
    }

    /// Whether a driver object is at an address.
    pub(super) fn is_driver(&self, address: u64) -> bool {
        let driver = self.structure(DRIVER, address);
        driver.unsigned("Type") == Ok(DRIVER_TYPE) && driver.unsigned("Size") == driver.size()
    }

    /// The driver objects of the directories, and those of the pool that no directory has.
    fn drivers_or_why_not(&self, control: Control<'_>) -> Result<Vec<(u64, bool)>, Unanswered> {
        if !self.knows(DRIVER, "MajorFunction") {
            return Err(Unanswered::because("no layout of _DRIVER_OBJECT is known"));
        }
        let manager = self.manager()?;
        let drivers = self.driver_objects();
        if drivers.is_empty() && manager.root.is_err() {
            return Err(Unanswered::because("the directory of objects is not in the dump"));
        }
        let mut seen: HashSet<u64> = drivers.iter().copied().collect();
        let hidden = self.drivers_of_pool(control).into_iter().filter(|at| seen.insert(*at));
        Ok(drivers.iter().map(|at| (*at, true)).chain(hidden.map(|at| (at, false))).collect())
    }

    /// The driver objects in blocks of the pool: each stands behind headers of the object manager.
    fn drivers_of_pool(&self, control: Control<'_>) -> Vec<u64> {
        let unit = self.header.width.bytes() as u64;
        let mut found = Vec::new();
        // A pool that cannot be read has none; the directories have.
        let _ = self.pool_blocks(&PoolHint::tags(&[TAG], control), &mut |block| {
            let room = block.bytes.min(MAX_HEADERS) / unit;
            if block.is_in_use() {
                let mut places = (0..room).filter_map(|i| block.body().checked_add(i * unit));
                found.extend(places.find(|at| self.is_driver(*at)));
            }
            if found.len() < MAX_DRIVERS { Flow::Continue(()) } else { Flow::Break(()) }
        });
        found
    }

    /// The name of a driver object (`\Driver\Ntfs`).
    pub(super) fn driver_object_name(&self, address: u64) -> Cell<String> {
        let stated = self.structure(DRIVER, address).unicode("DriverName");
        // Whoever hides a driver may have emptied the one or the other.
        stated.or_else(|absent| self.object_name(address).map_err(|_| absent))
    }

    /// The driver object of the image at a base.
    pub(super) fn driver_of_image(&self, base: u64) -> Cell<u64> {
        let images = self.io.images.get_or_init(|| {
            let mut images = HashMap::new();
            for at in self.driver_objects() {
                if let Ok(start) = self.structure(DRIVER, *at).pointer("DriverStart") {
                    images.entry(start).or_insert(*at);
                }
            }
            images
        });
        if images.is_empty() {
            return Err(Absent::NotInDump);
        }
        // Libraries and the kernel have no driver object.
        images.get(&base).copied().ok_or(Absent::NotApplicable)
    }

    /// The symbol of a routine.
    pub(super) fn routine_symbol(&self, routine: Cell<u64>) -> Cell<String> {
        routine.and_then(|at| self.place_of(at)).map(|place| place.display())
    }

    /// Whether the kernel's image holds an address.
    pub(super) fn is_in_kernel(&self, address: u64) -> Cell<bool> {
        let kernel = self.kernel_driver().ok_or(Absent::NotInDump)?;
        Ok(address.checked_sub(kernel.base).is_some_and(|offset| offset < kernel.size.into()))
    }

    pub(super) fn each_driver(
        &self,
        want: &Want<'_, Driver>,
        emit: Emit<'_, Driver>,
    ) -> Result<(), Unanswered> {
        for (address, is_listed) in self.drivers_or_why_not(want.control())? {
            let row = self.driver_row(want, address);
            if emit.row(Driver { is_listed: Ok(is_listed), ..row }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn driver_row(&self, want: &Want<'_, Driver>, address: u64) -> Driver {
        let driver = self.structure(DRIVER, address);
        let extension = driver.follow("DriverExtension", "_DRIVER_EXTENSION");
        let start = driver.pointer("DriverStart");
        let init = driver.pointer("DriverInit");
        let start_io = driver.pointer("DriverStartIo");
        let unload = driver.pointer("DriverUnload");
        let add_device = extension.and_then(|extension| extension.pointer("AddDevice"));
        let symbol =
            |column: OfRow<Driver>, routine| wanted(want, column, || self.routine_symbol(routine));
        let device_count = wanted(
            want,
            |c| c.device_count,
            || i64::try_from(self.devices_of(address).len()).map_err(|_| Absent::Unreadable),
        );
        Driver {
            driver_object: Ok(address),
            driver: self.driver_object_name(address),
            service_key: extension.and_then(|extension| extension.unicode("ServiceKeyName")),
            start,
            size_bytes: start.and_then(|_| driver.int("DriverSize")),
            init,
            init_symbol: symbol(|c| c.init_symbol, init),
            start_io,
            start_io_symbol: symbol(|c| c.start_io_symbol, start_io),
            unload,
            unload_symbol: symbol(|c| c.unload_symbol, unload),
            add_device,
            add_device_symbol: symbol(|c| c.add_device_symbol, add_device),
            device_count,
            module: start.and_then(|at| self.module_at(at)).map(|place| place.module),
            ..Driver::default()
        }
    }

    pub(super) fn each_dispatch(
        &self,
        want: &Want<'_, Dispatch>,
        emit: Emit<'_, Dispatch>,
    ) -> Result<(), Unanswered> {
        let step = self.header.width.bytes() as u64;
        for (address, _) in self.drivers_or_why_not(want.control())? {
            let driver = self.structure(DRIVER, address);
            let name = self.driver_object_name(address);
            let image = driver.pointer("DriverStart").ok().zip(driver.unsigned("DriverSize").ok());
            for major in 0..MAJORS {
                let routine = self.dispatch_routine(driver, major, step);
                let outside = routine.and_then(|at| self.is_outside(at, image));
                let row = Dispatch {
                    driver_object: Ok(address),
                    driver: name.clone(),
                    major: i64::try_from(major).map_err(|_| Absent::Unreadable),
                    major_name: major_name(major),
                    address: routine,
                    symbol: wanted(want, |c| c.symbol, || self.routine_symbol(routine)),
                    is_outside_module: outside,
                    ..Dispatch::default()
                };
                if emit.row(row).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn dispatch_routine(&self, driver: Structure<'_>, major: u64, step: u64) -> Cell<u64> {
        let at = driver.at("MajorFunction")?.checked_add(major * step).ok_or(Absent::Unreadable)?;
        match self.pointer_at(at)? {
            0 => Err(Absent::NotApplicable),
            routine => Ok(routine),
        }
    }

    /// The routine by which a driver takes requests of a major function.
    pub(super) fn dispatch_of(&self, driver: u64, major: u64) -> Cell<u64> {
        let step = self.header.width.bytes() as u64;
        self.dispatch_routine(self.structure(DRIVER, driver), major, step)
    }

    /// Whether an address is neither in an image (base and size) nor in the kernel.
    fn is_outside(&self, address: u64, image: Option<(u64, u64)>) -> Cell<bool> {
        let own = image
            .and_then(|(start, size)| Some(address.checked_sub(start)? < size))
            .unwrap_or(false);
        Ok(!own && !self.is_in_kernel(address)?)
    }
}

/// The name of a major function by its number.
pub(super) fn major_name(major: u64) -> Cell<String> {
    let name = u8::try_from(major).ok().and_then(names::irp_major);
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}

/// The name of a minor function, which depends on the major one.
pub(super) fn minor_name(major: u64, minor: u64) -> Cell<String> {
    let codes = u8::try_from(major).ok().zip(u8::try_from(minor).ok());
    let name = codes.and_then(|(major, minor)| names::irp_minor(major, minor));
    name.map(str::to_owned).ok_or(Absent::NotApplicable)
}
