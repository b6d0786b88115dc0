//! Loaded and unloaded drivers, and the module of an address.

use std::sync::OnceLock;

use crate::source::kernel::core::Core;

use crate::catalog::{Absent, Cell};
use crate::dump::triage::{self, Driver};
use crate::model::Located;

/// File names of the kernel itself.
const KERNELS: [&str; 5] = ["ntoskrnl", "ntkrnlmp", "ntkrnlpa", "ntkrpamp", "ntkrla57"];

/// The loaded drivers in the order of the dump, and an index by address.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    drivers: Vec<Driver>,
    /// First address, address behind the last, and position in `drivers`; sorted.
    ranges: Vec<(u64, u64, usize)>,
    /// Their paths, if these are not in a triage block.
    paths: Vec<Cell<String>>,
    /// The position of the kernel among them, determined on first use.
    kernel: OnceLock<Option<usize>>,
}

impl Modules {
    pub(crate) fn new(drivers: Vec<Driver>) -> Self {
        let range = |(i, driver): (usize, &Driver)| (driver.base, end_of(driver), i);
        let mut ranges: Vec<_> = drivers.iter().enumerate().map(range).collect();
        ranges.sort_unstable();
        Self { drivers, ranges, ..Self::default() }
    }

    /// Drivers together with their paths.
    pub(crate) fn with_paths(drivers: Vec<Driver>, paths: Vec<Cell<String>>) -> Self {
        Self { paths, ..Self::new(drivers) }
    }

    /// The path of the driver at a base, if paths were given.
    fn path(&self, base: u64) -> Option<&Cell<String>> {
        let first = self.ranges.partition_point(|(start, ..)| *start < base);
        let (start, _, position) = self.ranges.get(first)?;
        if *start == base { self.paths.get(*position) } else { None }
    }

    /// The driver that contains an address.
    fn at(&self, address: u64) -> Option<&Driver> {
        let next = self.ranges.partition_point(|(base, _, _)| *base <= address);
        let (_, end, position) = self.ranges.get(next.checked_sub(1)?)?;
        if address < *end { self.drivers.get(*position) } else { None }
    }

    /// First address and end of the driver that contains an address.
    pub(crate) fn span(&self, address: u64) -> Option<(u64, u64)> {
        self.at(address).map(|driver| (driver.base, end_of(driver)))
    }

    /// Whether a driver contains an address.
    pub(crate) fn contains(&self, address: u64) -> bool {
        self.at(address).is_some()
    }

    /// The driver whose image begins at an address.
    pub(crate) fn starting_at(&self, base: u64) -> Option<&Driver> {
        self.at(base).filter(|driver| driver.base == base)
    }

    /// The first driver with a file name of the kernel. Every driver is tested only once, because a
    /// damaged list has thousands of drivers and every row asks.
    fn kernel(&self, is_kernel: impl FnMut(&Driver) -> bool) -> Option<&Driver> {
        let position = self.kernel.get_or_init(|| self.drivers.iter().position(is_kernel));
        self.drivers.get((*position)?)
    }

    /// The drivers in the order of the dump.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Driver> {
        self.drivers.iter()
    }
}

pub(crate) fn end_of(driver: &Driver) -> u64 {
    driver.base.saturating_add(u64::from(driver.size))
}

/// The last component of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// A file name without its extension.
fn stem(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

fn is_kernel(stem: &str) -> bool {
    KERNELS.iter().any(|name| stem.eq_ignore_ascii_case(name))
}

impl Core {
    /// Whether the kernel image contains an address.
    pub(crate) fn is_in_kernel(&self, address: u64) -> Cell<bool> {
        let kernel = self.kernel_driver().ok_or(Absent::NotInDump)?;
        Ok(address.checked_sub(kernel.base).is_some_and(|offset| offset < kernel.size.into()))
    }

    /// The driver entry of the kernel itself.
    pub(crate) fn kernel_driver(&self) -> Option<&Driver> {
        // Layouts are chosen before modules can be listed, by the kernel's base only.
        if self.triage.is_none() && self.types.get().is_none() {
            return None;
        }
        if let Some(base) = self.kernel_base_stated() {
            return self.modules().starting_at(base);
        }
        self.modules().kernel(|driver| {
            self.driver_path(driver).is_ok_and(|path| is_kernel(stem(file_name(&path))))
        })
    }

    /// The base of the kernel's image.
    pub(crate) fn kernel_base(&self) -> Option<u64> {
        self.kernel_base_stated().or_else(|| self.kernel_driver().map(|driver| driver.base))
    }

    /// The base of the module with this name.
    pub(crate) fn base_of(&self, name: &str) -> Option<u64> {
        let is_it = |driver: &&Driver| {
            let path = self.driver_path(driver);
            path.is_ok_and(|path| self.driver_name(driver, &path).eq_ignore_ascii_case(name))
        };
        self.modules().iter().find(is_it).map(|driver| driver.base)
    }

    /// The driver whose image begins at an address.
    pub(crate) fn driver_at(&self, base: u64) -> Option<&Driver> {
        self.modules().starting_at(base)
    }

    /// The file name of a driver.
    pub(crate) fn driver_file(&self, driver: &Driver) -> Option<String> {
        self.driver_path(driver).ok().map(|path| file_name(&path).to_owned())
    }

    pub(crate) fn driver_path(&self, driver: &Driver) -> Cell<String> {
        if let Some(path) = self.modules().path(driver.base) {
            return path.clone();
        }
        if driver.name == 0 {
            return Err(Absent::NotInDump);
        }
        let name = triage::name_at(&self.image, driver.name).ok_or(Absent::Unreadable)?;
        if name.is_empty() { Err(Absent::Unreadable) } else { Ok(name) }
    }

    pub(crate) fn driver_name(&self, driver: &Driver, path: &str) -> String {
        let stem = stem(file_name(path));
        let is_kernel = match self.kernel_base_stated() {
            Some(base) => driver.base == base,
            None => is_kernel(stem),
        };
        if is_kernel { "nt".to_owned() } else { stem.to_owned() }
    }

    /// The module of an address and the offset in it, without symbols.
    pub(crate) fn module_at(&self, address: u64) -> Cell<Located> {
        let driver = self.modules().at(address).ok_or(Absent::NotApplicable)?;
        let module = match self.driver_path(driver) {
            Ok(path) => self.driver_name(driver, &path),
            Err(_) => format!("{:#x}", driver.base),
        };
        Ok(Located { module, symbol: None, offset: address - driver.base })
    }
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
    fn each_driver_is_tested_once() {
        let driver = |base| Driver { base, size: 0x1000, ..Driver::default() };
        for wanted in [Some(0x5000), None] {
            let modules = Modules::new((0..100).map(|i| driver(i << 12)).collect());
            let mut judged = 0;
            for _ in 0..100 {
                let found = modules.kernel(|driver| {
                    judged += 1;
                    Some(driver.base) == wanted
                });
                assert_eq!(found.map(|driver| driver.base), wanted);
            }
            assert!(judged <= 100, "{judged} drivers judged");
        }
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
