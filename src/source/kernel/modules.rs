//! Loaded and unloaded drivers, and the module of an address.

use super::KernelDump;
use super::codeview;
use super::overview::unix_micros;
use crate::catalog::{Absent, Cell};
use crate::dump::triage::{self, Driver};
use crate::model::{Emit, Located, Module, Unanswered, UnloadedModule, Want};
use crate::source::build_time::build_time;
use crate::symbol::image::VersionInfo;

/// Names of the file of the kernel itself.
const KERNELS: [&str; 5] = ["ntoskrnl", "ntkrnlmp", "ntkrnlpa", "ntkrpamp", "ntkrla57"];

/// The loaded drivers in the order of the dump, and an index by address.
#[derive(Debug, Default)]
pub(super) struct Modules {
    drivers: Vec<Driver>,
    /// First address, address after the last, and position in `drivers`; sorted.
    ranges: Vec<(u64, u64, usize)>,
    /// Their paths, where those are not in a triage block.
    paths: Vec<Cell<String>>,
}

impl Modules {
    pub(super) fn new(drivers: Vec<Driver>) -> Self {
        let range = |(i, driver): (usize, &Driver)| (driver.base, end_of(driver), i);
        let mut ranges: Vec<_> = drivers.iter().enumerate().map(range).collect();
        ranges.sort_unstable();
        Self { drivers, ranges, paths: Vec::new() }
    }

    /// Drivers whose paths come with them.
    pub(super) fn with_paths(drivers: Vec<Driver>, paths: Vec<Cell<String>>) -> Self {
        Self { paths, ..Self::new(drivers) }
    }

    /// The path of the driver at a base, if paths came with the drivers.
    fn path(&self, base: u64) -> Option<&Cell<String>> {
        let first = self.ranges.partition_point(|(start, ..)| *start < base);
        let (start, _, position) = self.ranges.get(first)?;
        if *start == base { self.paths.get(*position) } else { None }
    }

    /// The driver that holds the address.
    fn at(&self, address: u64) -> Option<&Driver> {
        let next = self.ranges.partition_point(|(base, _, _)| *base <= address);
        let (_, end, position) = self.ranges.get(next.checked_sub(1)?)?;
        if address < *end { self.drivers.get(*position) } else { None }
    }

    /// The first address of the driver that holds an address, and the address after its last.
    pub(super) fn span(&self, address: u64) -> Option<(u64, u64)> {
        self.at(address).map(|driver| (driver.base, end_of(driver)))
    }

    /// Whether a driver holds the address.
    pub(super) fn contains(&self, address: u64) -> bool {
        self.at(address).is_some()
    }

    /// The driver whose image begins at an address.
    pub(super) fn starting_at(&self, base: u64) -> Option<&Driver> {
        self.at(base).filter(|driver| driver.base == base)
    }

    /// The drivers in the order of the dump.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Driver> {
        self.drivers.iter()
    }
}

fn end_of(driver: &Driver) -> u64 {
    driver.base.saturating_add(u64::from(driver.size))
}

/// The last component of a path.
fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// A file name without its extension.
fn stem(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

impl KernelDump {
    /// The driver of the kernel itself.
    pub(super) fn kernel_driver(&self) -> Option<&Driver> {
        // Layouts are chosen before modules can be listed, and by the kernel's base alone.
        if self.triage.is_none() && self.types.get().is_none() {
            return None;
        }
        let drivers = || self.drivers().iter();
        if let Some(base) = self.kernel_base_stated() {
            return drivers().find(|driver| driver.base == base);
        }
        drivers().find(|driver| {
            self.driver_path(driver).is_ok_and(|path| is_kernel(stem(file_name(&path))))
        })
    }

    /// The base of the kernel's image.
    pub(super) fn kernel_base(&self) -> Option<u64> {
        self.kernel_base_stated().or_else(|| self.kernel_driver().map(|driver| driver.base))
    }

    /// The base of the module of that name.
    pub(super) fn base_of(&self, name: &str) -> Option<u64> {
        let is_it = |driver: &&Driver| {
            let path = self.driver_path(driver);
            path.is_ok_and(|path| self.driver_name(driver, &path).eq_ignore_ascii_case(name))
        };
        self.drivers().iter().find(is_it).map(|driver| driver.base)
    }

    /// The driver whose image begins at an address.
    pub(super) fn driver_at(&self, base: u64) -> Option<&Driver> {
        self.drivers().starting_at(base)
    }

    /// The file name of a driver.
    pub(super) fn driver_file(&self, driver: &Driver) -> Option<String> {
        self.driver_path(driver).ok().map(|path| file_name(&path).to_owned())
    }

    fn driver_path(&self, driver: &Driver) -> Cell<String> {
        if let Some(path) = self.drivers().path(driver.base) {
            return path.clone();
        }
        if driver.name == 0 {
            return Err(Absent::NotInDump);
        }
        let name = triage::name_at(&self.image, driver.name).ok_or(Absent::Unreadable)?;
        if name.is_empty() { Err(Absent::Unreadable) } else { Ok(name) }
    }

    fn driver_name(&self, driver: &Driver, path: &str) -> String {
        let stem = stem(file_name(path));
        let is_kernel = match self.kernel_base_stated() {
            Some(base) => driver.base == base,
            None => is_kernel(stem),
        };
        if is_kernel { "nt".to_owned() } else { stem.to_owned() }
    }

    pub(super) fn each_module(
        &self,
        want: &Want<'_, Module>,
        emit: Emit<'_, Module>,
    ) -> Result<(), Unanswered> {
        self.has_memory()?;
        if self.triage.is_none() && self.drivers().iter().len() == 0 {
            return Err(Unanswered::because("the list of modules is not in the dump"));
        }
        for (order, driver) in self.drivers().iter().enumerate() {
            if emit.row(self.module(want, order, driver)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn module(&self, want: &Want<'_, Module>, order: usize, driver: &Driver) -> Module {
        let path = self.driver_path(driver);
        let id = if want.has_any(|c| [c.pdb_name, c.pdb_guid, c.pdb_age]) {
            self.pdb_of(driver.base, end_of(driver)).ok_or(Absent::NotInDump)
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
            self.version_of(driver)
        } else {
            None
        };
        let part = |get: fn(&VersionInfo) -> &Option<String>| match &version {
            // A resource that is there and does not say it has no such value.
            Some(info) => get(info).clone().ok_or(Absent::NotApplicable),
            None => Err(Absent::NotInDump),
        };
        Module {
            base: Ok(driver.base),
            end: Ok(end_of(driver)),
            size_bytes: Ok(driver.size.into()),
            name: path.as_deref().map(|p| self.driver_name(driver, p)).map_err(|e| *e),
            image_name: path.as_deref().map(|p| file_name(p).to_owned()).map_err(|e| *e),
            path: path.and_then(|p| if is_path(&p) { Ok(p) } else { Err(Absent::NotInDump) }),
            timestamp: Ok(driver.timestamp.into()),
            build_time: if want.has(|c| c.build_time) {
                self.build_time(driver)
            } else {
                Err(Absent::NotApplicable)
            },
            checksum: Ok(driver.checksum.into()),
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
                Ok(self.said_of(driver).status)
            } else {
                Err(Absent::NotApplicable)
            },
            is_user: Ok(false),
            load_order: i64::try_from(order).map_err(|_| Absent::NotApplicable),
            driver_object: if want.has(|c| c.driver_object) && self.pages.is_some() {
                self.driver_of_image(driver.base)
            } else {
                Err(Absent::NotInDump)
            },
            ..Module::default()
        }
    }

    /// What the version resource of an image says, if the dump holds its pages.
    fn version_of(&self, driver: &Driver) -> Option<VersionInfo> {
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the method has one lifetime more"
        )]
        codeview::with_image(self, driver.base, |image| image.version())
    }

    /// When an image was built, where its time date stamp is a time.
    fn build_time(&self, driver: &Driver) -> Cell<i64> {
        let is_hash =
            codeview::with_image(self, driver.base, |image| Some(image.is_reproducible()));
        let made = self.header.system_time.and_then(|time| unix_micros(time).ok());
        build_time(driver.timestamp.into(), is_hash == Some(true), made)
    }

    pub(super) fn each_unloaded(&self, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
        let triage = self.triage()?;
        if triage.unloaded_drivers.offset == 0 {
            return Err(Unanswered::because("the dump has no list of unloaded drivers"));
        }
        for driver in triage.unloaded(&self.image, self.header.width) {
            let size = driver.end.checked_sub(driver.start).and_then(|n| i64::try_from(n).ok());
            let row = UnloadedModule {
                name: if driver.name.is_empty() {
                    Err(Absent::Unreadable)
                } else {
                    Ok(driver.name)
                },
                start: Ok(driver.start),
                end: Ok(driver.end),
                size_bytes: size.ok_or(Absent::Unreadable),
                // Triage dumps leave these out of the system's list.
                unload_time: Err(Absent::NotInDump),
                timestamp: Err(Absent::NotInDump),
                checksum: Err(Absent::NotInDump),
                ..UnloadedModule::default()
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The module of an address and the offset in it, without symbols.
    pub(super) fn module_at(&self, address: u64) -> Cell<Located> {
        let driver = self.drivers().at(address).ok_or(Absent::NotApplicable)?;
        let module = match self.driver_path(driver) {
            Ok(path) => self.driver_name(driver, &path),
            Err(_) => format!("{:#x}", driver.base),
        };
        Ok(Located { module, symbol: None, offset: address - driver.base })
    }
}

fn is_kernel(stem: &str) -> bool {
    KERNELS.iter().any(|name| stem.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_directory_and_extension() {
        let of = |path| stem(file_name(path));
        assert_eq!(of("\\SystemRoot\\System32\\drivers\\tm.sys"), "tm");
        assert_eq!(of("ntoskrnl.exe"), "ntoskrnl");
        assert_eq!(of("Microsoft.Bluetooth.Legacy.LEEnumerator.sys").len(), 39);
        assert_eq!(of("\\Driver\\.sys"), ".sys");
        assert_eq!(of(""), "");
    }

    #[test]
    fn an_address_belongs_to_the_module_that_starts_last_before_it() {
        let driver = |base, size| Driver { base, size, ..Driver::default() };
        let modules = Modules::new(vec![driver(0x3000, 0x1000), driver(0x1000, 0x800)]);
        assert!(modules.contains(0x3fff) && modules.contains(0x1000));
        assert!(!modules.contains(0x1800) && !modules.contains(0x4000) && !modules.contains(0));
        let top = Modules::new(vec![driver(u64::MAX - 1, u32::MAX)]);
        assert!(top.contains(u64::MAX - 1));
    }
}
