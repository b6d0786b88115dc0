//! CodeView symbol records that have a name and an address.

use super::addresses::Addresses;
use crate::symbol::bytes::{cstring, size_at, u16_at, u32_at};

/// A record that names an offset in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The offset in the image.
    pub(super) rva: u32,
    /// Its size, if the record gives it.
    pub(super) size: u32,
    /// The name as stored.
    pub(super) name: &'a [u8],
    /// Whether it is a public symbol, whose name is decorated.
    pub(super) is_public: bool,
}

/// A reference to a function of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// The module, counted from 0.
    pub(super) module: usize,
    /// The position of the function in the module's symbols.
    pub(super) at: usize,
    /// The name, undecorated.
    pub(super) name: &'a [u8],
}

/// The records of a stream from an offset on: type, offset and contents of each.
pub(super) fn records(bytes: &[u8], at: usize) -> impl Iterator<Item = (u16, usize, &[u8])> {
    let mut at = at;
    std::iter::from_fn(move || {
        let len = usize::from(u16_at(bytes, at)?);
        let kind = u16_at(bytes, at.checked_add(2)?)?;
        let start = at;
        let end = at.checked_add(2)?.checked_add(len)?;
        let content = bytes.get(at.checked_add(4)?..end)?;
        at = end;
        Some((kind, start, content))
    })
}

/// The name and offset of a record, if it has them.
pub(super) fn place<'a>(kind: u16, content: &'a [u8], addresses: &Addresses) -> Option<Record<'a>> {
    // Positions of section offset, section and name, and of the size for functions. In record types
    // of compilers before Visual C++ 7 the name has a length prefix.
    let (offset, section, name, size, is_short) = match kind {
        // S_PUB32, S_GDATA32, S_LDATA32.
        0x110c..=0x110e => (4, 8, 10, None, false),
        0x1007..=0x1009 => (4, 8, 10, None, true),
        // S_LPROC32, S_GPROC32, and their variants with a type index in the ID stream.
        0x110f | 0x1110 | 0x1146 | 0x1147 => (28, 32, 35, Some(12), false),
        0x100a | 0x100b => (28, 32, 35, Some(12), true),
        // S_THUNK32.
        0x1102 => (12, 16, 21, None, false),
        _ => return None,
    };
    let name = if is_short {
        let len = usize::from(*content.get(name)?);
        content.get(name.checked_add(1)?..)?.get(..len)?
    } else {
        cstring(content, name)?
    };
    Some(Record {
        rva: addresses.place(content, offset, section)?,
        size: size.and_then(|at| u32_at(content, at)).unwrap_or(0),
        name,
        is_public: matches!(kind, 0x110e | 0x1009),
    })
}

/// A reference to a function (`S_PROCREF`, `S_LPROCREF`).
pub(super) fn reference(kind: u16, content: &[u8]) -> Option<Reference<'_>> {
    if !matches!(kind, 0x1125 | 0x1127) {
        return None;
    }
    let module = usize::from(u16_at(content, 8)?.checked_sub(1)?);
    Some(Reference { module, at: size_at(content, 4)?, name: cstring(content, 10)? })
}
