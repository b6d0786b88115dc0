//! Table functions: rows whose columns depend on the arguments and on the source.
//!
//! [`super::Source::table_function`] takes a name and arguments and returns a [`DynTable`]: the
//! columns at once, the rows on demand. This file defines calls and errors; it computes no rows.

use super::{AddressSpace, Emit, Unanswered};
use crate::catalog::{Absent, CallColumn, Cell, Value};

/// One row of a [`DynTable`], one cell per column. A missing cell at the end and a NULL count as
/// not applicable.
pub type DynRow = Vec<Cell<Value<'static>>>;

/// Produces the rows. The flags say which columns are wanted, by index; the other cells are
/// ignored. It stops when the receiver says so.
pub type DynRows<'a> = Box<dyn FnOnce(&[bool], Emit<'_, DynRow>) + 'a>;

/// The result of a call: its columns are known before any row is read.
pub struct DynTable<'a> {
    /// The columns.
    pub columns: Vec<CallColumn>,
    /// The rows.
    pub rows: DynRows<'a>,
}

impl std::fmt::Debug for DynTable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynTable").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// Why a source rejects a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The source has no such function, or lacks what it needs.
    Unanswered(Unanswered),
    /// An argument is invalid or names nothing.
    Argument {
        /// The index of the argument, from 0.
        index: usize,
        /// What is wrong with it: lower case, no final stop (``no type `_ETHRED` ``).
        message: String,
        /// The names that would be valid; the nearest are shown.
        candidates: Vec<String>,
    },
}

impl Refused {
    /// This kind of source never answers.
    pub const KIND: Self = Self::Unanswered(Unanswered::KIND);

    /// This source does not answer, because something is missing.
    pub fn because(reason: impl Into<String>) -> Self {
        Self::Unanswered(Unanswered::because(reason))
    }

    /// An argument is wrong.
    pub fn argument(index: usize, message: impl Into<String>) -> Self {
        Self::Argument { index, message: message.into(), candidates: Vec::new() }
    }

    /// An argument is wrong; these names would be valid.
    pub fn unknown(index: usize, message: impl Into<String>, candidates: Vec<String>) -> Self {
        Self::Argument { index, message: message.into(), candidates }
    }
}

/// The text of argument `index`.
///
/// # Errors
/// It is not text.
pub fn text_argument<'v>(args: &'v [Value<'static>], index: usize) -> Result<&'v str, Refused> {
    args.get(index)
        .and_then(Value::as_text)
        .ok_or_else(|| Refused::argument(index, "expected text"))
}

/// The address in argument `index`, or the address of the symbol that it names.
///
/// # Errors
/// It is neither, or `source` does not know the symbol.
pub fn address_argument<S: AddressSpace + ?Sized>(
    source: &S,
    args: &[Value<'static>],
    index: usize,
) -> Result<u64, Refused> {
    match args.get(index) {
        Some(Value::Addr(address)) => Ok(*address),
        Some(Value::Int(address)) => u64::try_from(*address)
            .map_err(|_| Refused::argument(index, "an address cannot be negative")),
        Some(Value::Text(text)) => symbol(source, text, index),
        _ => Err(Refused::argument(index, "expected an address or the name of a symbol")),
    }
}

fn symbol<S: AddressSpace + ?Sized>(source: &S, text: &str, index: usize) -> Result<u64, Refused> {
    if let Some(Value::Addr(address)) = Value::parse(text, crate::catalog::Ty::Addr) {
        return Ok(address);
    }
    let behind = || {
        let (name, offset) = text.rsplit_once('+')?;
        let offset = u64::from_str_radix(offset.strip_prefix("0x").unwrap_or(offset), 16).ok()?;
        source.address_of(name).ok()?.checked_add(offset)
    };
    let found = source.address_of(text).or_else(|reason| behind().ok_or(reason));
    found.map_err(|reason| match reason {
        Absent::NoSymbols => {
            Refused::because(format!("it has no symbols that could tell where `{text}` is"))
        }
        _ => Refused::argument(index, format!("no symbol `{text}`")),
    })
}

/// The count in argument `index`, or `default` if it was left out.
///
/// # Errors
/// It is negative or greater than `most`.
pub fn count_argument(
    args: &[Value<'static>],
    index: usize,
    default: usize,
    most: usize,
) -> Result<usize, Refused> {
    match args.get(index) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Int(n)) => usize::try_from(*n)
            .ok()
            .filter(|n| *n <= most)
            .ok_or_else(|| Refused::argument(index, format!("expected 0 to {most}, found {n}"))),
        Some(_) => Err(Refused::argument(index, "expected an INTEGER")),
    }
}
