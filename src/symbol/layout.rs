//! The structures of one kernel: sizes, offsets, and names of addresses where the file has them.
//!
//! Two formats are read: Volatility's Intermediate Symbol Format (`isf`) and `nt-layout-1`
//! (`vtypes`). A file is megabytes of which a query needs little, so only the places of types in
//! the text are noted when it is opened, and a type is read when somebody asks for it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::names::Names;
use super::{isf, vtypes};

/// Dots deeper than this are no path of fields.
const MAX_PATH: usize = 8;

/// The structures of one kernel.
#[derive(Debug)]
pub struct Layout {
    text: String,
    head: Head,
    read: Mutex<HashMap<Box<str>, Option<Arc<Type>>>>,
    names: OnceLock<Names>,
}

/// What is known of a file when it is opened.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) format: Format,
    pub(super) arch: Option<&'static str>,
    /// Version and service pack of the system, as the file states them.
    pub(super) version: Option<String>,
    pub(super) pdb: Option<(String, u32)>,
    pub(super) types: HashMap<Box<str>, Range<usize>>,
    pub(super) symbols: Option<Range<usize>>,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Volatility's Intermediate Symbol Format.
    #[default]
    Isf,
    /// `nt-layout-1`.
    Vtypes,
}

/// A structure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Type {
    pub(super) size: u64,
    pub(super) fields: HashMap<Box<str>, Member>,
}

/// A field as a structure lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) offset: u64,
    pub(super) kind: Kind,
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number of that many bytes.
    Number { size: u64, is_signed: bool },
    /// A pointer.
    Pointer,
    /// Some bits of a number.
    Bits { size: u64, start: u8, len: u8 },
    /// Several of a kind.
    Array { count: u64, of: Box<Kind> },
    /// A structure or union of that name.
    Named(Box<str>),
    /// Anything else.
    Other,
}

/// A field, found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the start of the structure that was asked for.
    pub offset: usize,
    /// The size in bytes; 0 if the file does not say.
    pub size: usize,
    /// First bit and number of bits, if the field is not the whole number.
    pub bits: Option<(u8, u8)>,
    /// Whether the number is signed.
    pub is_signed: bool,
}

impl Layout {
    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: String) -> Result<Self, String> {
        let head = match vtypes::head(&text) {
            Some(head) => head,
            None => isf::head(&text)?,
        };
        if head.types.is_empty() {
            return Err("a layout file without a single type".to_owned());
        }
        Ok(Self { text, head, read: Mutex::default(), names: OnceLock::new() })
    }

    /// The format of the file.
    pub const fn format(&self) -> Format {
        self.head.format
    }

    /// The architecture, if the file says.
    pub const fn arch(&self) -> Option<&'static str> {
        self.head.arch
    }

    /// The version of the system, if the file says.
    pub fn version(&self) -> Option<&str> {
        self.head.version.as_deref()
    }

    /// GUID (upper case, no separators) and age of the PDB that the file was made from.
    pub fn pdb(&self) -> Option<(&str, u32)> {
        self.head.pdb.as_ref().map(|(guid, age)| (guid.as_str(), *age))
    }

    /// The size of a structure.
    pub fn size_of(&self, name: &str) -> Option<u64> {
        self.type_of(name).map(|ty| ty.size)
    }

    /// A field by its path (`ApcState.Process`), through structures that are fields themselves and
    /// the first element of arrays.
    pub fn field(&self, name: &str, path: &str) -> Option<Field> {
        let mut ty = self.type_of(name)?;
        let mut offset = 0u64;
        let mut parts = path.split('.').take(MAX_PATH).peekable();
        while let Some(part) = parts.next() {
            let member = ty.fields.get(part)?;
            offset = offset.checked_add(member.offset)?;
            if parts.peek().is_none() {
                return self.found(offset, &member.kind);
            }
            let mut kind = &member.kind;
            while let Kind::Array { of, .. } = kind {
                kind = of;
            }
            let Kind::Named(inner) = kind else { return None };
            ty = self.type_of(inner)?;
        }
        None
    }

    /// The offset in the image of the symbol of that name.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        self.names().find(&self.text, name)
    }

    /// The symbol at or before an offset in the image, and the bytes from it.
    pub fn nearest(&self, rva: u64) -> Option<(&str, u64)> {
        self.names().nearest(&self.text, rva)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let range = self.head.symbols.clone();
            let raw = range.and_then(|range| self.text.get(range)).unwrap_or("{}");
            Names::read(&self.text, raw, self.head.arch == Some("x86"))
        })
    }

    fn found(&self, offset: u64, kind: &Kind) -> Option<Field> {
        let (bits, is_signed) = match kind {
            Kind::Bits { start, len, .. } => (Some((*start, *len)), false),
            Kind::Number { is_signed, .. } => (None, *is_signed),
            _ => (None, false),
        };
        let size = usize::try_from(self.size_of_kind(kind, 0)?).ok()?;
        Some(Field { offset: usize::try_from(offset).ok()?, size, bits, is_signed })
    }

    fn size_of_kind(&self, kind: &Kind, depth: usize) -> Option<u64> {
        match kind {
            Kind::Number { size, .. } | Kind::Bits { size, .. } => Some(*size),
            Kind::Pointer => Some(if self.head.arch == Some("x86") { 4 } else { 8 }),
            Kind::Array { count, of } if depth < MAX_PATH => {
                self.size_of_kind(of, depth + 1)?.checked_mul(*count)
            }
            Kind::Named(name) => Some(self.size_of(name).unwrap_or(0)),
            Kind::Array { .. } | Kind::Other => Some(0),
        }
    }

    fn type_of(&self, name: &str) -> Option<Arc<Type>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(name) {
            return known.clone();
        }
        let raw = self.head.types.get(name).and_then(|range| self.text.get(range.clone()));
        let ty = raw.and_then(|raw| match self.head.format {
            Format::Isf => isf::read_type(raw),
            Format::Vtypes => vtypes::read_type(raw),
        });
        let ty = ty.map(Arc::new);
        read.insert(name.into(), ty.clone());
        ty
    }
}

/// Where a part of a text that was borrowed from it stands.
pub(super) fn range_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let range = start..start.checked_add(part.len())?;
    (text.get(range.clone()) == Some(part)).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::pack;

    #[test]
    fn damage_never_panics() {
        let text = pack::find(7601, 1, "x86").and_then(|(pack, _)| pack.text()).unwrap();
        let mut state = 88_172_645_463_325_252u64;
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % limit as u64).unwrap()
        };
        for round in 0..60 {
            let mut damaged = text.clone().into_bytes();
            for _ in 0..=round / 10 {
                let at = below(damaged.len());
                damaged[at] = b"0123456789{}[]\",: -"[below(19)];
            }
            let Ok(layout) = Layout::parse(String::from_utf8(damaged).unwrap()) else { continue };
            for (ty, path) in [("_ETHREAD", "Tcb.ApcState.Process"), ("_KPRCB", "DpcData.DpcCount")]
            {
                let _ = (layout.field(ty, path), layout.size_of(ty));
            }
        }
    }
}
