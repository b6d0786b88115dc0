//! `struct`, `list` and `array`: any structure that the type information knows, as rows.

use std::borrow::Cow;
use std::sync::Arc;

use super::KernelDump;
use super::memory::Space;
use super::types::Ty;
use crate::catalog::{Absent, Cell, Value};
use crate::model::{DynTable, Refused};
use crate::source::typed::{self, Callee, Memory};
use crate::symbol::Layout;

impl KernelDump {
    pub(super) fn call(
        &self,
        name: &str,
        args: &[Value<'static>],
    ) -> Result<DynTable<'_>, Refused> {
        typed::answer(self, name, args)
    }

    /// The address space of a process.
    fn space_of(&self, eprocess: u64, argument: usize) -> Result<Space<'_>, Refused> {
        let process = self.object(Ty::Process, eprocess);
        let dtb = process.map_or(Err(Absent::NotInDump), |p| p.pointer("Pcb.DirectoryTableBase"));
        match dtb {
            Ok(dtb) => Ok(self.space(dtb)),
            Err(_) => Err(Refused::argument(argument, "no process at that address")),
        }
    }
}

impl Callee for KernelDump {
    fn layout_of(
        &self,
        module: Option<&str>,
        _: &str,
        argument: usize,
    ) -> Result<Arc<Layout>, Refused> {
        let Some(module) = module.filter(|module| !module.eq_ignore_ascii_case("nt")) else {
            let layout = self.types().layout();
            return layout.ok_or_else(|| Refused::because("no layout of its kernel is known"));
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

impl Memory for Space<'_> {
    fn pointer_bytes(&self) -> usize {
        self.dump().header.width.bytes()
    }

    fn plain(&self, address: u64) -> u64 {
        self.dump().plain(address)
    }

    fn prefix(&self, address: u64, most: usize) -> Cell<Cow<'_, [u8]>> {
        Space::prefix(*self, address, most)
    }

    fn bytes(&self, address: u64, len: usize) -> Cell<Vec<u8>> {
        Space::bytes(*self, address, len)
    }

    fn pointer_at(&self, address: u64) -> Cell<u64> {
        Space::pointer_at(*self, address)
    }
}
