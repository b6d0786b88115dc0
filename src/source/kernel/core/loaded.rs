//! The kernel's list of loaded modules, for dumps with physical memory.

use crate::source::kernel::core::Core;

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::dump::triage::Driver;
use crate::source::kernel::core::modules::Modules;
use crate::symbol::Field;

/// Upper limit on drivers; a longer list is damaged.
const MAX_DRIVERS: usize = 10_000;
/// The structure of an entry under its old and its new name.
const ENTRY: [&str; 2] = ["_KLDR_DATA_TABLE_ENTRY", "_LDR_DATA_TABLE_ENTRY"];

impl Core {
    /// The modules on `PsLoadedModuleList`; empty if the layout of the entries is unknown.
    pub(crate) fn loaded_modules(&self) -> Modules {
        let block = || self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::MODULE_LIST));
        let head = self.header.module_list.or_else(block).ok_or(Absent::NotInDump);
        let offset = self.entry_field("InLoadOrderLinks").map_or(0, |field| field.offset as u64);
        let entries = self.listed(head, offset, MAX_DRIVERS);
        let (drivers, paths) = entries
            .into_iter()
            .filter_map(|entry| Some((self.loaded(entry)?, self.path_of(entry))))
            .unzip();
        Modules::with_paths(drivers, paths)
    }

    /// Whether list entries have a number with this name; entries in triage dumps do.
    pub(crate) fn states(&self, path: &'static str) -> bool {
        self.triage.is_some() || self.entry_field(path).is_some()
    }

    fn entry_field(&self, path: &'static str) -> Option<Field> {
        ENTRY.into_iter().find_map(|ty| self.field(ty, path))
    }

    fn entry_address(&self, entry: u64, path: &'static str) -> Option<u64> {
        entry.checked_add(self.entry_field(path)?.offset as u64)
    }

    /// An entry; `None` if it has no base, which every module has.
    fn loaded(&self, entry: u64) -> Option<Driver> {
        let base = self.pointer_at(self.entry_address(entry, "DllBase")?).ok()?;
        let number = |path| self.u32_at(self.entry_address(entry, path)?).ok();
        (base != 0).then(|| Driver {
            name: 0,
            base,
            size: number("SizeOfImage").unwrap_or_default(),
            checksum: number("CheckSum").unwrap_or_default(),
            timestamp: number("TimeDateStamp").unwrap_or_default(),
        })
    }

    /// The path of an entry, or its file name if the path is missing.
    fn path_of(&self, entry: u64) -> Cell<String> {
        let text =
            |path| self.unicode_string(self.entry_address(entry, path).ok_or(Absent::NoSymbols)?);
        text("FullDllName").or_else(|_| text("BaseDllName"))
    }
}
