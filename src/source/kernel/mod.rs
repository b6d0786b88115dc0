//! Kernel dumps: what their header, their triage block and the memory they hold say.
//!
//! Triage dumps are answered from the pieces of memory they hold. Of dumps with physical memory
//! only the header is read.

mod arch;
mod codeview;
mod crash;
mod modules;
mod overview;
mod pieces;
mod registers;

use self::arch::Arch;
use self::modules::Modules;
use self::pieces::{Objects, Placed};
use crate::catalog::{Absent, Cell, PointerWidth, SourceKind};
use crate::dump::header::{self, DumpType, KernelHeader};
use crate::dump::kdbg::{self, Kdbg};
use crate::dump::triage::{self, Driver, Triage};
use crate::dump::{Error, Image, Width};
use crate::memory::{Gva, Regions};
use crate::model::{
    Bugcheck, CoverageRange, DumpInfo, Emit, Exception, Located, Machine, Module, Problem,
    Register, Source, Unanswered, UnloadedModule, Want,
};
use crate::symbol::Store;

/// An open kernel dump.
#[derive(Debug)]
pub(crate) struct KernelDump {
    image: Image,
    header: KernelHeader,
    arch: Arch,
    triage: Option<Triage>,
    placed: Vec<Placed>,
    objects: Objects,
    regions: Regions,
    modules: Modules,
}

/// Opens a kernel dump.
///
/// # Errors
/// [`Error::NotADump`] if the header is damaged beyond use.
pub fn open(image: Image, symbols: &Store) -> Result<Box<dyn Source>, Error> {
    let _ = symbols;
    let width = if image.starts_with(b"PAGEDU64") { Width::W64 } else { Width::W32 };
    let header = header::parse(&image, width);
    let is_triage = header.dump_type == DumpType::Triage;
    let triage = if is_triage { triage::parse(&image, width) } else { None };
    let (placed, objects) = match &triage {
        Some(triage) => pieces::place(&image, width, triage, header.kdbg),
        None => Default::default(),
    };
    let drivers: Vec<Driver> =
        triage.as_ref().map(|t| t.drivers(&image, width).collect()).unwrap_or_default();
    Ok(Box::new(KernelDump {
        arch: header.machine.map_or(Arch::Other, Arch::from_machine),
        regions: pieces::regions(&placed),
        modules: Modules::new(drivers),
        image,
        header,
        triage,
        placed,
        objects,
    }))
}

impl KernelDump {
    /// The triage block, or why there is none.
    fn triage(&self) -> Result<&Triage, Unanswered> {
        self.triage.as_ref().ok_or_else(|| match self.header.dump_type {
            DumpType::Triage => Unanswered::because("the triage block of the dump is cut off"),
            other => Unanswered::because(format!(
                "memory of dumps of type \"{}\" is not read by this version",
                other.words()
            )),
        })
    }

    /// The debugger data block.
    fn kdbg(&self) -> Option<Kdbg<'_>> {
        let bytes = self.triage.as_ref()?.debugger_data.bytes(&self.image);
        Kdbg::new(bytes, self.header.width)
    }

    /// The kernel's base by the debugger data block.
    fn kernel_base_stated(&self) -> Option<u64> {
        self.kdbg()?.pointer(kdbg::KERN_BASE)
    }

    /// The bytes of a range; `None` unless the dump holds all of them.
    fn bytes(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        if self.readable(address, len) < len {
            return None;
        }
        let mut buffer = vec![0; len];
        self.regions.read(&self.image, Gva(address), &mut buffer).ok()?;
        Some(buffer)
    }

    /// How many bytes from the address on the dump holds, at most `limit`.
    fn readable(&self, address: u64, limit: usize) -> usize {
        self.regions.readable(&self.image, Gva(address), limit)
    }

    /// The module, and the symbol if known, of an address.
    fn place_of(&self, address: u64) -> Cell<Located> {
        self.module_at(address)
    }

    fn symbol_status(&self, _: &Driver) -> &'static str {
        "none"
    }

    fn current_thread(&self) -> Cell<u64> {
        self.objects.thread.ok_or(Absent::NotInDump)
    }

    fn current_tid(&self) -> Cell<i64> {
        Err(Absent::NoSymbols)
    }

    fn current_processor(&self) -> Cell<i64> {
        Err(Absent::NoSymbols)
    }

    fn current_process_name(&self) -> Cell<String> {
        Err(Absent::NoSymbols)
    }
}

impl Source for KernelDump {
    fn kind(&self) -> SourceKind {
        match self.header.dump_type {
            DumpType::Triage => SourceKind::Triage,
            _ => SourceKind::Kernel,
        }
    }

    fn machine(&self) -> Machine {
        let width = match self.header.width {
            Width::W32 => PointerWidth::Bits32,
            Width::W64 => PointerWidth::Bits64,
        };
        Machine { width, arch: self.arch.name() }
    }

    fn dump(&self, _: &Want<'_>) -> Result<DumpInfo, Unanswered> {
        Ok(self.dump_row())
    }

    fn bugcheck(&self, _: &Want<'_>, emit: Emit<'_, Bugcheck>) -> Result<(), Unanswered> {
        let _ = emit(self.bugcheck_row()?);
        Ok(())
    }

    fn exceptions(&self, _: &Want<'_>, emit: Emit<'_, Exception>) -> Result<(), Unanswered> {
        let _ = emit(self.exception_row()?);
        Ok(())
    }

    fn registers(&self, _: &Want<'_>, emit: Emit<'_, Register>) -> Result<(), Unanswered> {
        self.each_register(emit)
    }

    fn modules(&self, want: &Want<'_>, emit: Emit<'_, Module>) -> Result<(), Unanswered> {
        self.each_module(want, emit)
    }

    fn unloaded_modules(
        &self,
        _: &Want<'_>,
        emit: Emit<'_, UnloadedModule>,
    ) -> Result<(), Unanswered> {
        self.each_unloaded(emit)
    }

    fn coverage(&self, _: &Want<'_>, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
        self.each_range(emit);
        Ok(())
    }

    fn problems(&self, emit: Emit<'_, Problem>) {
        self.each_problem(emit);
    }

    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        let read = self.regions.read(&self.image, Gva(address), buffer);
        read.map_err(|_| Absent::NotInDump)
    }

    fn locate(&self, address: u64) -> Cell<Located> {
        self.place_of(address)
    }
}
