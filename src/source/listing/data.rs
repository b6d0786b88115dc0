//! Rows of memory words and of file bytes.

use std::fmt::Write as _;

use crate::catalog::{Absent, CallColumn, Cell, Ty, Value};
use crate::model::{AddressSpace, DynRow};

/// Bytes per row.
pub(super) const LINE: usize = 16;
/// The columns of `words` by index.
const SYMBOL: usize = 2;

/// The columns of `words`.
pub(super) fn word_columns() -> Vec<CallColumn> {
    vec![
        CallColumn::new("address", Ty::Addr),
        CallColumn::new("value", Ty::Addr),
        CallColumn::new("symbol", Ty::Text),
    ]
}

/// A word as a row.
pub(super) fn word(source: &dyn AddressSpace, at: u64, word: Cell<u64>, wanted: &[bool]) -> DynRow {
    let wants = wanted.get(SYMBOL).copied().unwrap_or(true);
    let symbol = match word {
        Ok(word) if wants => source.locate(word).map(|place| Value::text(place.display())),
        Ok(_) => Err(Absent::NotApplicable),
        Err(reason) => Err(reason),
    };
    vec![Ok(Value::Addr(at)), word.map(Value::Addr), symbol]
}

/// The columns of `file_bytes`.
pub(super) fn line_columns() -> Vec<CallColumn> {
    vec![
        CallColumn::new("offset", Ty::Int),
        CallColumn::new("bytes", Ty::Text),
        CallColumn::new("ascii", Ty::Text),
    ]
}

/// Some bytes of the file as a row.
pub(super) fn line(offset: usize, bytes: &[u8]) -> DynRow {
    let mut hex = String::new();
    let mut ascii = String::new();
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
        let is_plain = *byte == b' ' || byte.is_ascii_graphic();
        ascii.push(if is_plain { char::from(*byte) } else { '.' });
    }
    let offset = i64::try_from(offset).map_err(|_| Absent::Unreadable);
    vec![offset.map(Value::Int), Ok(Value::text(hex)), Ok(Value::text(ascii))]
}
