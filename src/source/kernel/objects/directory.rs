//! The object directory tree, and the object types.

use std::collections::HashSet;
use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, KernelObject, ObjectType, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::objects::manager;
use crate::source::kernel::objects::manager::{Manager, ObjectManager, TYPE};

/// Upper limit on nesting; deeper directories are circular.
const MAX_DEPTH: usize = 64;
/// Upper limit on named objects.
const MAX_OBJECTS: usize = 1 << 21;
/// Upper limit on a path, in bytes.
const MAX_PATH: usize = 4096;
const LINK: &str = "_OBJECT_SYMBOLIC_LINK";
/// The flag of a symbolic link whose target comes from a callback
/// (`OBJECT_SYMBOLIC_LINK_USE_CALLBACK`).
const HAS_CALLBACK: u64 = 0x10;

/// An object that is still to be listed.
struct Pending {
    object: u64,
    /// The directory that it is in, that directory's path, and its depth.
    directory: Option<(u64, Arc<str>)>,
    depth: usize,
}

pub(crate) fn each_object(
    core: &Core,
    objects: &ObjectManager,
    want: &Want<'_, KernelObject>,
    emit: Emit<'_, KernelObject>,
) -> Result<(), Unanswered> {
    let manager = manager::manager(core, objects)?;
    let root = manager
        .root
        .map_err(|_| Unanswered::because("the root object directory is not in the dump"))?;
    let is_directory = manager::object_header(core, manager, root);
    let is_directory = is_directory.and_then(|header| manager::type_of(core, manager, &header));
    let mut seen = HashSet::from([root]);
    let mut entries = HashSet::new();
    let mut pending = vec![Pending { object: root, directory: None, depth: 0 }];
    while let Some(next) = pending.pop() {
        let header = manager::object_header(core, manager, next.object);
        let kind = header.as_ref().map_err(|e| *e).and_then(|h| manager::type_of(core, manager, h));
        let row = object_row(core, manager, want, &next);
        let path: Arc<str> = row.path.clone().unwrap_or_default().into();
        if emit.row(row).is_break() {
            break;
        }
        // The root is a directory even where types are unknown.
        let is_root = next.depth == 0;
        if next.depth >= MAX_DEPTH || !(is_root || kind.is_ok() && kind == is_directory) {
            continue;
        }
        let inside = manager::directory_objects(core, next.object, &mut entries).into_iter();
        let new = inside.filter(|object| seen.len() < MAX_OBJECTS && seen.insert(*object));
        let first = pending.len();
        pending.extend(new.map(|object| Pending {
            object,
            directory: Some((next.object, Arc::clone(&path))),
            depth: next.depth + 1,
        }));
        // The last is listed first.
        if let Some(new) = pending.get_mut(first..) {
            new.reverse();
        }
    }
    Ok(())
}

fn object_row(
    core: &Core,
    manager: &Manager,
    want: &Want<'_, KernelObject>,
    object: &Pending,
) -> KernelObject {
    let header = match manager::object_header(core, manager, object.object) {
        Ok(header) => header,
        Err(absent) => return bare_object(object, absent),
    };
    let name = manager::header_name(core, manager, &header).map(|(_, name)| name);
    let kind = manager::type_name(core, manager, &header);
    let path = name.as_deref().map_err(|e| *e).map(|name| match &object.directory {
        None => name.to_owned(),
        Some((_, above)) if &**above == "\\" => format!("\\{name}"),
        Some((_, above)) => format!("{above}\\{name}"),
    });
    let path = path.and_then(|path| match path.len() {
        0..=MAX_PATH => Ok(path),
        _ => Err(Absent::Unreadable),
    });
    let is_link = kind.as_deref().is_ok_and(|kind| kind == "SymbolicLink");
    KernelObject {
        object: Ok(object.object),
        kind: kind.map(|kind| kind.to_string()),
        name,
        path,
        directory: object.directory.as_ref().map_or(Err(Absent::NotApplicable), |d| Ok(d.0)),
        handle_count: core.signed(&header.bytes, manager.handle_count),
        pointer_count: core.signed(&header.bytes, manager.pointer_count),
        object_header: Ok(header.address),
        link_target: if is_link && want.has(|c| c.link_target) {
            link_target(core, object.object)
        } else {
            Err(Absent::NotApplicable)
        },
        ..KernelObject::default()
    }
}

/// An object whose header the dump does not hold.
fn bare_object(object: &Pending, absent: Absent) -> KernelObject {
    KernelObject {
        object: Ok(object.object),
        kind: Err(absent),
        name: Err(absent),
        path: Err(absent),
        directory: object.directory.as_ref().map_or(Err(Absent::NotApplicable), |d| Ok(d.0)),
        handle_count: Err(absent),
        pointer_count: Err(absent),
        object_header: Err(absent),
        link_target: Err(absent),
        ..KernelObject::default()
    }
}

fn link_target(core: &Core, link: u64) -> Cell<String> {
    let link = core.structure(LINK, link);
    if core.has_field(LINK, "Flags") && link.unsigned("Flags")? & HAS_CALLBACK != 0 {
        return Err(Absent::NotApplicable);
    }
    link.unicode("LinkTarget")
}

pub(crate) fn each_object_type(
    core: &Core,
    objects: &ObjectManager,
    emit: Emit<'_, ObjectType>,
) -> Result<(), Unanswered> {
    let manager = manager::manager(core, objects)?;
    if manager.types.is_empty() {
        return Err(Unanswered::because("the object types are not in the dump"));
    }
    for at in &manager.types {
        if emit.row(object_type_row(core, *at)).is_break() {
            break;
        }
    }
    Ok(())
}

fn object_type_row(core: &Core, at: u64) -> ObjectType {
    let kind = core.structure(TYPE, at);
    let tag = kind.unsigned("Key").and_then(|tag| {
        let bytes: Vec<u8> = tag.to_le_bytes().into_iter().take(4).collect();
        let is_text = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        String::from_utf8(bytes).ok().filter(|_| is_text).ok_or(Absent::Unreadable)
    });
    ObjectType {
        object_type: Ok(at),
        index: kind.int("Index"),
        name: kind.unicode("Name"),
        object_count: kind.int("TotalNumberOfObjects"),
        handle_count: kind.int("TotalNumberOfHandles"),
        peak_object_count: kind.int("HighWaterNumberOfObjects"),
        peak_handle_count: kind.int("HighWaterNumberOfHandles"),
        pool_tag: tag,
        ..ObjectType::default()
    }
}
