//! Structures of the kernel that have no reader of their own: fields by name, wherever the believed
//! layout says that they are.

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::symbol::Field;

/// A structure at an address.
#[derive(Clone, Copy)]
pub(super) struct Structure<'a> {
    dump: &'a KernelDump,
    ty: &'static str,
    /// Where it stands.
    pub(super) address: u64,
}

impl KernelDump {
    /// The structure of that name at an address.
    pub(super) const fn structure(&self, ty: &'static str, address: u64) -> Structure<'_> {
        Structure { dump: self, ty, address }
    }

    /// Whether the believed layout has the structure at all.
    pub(super) fn knows(&self, ty: &'static str, path: &'static str) -> bool {
        self.types().other(ty, path).is_some()
    }
}

impl Structure<'_> {
    fn field(&self, path: &'static str) -> Cell<Field> {
        self.dump.types().other(self.ty, path).ok_or(Absent::NoSymbols)
    }

    /// The address of a field.
    pub(super) fn at(&self, path: &'static str) -> Cell<u64> {
        let offset = self.field(path)?.offset as u64;
        self.address.checked_add(offset).ok_or(Absent::Unreadable)
    }

    /// A number of up to eight bytes, or some bits of one.
    pub(super) fn unsigned(&self, path: &'static str) -> Cell<u64> {
        let field = self.field(path)?;
        let size = if field.size == 0 { self.dump.header.width.bytes() } else { field.size };
        if size > 8 {
            return Err(Absent::Unreadable);
        }
        let bytes = self.dump.bytes(self.at(path)?, size)?;
        let value = bytes.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        let Some((start, len)) = field.bits else { return Ok(value) };
        let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
        Ok(value.checked_shr(start.into()).unwrap_or(0) & mask)
    }

    /// The same for a column, which is signed.
    pub(super) fn int(&self, path: &'static str) -> Cell<i64> {
        i64::try_from(self.unsigned(path)?).map_err(|_| Absent::Unreadable)
    }

    /// A pointer, null included.
    pub(super) fn raw_pointer(&self, path: &'static str) -> Cell<u64> {
        self.dump.pointer_at(self.at(path)?)
    }

    /// A pointer; null means that there is nothing.
    pub(super) fn pointer(&self, path: &'static str) -> Cell<u64> {
        self.raw_pointer(path)
            .and_then(|at| if at == 0 { Err(Absent::NotApplicable) } else { Ok(at) })
    }

    /// The text of a `_UNICODE_STRING` field.
    pub(super) fn unicode(&self, path: &'static str) -> Cell<String> {
        self.dump.unicode_string(self.at(path)?)
    }

    /// The structure that a pointer field leads to.
    pub(super) fn follow(&self, path: &'static str, ty: &'static str) -> Cell<Self> {
        Ok(Self { dump: self.dump, ty, address: self.pointer(path)? })
    }

    /// The size of the structure.
    pub(super) fn size(&self) -> Cell<u64> {
        self.dump.types().size_of(self.ty).ok_or(Absent::NoSymbols)
    }
}
