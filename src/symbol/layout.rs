//! The structures of one kernel: sizes, offsets, and symbols if the file has them.
//!
//! Three formats are read: Volatility's Intermediate Symbol Format (`isf`), `nt-layout-1`
//! (`vtypes`) and PDB files (`pdb`). A file has megabytes of which a query needs little, so opening
//! it only records where each type is in the text; a type is parsed on first use.

mod member;

pub(super) use member::{Enum, Member, MemberKind, Type};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::describe::{self, FieldInfo};
use super::known::Known;
use super::names::Names;
use super::pack::{Document, Pack};
use super::pdb::{PdbFile, Types};
use super::text::Text;
use super::{demangle, kept};
use crate::dump::cache::Entry;

/// The end of a document that does not differ from its base.
const SAME: &str = "\"types\":{}}";
/// Upper limit on the components of a field path.
const MAX_PATH: usize = 8;

/// The structures of one kernel.
#[derive(Debug)]
pub struct Layout {
    body: Body,
    read: Mutex<HashMap<Box<str>, Option<Arc<Type>>>>,
    known: Known,
    /// The layout of another kernel of the build that has the types which are not listed here.
    base: Option<Box<Layout>>,
    /// The kernel's pack, if the layout is built in, and its other types once one is asked for.
    pack: Option<&'static Pack>,
    rest: OnceLock<Option<Box<Layout>>>,
}

/// Where types and symbols are read from.
#[derive(Debug)]
enum Body {
    Text(Box<Text>),
    Pdb(Arc<PdbFile>),
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Volatility's Intermediate Symbol Format.
    #[default]
    Isf,
    /// `nt-layout-1`.
    Vtypes,
    /// A PDB file.
    Pdb,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Offset in the requested structure.
    pub offset: usize,
    /// The size in bytes; 0 if the file does not give it.
    pub size: usize,
    /// First bit and number of bits of a bit field.
    pub bits: Option<(u8, u8)>,
    /// Whether the number is signed.
    pub is_signed: bool,
}

impl Layout {
    /// Parses the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: String) -> Result<Self, String> {
        Text::parse(text).map(Self::of_text)
    }

    fn of_text(text: Text) -> Self {
        Self::new(Body::Text(Box::new(text)))
    }

    /// The layout that an earlier session cached, if there is one.
    pub(super) fn kept(entry: &Entry) -> Option<Self> {
        kept::read(entry.open()?).map(Self::of_text)
    }

    /// Caches a parsed text for the next session if that saves time; returns whether it did.
    pub(super) fn keep(&self, entry: &Entry) -> bool {
        matches!(&self.body, Body::Text(text) if kept::keep(text, entry))
    }

    /// A built-in layout; `None` only if the program itself is damaged.
    pub fn of_pack(pack: &'static Pack) -> Option<Self> {
        Some(Self { pack: Some(pack), ..Self::of_part(pack, Document::First)? })
    }

    /// A document of a pack, as differences from the document of its base.
    fn of_part(pack: &Pack, part: Document) -> Option<Self> {
        let own = pack.text(part)?;
        let Some(base) = pack.base(part) else { return Self::parse(own.to_string()).ok() };
        let base = Self::parse(base.to_string()).ok()?;
        // If there are no differences, nothing has to be parsed.
        if own.ends_with(SAME) {
            return Some(base);
        }
        Some(Self { base: Some(Box::new(base)), ..Self::parse(own.to_string()).ok()? })
    }

    /// The types and symbols of a PDB file.
    pub fn from_pdb(file: Arc<PdbFile>) -> Self {
        Self::new(Body::Pdb(file))
    }

    fn new(body: Body) -> Self {
        Self {
            body,
            read: Mutex::default(),
            known: Known::default(),
            base: None,
            pack: None,
            rest: OnceLock::new(),
        }
    }

    /// The other types of a built-in layout, which are decompressed on first use.
    fn rest(&self) -> Option<&Self> {
        let unpack = || Some(Box::new(Self::of_part(self.pack?, Document::Rest)?));
        self.rest.get_or_init(unpack).as_deref()
    }

    /// The format of the file.
    pub const fn format(&self) -> Format {
        match &self.body {
            Body::Text(text) => text.head.format,
            Body::Pdb(_) => Format::Pdb,
        }
    }

    /// The architecture, if the file gives it.
    pub fn arch(&self) -> Option<&'static str> {
        match &self.body {
            Body::Text(text) => text.head.arch,
            Body::Pdb(file) => file.arch(),
        }
    }

    /// The version of the system, if the file gives it.
    pub fn version(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => text.head.version.as_deref(),
            Body::Pdb(_) => None,
        }
    }

    /// GUID (upper case, no separators) and age of the PDB from which the file was made.
    pub fn pdb(&self) -> Option<(&str, u32)> {
        match &self.body {
            Body::Text(text) => text.head.pdb.as_ref().map(|(guid, age)| (guid.as_str(), *age)),
            Body::Pdb(file) => Some((file.guid(), file.age())),
        }
    }

    /// The size of a structure.
    pub fn size_of(&self, name: &str) -> Option<u64> {
        self.type_of(name).map(|ty| ty.size)
    }

    /// A field by its path (`ApcState.Process`), through nested structures and the first element of
    /// arrays.
    pub fn field(&self, name: &str, path: &str) -> Option<Field> {
        self.known.field(name, path, || {
            let (offset, kind) = self.at(name, path)?;
            self.found(offset, &kind)
        })
    }

    /// The same for constant names: the result is cached by their addresses, which is cheap and
    /// takes no lock.
    pub fn constant_field(&self, name: &'static str, path: &'static str) -> Option<Field> {
        self.known.constant(name, path, || self.field(name, path))
    }

    /// The size of a structure whose name is a constant, cached in the same way.
    pub fn constant_size(&self, name: &'static str) -> Option<u64> {
        let whole = |size| Some(Field { offset: 0, size, bits: None, is_signed: false });
        let size = || usize::try_from(self.size_of(name)?).ok().and_then(whole);
        self.known.constant(name, "", size).and_then(|field| u64::try_from(field.size).ok())
    }

    /// Every field of a structure, by offset.
    pub fn members(&self, name: &str) -> Option<Vec<FieldInfo>> {
        let ty = self.type_of(name)?;
        let found = ty.fields.iter().filter_map(|(name, member)| {
            let field = self.found(member.offset, &member.kind)?;
            Some(describe::field(self, name, field, &member.kind))
        });
        let mut members: Vec<FieldInfo> = found.collect();
        members.sort_by(|a, b| {
            let key = |info: &FieldInfo| (info.field.offset, info.field.bits);
            // Of fields at one offset the larger comes first, as most unions are declared.
            let size = b.field.size.cmp(&a.field.size);
            key(a).cmp(&key(b)).then(size).then_with(|| a.name.cmp(&b.name))
        });
        Some(members)
    }

    /// The structure that a pointer field points to.
    pub fn target(&self, name: &str, path: &str) -> Option<String> {
        let (_, kind) = self.at(name, path)?;
        describe::target(&kind).map(str::to_owned)
    }

    /// The name of a field's value, if the field's type is an enumeration.
    pub fn value_name(&self, name: &str, path: &str, value: i64) -> Option<String> {
        let (_, kind) = self.at(name, path)?;
        let MemberKind::Enum { name, values, .. } = &kind else { return None };
        match values {
            Some(values) => values.name(value).map(str::to_owned),
            None => self.enum_name(name, value),
        }
    }

    /// The name of a value of an enumeration.
    pub fn enum_name(&self, name: &str, value: i64) -> Option<String> {
        self.with_enum(name, |found| found.name(value).map(str::to_owned))?
    }

    /// The names of the structures in alphabetical order.
    pub fn type_names(&self) -> Vec<String> {
        let mut names: Vec<String> = match &self.body {
            Body::Text(text) => {
                text.head.types.keys().map(std::string::ToString::to_string).collect()
            }
            Body::Pdb(file) => file.types().map(Types::names).unwrap_or_default(),
        };
        if let Some(base) = &self.base {
            names.extend(base.type_names());
            // A difference may be that a type was removed.
            names.retain(|name| self.stated(name).is_some());
        }
        names.extend(self.rest().into_iter().flat_map(Self::type_names));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The offset in the image of a symbol.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        match &self.body {
            Body::Text(text) => text.names().find(&text.held, name),
            Body::Pdb(file) => file.address(name),
        }
    }

    /// Whether the file has symbols.
    pub fn has_symbols(&self) -> bool {
        match &self.body {
            Body::Text(text) => text.has_symbols(),
            Body::Pdb(_) => true,
        }
    }

    /// The offset and type at the end of a field path.
    fn at(&self, name: &str, path: &str) -> Option<(u64, MemberKind)> {
        let mut ty = self.type_of(name)?;
        let mut offset = 0u64;
        let mut parts = path.split('.').take(MAX_PATH).peekable();
        while let Some(part) = parts.next() {
            let member = ty.fields.get(part)?;
            offset = offset.checked_add(member.offset)?;
            if parts.peek().is_none() {
                return Some((offset, member.kind.clone()));
            }
            let mut kind = &member.kind;
            while let MemberKind::Array { of, .. } = kind {
                kind = of;
            }
            let MemberKind::Named(inner) = kind else { return None };
            ty = self.type_of(inner)?;
        }
        None
    }

    fn with_enum<T>(&self, name: &str, read: impl FnOnce(&Enum) -> T) -> Option<T> {
        match &self.body {
            Body::Text(text) => text.enums().get(name).map(read),
            Body::Pdb(file) => file.enumeration(name).as_ref().map(read),
        }
    }

    fn found(&self, offset: u64, kind: &MemberKind) -> Option<Field> {
        let (bits, is_signed) = match kind {
            MemberKind::Bits { start, len, .. } => (Some((*start, *len)), false),
            MemberKind::Number { is_signed, .. } => (None, *is_signed),
            _ => (None, false),
        };
        let size = usize::try_from(self.size_of_kind(kind, 0)?).ok()?;
        Some(Field { offset: usize::try_from(offset).ok()?, size, bits, is_signed })
    }

    pub(super) fn size_of_kind(&self, kind: &MemberKind, depth: usize) -> Option<u64> {
        match kind {
            MemberKind::Enum { name, size, values: None } => {
                Some(self.with_enum(name, Enum::size).unwrap_or(*size))
            }
            MemberKind::Number { size, .. }
            | MemberKind::Bits { size, .. }
            | MemberKind::Enum { size, .. } => Some(*size),
            MemberKind::Pointer(_) => Some(if self.arch() == Some("x86") { 4 } else { 8 }),
            MemberKind::Array { count, of } if depth < MAX_PATH => {
                self.size_of_kind(of, depth.saturating_add(1))?.checked_mul(*count)
            }
            MemberKind::Named(name) => Some(self.size_of(name).unwrap_or(0)),
            MemberKind::Array { .. } | MemberKind::Other => Some(0),
        }
    }

    fn type_of(&self, name: &str) -> Option<Arc<Type>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(name) {
            return known.clone();
        }
        let ty = self.stated(name).map(Arc::new).or_else(|| self.rest()?.type_of(name));
        read.insert(name.into(), ty.clone());
        ty
    }

    /// A type of the file, or of the layout from which the file differs.
    fn stated(&self, name: &str) -> Option<Type> {
        match &self.body {
            Body::Text(text) => match &self.base {
                Some(base) if !text.head.types.contains_key(name) => base.stated(name),
                _ => text.read_type(name),
            },
            Body::Pdb(file) => file.types().and_then(|types| types.read_type(name)),
        }
    }
}

impl Names for Layout {
    fn nearest(&self, rva: u64) -> Option<(String, u64)> {
        match &self.body {
            Body::Text(text) => {
                let (name, offset) = text.names().nearest(&text.held, rva)?;
                Some((demangle::shown(name).into_owned(), offset))
            }
            Body::Pdb(file) => file.nearest(rva),
        }
    }

    fn address(&self, name: &str) -> Option<u64> {
        self.symbol(name)
    }

    fn line(&self, rva: u64) -> Option<(String, u32)> {
        match &self.body {
            Body::Text(_) => None,
            Body::Pdb(file) => file.line(rva),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::pack;

    #[test]
    fn types_of_the_second_part_are_decompressed_on_demand() {
        let (pack, _) = pack::find(19041, 0, "x64").unwrap();
        let layout = Layout::of_pack(pack).unwrap();
        assert!(layout.size_of("_EPROCESS").is_some() && layout.rest.get().is_none());
        let field = layout.field("_WORK_QUEUE_ITEM", "WorkerRoutine").unwrap();
        assert_eq!((field.offset, field.size), (16, 8));
        assert!(layout.rest.get().is_some());
        let names = layout.type_names();
        assert!(names.is_sorted() && names.contains(&"_HEAP_VS_CONTEXT".to_owned()));
        assert!(layout.size_of("_NO_SUCH_TYPE").is_none());
    }

    #[test]
    fn damage_never_panics() {
        let (pack, _) = pack::find(7601, 1, "x86").unwrap();
        let text = pack.base(Document::First).or_else(|| pack.text(Document::First)).unwrap();
        let mut state = 88_172_645_463_325_252u64;
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % limit as u64).unwrap()
        };
        for round in 0..60 {
            let mut damaged = text.as_bytes().to_vec();
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
