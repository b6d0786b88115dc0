//! Rows of the loaded drivers.

use crate::catalog::{Absent, Cell};
use crate::dump::triage::Driver;
use crate::model::{Emit, Module, Unanswered, Want};
use crate::source::build_time::build_time;
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
    for (order, driver) in core.modules().iter().enumerate() {
        if emit.row(module(core, objects, io, want, order, driver)).is_break() {
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
        // A resource that is there and does not say it has no such value.
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
        build_time: if want.has(|c| c.build_time) {
            stated("TimeDateStamp", 0).and_then(|_| built(core, driver))
        } else {
            Err(Absent::NotApplicable)
        },
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

/// What the version resource of an image says, if the dump holds its pages.
fn version_of(core: &Core, driver: &Driver) -> Option<VersionInfo> {
    #[allow(
        clippy::redundant_closure_for_method_calls,
        reason = "the method has one lifetime more"
    )]
    codeview::with_image(core, driver.base, |image| image.version())
}

/// When an image was built, where its time date stamp is a time.
/// The first build of Windows 10.
const WINDOWS_10: u32 = 10240;

/// Images beside the kernel that are always of Windows itself.
const OF_WINDOWS: [&str; 12] = [
    "acpi.sys",
    "ci.dll",
    "clfs.sys",
    "cng.sys",
    "fltmgr.sys",
    "hal.dll",
    "kdcom.dll",
    "ndis.sys",
    "ntfs.sys",
    "pshed.dll",
    "tcpip.sys",
    "win32k.sys",
];

/// Whether an image is part of Windows, by its name.
fn is_of_windows(core: &Core, driver: &Driver) -> bool {
    let file = core.driver_file(driver);
    let is_named = |file: &str| OF_WINDOWS.iter().any(|name| file.eq_ignore_ascii_case(name));
    core.kernel_base() == Some(driver.base) || file.as_deref().is_some_and(is_named)
}

fn built(core: &Core, driver: &Driver) -> Cell<i64> {
    // An image whose debug directory is not in the dump does not say what its stamp is.
    let is_hash = codeview::with_image(core, driver.base, |image| {
        if image.is_reproducible() { Some(true) } else { image.pdb().map(|_| false) }
    });
    // Those of Windows 10 are all reproducible.
    let is_windows_10 = core.header.build.is_some_and(|build| build >= WINDOWS_10);
    let is_hash =
        is_hash.or_else(|| (is_windows_10 && is_of_windows(core, driver)).then_some(true));
    let made = core.header.system_time.and_then(|time| unix_micros(time).ok());
    build_time(driver.timestamp.into(), is_hash == Some(true), made)
}
