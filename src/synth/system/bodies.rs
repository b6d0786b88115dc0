//! Bodies of objects that point to other structures: sections with the files that they map, and
//! registry keys with their parents.

use super::build::Builder;
use super::objects::Objects;
use super::spec::NamedObject;
use crate::synth::bytes::utf16;
use crate::synth::layout::Object;

/// The control area of a mapped file and its subsection.
pub(super) fn control_area(builder: &mut Builder<'_>, objects: &Objects, file: &str) -> (u64, u64) {
    let size = builder.layout.size("_CONTROL_AREA") as u64;
    if size == 0 {
        return (0, 0);
    }
    let inner = builder.layout.size("_SUBSECTION") as u64;
    let at = builder.pool(false, *b"MmCa", size + inner);
    let file = objects.named.get(file).copied().unwrap_or(0);
    // Since Vista the pointer counts references in its lowest bits.
    let counts = builder.layout.has("_CONTROL_AREA", "FilePointer.Object") && file != 0;
    let count = if counts { 2 * builder.width() - 3 } else { 0 };
    let mut area = builder.new_object("_CONTROL_AREA");
    area.set("FilePointer", file | count).set("NumberOfMappedViews", 1);
    builder.place(at, area);
    let mut subsection = builder.new_object("_SUBSECTION");
    subsection.set("ControlArea", at);
    builder.place(at + size, subsection);
    (at, at + size)
}

/// Fills in a section object: the file that it maps.
pub(super) fn section(
    builder: &mut Builder<'_>,
    objects: &Objects,
    body: &mut Object<'_>,
    object: &NamedObject,
) {
    let (area, _) = control_area(builder, objects, &object.file);
    if builder.layout.has("_SECTION", "u1.ControlArea") {
        body.set("u1.ControlArea", area);
        return;
    }
    let at = builder.pool(true, *b"MmSt", builder.layout.size("_SEGMENT") as u64);
    let mut segment = builder.new_object("_SEGMENT");
    segment.set("ControlArea", area);
    builder.place(at, segment);
    body.set("Segment", at);
}

/// Fills in a key object: its key control block, and those of its parents.
pub(super) fn key(
    builder: &mut Builder<'_>,
    objects: &mut Objects,
    body: &mut Object<'_>,
    object: &NamedObject,
) {
    let mut parent = 0;
    let mut path = String::new();
    for name in object.file.split('\\').filter(|name| !name.is_empty()) {
        path.push('\\');
        path.push_str(name);
        if let Some(known) = objects.keys.get(&path) {
            parent = *known;
            continue;
        }
        let size = builder.layout.size("_CM_KEY_CONTROL_BLOCK") as u64;
        let at = builder.pool(true, *b"CMkb", size);
        let mut block = builder.new_object("_CM_KEY_CONTROL_BLOCK");
        let named = key_name(builder, name);
        block.set("ParentKcb", parent).set("NameBlock", named);
        builder.place(at, block);
        objects.keys.insert(path.clone(), at);
        parent = at;
    }
    body.set("Type", 0x6b79_3032).set("KeyControlBlock", parent);
}

/// The name of a key: compressed to one byte per character if possible.
fn key_name(builder: &mut Builder<'_>, name: &str) -> u64 {
    let text = if name.is_ascii() { name.as_bytes().to_vec() } else { utf16(name) };
    let offset = builder.offset("_CM_NAME_CONTROL_BLOCK", "Name");
    let at = builder.pool(true, *b"CMnb", offset + text.len() as u64 + 2);
    let mut block = builder.new_object("_CM_NAME_CONTROL_BLOCK");
    block.set("Compressed", u64::from(name.is_ascii()));
    block.set("NameLength", text.len() as u64);
    builder.place(at, block);
    builder.put(at + offset, &text);
    at
}
