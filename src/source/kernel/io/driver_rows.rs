//! Rows of driver objects and of their dispatch routines.
//!
//! Drivers that are in no object directory are found in the pool.

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};
use crate::model::{Control, Dispatch, Driver, Emit, Flow, OfRow, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::io::drivers;
use crate::source::kernel::io::drivers::{DRIVER, major_name};
use crate::source::kernel::io::state::Io;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::ObjectManager;
use crate::source::kernel::pool::block::PoolHint;
use crate::source::kernel::pool::scan;
use crate::source::kernel::pool::state::Pool;
use crate::source::kernel::wanted::wanted;

/// The tag of pool blocks that hold driver objects, and the greatest offset of the object in a
/// block.
const TAG: &str = "Driv";
const MAX_HEADERS: u64 = 0x100;
/// Upper limit on drivers.
const MAX_DRIVERS: usize = 10_000;
/// `IRP_MJ_MAXIMUM_FUNCTION` + 1.
const MAJORS: u64 = 28;

/// The driver objects of the object directories, and those in the pool that no directory lists.
fn drivers_or_why_not(
    core: &Core,
    objects: &ObjectManager,
    pool: &Pool,
    io: &Io,
    control: Control<'_>,
) -> Result<Vec<(u64, bool)>, Unanswered> {
    if !core.has_field(DRIVER, "MajorFunction") {
        return Err(Unanswered::because("no layout of _DRIVER_OBJECT is known"));
    }
    let manager = manager::manager(core, objects)?;
    let drivers = drivers::driver_objects(core, objects, io);
    if drivers.is_empty() && manager.root.is_err() {
        return Err(Unanswered::because("the object directory is not in the dump"));
    }
    let mut seen: HashSet<u64> = drivers.iter().copied().collect();
    let hidden = drivers_of_pool(core, pool, control).into_iter().filter(|at| seen.insert(*at));
    Ok(drivers.iter().map(|at| (*at, true)).chain(hidden.map(|at| (at, false))).collect())
}

/// The driver objects in pool blocks, where each follows its object headers.
fn drivers_of_pool(core: &Core, pool: &Pool, control: Control<'_>) -> Vec<u64> {
    let unit = core.header.width.bytes() as u64;
    let mut found = Vec::new();
    // If the pool cannot be read, the drivers of the directories remain.
    let _ = scan::pool_blocks(core, pool, &PoolHint::tags(&[TAG], control), &mut |block| {
        let room = block.bytes.min(MAX_HEADERS) / unit;
        if block.is_in_use() {
            let mut places = (0..room).filter_map(|i| block.body().checked_add(i * unit));
            found.extend(places.find(|at| drivers::is_driver(core, *at)));
        }
        if found.len() < MAX_DRIVERS { Flow::Continue(()) } else { Flow::Break(()) }
    });
    found
}

pub(crate) fn each_driver(
    core: &Core,
    objects: &ObjectManager,
    pool: &Pool,
    io: &Io,
    want: &Want<'_, Driver>,
    emit: Emit<'_, Driver>,
) -> Result<(), Unanswered> {
    for (address, is_listed) in drivers_or_why_not(core, objects, pool, io, want.control())? {
        let row = driver_row(core, objects, want, address);
        if emit.row(Driver { is_listed: Ok(is_listed), ..row }).is_break() {
            break;
        }
    }
    Ok(())
}

fn driver_row(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, Driver>,
    address: u64,
) -> Driver {
    let driver = core.structure(DRIVER, address);
    let extension = driver.follow("DriverExtension", "_DRIVER_EXTENSION");
    let start = driver.pointer("DriverStart");
    let init = driver.pointer("DriverInit");
    let start_io = driver.pointer("DriverStartIo");
    let unload = driver.pointer("DriverUnload");
    let add_device = extension.and_then(|extension| extension.pointer("AddDevice"));
    let symbol =
        |column: OfRow<Driver>, routine| wanted(want, column, || core.symbol_text(routine));
    let device_count = wanted(
        want,
        |c| c.device_count,
        || i64::try_from(drivers::devices_of(core, address).len()).map_err(|_| Absent::Unreadable),
    );
    Driver {
        driver_object: Ok(address),
        driver: drivers::driver_object_name(core, objects, address),
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
        module: start.and_then(|at| core.module_at(at)).map(|place| place.module),
        ..Driver::default()
    }
}

pub(crate) fn each_dispatch(
    core: &Core,
    objects: &ObjectManager,
    pool: &Pool,
    io: &Io,
    want: &Want<'_, Dispatch>,
    emit: Emit<'_, Dispatch>,
) -> Result<(), Unanswered> {
    for (address, _) in drivers_or_why_not(core, objects, pool, io, want.control())? {
        let driver = core.structure(DRIVER, address);
        let name = drivers::driver_object_name(core, objects, address);
        let image = driver.pointer("DriverStart").ok().zip(driver.unsigned("DriverSize").ok());
        for major in 0..MAJORS {
            let routine = drivers::dispatch_routine(driver, major);
            let outside = routine.and_then(|at| is_outside(core, at, image));
            let row = Dispatch {
                driver_object: Ok(address),
                driver: name.clone(),
                major: i64::try_from(major).map_err(|_| Absent::Unreadable),
                major_name: major_name(major),
                address: routine,
                symbol: wanted(want, |c| c.symbol, || core.symbol_text(routine)),
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

/// Whether an address is neither in this image (base and size) nor in the kernel.
fn is_outside(core: &Core, address: u64, image: Option<(u64, u64)>) -> Cell<bool> {
    let own =
        image.and_then(|(start, size)| Some(address.checked_sub(start)? < size)).unwrap_or(false);
    Ok(!own && !core.is_in_kernel(address)?)
}
