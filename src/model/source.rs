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

/// The module and symbol of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Located {
    /// The module's name without directory and extension, as debuggers print it (`nt`, `ntdll`).
    pub module: String,
    /// The nearest symbol at or before the address, if symbols are known.
    pub symbol: Option<String>,
    /// Offset from the symbol, or from the module's base if there is no symbol.
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

/// The contents of virtual addresses: memory, modules and symbols.
#[allow(unused_variables, reason = "defaults ignore their arguments")]
pub trait AddressSpace {
    /// Reads memory at a virtual address: fills all of `buffer`, or returns the reason why not.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Cell<()> {
        Err(Absent::NotInDump)
    }

    /// Fills the start of the buffer with code from an address on and returns the number of bytes.
    /// The code comes from memory, or else from the module's image on the symbol path.
    fn code(&self, address: u64, buffer: &mut [u8]) -> usize {
        if self.read(address, buffer).is_ok() { buffer.len() } else { 0 }
    }

    /// The module and, if known, the symbol of an address; [`Absent::NotApplicable`] if no module
    /// contains it.
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

/// One open dump or log. It has no list of tables: the tables that it fills are those registered in
/// its [`Answers`].
///
/// No method panics, prints, or reads anything but the source.
pub trait Source: Send + Sync {
    /// The source's kind.
    fn kind(&self) -> SourceKind;

    /// The machine that the source is from.
    fn machine(&self) -> Machine;

    /// The tables that it fills, by row type.
    fn answers(&self) -> &Answers;

    /// The contents of addresses.
    fn memory(&self) -> &dyn AddressSpace {
        &NoMemory
    }

    /// The rows of a table function (`struct`, `list`, `array`, `log_table` …), whose columns
    /// depend on the arguments. The method is called once for planning and once for execution, so
    /// columns must be cheap, and only [`super::DynTable::rows`] reads rows.
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
