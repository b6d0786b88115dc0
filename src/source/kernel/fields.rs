//! Fields that are looked up once and then read out of the bytes of many structures.
//!
//! [`Structure`](super::structure::Structure) asks the layout at every read, which is fine for a
//! few; tables of a hundred thousand rows take their fields from here.

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::dump::bytes::unsigned_at;
use crate::symbol::Field;

impl KernelDump {
    /// A field of a structure, by the believed layout.
    pub(super) fn field(&self, ty: &'static str, path: &'static str) -> Option<Field> {
        self.types().other(ty, path)
    }

    /// The first of some fields that the structure has; versions call them by other names.
    pub(super) fn field_of(&self, ty: &'static str, paths: &[&'static str]) -> Option<Field> {
        paths.iter().find_map(|path| self.field(ty, path))
    }

    /// A number, or some bits of one, out of the bytes of a structure.
    pub(super) fn number(&self, bytes: &[u8], field: Option<Field>) -> Cell<u64> {
        let field = field.ok_or(Absent::NoSymbols)?;
        let size = if field.size == 0 { self.header.width.bytes() } else { field.size };
        if size > 8 {
            return Err(Absent::Unreadable);
        }
        let value = unsigned_at(bytes, field.offset, size).ok_or(Absent::NotInDump)?;
        let Some((start, len)) = field.bits else { return Ok(value) };
        let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
        Ok(value.checked_shr(start.into()).unwrap_or(0) & mask)
    }

    /// The same for a column, which is signed; a signed field keeps its sign.
    pub(super) fn signed(&self, bytes: &[u8], field: Option<Field>) -> Cell<i64> {
        let value = self.number(bytes, field)?;
        match field {
            Some(Field { size, bits: None, is_signed: true, .. }) if (1..=8).contains(&size) => {
                let unused = 64 - 8 * size;
                Ok(value.cast_signed() << unused >> unused)
            }
            _ => i64::try_from(value).map_err(|_| Absent::Unreadable),
        }
    }

    /// A pointer out of the bytes of a structure, null included.
    pub(super) fn pointer_in(&self, bytes: &[u8], field: Option<Field>) -> Cell<u64> {
        let field = field.ok_or(Absent::NoSymbols)?;
        unsigned_at(bytes, field.offset, self.header.width.bytes()).ok_or(Absent::NotInDump)
    }
}
