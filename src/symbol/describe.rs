//! Type names as the debugger command `dt` prints them.

use super::layout::{Field, Layout, MemberKind};

/// More deeply nested types are cut off.
const MAX_DEPTH: usize = 8;

/// A field of a structure, and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldInfo {
    /// Its name.
    pub name: String,
    /// Where it is in the requested structure.
    pub field: Field,
    /// The kind of its type.
    pub shape: TypeShape,
    /// Its type as `dt` writes it (`Ptr64 _EPROCESS`, `[16] UChar`, `Pos 3, 2 Bits`).
    pub type_name: String,
    /// The structure that it is, contains or points to.
    pub of: Option<String>,
}

/// The kind of a field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeShape {
    /// A number.
    Number,
    /// A pointer.
    Pointer,
    /// A bit field.
    Bits,
    /// An enumeration.
    Enum,
    /// A structure or union.
    Struct,
    /// An array with elements of one size.
    Array {
        /// The number of elements.
        count: u64,
        /// The size of an element.
        size: u64,
        /// The kind of the elements.
        element: Item,
    },
    /// Single-byte characters.
    Text {
        /// The number of characters.
        count: u64,
    },
    /// Anything else.
    Unknown,
}

/// The kind of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// Numbers.
    Number {
        /// Whether they are signed.
        is_signed: bool,
    },
    /// Pointers.
    Pointer,
    /// Structures.
    Struct,
    /// Anything else.
    Other,
}

pub(super) fn field(layout: &Layout, name: &str, field: Field, kind: &MemberKind) -> FieldInfo {
    let shape = match kind {
        MemberKind::Number { .. } => TypeShape::Number,
        MemberKind::Pointer(_) => TypeShape::Pointer,
        MemberKind::Bits { .. } => TypeShape::Bits,
        MemberKind::Enum { .. } => TypeShape::Enum,
        MemberKind::Named(_) => TypeShape::Struct,
        MemberKind::Array { count, of } if matches!(**of, MemberKind::Number { size: 1, .. }) => {
            TypeShape::Text { count: *count }
        }
        MemberKind::Array { count, of } => TypeShape::Array {
            count: *count,
            size: layout.size_of_kind(of, 0).unwrap_or(0),
            element: match **of {
                MemberKind::Number { is_signed, .. } => Item::Number { is_signed },
                MemberKind::Pointer(_) => Item::Pointer,
                MemberKind::Named(_) => Item::Struct,
                _ => Item::Other,
            },
        },
        MemberKind::Other => TypeShape::Unknown,
    };
    let pointer = if layout.arch() == Some("x86") { "Ptr32" } else { "Ptr64" };
    FieldInfo {
        name: name.to_owned(),
        field,
        shape,
        type_name: words(kind, pointer, 0),
        of: target(kind).map(str::to_owned),
    }
}

/// The structure that a type is, contains or points to.
pub(super) fn target(kind: &MemberKind) -> Option<&str> {
    let mut kind = kind;
    for _ in 0..MAX_DEPTH {
        match kind {
            MemberKind::Named(name) => return Some(name),
            MemberKind::Pointer(of) | MemberKind::Array { of, .. } => kind = of,
            _ => return None,
        }
    }
    None
}

fn words(kind: &MemberKind, pointer: &str, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return "…".to_owned();
    }
    match kind {
        MemberKind::Number { size: 1, is_signed: true } => "Char".to_owned(),
        MemberKind::Number { size: 1, .. } => "UChar".to_owned(),
        MemberKind::Number { size, is_signed } => {
            format!("{}{size}B", if *is_signed { "Int" } else { "Uint" })
        }
        MemberKind::Pointer(to) => match &**to {
            MemberKind::Other => format!("{pointer} Void"),
            to => format!("{pointer} {}", words(to, pointer, depth.saturating_add(1))),
        },
        MemberKind::Bits { start, len, .. } => {
            format!("Pos {start}, {len} Bit{}", if *len == 1 { "" } else { "s" })
        }
        MemberKind::Array { count, of } => {
            format!("[{count}] {}", words(of, pointer, depth.saturating_add(1)))
        }
        MemberKind::Enum { name, size, .. } if name.is_empty() => format!("Enum ({size} bytes)"),
        MemberKind::Named(name) | MemberKind::Enum { name, .. } => name.to_string(),
        MemberKind::Other => "Void".to_owned(),
    }
}
