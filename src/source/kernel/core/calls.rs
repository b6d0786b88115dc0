//! What hosts and the table functions `struct`, `list` and `array` need from a dump: memory,
//! symbols, and the structure layouts of its modules.

use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::model::{AddressSpace, Located, Refused};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::code::Program;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::core::types::PROCESS;
use crate::source::listing;
use crate::source::typed::{self, Callee, Memory};
use crate::symbol::Layout;

impl AddressSpace for Core {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        self.kernel_space().read(address, buffer)
    }

    fn code(&self, address: u64, buffer: &mut [u8]) -> usize {
        listing::fetch(&Program(self), address, buffer)
    }

    fn locate(&self, address: u64) -> Cell<Located> {
        self.place_of(self.plain(address))
    }

    fn address_of(&self, symbol: &str) -> Cell<u64> {
        match symbol.split_once('!') {
            Some((module, name)) => self.symbol_address(module, name).ok_or(Absent::NoSymbols),
            None => self.base_of(symbol).ok_or(Absent::NoSymbols),
        }
    }
}

impl Core {
    /// The address space of a process.
    fn space_of(&self, eprocess: u64, argument: usize) -> Result<Space<'_>, Refused> {
        let process = self.object(PROCESS, eprocess);
        let dtb = process.map_or(Err(Absent::NotInDump), |p| p.pointer("Pcb.DirectoryTableBase"));
        match dtb {
            Ok(dtb) => Ok(self.space(dtb)),
            Err(_) => Err(Refused::argument(argument, "no process at that address")),
        }
    }
}

impl Callee for Core {
    fn layout_of(
        &self,
        module: Option<&str>,
        name: &str,
        argument: usize,
    ) -> Result<Arc<Layout>, Refused> {
        let Some(module) = module.filter(|module| !module.eq_ignore_ascii_case("nt")) else {
            let layout = self.types().layout_of(name);
            return layout.ok_or_else(|| match self.types().source() {
                Some((_, label)) => Refused::because(format!(
                    "the {label} fits this kernel in part; `--symbols` with its PDB tells the rest"
                )),
                None => Refused::because("no layout of its kernel is known"),
            });
        };
        let Some(driver) = self.base_of(module).and_then(|base| self.driver_at(base)) else {
            return Err(Refused::argument(argument, format!("no module `{module}`")));
        };
        let id = self.pdb_of(driver.base, driver.base.saturating_add(driver.size.into()));
        typed::layout_of_module(&self.symbols, module, id.as_ref())
    }

    fn memory_of(
        &self,
        _: Option<&str>,
        process: Option<(u64, usize)>,
    ) -> Result<Box<dyn Memory + '_>, Refused> {
        let space = match process {
            None => self.kernel_space(),
            Some((eprocess, argument)) => self.space_of(eprocess, argument)?,
        };
        Ok(Box::new(space))
    }
}
