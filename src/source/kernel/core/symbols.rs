//! Symbols of addresses: which file has the symbols of a module, and what is reported about it.

use crate::source::kernel::core::Core;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::dump::triage::Driver;
use crate::model::Located;
use crate::source::kernel::core::codeview;
use crate::symbol::image::Image;
use crate::symbol::{ExportNames, Format, ImageFile, ImageId, Names, PdbId, Status};

/// An address farther than this from an exported function probably belongs to another function,
/// which is not exported.
const MAX_FROM_EXPORT: u64 = 0x1000;

/// What is known about the symbols of modules, by base address; read on first use.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    pdbs: Mutex<HashMap<u64, Option<PdbId>>>,
    /// Every CodeView record in the memory ranges of a triage dump, by address.
    pub(crate) records: OnceLock<Vec<(u64, PdbId)>>,
    exports: Mutex<HashMap<u64, Option<Arc<ExportNames>>>>,
    images: Mutex<HashMap<u64, Option<Arc<ImageFile>>>>,
}

/// What is reported about the symbols of a module.
pub(crate) struct Said {
    pub(crate) status: String,
    pub(crate) found_at: Cell<String>,
}

/// A value that is computed once for each key; the lock is not held during the computation.
fn once<T: Clone>(known: &Mutex<HashMap<u64, T>>, key: u64, make: impl FnOnce() -> T) -> T {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = lock().get(&key) {
        return found.clone();
    }
    let made = make();
    lock().insert(key, made.clone());
    made
}

impl Core {
    /// The pointer in a kernel variable, whose address the debugger data block or a symbol gives.
    pub(crate) fn variable_pointer(&self, offset: usize, symbol: &str) -> Cell<u64> {
        let stated = self.kdbg().and_then(|kdbg| kdbg.pointer(offset));
        let at = stated.or_else(|| self.symbol_address("nt", symbol)).ok_or(Absent::NoSymbols)?;
        match self.pointer_at(at)? {
            0 => Err(Absent::NotApplicable),
            pointer => Ok(pointer),
        }
    }

    /// The PDB that the image at an address names.
    pub(crate) fn pdb_of(&self, base: u64, end: u64) -> Option<PdbId> {
        once(&self.names.pdbs, base, || codeview::find(self, base, end))
    }

    /// The symbols of the module at a base, from its symbol file.
    fn file_names(&self, base: u64) -> Option<Arc<dyn Names>> {
        if self.symbols.is_empty() {
            return None;
        }
        if self.kernel_base() == Some(base)
            && let Some(layout) = self.types().names()
        {
            return Some(Arc::clone(layout) as Arc<dyn Names>);
        }
        let driver = self.driver_at(base)?;
        let end = base.saturating_add(driver.size.into());
        self.symbols.names(&self.pdb_of(base, end)?)
    }

    /// The exports of a module, as far as the dump holds them.
    fn exports_of(&self, base: u64) -> Option<Arc<ExportNames>> {
        once(&self.names.exports, base, || {
            let exports = codeview::with_image(self, base, |image: &Image<'_>| {
                Some(ExportNames::new(image.exports()))
            });
            exports.filter(|exports| !exports.is_empty()).map(Arc::new)
        })
    }

    /// The module and, if known, the symbol of an address; if no module contains it, the driver
    /// that was unloaded from there.
    pub(crate) fn place_of(&self, address: u64) -> Cell<Located> {
        let place = match self.module_at(address) {
            Ok(place) => place,
            Err(absent) => return self.unloaded_at(address).ok_or(absent),
        };
        let base = address.checked_sub(place.offset);
        let named = base.and_then(|base| self.symbol_at(base, place.offset));
        Ok(match named {
            Some((symbol, offset)) => Located { symbol: Some(symbol), offset, ..place },
            None => place,
        })
    }

    fn symbol_at(&self, base: u64, rva: u64) -> Option<(String, u64)> {
        if let Some(names) = self.file_names(base) {
            return names.nearest(rva);
        }
        let found = self.exports_of(base)?.nearest(rva);
        found.filter(|(_, offset)| *offset < MAX_FROM_EXPORT)
    }

    /// The image file of the module at a base, if the symbol path has it.
    pub(crate) fn image_file(&self, base: u64) -> Option<Arc<ImageFile>> {
        if self.symbols.is_empty() {
            return None;
        }
        once(&self.names.images, base, || {
            let driver = self.driver_at(base)?;
            let name = self.driver_file(driver)?;
            let (timestamp, size) = (driver.timestamp, driver.size);
            self.symbols.image(&ImageId { name, timestamp, size })
        })
    }

    /// Source file and line of the code at an address.
    pub(crate) fn line_of(&self, address: u64) -> Option<(String, u32)> {
        let (base, _) = self.modules().span(address)?;
        self.file_names(base)?.line(address - base)
    }

    /// The address of a symbol of a module.
    pub(crate) fn symbol_address(&self, module: &str, name: &str) -> Option<u64> {
        let is_kernel = module.eq_ignore_ascii_case("nt");
        // The kernel's base must not need the module list, which is read with the kernel's symbols.
        let base = if is_kernel { self.kernel_base() } else { self.base_of(module) }?;
        let rva = self.file_names(base).and_then(|names| names.address(name));
        let rva = rva.or_else(|| self.exports_of(base)?.address(name));
        match rva {
            Some(rva) => base.checked_add(rva),
            None => self.stated_address(name).filter(|_| self.kernel_base() == Some(base)),
        }
    }

    /// The address of a kernel variable that the debugger data block gives.
    fn stated_address(&self, name: &str) -> Option<u64> {
        let (_, number) = kdbg::POINTERS.iter().find(|(known, _)| *known == name)?;
        self.kdbg()?.pointer(*number).filter(|address| *address != 0)
    }

    /// What is known about the symbols of the image with this PDB.
    pub(crate) fn status_of(&self, id: &PdbId) -> String {
        let found = self.symbols.find(id);
        match found.note {
            Some(note) => format!("{}: {note}", found.status.text()),
            None => found.status.text().to_owned(),
        }
    }

    /// What is known about a module's symbols, without asking a symbol server.
    pub(crate) fn said_of(&self, driver: &Driver) -> Said {
        let end = driver.base.saturating_add(driver.size.into());
        let id = self.pdb_of(driver.base, end);
        let found = id.as_ref().map(|id| self.symbols.find(id));
        if let Some(found) = found.as_ref().filter(|found| found.at.is_some()) {
            let at = found.at.as_ref().map(|path| path.display().to_string());
            return Said {
                status: found.status.text().to_owned(),
                found_at: at.ok_or(Absent::NoSymbols),
            };
        }
        let is_kernel = self.kernel_base() == Some(driver.base);
        if is_kernel && let Some((layout, label)) = self.types().source() {
            let status = match (layout.format(), self.types().names()) {
                (Format::Isf, Some(_)) => "isf",
                (Format::Pdb, Some(_)) => "pdb",
                _ => "built-in layout",
            };
            return Said { status: status.to_owned(), found_at: Ok(label.to_owned()) };
        }
        let absent = Err(Absent::NoSymbols);
        let status = match &found {
            Some(found) if found.status == Status::Deferred => found.status.text().to_owned(),
            _ if self.exports_of(driver.base).is_some() => "export".to_owned(),
            Some(found) => match &found.note {
                Some(note) => format!("none: {note}"),
                None => "none".to_owned(),
            },
            None => "none: the dump does not hold the name of its PDB".to_owned(),
        };
        Said { status, found_at: absent }
    }

    /// The PDB of the module that contains an address.
    pub(crate) fn pdb_at(&self, address: u64) -> Option<PdbId> {
        let (base, end) = self.modules().span(address)?;
        self.pdb_of(base, end)
    }

    /// A routine as debuggers print it.
    pub(crate) fn symbol_text(&self, routine: Cell<u64>) -> Cell<String> {
        routine.and_then(|at| self.place_of(at)).map(|place| place.display())
    }
}
