//! Kernel objects as bytes, and their fields as cells.

use std::borrow::Cow;

use super::KernelDump;
use super::overview::{millis, unix_micros};
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{slice, text, text_utf16, u16_at, unsigned_at};
use crate::dump::triage::Piece;
use crate::symbol::Field;

/// No name in an object is longer, in bytes.
const MAX_TEXT: usize = 1024;
/// No object that is read is larger.
const MAX_OBJECT: usize = 1 << 20;

/// An object, as far as the dump holds it.
#[derive(Clone)]
pub(super) struct Object<'a> {
    dump: &'a KernelDump,
    ty: Ty,
    pub(super) address: Cell<u64>,
    bytes: Cow<'a, [u8]>,
}

/// The first of several paths that has a value; versions of Windows know fields by other names.
pub(super) fn first<T>(paths: &[&'static str], read: impl Fn(&'static str) -> Cell<T>) -> Cell<T> {
    let mut absent = Absent::NotApplicable;
    for path in paths {
        match read(path) {
            Err(Absent::NotApplicable) => {}
            Err(reason) => absent = reason,
            Ok(value) => return Ok(value),
        }
    }
    Err(absent)
}

impl KernelDump {
    /// The object at an address; `None` if the dump does not hold its first bytes.
    pub(super) fn object(&self, ty: Ty, address: u64) -> Option<Object<'_>> {
        let size = self.types().size(self, ty).unwrap_or(self.header.width.bytes() * 2);
        let bytes = self.prefix(address, size.min(MAX_OBJECT)).ok()?;
        Some(Object { dump: self, ty, address: Ok(address), bytes })
    }

    /// The characters of a field of fixed size, of an object of which no other field is read.
    pub(super) fn text_of(&self, ty: Ty, address: u64, path: &'static str) -> Cell<String> {
        let field = self.types().field(self, ty, path)?;
        let at = address.checked_add(field.offset as u64).ok_or(Absent::Unreadable)?;
        let size = if field.size == 0 { 16 } else { field.size.min(MAX_TEXT) };
        let text = text(&self.prefix(at, size)?);
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
    }

    /// The object that a piece of the triage block holds.
    pub(super) fn object_of(
        &self,
        ty: Ty,
        piece: Piece,
        address: Option<u64>,
    ) -> Option<Object<'_>> {
        let size = self.types().size(self, ty).unwrap_or(MAX_OBJECT);
        let held = piece.bytes(&self.image);
        let bytes = held.get(..size.min(held.len())).filter(|bytes| !bytes.is_empty())?;
        let bytes = Cow::Borrowed(bytes);
        Some(Object { dump: self, ty, address: address.ok_or(Absent::NotInDump), bytes })
    }

    /// The text of a `_UNICODE_STRING` at an address.
    pub(super) fn unicode_string(&self, address: u64) -> Cell<String> {
        let step = self.header.width.bytes();
        let string = self.bytes(address, 2 * step)?;
        let len = usize::from(u16_at(&string, 0).ok_or(Absent::Unreadable)?);
        let buffer = unsigned_at(&string, step, step).ok_or(Absent::Unreadable)?;
        if len == 0 || buffer == 0 {
            return Err(Absent::NotApplicable);
        }
        let bytes = self.bytes(buffer, len.min(MAX_TEXT))?;
        Ok(text_utf16(&bytes))
    }
}

impl Object<'_> {
    /// Where a field is; a structure whose layout is known and has no such field has no value.
    fn field(&self, path: &'static str) -> Cell<Field> {
        let types = self.dump.types();
        types
            .field(self.dump, self.ty, path)
            .map_err(|absent| if types.knows(self.ty) { Absent::NotApplicable } else { absent })
    }

    /// A number of any size, or some bits of one.
    pub(super) fn unsigned(&self, path: &'static str) -> Cell<u64> {
        self.number(self.field(path)?)
    }

    fn number(&self, field: Field) -> Cell<u64> {
        let size = if field.size == 0 { self.dump.header.width.bytes() } else { field.size };
        if size > 8 {
            return Err(Absent::Unreadable);
        }
        let value = unsigned_at(&self.bytes, field.offset, size).ok_or(Absent::NotInDump)?;
        let Some((start, len)) = field.bits else { return Ok(value) };
        let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
        Ok(value.checked_shr(start.into()).unwrap_or(0) & mask)
    }

    /// The same for columns, which are signed.
    pub(super) fn int(&self, path: &'static str) -> Cell<i64> {
        let field = self.field(path)?;
        let value = self.number(field)?;
        if field.is_signed && field.bits.is_none() && (1..8).contains(&field.size) {
            let unused = 64 - 8 * field.size;
            return Ok(value.cast_signed() << unused >> unused);
        }
        i64::try_from(value).map_err(|_| Absent::Unreadable)
    }

    /// A number under the first of several paths that has one.
    pub(super) fn int_of(&self, paths: &[&'static str]) -> Cell<i64> {
        first(paths, |path| self.int(path))
    }

    /// A flag of any size.
    pub(super) fn flag(&self, path: &'static str) -> Cell<bool> {
        self.unsigned(path).map(|value| value != 0)
    }

    /// A pointer, null included.
    pub(super) fn raw_pointer(&self, path: &'static str) -> Cell<u64> {
        let width = self.dump.header.width;
        let offset = self.field(path)?.offset;
        unsigned_at(&self.bytes, offset, width.bytes()).ok_or(Absent::NotInDump)
    }

    /// A pointer; null means that there is nothing.
    pub(super) fn pointer(&self, path: &'static str) -> Cell<u64> {
        self.raw_pointer(path)
            .and_then(|at| if at == 0 { Err(Absent::NotApplicable) } else { Ok(at) })
    }

    /// A time, in 100 ns units since 1601; 0 means never.
    pub(super) fn time(&self, path: &'static str, shift: u32) -> Cell<i64> {
        let field = self.field(path)?;
        let time = unsigned_at(&self.bytes, field.offset, 8).ok_or(Absent::NotInDump)? >> shift;
        if time == 0 { Err(Absent::NotApplicable) } else { unix_micros(time) }
    }

    /// Clock ticks as milliseconds.
    pub(super) fn tick_ms(&self, path: &'static str) -> Cell<i64> {
        let ticks = self.unsigned(path)?;
        let tick = self.dump.tick()?;
        millis(ticks.checked_mul(tick).ok_or(Absent::Unreadable)?)
    }

    /// A number of pages as bytes.
    pub(super) fn pages(&self, paths: &[&'static str]) -> Cell<i64> {
        let pages = self.int_of(paths)?;
        pages.checked_mul(0x1000).ok_or(Absent::Unreadable)
    }

    /// Characters of a field of fixed size.
    pub(super) fn text(&self, path: &'static str) -> Cell<String> {
        let field = self.field(path)?;
        let size = if field.size == 0 { 16 } else { field.size.min(MAX_TEXT) };
        let text = text(slice(&self.bytes, field.offset, size).ok_or(Absent::NotInDump)?);
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
    }

    /// Whether a field exists in this kernel, as far as known.
    pub(super) fn has(&self, path: &'static str) -> bool {
        self.field(path).is_ok()
    }

    /// The kind of dispatcher object, which the first byte of some objects states.
    pub(super) fn dispatcher_type(&self) -> Option<u8> {
        // Since Windows 7 (also in earlier ones), bits 0 to 6 are the kind.
        self.bytes.first().map(|kind| kind & 0x7f)
    }

    /// The address of a field.
    pub(super) fn address_of(&self, path: &'static str) -> Cell<u64> {
        let offset = self.field(path)?.offset as u64;
        self.address?.checked_add(offset).ok_or(Absent::Unreadable)
    }
}
