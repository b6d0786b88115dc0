//! The types of the language.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::intern::intern;
use super::{DecimalTy, type_name};

/// The maximum number of fields of a structure.
const MAX_FIELDS: usize = 1_000;
/// The maximum length of a type's name, which bounds the number of types in it.
const MAX_NAME: usize = 1 << 14;
/// The maximum total length of the names of all types, which are never freed.
const MAX_NAMES: usize = 16 << 20;

/// The list and structure types so far, by name, and the total length of the names.
static NESTED: Mutex<(BTreeMap<&'static str, Ty>, usize)> = Mutex::new((BTreeMap::new(), 0));

/// The type with that name, created if it is new; `None` if there are too many types.
fn kept(name: &str, make: impl FnOnce() -> Option<Ty>) -> Option<Ty> {
    let mut known = NESTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ty) = known.0.get(name) {
        return Some(*ty);
    }
    if known.1 + name.len() > MAX_NAMES || name.len() > 2 * MAX_NAME {
        return None;
    }
    let ty = make()?;
    known.1 += name.len();
    known.0.insert(ty.name(), ty);
    Some(ty)
}

/// A field in the notation of types; fields of `row(…)` have no names.
fn field_text(name: &str, ty: Ty) -> String {
    if name.is_empty() { ty.name().to_owned() } else { format!("{} {ty}", field_name(name)) }
}

/// The name of a field in the notation of types.
fn field_name(name: &str) -> String {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A SQL type. Every expression has exactly one type, known before a query runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ty {
    /// The type of a bare `NULL`, which converts to every other type.
    Null,
    /// `BOOLEAN`.
    Bool,
    /// `INTEGER`: 64 bits, signed.
    Int,
    /// `DOUBLE`: IEEE 754, 64 bits.
    Double,
    /// `VARCHAR`: UTF-8 text.
    Text,
    /// `ADDRESS`: 64 bits, unsigned, shown in hex at the dump's pointer width.
    Addr,
    /// `TIMESTAMP`: microseconds since 1970-01-01 UTC.
    Time,
    /// `INTERVAL`: a duration of microseconds.
    Interval,
    /// `DECIMAL(p, s)`: exact numbers of `p` digits, `s` of them behind the point.
    Decimal(&'static DecimalTy),
    /// `DATE`: a day, kept as the microseconds since 1970-01-01 UTC of its midnight.
    Date,
    /// `TIME`: microseconds since midnight.
    TimeOfDay,
    /// `BLOB`: bytes.
    Blob,
    /// `UUID`, and the GUID of a PDB.
    Uuid,
    /// `LIST`: any number of values of one type, written `INTEGER[]`.
    List(&'static ListTy),
    /// `STRUCT`: values by name, written `STRUCT(a INTEGER, b VARCHAR)`.
    Struct(&'static StructTy),
    /// `MAP`: values by key, written `MAP(VARCHAR, INTEGER)`.
    Map(&'static MapTy),
}

/// The type of a map. There is one for each pair of types, see [`Ty::map_of`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct MapTy {
    key: Ty,
    value: Ty,
    /// The list of structures that the value is kept as.
    entries: Ty,
    name: &'static str,
}

impl MapTy {
    /// The type of the keys.
    pub const fn key(&self) -> Ty {
        self.key
    }

    /// The type of the values.
    pub const fn value(&self) -> Ty {
        self.value
    }

    /// The type of the list of entries, which are structures of `key` and `value`.
    pub const fn entries(&self) -> Ty {
        self.entries
    }
}

/// The type of a list. There is one for each type of elements, see [`Ty::list_of`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListTy {
    element: Ty,
    name: &'static str,
}

/// The type of a structure. There is one for each sequence of fields, see [`Ty::struct_of`].
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct StructTy {
    fields: &'static [(&'static str, Ty)],
    name: &'static str,
}

impl ListTy {
    /// The type of the elements; [`Ty::Null`] for a list with only NULLs.
    pub const fn element(&self) -> Ty {
        self.element
    }
}

impl StructTy {
    /// Names and types of the fields.
    pub const fn fields(&self) -> &'static [(&'static str, Ty)] {
        self.fields
    }

    /// The index and the type of a field; its name is compared ignoring ASCII case.
    pub fn field(&self, name: &str) -> Option<(usize, Ty)> {
        let mut fields = self.fields.iter().enumerate();
        fields.find(|(_, (own, _))| own.eq_ignore_ascii_case(name)).map(|(at, (_, ty))| (at, *ty))
    }
}

impl Ty {
    /// The name as written in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool => "BOOLEAN",
            Self::Int => "INTEGER",
            Self::Double => "DOUBLE",
            Self::Text => "VARCHAR",
            Self::Addr => "ADDRESS",
            Self::Time => "TIMESTAMP",
            Self::Interval => "INTERVAL",
            Self::Decimal(of) => of.name,
            Self::Date => "DATE",
            Self::TimeOfDay => "TIME",
            Self::Blob => "BLOB",
            Self::Uuid => "UUID",
            Self::List(list) => list.name,
            Self::Struct(of) => of.name,
            Self::Map(map) => map.name,
        }
    }

    /// The names of the types that are not made of others.
    pub const NAMES: [&'static str; 12] = [
        "BOOLEAN",
        "INTEGER",
        "DOUBLE",
        "DECIMAL",
        "VARCHAR",
        "ADDRESS",
        "TIMESTAMP",
        "DATE",
        "TIME",
        "INTERVAL",
        "BLOB",
        "UUID",
    ];

    /// In a signature: a list of any type.
    pub const ANY_LIST: Self = Self::List(&ListTy { element: Self::Null, name: "LIST" });

    /// In a signature: a list of lists of any type.
    pub const ANY_LISTS: Self =
        Self::List(&ListTy { element: Self::ANY_LIST, name: "LIST of LISTs" });

    /// In a signature: a map of any types.
    pub const ANY_MAP: Self = Self::Map(&MapTy {
        key: Self::Null,
        value: Self::Null,
        entries: Self::ANY_LIST,
        name: "MAP",
    });

    /// In a signature: a structure of any fields.
    pub const ANY_STRUCT: Self = Self::Struct(&StructTy { fields: &[], name: "STRUCT" });

    /// A list of texts.
    pub const TEXTS: Self = Self::List(&ListTy { element: Self::Text, name: "VARCHAR[]" });

    /// A list with only NULLs.
    pub const NULLS: Self = Self::List(&ListTy { element: Self::Null, name: "NULL[]" });

    /// A list of integers.
    pub const INTS: Self = Self::List(&ListTy { element: Self::Int, name: "INTEGER[]" });

    /// A list of floating-point numbers.
    pub const DOUBLES: Self = Self::List(&ListTy { element: Self::Double, name: "DOUBLE[]" });

    /// A list of times.
    pub const TIMES: Self = Self::List(&ListTy { element: Self::Time, name: "TIMESTAMP[]" });

    /// A list of truth values.
    pub const BOOLS: Self = Self::List(&ListTy { element: Self::Bool, name: "BOOLEAN[]" });

    /// The maximum nesting of lists and structures.
    pub const MAX_DEPTH: usize = 16;

    /// The type of the elements of a list.
    pub const fn element(self) -> Option<Self> {
        if let Self::List(list) = self { Some(list.element) } else { None }
    }

    /// Whether it is a list, a structure or a map.
    pub const fn is_nested(self) -> bool {
        matches!(self, Self::List(_) | Self::Struct(_) | Self::Map(_))
    }

    /// The type whose values the text of a column stands for: that of its entries for a map.
    pub(crate) const fn spelled(self) -> Self {
        if let Self::Map(map) = self { map.entries } else { self }
    }

    /// How deep lists and structures are nested.
    pub fn depth(self) -> usize {
        match self {
            Self::List(list) => 1 + list.element.depth(),
            Self::Struct(of) => 1 + of.fields.iter().map(|f| f.1.depth()).max().unwrap_or(0),
            Self::Map(map) => map.entries.depth(),
            _ => 0,
        }
    }

    /// The type of lists with these elements; `None` if it would be nested too deep.
    pub fn list_of(element: Self) -> Option<Self> {
        if element.depth() >= Self::MAX_DEPTH {
            return None;
        }
        let name = format!("{}[]", element.name());
        kept(&name, || {
            Some(Self::List(Box::leak(Box::new(ListTy { element, name: intern(&name) }))))
        })
    }

    /// The type of maps from keys of one type to values of another; `None` if types would be nested too
    /// deep.
    pub fn map_of(key: Self, value: Self) -> Option<Self> {
        let entry = Self::struct_of(&[("key".to_owned(), key), ("value".to_owned(), value)])?;
        let entries = Self::list_of(entry)?;
        let name = format!("MAP({}, {})", key.name(), value.name());
        kept(&name, || {
            let map = MapTy { key, value, entries, name: intern(&name) };
            Some(Self::Map(Box::leak(Box::new(map))))
        })
    }

    /// The type of structures with these fields; `None` if there are no fields, if two have the
    /// same name, or if the type would be too large.
    pub fn struct_of(fields: &[(String, Self)]) -> Option<Self> {
        let deep = fields.iter().map(|(_, ty)| ty.depth()).max()?;
        let twice = |(at, (name, _)): (usize, &(String, Self))| {
            !name.is_empty()
                && fields.iter().take(at).any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        if deep >= Self::MAX_DEPTH
            || fields.len() > MAX_FIELDS
            || fields.iter().enumerate().any(twice)
        {
            return None;
        }
        let length = |(name, ty): &(String, Self)| name.len() + ty.name().len() + 4;
        if fields.iter().map(length).sum::<usize>() > MAX_NAME {
            return None;
        }
        let each: Vec<String> = fields.iter().map(|(name, ty)| field_text(name, *ty)).collect();
        let named = fields.iter().any(|(name, _)| !name.is_empty());
        let word = if named { "STRUCT" } else { "TUPLE" };
        let name = format!("{word}({})", each.join(", "));
        kept(&name, || {
            let fields: Vec<(&'static str, Self)> =
                fields.iter().map(|(name, ty)| (intern(name), *ty)).collect();
            let of = StructTy { fields: Box::leak(fields.into_boxed_slice()), name: intern(&name) };
            Some(Self::Struct(Box::leak(Box::new(of))))
        })
    }

    /// The type of exact numbers of so many digits, of which `scale` are behind the point; `None` if
    /// there are too many or none.
    pub fn decimal(width: u8, scale: u8) -> Option<Self> {
        if width == 0 || width > DecimalTy::MAX_WIDTH || scale > width {
            return None;
        }
        let name = format!("DECIMAL({width},{scale})");
        kept(&name, || {
            let of = DecimalTy { width, scale, name: intern(&name) };
            Some(Self::Decimal(Box::leak(Box::new(of))))
        })
    }

    /// The exact type of the decimals of another program, or `DOUBLE` if they have too many digits.
    pub(crate) fn of_decimals(width: usize, scale: usize) -> Self {
        let exact = u8::try_from(width).ok().zip(u8::try_from(scale).ok());
        exact.and_then(|(width, scale)| Self::decimal(width, scale)).unwrap_or(Self::Double)
    }

    /// The type with that name or a common synonym, ignoring case; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        type_name::parse(name)
    }

    /// The type with a name of one word.
    pub(super) fn from_word(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "BOOLEAN" | "BOOL" | "LOGICAL" => Self::Bool,
            "INTEGER" | "INT" | "BIGINT" | "SMALLINT" | "TINYINT" | "INT8" | "INT4" | "INT2"
            | "INT1" | "LONG" | "SIGNED" | "SHORT" | "INT64" | "UTINYINT" | "UINT8"
            | "USMALLINT" | "UINT16" | "UINTEGER" | "UINT32" => Self::Int,
            "DOUBLE" | "FLOAT" | "FLOAT8" | "FLOAT4" | "REAL" | "DOUBLE PRECISION" => Self::Double,
            "VARCHAR" | "TEXT" | "STRING" | "CHAR" | "BPCHAR" => Self::Text,
            "ADDRESS" | "POINTER" | "UBIGINT" | "UINT64" => Self::Addr,
            "TIMESTAMP" | "DATETIME" | "TIMESTAMPTZ" | "TIMESTAMP_S" | "TIMESTAMP_MS"
            | "TIMESTAMP_NS" => Self::Time,
            "INTERVAL" => Self::Interval,
            "DECIMAL" | "NUMERIC" | "DEC" => return Self::decimal(DecimalTy::MAX_WIDTH, 3),
            "DATE" => Self::Date,
            "TIME" => Self::TimeOfDay,
            "BLOB" | "BYTEA" | "BINARY" | "VARBINARY" => Self::Blob,
            "UUID" | "GUID" => Self::Uuid,
            _ => return None,
        })
    }

    /// Whether arithmetic is defined on the type.
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Addr | Self::Decimal(_))
    }
}

/// The range of an integer type with another width, which casts to it check. The values are still
/// INTEGER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntRange {
    /// The type's name.
    pub name: &'static str,
    /// The least value.
    pub low: i64,
    /// The largest value.
    pub high: i64,
}

impl IntRange {
    /// The range of the type with that name, ignoring case; `None` for types with all 64 bits and
    /// for other types.
    pub fn of_name(name: &str) -> Option<Self> {
        let of = |name, low: i64, high: i64| Some(Self { name, low, high });
        match name.to_ascii_uppercase().as_str() {
            "TINYINT" | "INT1" => of("TINYINT", i8::MIN.into(), i8::MAX.into()),
            "SMALLINT" | "INT2" | "SHORT" => of("SMALLINT", i16::MIN.into(), i16::MAX.into()),
            "INTEGER" | "INT" | "INT4" | "SIGNED" => {
                of("INTEGER", i32::MIN.into(), i32::MAX.into())
            }
            "UTINYINT" | "UINT8" => of("UTINYINT", 0, u8::MAX.into()),
            "USMALLINT" | "UINT16" => of("USMALLINT", 0, u16::MAX.into()),
            "UINTEGER" | "UINT32" => of("UINTEGER", 0, u32::MAX.into()),
            _ => None,
        }
    }

    /// Whether a value lies in the range.
    pub const fn holds(self, value: i64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
