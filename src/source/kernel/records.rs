//! Structures that are read by the thousand: their fields are looked up once, and the bytes of each
//! are read at once.
//!
//! [`Structure`](super::structure::Structure) is the same for a few.

use std::borrow::Cow;

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::model::{ColumnId, Row, Want};
use crate::symbol::Field;

/// A structure, and where the fields are that a table reads.
pub(super) struct Form<'a> {
    dump: &'a KernelDump,
    /// The size of the structure in bytes.
    pub(super) size: u64,
    fields: Vec<(&'static str, Option<Field>)>,
}

/// One structure of a form.
pub(super) struct Record<'a> {
    form: &'a Form<'a>,
    /// Where it stands.
    pub(super) address: u64,
    /// As much of it as the dump holds in one go, or why none.
    bytes: Cell<Cow<'a, [u8]>>,
}

/// The value if the column is wanted; what nobody asked for costs nothing.
pub(super) fn wanted<R: Row, T>(
    want: &Want<'_, R>,
    column: impl FnOnce(&R::Columns) -> ColumnId<R>,
    read: impl FnOnce() -> Cell<T>,
) -> Cell<T> {
    if want.has(column) { read() } else { Err(Absent::NotApplicable) }
}

impl KernelDump {
    /// The form of a structure with these fields; `None` if the believed layout does not have it.
    pub(super) fn form(&self, ty: &'static str, paths: &[&'static str]) -> Option<Form<'_>> {
        let size = self.types().size_of(ty).filter(|size| *size != 0)?;
        let fields = paths.iter().map(|path| (*path, self.field(ty, path))).collect();
        Some(Form { dump: self, size, fields })
    }
}

impl Form<'_> {
    /// The structure at an address.
    pub(super) fn at(&self, address: u64) -> Record<'_> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        Record { form: self, address, bytes: self.dump.prefix(address, size) }
    }

    fn field(&self, path: &str) -> Option<Field> {
        self.fields.iter().find(|(known, _)| *known == path).and_then(|(_, field)| *field)
    }

    /// Bytes from the start of the structure to a field.
    pub(super) fn offset(&self, path: &str) -> Cell<u64> {
        self.field(path).map(|field| field.offset as u64).ok_or(Absent::NoSymbols)
    }
}

impl Record<'_> {
    fn bytes(&self) -> Cell<&[u8]> {
        self.bytes.as_deref().map_err(|absent| *absent)
    }

    /// Whether the dump holds its first bytes.
    pub(super) const fn is_held(&self) -> bool {
        self.bytes.is_ok()
    }

    /// A number of up to eight bytes, or some bits of one.
    pub(super) fn unsigned(&self, path: &str) -> Cell<u64> {
        self.form.dump.number(self.bytes()?, self.form.field(path))
    }

    /// The same for a column of codes or flags, which no sign belongs to.
    pub(super) fn code(&self, path: &str) -> Cell<i64> {
        i64::try_from(self.unsigned(path)?).map_err(|_| Absent::Unreadable)
    }

    /// A number for a column; a signed field keeps its sign.
    pub(super) fn int(&self, path: &str) -> Cell<i64> {
        self.form.dump.signed(self.bytes()?, self.form.field(path))
    }

    /// A pointer, null included.
    pub(super) fn raw_pointer(&self, path: &str) -> Cell<u64> {
        self.form.dump.pointer_in(self.bytes()?, self.form.field(path))
    }

    /// A pointer; null means that there is nothing.
    pub(super) fn pointer(&self, path: &str) -> Cell<u64> {
        match self.raw_pointer(path)? {
            0 => Err(Absent::NotApplicable),
            at => Ok(at),
        }
    }

    /// The address of a field.
    pub(super) fn address_of(&self, path: &str) -> Cell<u64> {
        self.address.checked_add(self.form.offset(path)?).ok_or(Absent::Unreadable)
    }
}
