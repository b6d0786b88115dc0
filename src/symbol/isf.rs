//! Volatility's Intermediate Symbol Format: one JSON object with `metadata`, `base_types`, `enums`,
//! `user_types` and `symbols`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::layout::{Enum, Format, Member, MemberKind, Type};
use super::text::{Head, range_in};

#[derive(Deserialize)]
struct File<'a> {
    #[serde(default)]
    metadata: Metadata,
    #[serde(borrow)]
    user_types: HashMap<&'a str, &'a RawValue>,
    #[serde(borrow, default)]
    symbols: Option<&'a RawValue>,
    #[serde(borrow, default)]
    enums: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    windows: Windows,
}

#[derive(Deserialize, Default)]
struct Windows {
    #[serde(default)]
    pdb: Pdb,
    #[serde(default)]
    pe: Option<Pe>,
}

#[derive(Deserialize, Default)]
struct Pdb {
    #[serde(default, rename = "GUID")]
    guid: Option<String>,
    #[serde(default)]
    age: u32,
    #[serde(default)]
    machine_type: u32,
}

#[derive(Deserialize)]
struct Pe {
    major: u32,
    minor: u32,
    revision: u32,
    build: u32,
}

#[derive(Deserialize)]
struct Enumeration<'a> {
    size: u64,
    #[serde(borrow, default)]
    constants: HashMap<Cow<'a, str>, i64>,
}

#[derive(Deserialize)]
struct UserType<'a> {
    size: u64,
    #[serde(borrow, default)]
    fields: HashMap<&'a str, UserField>,
}

#[derive(Deserialize)]
struct UserField {
    offset: u64,
    #[serde(rename = "type")]
    kind: IsfKind,
}

#[derive(Deserialize)]
struct IsfKind {
    kind: Box<str>,
    #[serde(default)]
    name: Option<Box<str>>,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    subtype: Option<Box<IsfKind>>,
    #[serde(default)]
    bit_position: u8,
    #[serde(default)]
    bit_length: u8,
    #[serde(default, rename = "type")]
    inner: Option<Box<IsfKind>>,
}

/// The metadata of a file, before its types are read.
pub(super) fn head(text: &str) -> Result<Head, String> {
    let file: File<'_> = serde_json::from_str(text)
        .map_err(|error| format!("no layout file: {}", short(&error.to_string())))?;
    let place = |raw: &RawValue| range_in(text, raw.get());
    let types =
        file.user_types.iter().filter_map(|(name, raw)| Some(((*name).into(), place(raw)?)));
    let Windows { pdb, pe } = file.metadata.windows;
    Ok(Head {
        format: Format::Isf,
        arch: arch_of(pdb.machine_type),
        version: pe.map(|v| format!("{}.{}.{}.{}", v.major, v.minor, v.revision, v.build)),
        pdb: pdb.guid.map(|guid| (guid.to_ascii_uppercase().replace('-', ""), pdb.age)),
        types: types.collect(),
        symbols: file.symbols.and_then(place),
        enums: file.enums.and_then(place),
    })
}

/// The architecture of a PE machine type.
pub(super) const fn arch_of(machine: u32) -> Option<&'static str> {
    match machine {
        0x14c => Some("x86"),
        0x8664 => Some("x64"),
        0xaa64 => Some("arm64"),
        _ => None,
    }
}

/// The architecture of a file of which only the start was read.
pub(super) fn machine(start: &[u8]) -> Option<&'static str> {
    let key = b"\"machine_type\"";
    let at = memchr::memmem::find(start, key)?.checked_add(key.len())?;
    let digits = start.get(at..)?.iter().skip_while(|b| !b.is_ascii_digit());
    let digits = digits.take_while(|b| b.is_ascii_digit()).take(9);
    arch_of(digits.fold(0u32, |n, digit| n.saturating_mul(10).saturating_add((digit & 0xf).into())))
}

/// One type.
pub(super) fn read_type(raw: &str) -> Option<Type> {
    let ty: UserType<'_> = serde_json::from_str(raw).ok()?;
    let member = |(name, field): (&str, UserField)| {
        (name.into(), Member { offset: field.offset, kind: kind_of(field.kind) })
    };
    Some(Type { size: ty.size, fields: ty.fields.into_iter().map(member).collect() })
}

fn kind_of(kind: IsfKind) -> MemberKind {
    match &*kind.kind {
        "pointer" => {
            MemberKind::Pointer(Box::new(kind.subtype.map_or(MemberKind::Other, |to| kind_of(*to))))
        }
        "base" => number(kind.name.as_deref().unwrap_or_default()),
        "enum" => {
            MemberKind::Enum { name: kind.name.unwrap_or_default(), size: 4, values: Option::None }
        }
        "bitfield" => {
            let size = match kind.inner.map(|inner| kind_of(*inner)) {
                Some(MemberKind::Number { size, .. }) => size,
                _ => 4,
            };
            MemberKind::Bits { size, start: kind.bit_position, len: kind.bit_length }
        }
        "array" => match kind.subtype {
            Some(of) => MemberKind::Array { count: kind.count, of: Box::new(kind_of(*of)) },
            None => MemberKind::Other,
        },
        "struct" | "union" | "class" => kind.name.map_or(MemberKind::Other, MemberKind::Named),
        _ => MemberKind::Other,
    }
}

/// The enumerations of a file, by name.
pub(super) fn read_enums(raw: &str) -> HashMap<Box<str>, Enum> {
    let enums: HashMap<&str, &RawValue> = serde_json::from_str(raw).unwrap_or_default();
    let read = |(name, raw): (&str, &RawValue)| {
        let found: Enumeration<'_> = serde_json::from_str(raw.get()).ok()?;
        let values = found.constants.into_iter().map(|(name, value)| (value, name.into()));
        Some((name.into(), Enum::new(found.size, values.collect())))
    };
    enums.into_iter().filter_map(read).collect()
}

/// The number type of a C type name; both formats use the same names.
pub(super) fn number(name: &str) -> MemberKind {
    let (size, is_signed) = match name {
        "char" => (1, true),
        "unsigned char" | "bool" => (1, false),
        "short" | "int16" => (2, true),
        "unsigned short" | "wchar" | "uint16" => (2, false),
        "int" | "long" => (4, true),
        "unsigned int" | "unsigned long" | "HRESULT" | "float" | "f32" => (4, false),
        "long long" | "__int64" => (8, true),
        "unsigned long long" | "unsigned __int64" | "double" | "f64" => (8, false),
        _ => return MemberKind::Other,
    };
    MemberKind::Number { size, is_signed }
}

/// An error message of the JSON reader without the text that it quotes from the file.
fn short(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use crate::symbol::{Layout, Names as _};

    const FILE: &str = r#"{
        "metadata": {"windows": {"pdb": {"GUID": "00aa", "age": 2, "machine_type": 34404}}},
        "base_types": {}, "enums": {},
        "symbols": {"KeBugCheckEx": {"address": 4096}, "KiIdleLoop": {"address": 8192},
                    "KeBugCheck2": {"address": 4160}},
        "user_types": {
            "_A": {"kind": "struct", "size": 24, "fields": {
                "Bit": {"offset": 4, "type": {"kind": "bitfield", "bit_position": 3,
                    "bit_length": 2, "type": {"kind": "base", "name": "unsigned long"}}},
                "Inner": {"offset": 8, "type": {"kind": "array", "count": 2,
                    "subtype": {"kind": "struct", "name": "_B"}}},
                "Priority": {"offset": 1, "type": {"kind": "base", "name": "char"}}}},
            "_B": {"kind": "struct", "size": 8, "fields": {
                "Next": {"offset": 0, "type": {"kind": "pointer",
                    "subtype": {"kind": "struct", "name": "_A"}}}}}}}"#;

    #[test]
    fn fields_sizes_and_names() {
        let layout = Layout::parse(FILE.to_owned()).unwrap();
        assert_eq!(super::machine(&FILE.as_bytes()[..100]), Some("x64"));
        assert_eq!(super::machine(b"{"), None);
        assert_eq!((layout.arch(), layout.pdb()), (Some("x64"), Some(("00AA", 2))));
        assert_eq!(layout.size_of("_A"), Some(24));
        let bit = layout.field("_A", "Bit").unwrap();
        assert_eq!((bit.offset, bit.size, bit.bits), (4, 4, Some((3, 2))));
        let next = layout.field("_A", "Inner.Next").unwrap();
        assert_eq!((next.offset, next.size), (8, 8));
        assert_eq!(layout.field("_A", "Inner").unwrap().size, 16);
        assert!(layout.field("_A", "Priority").unwrap().is_signed);
        assert_eq!(layout.field("_A", "Priority.X"), None);
        assert_eq!(layout.field("_A", ""), None);
        assert_eq!(layout.symbol("KiIdleLoop"), Some(8192));
        assert_eq!(layout.nearest(4161), Some(("KeBugCheck2".to_owned(), 1)));
        assert_eq!(layout.nearest(4095), None);
    }

    #[test]
    fn an_invalid_layout_is_reported() {
        for text in ["", "{", "[]", "nonsense", r#"{"user_types": {}}"#, r#"{"user_types": 1}"#] {
            assert!(Layout::parse(text.to_owned()).is_err(), "{text}");
        }
        let absurd = r#"{"user_types": {"_A": {"size": -1}, "_B": 3, "_C": {"size": 8, "fields":
            {"X": {"offset": 18446744073709551615, "type": {"kind": "array", "count": 99999999999,
            "subtype": {"kind": "struct", "name": "_C"}}}}}}}"#;
        let layout = Layout::parse(absurd.to_owned()).unwrap();
        assert_eq!(layout.size_of("_A"), None);
        assert_eq!(layout.size_of("_B"), None);
        assert_eq!(layout.field("_C", "X.X"), None);
    }
}
