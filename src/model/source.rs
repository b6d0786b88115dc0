//! An open dump or log, as tables and functions see it.

use super::{Answers, DynTable, Refused};
use crate::catalog::{Absent, Cell, PointerWidth, SourceKind, Value};

/// The machine of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// The width of pointers.
    pub width: PointerWidth,
    /// `x86`, `x64`, `arm64` …; as `dump.arch` gives it.
    pub arch: &'static str,
}

/// What an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Located {
    /// The module's name without directory and extension, as debuggers print it (`nt`, `ntdll`).
    pub module: String,
    /// The nearest symbol at or before the address, if symbols are known.
    pub symbol: Option<String>,
    /// Bytes from the symbol, or from the module's base without one.
    pub offset: u64,
}

impl Located {
    /// `module!symbol+0x1f`, `module!symbol`, or `module+0x1f00`, as debuggers print it.
    pub fn display(&self) -> String {
        let Self { module, symbol, offset } = self;
        match (symbol, offset) {
            (Some(symbol), 0) => format!("{module}!{symbol}"),
            (Some(symbol), _) => format!("{module}!{symbol}+{offset:#x}"),
            (None, 0) => module.clone(),
            (None, _) => format!("{module}+{offset:#x}"),
        }
    }
}

/// What lies at virtual addresses: bytes, modules and symbols.
#[allow(unused_variables, reason = "defaults ignore their arguments")]
pub trait AddressSpace {
    /// Reads memory at a virtual address; fills all of `buffer` or says why not.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        Err(Absent::NotInDump)
    }

    /// Fills the start of the buffer with code from an address on and says how many bytes it is:
    /// memory, else what the module's image on the symbol path has there.
    fn code(&self, address: u64, buffer: &mut [u8]) -> usize {
        if self.read(address, buffer).is_ok() { buffer.len() } else { 0 }
    }

    /// The module, and if known the symbol, that an address lies in; [`Absent::NotApplicable`] if
    /// it lies in no module.
    fn locate(&self, address: u64) -> Cell<Located> {
        Err(Absent::NotApplicable)
    }

    /// The address of `module!symbol`.
    fn address_of(&self, symbol: &str) -> Cell<u64> {
        Err(Absent::NoSymbols)
    }
}

/// The address space of a source that holds no memory.
#[derive(Debug, Clone, Copy)]
pub struct NoMemory;

impl AddressSpace for NoMemory {}

/// One open dump or log. It lists no tables: which it fills is what was registered in its
/// [`Answers`].
///
/// No method panics, prints, or looks at anything but the source itself.
pub trait Source: Send + Sync {
    /// The source's kind.
    fn kind(&self) -> SourceKind;

    /// The machine that the source is from.
    fn machine(&self) -> Machine;

    /// The tables that it fills, by row type.
    fn answers(&self) -> &Answers;

    /// What lies at addresses.
    fn memory(&self) -> &dyn AddressSpace {
        &NoMemory
    }

    /// The rows of a table function (`struct`, `list`, `array`, `log_table` …), whose columns depend
    /// on the arguments. It is called to plan and again to run, so that columns have to be cheap and
    /// rows are read by [`super::DynTable::rows`] alone.
    ///
    /// # Errors
    /// What is wrong with the arguments, or why there are no rows.
    fn table_function(
        &self,
        _name: &str,
        _args: &[Value<'static>],
    ) -> Result<DynTable<'_>, Refused> {
        Err(Refused::KIND)
    }
}
