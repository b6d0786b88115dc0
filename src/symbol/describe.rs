//! Type names as the debugger command `dt` prints them.

use super::layout::{Field, Kind, Layout};

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
    pub shape: Shape,
    /// Its type as `dt` writes it (`Ptr64 _EPROCESS`, `[16] UChar`, `Pos 3, 2 Bits`).
    pub type_name: String,
    /// The structure that it is, contains or points to.
    pub of: Option<String>,
}

/// The kind of a field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
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

pub(super) fn field(layout: &Layout, name: &str, field: Field, kind: &Kind) -> FieldInfo {
    let shape = match kind {
        Kind::Number { .. } => Shape::Number,
        Kind::Pointer(_) => Shape::Pointer,
        Kind::Bits { .. } => Shape::Bits,
        Kind::Enum { .. } => Shape::Enum,
        Kind::Named(_) => Shape::Struct,
        Kind::Array { count, of } if matches!(**of, Kind::Number { size: 1, .. }) => {
            Shape::Text { count: *count }
        }
        Kind::Array { count, of } => Shape::Array {
            count: *count,
            size: layout.size_of_kind(of, 0).unwrap_or(0),
            element: match **of {
                Kind::Number { is_signed, .. } => Item::Number { is_signed },
                Kind::Pointer(_) => Item::Pointer,
                Kind::Named(_) => Item::Struct,
                _ => Item::Other,
            },
        },
        Kind::Other => Shape::Unknown,
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
pub(super) fn target(kind: &Kind) -> Option<&str> {
    let mut kind = kind;
    for _ in 0..MAX_DEPTH {
        match kind {
            Kind::Named(name) => return Some(name),
            Kind::Pointer(of) | Kind::Array { of, .. } => kind = of,
            _ => return None,
        }
    }
    None
}

fn words(kind: &Kind, pointer: &str, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return "…".to_owned();
    }
    match kind {
        Kind::Number { size: 1, is_signed: true } => "Char".to_owned(),
        Kind::Number { size: 1, .. } => "UChar".to_owned(),
        Kind::Number { size, is_signed } => {
            format!("{}{size}B", if *is_signed { "Int" } else { "Uint" })
        }
        Kind::Pointer(to) => match &**to {
            Kind::Other => format!("{pointer} Void"),
            to => format!("{pointer} {}", words(to, pointer, depth.saturating_add(1))),
        },
        Kind::Bits { start, len, .. } => {
            format!("Pos {start}, {len} Bit{}", if *len == 1 { "" } else { "s" })
        }
        Kind::Array { count, of } => {
            format!("[{count}] {}", words(of, pointer, depth.saturating_add(1)))
        }
        Kind::Enum { name, size, .. } if name.is_empty() => format!("Enum ({size} bytes)"),
        Kind::Named(name) | Kind::Enum { name, .. } => name.to_string(),
        Kind::Other => "Void".to_owned(),
    }
}
