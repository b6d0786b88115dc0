//! The TPI stream: structures with their fields, and enumerations.

use std::collections::{HashMap, HashSet};

use crate::symbol::bytes::{cstring, size_at, u16_at, u32_at, u64_at};
use crate::symbol::layout::{Enum, Member, MemberKind, Type};

/// The number of the TPI stream.
pub(super) const STREAM: usize = 2;
const HEADER: usize = 56;
/// Smaller type indexes are simple types without a record.
const FIRST: u32 = 0x1000;
/// More deeply nested types are damaged.
const MAX_DEPTH: usize = 16;
/// Upper limit on the field lists of one type.
const MAX_LISTS: usize = 4096;
const FORWARD: u16 = 0x80;

const MODIFIER: u16 = 0x1001;
const POINTER: u16 = 0x1002;
const FIELDS: u16 = 0x1203;
const BITS: u16 = 0x1205;
const ARRAY: u16 = 0x1503;
const CLASS: u16 = 0x1504;
const STRUCT: u16 = 0x1505;
const UNION: u16 = 0x1506;
const ENUM: u16 = 0x1507;

/// The types of a file, by index and by name.
#[derive(Debug)]
pub(in crate::symbol) struct Types {
    bytes: Vec<u8>,
    first: u32,
    /// Where the record of each type begins.
    places: Vec<usize>,
    by_name: HashMap<Box<str>, u32>,
    /// The pointer size, from the first pointer type in the file.
    pointer_size: u64,
}

/// A structure, union or enumeration record.
struct Definition<'a> {
    name: &'a [u8],
    properties: u16,
    size: u64,
    fields: u32,
    underlying: u32,
}

impl Types {
    /// Records where types are, and indexes their names.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let first = u32_at(&bytes, 8)?;
        let mut at = size_at(&bytes, 4)?.max(HEADER);
        let mut places = Vec::new();
        while let Some(len) = u16_at(&bytes, at).filter(|len| *len >= 2) {
            places.push(at);
            at = at.checked_add(2 + usize::from(len))?;
        }
        if first < FIRST {
            return None;
        }
        let mut types = Self { bytes, first, places, by_name: HashMap::new(), pointer_size: 8 };
        types.pointer_size = types.first_pointer();
        let mut by_name = HashMap::new();
        for number in types.numbers() {
            let Some(found) = types.definition(number) else { continue };
            if found.properties & FORWARD == 0 {
                by_name.entry(Self::name_of(number, found.name)).or_insert(number);
            }
        }
        types.by_name = by_name;
        Some(types)
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let count = u32::try_from(self.places.len()).unwrap_or(0);
        self.first..self.first.saturating_add(count)
    }

    /// The names of the structures and unions that are not anonymous.
    pub(in crate::symbol) fn names(&self) -> Vec<String> {
        let named = self.by_name.iter().filter(|(name, number)| {
            !name.starts_with('<') && self.record(**number).is_some_and(|(kind, _)| kind != ENUM)
        });
        named.map(|(name, _)| name.to_string()).collect()
    }

    /// Anonymous types share a name; the type index makes it unique.
    fn name_of(number: u32, name: &[u8]) -> Box<str> {
        let name = String::from_utf8_lossy(name);
        if name.contains('<') && (name.contains("unnamed") || name.contains("anonymous")) {
            return format!("<unnamed-{number:x}>").into();
        }
        name.into()
    }

    /// Type and contents of a record.
    fn record(&self, number: u32) -> Option<(u16, &[u8])> {
        let at = *self.places.get(usize::try_from(number.checked_sub(self.first)?).ok()?)?;
        let len = usize::from(u16_at(&self.bytes, at)?);
        let content = at.checked_add(4)?..at.checked_add(2)?.checked_add(len)?;
        Some((u16_at(&self.bytes, at.checked_add(2)?)?, self.bytes.get(content)?))
    }

    fn definition(&self, number: u32) -> Option<Definition<'_>> {
        let (kind, content) = self.record(number)?;
        let properties = u16_at(content, 2)?;
        let (fields_at, size_at, underlying) = match kind {
            CLASS | STRUCT => (4, Some(16), 0),
            UNION => (4, Some(8), 0),
            ENUM => (8, None, u32_at(content, 4)?),
            _ => return None,
        };
        let (size, name_at) = match size_at {
            Some(at) => numeric(content, at)?,
            None => (0, 12),
        };
        let fields = u32_at(content, fields_at)?;
        Some(Definition {
            name: cstring(content, name_at)?,
            properties,
            size: u64::try_from(size).ok()?,
            fields,
            underlying,
        })
    }

    /// A structure by name.
    pub(in crate::symbol) fn read_type(&self, name: &str) -> Option<Type> {
        let number = *self.by_name.get(name)?;
        let (kind, _) = self.record(number)?;
        if kind == ENUM {
            return None;
        }
        let found = self.definition(number)?;
        let mut ty = Type { size: found.size, fields: HashMap::new() };
        self.each_field(found.fields, &mut |field| {
            if let ListItem::Member(name, of, offset) = field {
                let name = String::from_utf8_lossy(name).into();
                let offset = u64::try_from(offset).unwrap_or(u64::MAX);
                ty.fields.insert(name, Member { offset, kind: self.kind(of, 0) });
            }
        });
        Some(ty)
    }

    /// An enumeration by name.
    pub(super) fn enumeration(&self, name: &str) -> Option<Enum> {
        let number = *self.by_name.get(name)?;
        let (kind, _) = self.record(number)?;
        let found = (kind == ENUM).then(|| self.definition(number))??;
        let size = match self.kind(found.underlying, 0) {
            MemberKind::Number { size, .. } => size,
            _ => 4,
        };
        let mut values = Vec::new();
        self.each_field(found.fields, &mut |field| {
            if let ListItem::Value(name, value) = field
                && let Ok(value) = i64::try_from(value)
            {
                values.push((value, String::from_utf8_lossy(name).into()));
            }
        });
        Some(Enum::new(size, values))
    }

    /// A type index as a layout type.
    fn kind(&self, number: u32, depth: usize) -> MemberKind {
        if number < FIRST {
            return simple(number);
        }
        if depth > MAX_DEPTH {
            return MemberKind::Other;
        }
        self.kind_of_record(number, depth).unwrap_or(MemberKind::Other)
    }

    fn kind_of_record(&self, number: u32, depth: usize) -> Option<MemberKind> {
        let (kind, content) = self.record(number)?;
        let below = depth.checked_add(1)?;
        let inner = || Some(self.kind(u32_at(content, 0)?, below));
        Some(match kind {
            MODIFIER => inner()?,
            POINTER => MemberKind::Pointer(Box::new(inner()?)),
            ARRAY => {
                let of = inner()?;
                let bytes = u64::try_from(numeric(content, 8)?.0).ok()?;
                let size = self.size_of(&of, 0)?;
                let count = bytes.checked_div(size).unwrap_or(0);
                MemberKind::Array { count, of: Box::new(of) }
            }
            BITS => {
                let size = self.size_of(&inner()?, 0)?;
                MemberKind::Bits { size, start: *content.get(5)?, len: *content.get(4)? }
            }
            ENUM => {
                let found = self.definition(number)?;
                let size = self.size_of(&self.kind(found.underlying, below), 0)?;
                MemberKind::Enum { name: Self::name_of(number, found.name), size, values: None }
            }
            CLASS | STRUCT | UNION => {
                MemberKind::Named(Self::name_of(number, self.definition(number)?.name))
            }
            _ => MemberKind::Other,
        })
    }

    fn size_of(&self, kind: &MemberKind, depth: usize) -> Option<u64> {
        match kind {
            MemberKind::Number { size, .. }
            | MemberKind::Bits { size, .. }
            | MemberKind::Enum { size, .. } => Some(*size),
            MemberKind::Pointer(_) => Some(self.pointer_size),
            MemberKind::Array { count, of } if depth < MAX_DEPTH => {
                self.size_of(of, depth.checked_add(1)?)?.checked_mul(*count)
            }
            MemberKind::Named(name) => Some(self.definition(*self.by_name.get(name)?)?.size),
            MemberKind::Array { .. } | MemberKind::Other => Some(0),
        }
    }

    fn first_pointer(&self) -> u64 {
        let pointer = self.numbers().find_map(|number| {
            let (kind, content) = self.record(number)?;
            (kind == POINTER).then(|| u32_at(content, 4))?
        });
        if pointer.is_some_and(|attributes| attributes >> 13 & 0x3f == 4) { 4 } else { 8 }
    }

    /// The items of a field list, including its continuations.
    fn each_field<'a>(&'a self, list: u32, take: &mut dyn FnMut(ListItem<'a>)) {
        let mut next = Some(list);
        // Lists that continue in themselves end.
        let mut seen = HashSet::new();
        while seen.len() < MAX_LISTS {
            let list = next.filter(|list| seen.insert(*list));
            let Some(content) = list.and_then(|list| self.record(list)) else { return };
            if content.0 != FIELDS {
                return;
            }
            next = None;
            let mut at = 0;
            while let Some((item, end)) = list_item(content.1, at) {
                match item {
                    ListItem::Continued(list) => next = Some(list),
                    item => take(item),
                }
                at = end;
            }
        }
    }
}

/// An item of a field list.
enum ListItem<'a> {
    /// A field: name, type, offset.
    Member(&'a [u8], u32, i128),
    /// A value of an enumeration.
    Value(&'a [u8], i128),
    /// A continuation in another record.
    Continued(u32),
    /// Another item.
    Other,
}

/// The item at an offset, and where the next begins.
fn list_item(bytes: &[u8], at: usize) -> Option<(ListItem<'_>, usize)> {
    let at = match bytes.get(at)? {
        // A padding byte gives its own length.
        pad @ 0xf1..=0xff => at.checked_add(usize::from(pad & 0xf))?,
        _ => at,
    };
    let named = |at: usize| {
        let name = cstring(bytes, at)?;
        Some((name, at.checked_add(name.len())?.checked_add(1)?))
    };
    let other = |end: usize| Some((ListItem::Other, end));
    match u16_at(bytes, at)? {
        // A field, and a base class, which has no name.
        0x150d => {
            let (offset, name_at) = numeric(bytes, at.checked_add(8)?)?;
            let (name, end) = named(name_at)?;
            Some((ListItem::Member(name, u32_at(bytes, at.checked_add(4)?)?, offset), end))
        }
        0x1400 => other(numeric(bytes, at.checked_add(8)?)?.1),
        0x1401 | 0x1402 => other(numeric(bytes, numeric(bytes, at.checked_add(12)?)?.1)?.1),
        0x1502 => {
            let (value, name_at) = numeric(bytes, at.checked_add(4)?)?;
            let (name, end) = named(name_at)?;
            Some((ListItem::Value(name, value), end))
        }
        0x1404 => {
            Some((ListItem::Continued(u32_at(bytes, at.checked_add(4)?)?), at.checked_add(8)?))
        }
        0x1409 => other(at.checked_add(8)?),
        // A static field, overloaded methods, a nested type.
        0x150e..=0x1510 => other(named(at.checked_add(8)?)?.1),
        // A single method; one that introduces a virtual method has a vtable offset.
        0x1511 => {
            let is_new = matches!(u16_at(bytes, at.checked_add(2)?)? >> 2 & 7, 4 | 6);
            other(named(at.checked_add(if is_new { 12 } else { 8 })?)?.1)
        }
        _ => None,
    }
}

/// A numeric leaf, and where it ends.
fn numeric(bytes: &[u8], at: usize) -> Option<(i128, usize)> {
    let leaf = u16_at(bytes, at)?;
    let start = at.checked_add(2)?;
    let signed = |value: u64, unused: u32| i128::from(value.cast_signed() << unused >> unused);
    Some(match leaf {
        0..0x8000 => (i128::from(leaf), start),
        0x8000 => (signed((*bytes.get(start)?).into(), 56), start.checked_add(1)?),
        0x8001 => (signed(u16_at(bytes, start)?.into(), 48), start.checked_add(2)?),
        0x8002 => (u16_at(bytes, start)?.into(), start.checked_add(2)?),
        0x8003 => (signed(u32_at(bytes, start)?.into(), 32), start.checked_add(4)?),
        0x8004 => (u32_at(bytes, start)?.into(), start.checked_add(4)?),
        0x8009 => (signed(u64_at(bytes, start)?, 0), start.checked_add(8)?),
        0x800a => (u64_at(bytes, start)?.into(), start.checked_add(8)?),
        _ => return None,
    })
}

/// A simple type: a number, or a pointer to one.
fn simple(number: u32) -> MemberKind {
    let (size, is_signed) = match number & 0xff {
        0x10 | 0x68 | 0x70 => (1, true),
        0x20 | 0x30 | 0x69 | 0x7c => (1, false),
        0x11 | 0x72 => (2, true),
        0x21 | 0x31 | 0x71 | 0x73 | 0x7a => (2, false),
        0x12 | 0x74 => (4, true),
        0x08 | 0x22 | 0x32 | 0x40 | 0x75 | 0x7b => (4, false),
        0x13 | 0x76 => (8, true),
        0x23 | 0x33 | 0x41 | 0x77 => (8, false),
        _ => (0, false),
    };
    let of = if size == 0 { MemberKind::Other } else { MemberKind::Number { size, is_signed } };
    if (number >> 8).trailing_zeros() >= 4 { of } else { MemberKind::Pointer(Box::new(of)) }
}
