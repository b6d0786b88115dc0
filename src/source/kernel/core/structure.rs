//! Structures in memory: fields by name, at the offsets of the accepted layout.
//!
//! This is the only accessor. [`Core::structure`] is for one or two fields: each read fetches the
//! bytes of its field. [`Core::object`] and [`Structure::held`] fetch the bytes of the whole
//! structure, borrowed from the file, for structures that are read by the thousand. Field offsets
//! are cached by the address of the field's name, which makes a lookup cheap.
//!
//! If the layout is known and lacks the field, the value is [`Absent::NotApplicable`]; if no layout
//! is known, it is [`Absent::NoSymbols`]; if the bytes are missing, it is the reason of their page.
//! `value` decodes the bytes.

use std::borrow::Cow;

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{pointer_at, text, text_utf16, u16_at, unsigned_at};
use crate::dump::triage::Piece;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::core::time::{millis, unix_micros};
use crate::source::kernel::core::value::{self, Scalar};
use crate::symbol::Field;

/// Upper limit on a string, in bytes, unless the reader expects longer ones.
const MAX_TEXT: usize = 1024;
/// How many bytes are read of a string whose size is unknown.
const SHORT_TEXT: usize = 16;
/// Upper limit on a structure that is fetched as a whole.
const MAX_STRUCTURE: usize = 1 << 20;
const PAGE: i64 = 0x1000;

/// A structure at an address. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Structure<'a> {
    space: Space<'a>,
    ty: &'static str,
    /// Its address; a triage dump does not give it for every structure.
    pub(crate) address: Cell<u64>,
    /// Its first bytes, up to the end of the page; empty until they are fetched.
    first: &'a [u8],
    second: &'a [u8],
}

/// The first of several paths that has a value, because versions of Windows differ in field names.
pub(crate) fn first<T>(paths: &[&'static str], read: impl Fn(&'static str) -> Cell<T>) -> Cell<T> {
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

/// A null pointer has no value.
fn not_null(pointer: u64) -> Cell<u64> {
    if pointer == 0 { Err(Absent::NotApplicable) } else { Ok(pointer) }
}

impl Core {
    /// The structure with this type name at a kernel address; nothing is read yet.
    pub(crate) const fn structure(&self, ty: &'static str, address: u64) -> Structure<'_> {
        self.kernel_space().structure(ty, address)
    }

    /// The same with its bytes fetched; `None` if the dump does not hold the first byte.
    pub(crate) fn object(&self, ty: &'static str, address: u64) -> Option<Structure<'_>> {
        self.structure(ty, address).held().ok()
    }

    /// The structure in a range of the triage block.
    pub(crate) fn object_of(
        &self,
        ty: &'static str,
        piece: Piece,
        address: Option<u64>,
    ) -> Option<Structure<'_>> {
        let size = self.size_in_bytes(ty).unwrap_or(MAX_STRUCTURE);
        let held = piece.bytes(&self.image);
        let first = held.get(..size.min(held.len())).filter(|bytes| !bytes.is_empty())?;
        let address = address.ok_or(Absent::NotInDump);
        Some(Structure { space: self.kernel_space(), ty, address, first, second: &[] })
    }

    /// The value of a field in bytes that were already read.
    pub(crate) fn number(&self, bytes: &[u8], field: Option<Field>) -> Cell<u64> {
        value::unsigned(bytes, field, self.header.width)
    }

    /// The same for a column; a signed field keeps its sign.
    pub(crate) fn signed(&self, bytes: &[u8], field: Option<Field>) -> Cell<i64> {
        value::signed(bytes, field, self.header.width)
    }

    /// The pointer of a field in bytes that were already read, including null.
    pub(crate) fn pointer_in(&self, bytes: &[u8], field: Option<Field>) -> Cell<u64> {
        value::pointer(bytes, field, self.header.width)
    }

    /// The string of a `_UNICODE_STRING` at a kernel address.
    pub(crate) fn unicode_string(&self, address: u64) -> Cell<String> {
        self.kernel_space().unicode_string(address, MAX_TEXT)
    }
}

impl<'a> Space<'a> {
    /// The structure with this type name at an address; nothing is read yet.
    pub(crate) const fn structure(self, ty: &'static str, address: u64) -> Structure<'a> {
        Structure { space: self, ty, address: Ok(address), first: &[], second: &[] }
    }

    /// The string of a `_UNICODE_STRING` at an address, cut at `most` bytes.
    pub(crate) fn unicode_string(self, address: u64, most: usize) -> Cell<String> {
        let width = self.core().header.width;
        let string = self.slice(address, 2 * width.bytes())?;
        let len = usize::from(u16_at(&string, 0).ok_or(Absent::Unreadable)?);
        let buffer = pointer_at(&string, width.bytes(), width).ok_or(Absent::Unreadable)?;
        if len == 0 || buffer == 0 {
            return Err(Absent::NotApplicable);
        }
        Ok(text_utf16(&self.slice(buffer, len.min(most))?))
    }
}

impl<'a> Structure<'a> {
    /// The structure with its bytes fetched, or the reason why its first byte is missing.
    pub(crate) fn held(self) -> Cell<Self> {
        let first = self.space.page(self.address?)?;
        let size = self.space.core().size_in_bytes(self.ty).unwrap_or(SHORT_TEXT);
        let behind = self.address?.checked_add(first.len() as u64).filter(|_| first.len() < size);
        let second = behind.and_then(|at| self.space.page(at).ok()).unwrap_or(&[]);
        Ok(Self { first, second, ..self })
    }

    /// The structure with its bytes fetched, as far as the dump holds them.
    pub(crate) fn read(self) -> Self {
        self.held().unwrap_or(self)
    }

    /// Whether its bytes were fetched.
    pub(crate) const fn is_held(&self) -> bool {
        !self.first.is_empty()
    }

    /// The offset and size of a field.
    fn field(&self, path: &'static str) -> Cell<Field> {
        self.space.core().known_field(self.ty, path)
    }

    /// A little-endian number in its bytes.
    #[inline]
    fn word(&self, offset: usize, size: usize) -> Cell<u64> {
        if let Some(word) = unsigned_at(self.first, offset, size) {
            return Ok(word);
        }
        let behind = offset.checked_sub(self.first.len());
        match behind.and_then(|offset| unsigned_at(self.second, offset, size)) {
            Some(word) => Ok(word),
            None => self.far_word(offset, size),
        }
    }

    /// The same for bytes that were not fetched, or that cross a page boundary.
    fn far_word(&self, offset: usize, size: usize) -> Cell<u64> {
        let bytes = self.space.slice(self.place(offset)?, size)?;
        unsigned_at(&bytes, 0, size).ok_or(Absent::Unreadable)
    }

    fn place(&self, offset: usize) -> Cell<u64> {
        self.address?.checked_add(offset as u64).ok_or(Absent::Unreadable)
    }

    /// The longest contiguous prefix of its bytes from an offset, at most `most`.
    fn bytes(&self, offset: usize, most: usize) -> Cell<Cow<'a, [u8]>> {
        let held = self.first.get(offset..).filter(|bytes| !bytes.is_empty());
        if let Some(bytes) = held.and_then(|bytes| bytes.get(..most)) {
            return Ok(Cow::Borrowed(bytes));
        }
        match self.place(offset) {
            Ok(at) => self.space.prefix(at, most),
            Err(absent) => held.map(Cow::Borrowed).ok_or(absent),
        }
    }

    /// The address of a field.
    pub(crate) fn at(&self, path: &'static str) -> Cell<u64> {
        self.place(self.field(path)?.offset)
    }

    fn scalar(&self, path: &'static str) -> Cell<Scalar> {
        Scalar::of(self.field(path)?, self.space.core().header.width)
    }

    /// A number of up to eight bytes, or a bit field, zero-extended.
    pub(crate) fn unsigned(&self, path: &'static str) -> Cell<u64> {
        let scalar = self.scalar(path)?;
        Ok(scalar.unsigned(self.word(scalar.offset, scalar.size)?))
    }

    /// A number for a column; a signed field keeps its sign.
    pub(crate) fn int(&self, path: &'static str) -> Cell<i64> {
        let scalar = self.scalar(path)?;
        scalar.signed(self.word(scalar.offset, scalar.size)?)
    }

    /// A code or flags for a column: zero-extended, whatever sign is declared.
    pub(crate) fn code(&self, path: &'static str) -> Cell<i64> {
        i64::try_from(self.unsigned(path)?).map_err(|_| Absent::Unreadable)
    }

    /// A number at the first of several paths that has one.
    pub(crate) fn int_of(&self, paths: &[&'static str]) -> Cell<i64> {
        first(paths, |path| self.int(path))
    }

    /// A flag of any size.
    pub(crate) fn flag(&self, path: &'static str) -> Cell<bool> {
        self.unsigned(path).map(|value| value != 0)
    }

    /// A pointer, including null.
    pub(crate) fn raw_pointer(&self, path: &'static str) -> Cell<u64> {
        self.word(self.field(path)?.offset, self.space.core().header.width.bytes())
    }

    /// A pointer; a null pointer has no value.
    pub(crate) fn pointer(&self, path: &'static str) -> Cell<u64> {
        self.raw_pointer(path).and_then(not_null)
    }

    /// An element of an array of pointers or pointer-sized numbers, including null.
    pub(crate) fn element(&self, path: &'static str, index: u64) -> Cell<u64> {
        let width = self.space.core().header.width.bytes();
        let field = self.field(path)?;
        let offset = usize::try_from(index).ok().and_then(|index| index.checked_mul(width));
        let offset = offset.and_then(|offset| offset.checked_add(field.offset));
        let offset = offset.ok_or(Absent::Unreadable)?;
        // If the size of the array is known, nothing is read behind its end.
        let end = field.offset.saturating_add(field.size);
        if field.size > width && offset.saturating_add(width) > end {
            return Err(Absent::NotApplicable);
        }
        self.word(offset, width)
    }

    /// A time, in 100 ns units since 1601; 0 means never.
    pub(crate) fn time(&self, path: &'static str, shift: u32) -> Cell<i64> {
        match self.word(self.field(path)?.offset, 8)? >> shift {
            0 => Err(Absent::NotApplicable),
            time => unix_micros(time),
        }
    }

    /// Clock ticks as milliseconds.
    pub(crate) fn tick_ms(&self, path: &'static str) -> Cell<i64> {
        let ticks = self.unsigned(path)?;
        millis(ticks.checked_mul(self.space.core().tick()?).ok_or(Absent::Unreadable)?)
    }

    /// A number of pages as bytes.
    pub(crate) fn pages(&self, paths: &[&'static str]) -> Cell<i64> {
        self.int_of(paths)?.checked_mul(PAGE).ok_or(Absent::Unreadable)
    }

    /// The characters of a fixed-size field.
    pub(crate) fn text(&self, path: &'static str) -> Cell<String> {
        let field = self.field(path)?;
        let size = if field.size == 0 { SHORT_TEXT } else { field.size.min(MAX_TEXT) };
        let text = text(&self.bytes(field.offset, size)?);
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
    }

    /// The string of a `_UNICODE_STRING` field.
    pub(crate) fn unicode(&self, path: &'static str) -> Cell<String> {
        self.long_unicode(path, MAX_TEXT)
    }

    /// The same for a string of up to `most` bytes.
    pub(crate) fn long_unicode(&self, path: &'static str, most: usize) -> Cell<String> {
        self.space.unicode_string(self.at(path)?, most)
    }

    /// The structure that a pointer field points to.
    pub(crate) fn follow(&self, path: &'static str, ty: &'static str) -> Cell<Self> {
        Ok(self.space.structure(ty, self.pointer(path)?))
    }

    /// Whether a field exists in this kernel, as far as known.
    pub(crate) fn has(&self, path: &'static str) -> bool {
        self.space.core().has_field(self.ty, path)
    }

    /// The size of the structure.
    pub(crate) fn size(&self) -> Cell<u64> {
        self.space.core().size_of(self.ty).ok_or(Absent::NoSymbols)
    }

    /// The type of dispatcher object, which is in the first byte of some objects.
    pub(crate) fn dispatcher_type(&self) -> Option<u8> {
        // Bit 7 is a flag.
        let kind = self.word(0, 1).ok()? & 0x7f;
        u8::try_from(kind).ok()
    }
}
