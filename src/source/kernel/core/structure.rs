//! Structures in memory: fields by name, wherever the believed layout says that they are.
//!
//! One accessor for all of them. [`Core::structure`] is for a field or two: each read takes the
//! bytes of its field. [`Core::object`] and [`Structure::held`] take the bytes of the structure at
//! once, borrowed from the file, for structures that are read by the thousand. Where a field is,
//! is looked up by the address of its name, which costs next to nothing.
//!
//! A structure whose layout is known and has no such field has no value there
//! ([`Absent::NotApplicable`]); without a layout nobody knows ([`Absent::NoSymbols`]); bytes that are
//! not there have the reason of their page. What bytes mean is for `value`.

use std::borrow::Cow;

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{pointer_at, text, text_utf16, u16_at, unsigned_at};
use crate::dump::triage::Piece;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::core::time::{millis, unix_micros};
use crate::source::kernel::core::value::{self, Scalar};
use crate::symbol::Field;

/// No text is longer, in bytes, unless the reader expects more.
const MAX_TEXT: usize = 1024;
/// Of a text whose size is not stated so many bytes are read.
const SHORT_TEXT: usize = 16;
/// No structure that is read at once is larger.
const MAX_STRUCTURE: usize = 1 << 20;
const PAGE: i64 = 0x1000;

/// A structure at an address. Cheap to copy.
#[derive(Clone, Copy)]
pub(crate) struct Structure<'a> {
    space: Space<'a>,
    ty: &'static str,
    /// Where it stands; a triage dump does not say it of every structure.
    pub(crate) address: Cell<u64>,
    /// Its first bytes, and those of the page behind them; empty until they are read.
    first: &'a [u8],
    second: &'a [u8],
}

/// The first of several paths that has a value; versions of Windows know fields by other names.
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

/// Null means that there is nothing.
fn not_null(pointer: u64) -> Cell<u64> {
    if pointer == 0 { Err(Absent::NotApplicable) } else { Ok(pointer) }
}

impl Core {
    /// The structure of that name at an address of the kernel; no byte of it is read yet.
    pub(crate) const fn structure(&self, ty: &'static str, address: u64) -> Structure<'_> {
        self.kernel_space().structure(ty, address)
    }

    /// The same with its bytes read at once; `None` if the dump does not hold its first.
    pub(crate) fn object(&self, ty: &'static str, address: u64) -> Option<Structure<'_>> {
        self.structure(ty, address).held().ok()
    }

    /// The structure that a piece of the triage block holds.
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

    /// The number that a field has in bytes of a structure that are at hand.
    pub(crate) fn number(&self, bytes: &[u8], field: Option<Field>) -> Cell<u64> {
        value::unsigned(bytes, field, self.header.width)
    }

    /// The same for a column; a signed field keeps its sign.
    pub(crate) fn signed(&self, bytes: &[u8], field: Option<Field>) -> Cell<i64> {
        value::signed(bytes, field, self.header.width)
    }

    /// The pointer that a field has in bytes of a structure that are at hand, null included.
    pub(crate) fn pointer_in(&self, bytes: &[u8], field: Option<Field>) -> Cell<u64> {
        value::pointer(bytes, field, self.header.width)
    }

    /// The text of a `_UNICODE_STRING` at an address of the kernel.
    pub(crate) fn unicode_string(&self, address: u64) -> Cell<String> {
        self.kernel_space().unicode_string(address, MAX_TEXT)
    }
}

impl<'a> Space<'a> {
    /// The structure of that name at an address; no byte of it is read yet.
    pub(crate) const fn structure(self, ty: &'static str, address: u64) -> Structure<'a> {
        Structure { space: self, ty, address: Ok(address), first: &[], second: &[] }
    }

    /// The text of a `_UNICODE_STRING` at an address, cut at so many bytes.
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
    /// The structure with its bytes read, or the reason why its first are not there.
    pub(crate) fn held(self) -> Cell<Self> {
        let first = self.space.page(self.address?)?;
        let size = self.space.core().size_in_bytes(self.ty).unwrap_or(SHORT_TEXT);
        let behind = self.address?.checked_add(first.len() as u64).filter(|_| first.len() < size);
        let second = behind.and_then(|at| self.space.page(at).ok()).unwrap_or(&[]);
        Ok(Self { first, second, ..self })
    }

    /// The structure with its bytes read, as far as they are there.
    pub(crate) fn read(self) -> Self {
        self.held().unwrap_or(self)
    }

    /// Whether its first bytes were read.
    pub(crate) const fn is_held(&self) -> bool {
        !self.first.is_empty()
    }

    /// Where a field is.
    fn field(&self, path: &'static str) -> Cell<Field> {
        self.space.core().known_field(self.ty, path)
    }

    /// A little-endian number of its bytes.
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

    /// The same of bytes that were not read, or lie in two pages.
    fn far_word(&self, offset: usize, size: usize) -> Cell<u64> {
        let bytes = self.space.slice(self.place(offset)?, size)?;
        unsigned_at(&bytes, 0, size).ok_or(Absent::Unreadable)
    }

    fn place(&self, offset: usize) -> Cell<u64> {
        self.address?.checked_add(offset as u64).ok_or(Absent::Unreadable)
    }

    /// As many of its bytes as the dump holds in one go, at most so many.
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

    /// A number of up to eight bytes, or some bits of one, as they stand.
    pub(crate) fn unsigned(&self, path: &'static str) -> Cell<u64> {
        let scalar = self.scalar(path)?;
        Ok(scalar.unsigned(self.word(scalar.offset, scalar.size)?))
    }

    /// A number for a column; a signed field keeps its sign.
    pub(crate) fn int(&self, path: &'static str) -> Cell<i64> {
        let scalar = self.scalar(path)?;
        scalar.signed(self.word(scalar.offset, scalar.size)?)
    }

    /// Codes or flags for a column: the bits as they stand, whatever sign is declared.
    pub(crate) fn code(&self, path: &'static str) -> Cell<i64> {
        i64::try_from(self.unsigned(path)?).map_err(|_| Absent::Unreadable)
    }

    /// A number under the first of several paths that has one.
    pub(crate) fn int_of(&self, paths: &[&'static str]) -> Cell<i64> {
        first(paths, |path| self.int(path))
    }

    /// A flag of any size.
    pub(crate) fn flag(&self, path: &'static str) -> Cell<bool> {
        self.unsigned(path).map(|value| value != 0)
    }

    /// A pointer, null included.
    pub(crate) fn raw_pointer(&self, path: &'static str) -> Cell<u64> {
        self.word(self.field(path)?.offset, self.space.core().header.width.bytes())
    }

    /// A pointer; null means that there is nothing.
    pub(crate) fn pointer(&self, path: &'static str) -> Cell<u64> {
        self.raw_pointer(path).and_then(not_null)
    }

    /// An element of an array of pointers, or of numbers as wide, null included.
    pub(crate) fn element(&self, path: &'static str, index: u64) -> Cell<u64> {
        let width = self.space.core().header.width.bytes();
        let field = self.field(path)?;
        let offset = usize::try_from(index).ok().and_then(|index| index.checked_mul(width));
        let offset = offset.and_then(|offset| offset.checked_add(field.offset));
        let offset = offset.ok_or(Absent::Unreadable)?;
        // Where the size of the array is stated nothing is read behind it.
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

    /// Characters of a field of fixed size.
    pub(crate) fn text(&self, path: &'static str) -> Cell<String> {
        let field = self.field(path)?;
        let size = if field.size == 0 { SHORT_TEXT } else { field.size.min(MAX_TEXT) };
        let text = text(&self.bytes(field.offset, size)?);
        if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
    }

    /// The text of a `_UNICODE_STRING` field.
    pub(crate) fn unicode(&self, path: &'static str) -> Cell<String> {
        self.long_unicode(path, MAX_TEXT)
    }

    /// The same of a text that may have so many bytes.
    pub(crate) fn long_unicode(&self, path: &'static str, most: usize) -> Cell<String> {
        self.space.unicode_string(self.at(path)?, most)
    }

    /// The structure that a pointer field leads to.
    pub(crate) fn follow(&self, path: &'static str, ty: &'static str) -> Cell<Self> {
        Ok(self.space.structure(ty, self.pointer(path)?))
    }

    /// Whether a field exists in this kernel, as far as known.
    pub(crate) fn has(&self, path: &'static str) -> bool {
        self.space.core().field(self.ty, path).is_some()
    }

    /// The size of the structure.
    pub(crate) fn size(&self) -> Cell<u64> {
        self.space.core().size_of(self.ty).ok_or(Absent::NoSymbols)
    }

    /// The kind of dispatcher object, which the first byte of some objects states.
    pub(crate) fn dispatcher_type(&self) -> Option<u8> {
        // Bit 7 is a flag.
        let kind = self.word(0, 1).ok()? & 0x7f;
        u8::try_from(kind).ok()
    }
}
