//! Structure layouts of Windows versions.
//!
//! This module parses the built-in layouts itself instead of calling the readers' code, so that a
//! parser error cannot cancel out between writer and reader.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::bytes::Bytes;
use super::system::Windows;
use crate::symbol::pack;

/// The structures of one kernel.
#[derive(Debug)]
pub(super) struct Layout {
    types: HashMap<String, Value>,
    pointer: usize,
}

/// The location of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FieldPlace {
    pub(super) offset: usize,
    /// The size of the field in bytes; of an array, that of one element.
    pub(super) size: usize,
    /// First bit and number of bits of a bit field.
    bits: Option<(u32, u32)>,
}

impl Layout {
    /// The layout of a build; `None` if none is built in.
    pub(super) fn of(build: u16, service_pack: u8, arch: &str) -> Option<Self> {
        Self::of_pack(pack::find(build, service_pack, arch)?.0)
    }

    /// The layout of a version of Windows, and of no similar version.
    pub(super) fn of_kernel(windows: Windows) -> Option<Self> {
        let arch = if windows.is_64_bit() { "x64" } else { "x86" };
        let mut packs = pack::all().iter().filter(|pack| pack.arch == arch);
        Self::of_pack(packs.find(|pack| (pack.version, pack.service_pack) == windows.version())?)
    }

    /// The layout of a pack.
    pub(super) fn of_pack(pack: &pack::Pack) -> Option<Self> {
        let mut types: HashMap<String, Value> = HashMap::new();
        for part in [pack::Document::First, pack::Document::Rest] {
            // The differences from another kernel are applied after its types.
            let texts = [pack.base(part), Some(pack.text(part)?)];
            for text in texts.into_iter().flatten() {
                let mut document: Value = serde_json::from_str(&text).ok()?;
                let Value::Object(part) = document.get_mut("types")?.take() else { return None };
                types.extend(part);
            }
        }
        types.retain(|_, ty| !ty.is_null());
        Some(Self { types, pointer: if pack.arch == "x86" { 4 } else { 8 } })
    }

    /// A layout without structures.
    pub(super) fn empty(pointer: usize) -> Self {
        Self { types: HashMap::new(), pointer }
    }

    /// The layout in an ISF file.
    pub(super) fn of_isf(isf: &Value) -> Option<Self> {
        let pointer = number(isf.get("base_types")?.get("pointer")?, "size");
        let Value::Object(structures) = isf.get("user_types")? else { return None };
        let types = structures.iter().map(|(name, of)| (name.clone(), structure(of, isf)));
        Some(Self { types: types.collect(), pointer })
    }

    /// The size of a pointer.
    pub(super) const fn pointer(&self) -> usize {
        self.pointer
    }

    /// The size of a structure; 0 if it is not known.
    pub(super) fn size(&self, name: &str) -> usize {
        self.types.get(name).map_or(0, |ty| number(ty, "size"))
    }

    /// The location of the field at the end of a path such as `Tcb.ApcState.Process` or
    /// `WaitBlock[2].Object`. An array stands for its first element.
    pub(super) fn place(&self, name: &str, path: &str) -> Option<FieldPlace> {
        let mut ty = name;
        let mut at = FieldPlace { offset: 0, size: 0, bits: None };
        for field in path.split('.') {
            let (field, index) = field.split_once('[').unwrap_or((field, ""));
            let field = self.types.get(ty)?.get("fields")?.get(field)?;
            at.offset += number(field, "offset");
            let kind = element(field.get("type")?);
            ty = kind.get(0)?.as_str()?;
            (at.size, at.bits) = self.measure(kind, ty);
            at.offset += index.trim_end_matches(']').parse::<usize>().unwrap_or(0) * at.size;
        }
        Some(at)
    }

    /// Whether a field of a structure is an array.
    pub(super) fn is_array(&self, name: &str, field: &str) -> bool {
        let field = self.types.get(name).and_then(|ty| ty.get("fields")?.get(field)?.get("type"));
        field.and_then(|kind| kind.get(0)?.as_str()) == Some("array")
    }

    /// Whether a structure has a field.
    pub(super) fn has(&self, name: &str, path: &str) -> bool {
        self.place(name, path).is_some()
    }

    /// The offset of a field as a debugger data block stores it; 0 if it is unknown.
    pub(super) fn offset(&self, name: &str, path: &str) -> u16 {
        let place = self.place(name, path);
        place.and_then(|place| u16::try_from(place.offset).ok()).unwrap_or(0)
    }

    fn measure(&self, kind: &Value, name: &str) -> (usize, Option<(u32, u32)>) {
        let native = |name: &str| match name {
            "void" => 0,
            "unsigned char" | "char" | "unsigned int8" | "bool" => 1,
            "unsigned short" | "short" | "wchar" | "unsigned int16" => 2,
            "unsigned long long" | "long long" | "unsigned int64" | "quad" => 8,
            _ => 4,
        };
        if name.starts_with("pointer") {
            return (self.pointer, None);
        }
        if name == "BitField" {
            let bits = kind.get(1).unwrap_or(&Value::Null);
            let size = native(bits.get("native_type").and_then(Value::as_str).unwrap_or_default());
            let first = u32::try_from(number(bits, "start_bit")).unwrap_or(0);
            let end = u32::try_from(number(bits, "end_bit")).unwrap_or(0);
            return (size, Some((first, end.saturating_sub(first))));
        }
        (self.types.get(name).map_or_else(|| native(name), |ty| number(ty, "size")), None)
    }
}

fn number(value: &Value, key: &str) -> usize {
    let number = value.get(key).and_then(Value::as_u64);
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Converts a structure of an ISF file to the other format.
fn structure(of: &Value, isf: &Value) -> Value {
    let field = |fact: &Value| {
        json!({
            "offset": fact["offset"],
            "type": kind(&fact["type"], isf),
        })
    };
    let fields = of["fields"].as_object().into_iter().flatten();
    let fields: Map<String, Value> =
        fields.map(|(name, fact)| (name.clone(), field(fact))).collect();
    json!({ "size": of["size"], "fields": fields })
}

/// Converts the type of a field of an ISF file to the other format.
fn kind(of: &Value, isf: &Value) -> Value {
    match of["kind"].as_str().unwrap_or_default() {
        "pointer" => json!(["pointer"]),
        "array" => json!(["array", of["count"], kind(&of["subtype"], isf)]),
        "bitfield" => {
            let first = of["bit_position"].as_u64().unwrap_or(0);
            let end = first + of["bit_length"].as_u64().unwrap_or(0);
            let native = native(&of["type"], isf);
            json!(["BitField", { "start_bit": first, "end_bit": end, "native_type": native }])
        }
        "enum" | "base" => json!([native(of, isf)]),
        "function" => json!(["void"]),
        _ => json!([of["name"]]),
    }
}

/// The number type of a base type or an enumeration of an ISF file, by its size.
fn native(of: &Value, isf: &Value) -> &'static str {
    let name = of["name"].as_str().unwrap_or_default();
    let size = isf["base_types"][name]["size"].as_u64().or(isf["enums"][name]["size"].as_u64());
    match size {
        Some(1) => "char",
        Some(2) => "short",
        Some(8) => "long long",
        Some(0) => "void",
        _ => "long",
    }
}

/// The element type of an array; any other type is returned unchanged.
fn element(kind: &Value) -> &Value {
    match kind.get(0).and_then(Value::as_str) {
        Some("array") => kind.get(2).map_or(kind, element),
        _ => kind,
    }
}

/// A structure that is being built.
#[derive(Debug)]
pub(super) struct Object<'a> {
    layout: &'a Layout,
    name: &'static str,
    bytes: Bytes,
    /// The fields that are missing in this version of the structure.
    missing: Vec<String>,
}

impl<'a> Object<'a> {
    pub(super) fn new(layout: &'a Layout, name: &'static str) -> Self {
        let bytes = Bytes::zeroed(layout.size(name));
        Self { layout, name, bytes, missing: Vec::new() }
    }

    /// Writes a number into a field, at the field's own width.
    pub(super) fn set(&mut self, path: &str, value: u64) -> &mut Self {
        match self.layout.place(self.name, path) {
            Some(FieldPlace { offset, size, bits: None }) => {
                self.bytes.uint(offset, value, size.min(8));
            }
            Some(FieldPlace { offset, size, bits: Some((first, count)) }) => {
                let mut old = [0; 8];
                let there = self.bytes.as_slice().get(offset..offset + size).unwrap_or_default();
                old.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
                let mask = 1u64.checked_shl(count).map_or(u64::MAX, |bit| bit - 1) << first;
                let new = (u64::from_le_bytes(old) & !mask) | ((value << first) & mask);
                self.bytes.uint(offset, new, size);
            }
            None => self.missing.push(format!("{}.{path}", self.name)),
        }
        self
    }

    /// Writes the first of these fields that this version has.
    pub(super) fn set_any(&mut self, paths: &[&str], value: u64) -> &mut Self {
        let found = paths.iter().find(|path| self.layout.place(self.name, path).is_some());
        self.set(found.unwrap_or(&paths[0]), value)
    }

    /// Writes a number into a field that only some versions have.
    pub(super) fn opt(&mut self, path: &str, value: u64) -> &mut Self {
        if self.layout.has(self.name, path) { self.set(path, value) } else { self }
    }

    /// The address of a field of a structure at an address.
    pub(super) fn address(&self, path: &str, address: u64) -> u64 {
        let place = self.layout.place(self.name, path);
        address + place.map_or(0, |place| place.offset as u64)
    }

    /// Writes bytes at the start of a field.
    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> &mut Self {
        match self.layout.place(self.name, path) {
            Some(place) => self.bytes.put(place.offset, bytes),
            None => self.missing.push(format!("{}.{path}", self.name)),
        }
        self
    }

    /// Makes a list head at `address + path` an empty list.
    pub(super) fn empty_list(&mut self, path: &str, address: u64) -> &mut Self {
        if let Some(place) = self.layout.place(self.name, path) {
            let (head, width) = (address + place.offset as u64, self.layout.pointer());
            self.bytes.uint(place.offset, head, width);
            self.bytes.uint(place.offset + width, head, width);
        } else {
            self.missing.push(format!("{}.{path}", self.name));
        }
        self
    }

    pub(super) fn finish(self) -> (Vec<u8>, Vec<String>) {
        (self.bytes.into_vec(), self.missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_through_structures_and_arrays() {
        let layout = Layout::of(19041, 0, "x64").unwrap();
        let at = |ty, path| layout.place(ty, path).map(|place| (place.offset, place.size));
        assert_eq!(at("_ETHREAD", "Tcb.ApcState.Process"), Some((0xb8, 8)));
        assert_eq!(at("_EPROCESS", "ImageFileName"), Some((0x5a8, 1)));
        assert_eq!(at("_KTHREAD", "Alertable").map(|(offset, _)| offset), Some(0x74));
        assert_eq!(at("_KTHREAD", "NoSuchField"), None);
        assert_eq!(layout.size("_KPRCB"), 0xaf00);
    }

    #[test]
    fn bit_fields_leave_their_neighbours_alone() {
        let layout = Layout::of(19041, 0, "x64").unwrap();
        let mut thread = Object::new(&layout, "_KTHREAD");
        thread.set("MiscFlags", 0xffff_ffff).set("Alertable", 0);
        let offset = layout.place("_KTHREAD", "MiscFlags").unwrap().offset;
        let (bytes, missing) = thread.finish();
        assert_eq!(bytes[offset..offset + 4], [0xef, 0xff, 0xff, 0xff]);
        assert!(missing.is_empty());
    }
}
