//! Structures of any type as columns and rows, for `struct`, `list` and `array`.
//!
//! Columns come from type information, cells from the bytes of the structure. This module is
//! independent of dumps: a closure reads the memory that a field points to (such as the text of a
//! `_UNICODE_STRING`).

mod call;
mod cell;

pub(super) use call::{Callee, Memory, answer, layout_of_module};

use std::collections::VecDeque;

use crate::catalog::{CallColumn, Format, Ty};
use crate::symbol::{FieldInfo, Item, Layout, TypeShape};

/// The column with the address of the structure.
const ADDRESS: &str = "address";
/// Upper limit on columns: the most deeply nested fields are left out.
const MAX_COLUMNS: usize = 3000;
/// More deeply nested structures are not expanded.
const MAX_DEPTH: usize = 6;
/// A longer array has one column, not one for each element.
const MAX_ELEMENTS: u64 = 64;

/// The columns of a type, in field order.
#[derive(Debug)]
pub(super) struct Typed {
    name: String,
    size: usize,
    columns: Vec<Column>,
}

/// A field, or a field of a nested structure.
#[derive(Debug)]
struct Column {
    /// The path from the structure (`Tcb.Header.SignalState`, `WaitBlock[1].Object`).
    path: String,
    offset: usize,
    read: Read,
    hidden: bool,
}

/// How bytes become a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// A number or a bit field.
    Number { size: usize, is_signed: bool, bits: Option<(u8, u8)>, is_hex: bool },
    /// An unsigned 64-bit number, or a pointer.
    Address { size: usize },
    /// An enumeration.
    Name { size: usize },
    /// Single-byte characters.
    Text { count: usize },
    /// The numbers of an array.
    Numbers { count: usize, size: usize, is_signed: bool, is_hex: bool },
    /// `_UNICODE_STRING`: the text that it points to.
    Unicode,
    /// `_STRING`: the same with single-byte characters.
    Ansi,
    /// A nested structure: its address.
    Place,
}

impl Typed {
    /// The columns of the type with this name; `None` if the layout does not have it.
    pub(super) fn of(layout: &Layout, name: &str) -> Option<Self> {
        let size = usize::try_from(layout.size_of(name)?).ok()?;
        let mut typed = Self { name: name.to_owned(), size, columns: Vec::new() };
        // The least nested fields come first, so that the limit affects those that are nested
        // deepest.
        let mut queue = VecDeque::from([(name.to_owned(), String::new(), 0usize, 0usize)]);
        while let Some((ty, prefix, base, depth)) = queue.pop_front() {
            for info in layout.members(&ty).unwrap_or_default() {
                if typed.columns.len() >= MAX_COLUMNS {
                    return Some(typed);
                }
                let path = format!("{prefix}{}", info.name);
                let offset = base.saturating_add(info.field.offset);
                let read = read_of(&info);
                typed.add(path.clone(), offset, read, depth > 0);
                if depth >= MAX_DEPTH {
                    continue;
                }
                match (info.shape, &info.of) {
                    (TypeShape::Struct, Some(of)) => {
                        queue.push_back((of.clone(), format!("{path}."), offset, depth + 1));
                    }
                    (TypeShape::Array { count, size, element }, of) if count <= MAX_ELEMENTS => {
                        let size = usize::try_from(size).unwrap_or(0);
                        for i in 0..usize::try_from(count).unwrap_or(0) {
                            let path = format!("{path}[{i}]");
                            let offset = offset.saturating_add(size.saturating_mul(i));
                            typed.add(path.clone(), offset, read_element(element, size), true);
                            if let (Item::Struct, Some(of)) = (element, of) {
                                let next = (of.clone(), format!("{path}."), offset, depth + 1);
                                queue.push_back(next);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        Some(typed)
    }

    fn add(&mut self, path: String, offset: usize, read: Read, hidden: bool) {
        self.columns.push(Column { path, offset, read, hidden });
    }

    /// The size of a structure in bytes.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// The columns: the address of the structure as `address`, then its fields; fields of nested
    /// structures are hidden. A field with the same name (`_ERESOURCE.Address`) gets a `_`
    /// appended.
    pub(super) fn call_columns(&self) -> Vec<CallColumn> {
        let column = |column: &Column| {
            let (ty, format) = column.read.shown();
            let is_taken = column.path.eq_ignore_ascii_case(ADDRESS);
            let name = if is_taken { format!("{}_", column.path) } else { column.path.clone() };
            CallColumn { hidden: column.hidden, format, ..CallColumn::new(name, ty) }
        };
        let fields = self.columns.iter().map(column);
        std::iter::once(CallColumn::new(ADDRESS, Ty::Addr)).chain(fields).collect()
    }
}

impl Read {
    const fn shown(self) -> (Ty, Format) {
        match self {
            Self::Number { is_hex: true, .. } => (Ty::Int, Format::Hex),
            Self::Number { .. } => (Ty::Int, Format::Plain),
            Self::Address { .. } | Self::Place => (Ty::Addr, Format::Plain),
            _ => (Ty::Text, Format::Plain),
        }
    }
}

/// Whether a number with this name holds flags, which are shown in hexadecimal.
fn is_flags(name: &str) -> bool {
    ["Flags", "Mask", "Signature", "Attributes", "Characteristics"].iter().any(|w| name.contains(w))
}

fn read_of(info: &FieldInfo) -> Read {
    let size = info.field.size;
    let is_hex = is_flags(&info.name);
    match info.shape {
        TypeShape::Pointer => Read::Address { size },
        TypeShape::Enum => Read::Name { size },
        TypeShape::Bits => Read::Number { size, is_signed: false, bits: info.field.bits, is_hex },
        TypeShape::Number if size == 8 && !info.field.is_signed => Read::Address { size },
        TypeShape::Number => {
            Read::Number { size, is_signed: info.field.is_signed, bits: None, is_hex }
        }
        TypeShape::Text { count } => Read::Text { count: usize::try_from(count).unwrap_or(0) },
        TypeShape::Array {
            count,
            size,
            element: element @ (Item::Number { .. } | Item::Pointer),
        } => {
            let is_signed = matches!(element, Item::Number { is_signed: true });
            let count = usize::try_from(count).unwrap_or(0);
            let size = usize::try_from(size).unwrap_or(0);
            Read::Numbers { count, size, is_signed, is_hex: element == Item::Pointer }
        }
        TypeShape::Struct => match info.of.as_deref() {
            Some("_LARGE_INTEGER") => {
                Read::Number { size: 8, is_signed: true, bits: None, is_hex: false }
            }
            Some("_ULARGE_INTEGER") => Read::Address { size: 8 },
            Some("_UNICODE_STRING") => Read::Unicode,
            Some("_STRING") => Read::Ansi,
            _ => Read::Place,
        },
        TypeShape::Array { .. } | TypeShape::Unknown => Read::Place,
    }
}

const fn read_element(element: Item, size: usize) -> Read {
    match element {
        Item::Pointer => Read::Address { size },
        Item::Number { is_signed: false } if size == 8 => Read::Address { size },
        Item::Number { is_signed } => Read::Number { size, is_signed, bits: None, is_hex: false },
        Item::Struct | Item::Other => Read::Place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::pack;

    fn typed(name: &str) -> Typed {
        let (pack, _) = pack::find(19041, 0, "x64").unwrap();
        Typed::of(&Layout::of_pack(pack).unwrap(), name).unwrap()
    }

    #[test]
    fn fields_are_columns_and_nested_fields_are_hidden() {
        let columns = typed("_ETHREAD").call_columns();
        let find = |name: &str| columns.iter().find(|column| column.name == name).unwrap();
        assert_eq!(columns[0].name, "address");
        assert!(!find("Tcb").hidden && find("Tcb.Header.SignalState").hidden);
        assert_eq!(find("Tcb.Header.SignalState").ty, Ty::Int);
        assert_eq!(find("Tcb.WaitBlock[3].Object").ty, Ty::Addr);
        assert_eq!(find("Tcb.KernelStack").ty, Ty::Addr);
        assert_eq!(find("CrossThreadFlags").format, Format::Hex);
        assert!(columns.len() <= MAX_COLUMNS + 1);
    }

    #[test]
    fn kinds_of_fields() {
        let columns = typed("_EPROCESS").call_columns();
        let ty = |name: &str| columns.iter().find(|column| column.name == name).unwrap().ty;
        assert_eq!(ty("ImageFileName"), Ty::Text);
        assert_eq!(ty("CreateTime"), Ty::Int);
        assert_eq!(ty("UniqueProcessId"), Ty::Addr);
        assert_eq!(ty("ProcessDelete"), Ty::Int);
        let resource = typed("_ERESOURCE").call_columns();
        let named =
            |name: &str| resource.iter().filter(|c| c.name.eq_ignore_ascii_case(name)).count();
        assert_eq!((named("address"), named("address_")), (1, 1));
        let string = typed("_OBJECT_HEADER_NAME_INFO").call_columns();
        assert_eq!(string.iter().find(|column| column.name == "Name").unwrap().ty, Ty::Text);
    }
}
