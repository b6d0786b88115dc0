//! `nt-layout-1`: one JSON object with `windows` (a version), `service_pack`, `arch` and `types`;
//! the type of a field is a list (`["pointer64", ["_EPROCESS"]]`).

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::isf;
use super::layout::{Enum, Format, Member, MemberKind, Type};
use super::text::{Head, range_in};

#[derive(Deserialize)]
struct File<'a> {
    format: &'a str,
    #[serde(default)]
    windows: &'a str,
    #[serde(default)]
    service_pack: &'a str,
    #[serde(default)]
    arch: &'a str,
    #[serde(borrow)]
    types: HashMap<&'a str, &'a RawValue>,
}

#[derive(Deserialize)]
struct Struct<'a> {
    size: u64,
    #[serde(borrow, default)]
    fields: HashMap<&'a str, VtypeField>,
}

#[derive(Deserialize)]
struct VtypeField {
    offset: u64,
    #[serde(rename = "type")]
    kind: Value,
}

/// The metadata of a file; `None` if it has another format.
pub(super) fn head(text: &str) -> Option<Head> {
    // A file in the other format has megabytes, which a search scans faster than a parser.
    memchr::memmem::find(text.as_bytes(), b"\"nt-layout-1\"")?;
    let file: File<'_> = serde_json::from_str(text).ok()?;
    if file.format != "nt-layout-1" {
        return None;
    }
    let types = file.types.iter();
    let types = types.filter_map(|(name, raw)| Some(((*name).into(), range_in(text, raw.get())?)));
    let version = format!("{} {}", file.windows, file.service_pack);
    Some(Head {
        format: Format::Vtypes,
        arch: ["x86", "x64", "arm64"].into_iter().find(|arch| *arch == file.arch),
        version: Some(version.trim().to_owned()),
        types: types.collect(),
        ..Head::default()
    })
}

/// One type.
pub(super) fn read_type(raw: &str) -> Option<Type> {
    let ty: Struct<'_> = serde_json::from_str(raw).ok()?;
    let member = |(name, field): (&str, VtypeField)| {
        (name.into(), Member { offset: field.offset, kind: kind_of(&field.kind) })
    };
    Some(Type { size: ty.size, fields: ty.fields.into_iter().map(member).collect() })
}

fn kind_of(kind: &Value) -> MemberKind {
    let part = |i: usize| kind.get(i);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let detail = |key: &str| part(1).and_then(|detail| detail.get(key));
    let native = |key: &str| match isf::number(&text(detail(key))) {
        MemberKind::Number { size, .. } => size,
        _ => 4,
    };
    match text(part(0)).as_str() {
        "pointer" | "pointer64" | "pointer32" => {
            MemberKind::Pointer(Box::new(part(1).map_or(MemberKind::Other, kind_of)))
        }
        "array" => match (part(1).and_then(Value::as_u64), part(2)) {
            (Some(count), Some(of)) => MemberKind::Array { count, of: Box::new(kind_of(of)) },
            _ => MemberKind::Other,
        },
        "BitField" => {
            let bit =
                |key: &str| detail(key).and_then(Value::as_u64).and_then(|v| u8::try_from(v).ok());
            match (bit("start_bit"), bit("end_bit")) {
                (Some(start), Some(end)) if start < end => MemberKind::Bits {
                    size: native("native_type"),
                    start,
                    len: end.saturating_sub(start),
                },
                _ => MemberKind::Other,
            }
        }
        "Enumeration" => {
            let size = native("target");
            let values = detail("choices").map(|choices| Arc::new(choices_of(size, choices)));
            MemberKind::Enum { name: text(detail("name")).into(), size, values }
        }
        "" | "void" => MemberKind::Other,
        name => match isf::number(name) {
            MemberKind::Other => MemberKind::Named(name.into()),
            number => number,
        },
    }
}

/// Names by their numbers as text.
fn choices_of(size: u64, choices: &Value) -> Enum {
    let pairs = choices.as_object().into_iter().flatten();
    let values = pairs.filter_map(|(value, name)| {
        let value = value.parse().ok()?;
        Some((value, name.as_str()?.into()))
    });
    Enum::new(size, values.collect())
}

#[cfg(test)]
mod tests {
    use crate::symbol::{Format, Layout};

    #[test]
    fn fields_and_sizes() {
        let text = r#"{"format":"nt-layout-1","windows":"6.1.7601","service_pack":"SP1","arch":"x86","types":{
            "_T":{"size":16,"fields":{"Link":{"offset":4,"type":["_LIST_ENTRY"]},
                "Flag":{"offset":12,"type":["BitField",{"start_bit":5,"end_bit":6,"native_type":"unsigned long"}]},
                "Names":{"offset":0,"type":["array",2,["unsigned short"]]},
                "MemberKind":{"offset":1,"type":["Enumeration",{"target":"unsigned char","choices":{}}]}}},
            "_LIST_ENTRY":{"size":8,"fields":{"Blink":{"offset":4,"type":["pointer",["_LIST_ENTRY"]]}}}}}"#;
        let layout = Layout::parse(text.to_owned()).unwrap();
        assert_eq!(layout.format(), Format::Vtypes);
        assert_eq!((layout.arch(), layout.version()), (Some("x86"), Some("6.1.7601 SP1")));
        let blink = layout.field("_T", "Link.Blink").unwrap();
        assert_eq!((blink.offset, blink.size), (8, 4));
        assert_eq!(layout.field("_T", "Flag").unwrap().bits, Some((5, 1)));
        assert_eq!(layout.field("_T", "Names").unwrap().size, 4);
        assert_eq!(layout.field("_T", "MemberKind").unwrap().size, 1);
        assert_eq!(layout.symbol("X"), None);
    }
}
