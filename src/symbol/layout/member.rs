//! The types of fields, and enumerations, as layouts of every format give them.

use std::collections::HashMap;
use std::sync::Arc;

/// A structure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::symbol) struct Type {
    pub(in crate::symbol) size: u64,
    pub(in crate::symbol) fields: HashMap<Box<str>, Member>,
}

/// A field as a structure lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::symbol) struct Member {
    pub(in crate::symbol) offset: u64,
    pub(in crate::symbol) kind: MemberKind,
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::symbol) enum MemberKind {
    /// A number of this many bytes.
    Number { size: u64, is_signed: bool },
    /// A pointer.
    Pointer(Box<MemberKind>),
    /// An enumeration; in some formats its names are stored separately.
    Enum { name: Box<str>, size: u64, values: Option<Arc<Enum>> },
    /// A bit field.
    Bits { size: u64, start: u8, len: u8 },
    /// An array.
    Array { count: u64, of: Box<MemberKind> },
    /// A structure or union with this name.
    Named(Box<str>),
    /// Anything else.
    Other,
}

/// The names of an enumeration's values, sorted by value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::symbol) struct Enum {
    size: u64,
    values: Vec<(i64, Box<str>)>,
}

impl Enum {
    pub(in crate::symbol) fn new(size: u64, mut values: Vec<(i64, Box<str>)>) -> Self {
        values.sort_unstable();
        Self { size, values }
    }

    pub(in crate::symbol) const fn size(&self) -> u64 {
        self.size
    }

    /// The name of a value; of several the first in alphabetical order.
    pub(in crate::symbol) fn name(&self, value: i64) -> Option<&str> {
        let at = self.values.partition_point(|(known, _)| *known < value);
        let (known, name) = self.values.get(at)?;
        (*known == value).then_some(name)
    }
}
