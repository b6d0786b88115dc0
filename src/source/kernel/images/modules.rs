//! Rows of the loaded drivers.

use std::cell::LazyCell;

use crate::catalog::names::is_inbox;
use crate::catalog::{Absent, Cell};
use crate::dump::triage::Driver;
use crate::model::{Emit, Module, Unanswered, Want};
use crate::source::build_time::{Stamp, build_time, has_hash};
use crate::source::kernel::core::modules::{end_of, file_name};
use crate::source::kernel::core::time::unix_micros;
use crate::source::kernel::core::{Core, codeview};
use crate::source::kernel::io::drivers;
use crate::source::kernel::io::state::Io;
use crate::source::kernel::objects::manager::ObjectManager;
use crate::symbol::image::VersionInfo;

pub(crate) fn each_module(
    core: &Core,
    objects: &ObjectManager,
    io: &Io,
    want: &Want<'_, Module>,
    emit: Emit<'_, Module>,
) -> Result<(), Unanswered> {
    core.has_memory()?;
    if core.triage.is_none() && core.modules().iter().len() == 0 {
        return Err(Unanswered::because("the list of modules is not in the dump"));
    }
    let hashes = LazyCell::new(|| windows_has_hashes(core));
    for (order, driver) in core.modules().iter().enumerate() {
        let mut row = module(core, objects, io, want, order, driver);
        if want.has(|c| c.build_time) {
            row.build_time = row.timestamp.and_then(|_| built(core, driver, || *hashes));
        }
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn module(
    core: &Core,
    objects: &ObjectManager,
    io: &Io,
    want: &Want<'_, Module>,
    order: usize,
    driver: &Driver,
) -> Module {
    let path = core.driver_path(driver);
    let id = if want.has_any(|c| [c.pdb_name, c.pdb_guid, c.pdb_age]) {
        core.pdb_of(driver.base, end_of(driver)).ok_or(Absent::NotInDump)
    } else {
        Err(Absent::NotInDump)
    };
    let is_path = |path: &String| path.contains('\\');
    let version = if want.has_any(|c| {
        [
            c.file_version,
            c.product_version,
            c.company,
            c.description,
            c.copyright,
            c.original_name,
            c.internal_name,
            c.language,
        ]
    }) {
        version_of(core, driver)
    } else {
        None
    };
    let part = |get: fn(&VersionInfo) -> &Option<String>| match &version {
        // A version resource that lacks the value.
        Some(info) => get(info).clone().ok_or(Absent::NotApplicable),
        None => Err(Absent::NotInDump),
    };
    let stated = |path, number: u32| {
        if core.states(path) { Ok(number.into()) } else { Err(Absent::NoSymbols) }
    };
    Module {
        base: Ok(driver.base),
        end: Ok(end_of(driver)),
        size_bytes: Ok(driver.size.into()),
        name: path.as_deref().map(|p| core.driver_name(driver, p)).map_err(|e| *e),
        image_name: path.as_deref().map(|p| file_name(p).to_owned()).map_err(|e| *e),
        path: path.and_then(|p| if is_path(&p) { Ok(p) } else { Err(Absent::NotInDump) }),
        timestamp: stated("TimeDateStamp", driver.timestamp),
        checksum: stated("CheckSum", driver.checksum),
        file_version: part(|info| &info.file_version),
        product_version: part(|info| &info.product_version),
        company: part(|info| &info.company),
        description: part(|info| &info.description),
        copyright: part(|info| &info.copyright),
        original_name: part(|info| &info.original_name),
        internal_name: part(|info| &info.internal_name),
        language: part(|info| &info.language),
        pdb_name: id.as_ref().map(|id| id.name.clone()).map_err(|e| *e),
        pdb_guid: id.as_ref().map(|id| id.guid.clone()).map_err(|e| *e),
        pdb_age: id.as_ref().map(|id| id.age.into()).map_err(|e| *e),
        symbol_status: if want.has(|c| c.symbol_status) {
            Ok(core.said_of(driver).status)
        } else {
            Err(Absent::NotApplicable)
        },
        is_user: Ok(false),
        load_order: i64::try_from(order).map_err(|_| Absent::NotApplicable),
        driver_object: if want.has(|c| c.driver_object) && core.pages.is_some() {
            drivers::driver_of_image(core, objects, io, driver.base)
        } else {
            Err(Absent::NotInDump)
        },
        ..Module::default()
    }
}

/// The version resource of an image, if the dump holds its pages.
fn version_of(core: &Core, driver: &Driver) -> Option<VersionInfo> {
    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method has one more lifetime"
    )]
    codeview::with_image(core, driver.base, |image| image.version())
}

/// When an image was built, where its time date stamp is a time.
fn built(core: &Core, driver: &Driver, windows_has_hashes: impl FnOnce() -> bool) -> Cell<i64> {
    // An image whose debug directory is not in the dump does not say what its stamp is.
    let is_hash = codeview::with_image(core, driver.base, |image| {
        if image.is_reproducible() { Some(true) } else { image.pdb().map(|_| false) }
    });
    let stamp = Stamp::new(is_hash, || is_of_windows(core, driver) && windows_has_hashes());
    build_time(driver.timestamp.into(), stamp, dump_time(core))
}

/// Whether the stamps of Windows's own images are hashes in this version.
fn windows_has_hashes(core: &Core) -> bool {
    let own = core.modules().iter().filter(|driver| is_of_windows(core, driver));
    let images = own.map(|driver| {
        let build = core.header.build.filter(|_| core.kernel_base() == Some(driver.base));
        (driver.timestamp.into(), build)
    });
    has_hash(images, dump_time(core))
}

fn is_of_windows(core: &Core, driver: &Driver) -> bool {
    let path = core.driver_path(driver);
    path.is_ok_and(|path| is_inbox(&core.driver_name(driver, &path)))
}

fn dump_time(core: &Core) -> Option<i64> {
    core.header.system_time.and_then(|time| unix_micros(time).ok())
}
