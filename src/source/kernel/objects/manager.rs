//! Object headers: the type, name and directory of every object.
//!
//! Before Windows 7 an object header points to its type. Since then it holds the type index, which
//! Windows 10 and later encode with a byte of the header's address and a cookie byte. The cookie,
//! `ObHeaderCookie`, is not exported, but it follows from the headers of the types: each type holds
//! its own index unencoded, and its header holds the encoded index of the type `Type`.

use std::sync::OnceLock;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::Unanswered;
use crate::source::kernel::core::Core;
use crate::symbol::Field;

pub(crate) const HEADER: &str = "_OBJECT_HEADER";
pub(crate) const TYPE: &str = "_OBJECT_TYPE";
const NAME_INFO: &str = "_OBJECT_HEADER_NAME_INFO";
const CREATOR_INFO: &str = "_OBJECT_HEADER_CREATOR_INFO";
const DIRECTORY: &str = "_OBJECT_DIRECTORY";
const ENTRY: &str = "_OBJECT_DIRECTORY_ENTRY";
/// Bits of `_OBJECT_HEADER.InfoMask`: the optional headers, the one nearest to the header first.
const HAS_CREATOR: u64 = 1;
const HAS_NAME: u64 = 2;
/// A type index is one byte.
const MAX_TYPES: u64 = 256;
/// Upper limit on the entries of a directory; a larger directory is damaged.
const MAX_ENTRIES: usize = 1 << 20;
/// A cookie that only one type confirms may be a coincidence.
const MIN_AGREEING: usize = 2;

/// How headers give the type of their object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    /// By a pointer to the type.
    Pointer(Field),
    /// By the type index.
    Number(Field, TypeEncoding),
}

/// How the type index is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TypeEncoding {
    None,
    /// With the second byte of the header's address and this cookie.
    Cookie(u8),
    /// The encoding is unknown.
    Unknown,
}

/// Where headers keep the name.
#[derive(Debug, Clone, Copy)]
enum NamePlace {
    /// At the distance before the header that a byte of it gives.
    Offset(Field),
    /// Before the header and the creator information, by the mask of the optional headers.
    Mask(Field),
}

/// What is known about all objects.
#[derive(Debug)]
pub(crate) struct Manager {
    /// Offset of the object from its header.
    body: u64,
    kinds: Kinds,
    names: Option<NamePlace>,
    pub(crate) handle_count: Option<Field>,
    pub(crate) pointer_count: Option<Field>,
    /// The sizes of the name information and the creator information.
    sizes: (u64, u64),
    /// The root directory.
    pub(crate) root: Cell<u64>,
    /// The types in index order.
    pub(crate) types: Vec<u64>,
    /// Names of the types by address.
    type_names: HashMap<u64, Arc<str>>,
    /// Types by index.
    numbers: HashMap<u64, u64>,
}

/// What is known about all objects, determined on first use.
#[derive(Debug, Default)]
pub(crate) struct ObjectManager {
    found: OnceLock<Option<Manager>>,
}

/// The header of an object.
pub(crate) struct Header<'a> {
    pub(crate) address: u64,
    pub(crate) bytes: Cow<'a, [u8]>,
}

/// The objects of a directory in the root directory, in the order of its hash chains.
pub(crate) fn objects_below_root(
    core: &Core,
    objects: &ObjectManager,
    directory: &str,
) -> Vec<u64> {
    let Ok(manager) = manager(core, objects) else { return Vec::new() };
    let Ok(root) = manager.root else { return Vec::new() };
    let mut seen = HashSet::new();
    let all = directory_objects(core, root, &mut seen);
    let found = all.into_iter().find(|object| {
        object_name(core, objects, *object).is_ok_and(|name| name.eq_ignore_ascii_case(directory))
    });
    found.map(|at| directory_objects(core, at, &mut seen)).unwrap_or_default()
}

/// The name in an object's header.
pub(crate) fn object_name(core: &Core, objects: &ObjectManager, object: u64) -> Cell<String> {
    let manager = manager(core, objects).map_err(|_| Absent::NoSymbols)?;
    let header = object_header(core, manager, object)?;
    header_name(core, manager, &header).map(|(_, name)| name)
}

/// What is known about all objects, determined on first use.
pub(crate) fn manager<'a>(
    core: &'a Core,
    objects: &'a ObjectManager,
) -> Result<&'a Manager, Unanswered> {
    let manager = objects.found.get_or_init(|| find_manager(core));
    manager.as_ref().ok_or_else(|| Unanswered::because("no layout of object headers is known"))
}

fn find_manager(core: &Core) -> Option<Manager> {
    let body = core.field(HEADER, "Body")?.offset as u64;
    let kinds = match core.field(HEADER, "TypeIndex") {
        Some(field) => Kinds::Number(field, TypeEncoding::Unknown),
        None => Kinds::Pointer(core.field(HEADER, "Type")?),
    };
    let mask = core.field(HEADER, "InfoMask").map(NamePlace::Mask);
    let offset = || core.field(HEADER, "NameInfoOffset").map(NamePlace::Offset);
    let size = |ty| core.size_of(ty).unwrap_or(0);
    let mut manager = Manager {
        body,
        kinds,
        names: mask.or_else(offset),
        handle_count: core.field(HEADER, "HandleCount"),
        pointer_count: core.field(HEADER, "PointerCount"),
        sizes: (size(NAME_INFO), size(CREATOR_INFO)),
        root: core.variable_pointer(kdbg::ROOT_DIRECTORY, "ObpRootDirectoryObject"),
        types: Vec::new(),
        type_names: HashMap::new(),
        numbers: HashMap::new(),
    };
    find_types(core, &mut manager);
    Some(manager)
}

/// Finds the types: in their directory, or else in the kernel's type table.
fn find_types(core: &Core, manager: &mut Manager) {
    let mut found = types_in_directory(core, manager);
    if found.is_empty() {
        found = types_in_table(core);
    }
    let number = |at| core.structure(TYPE, at).unsigned("Index").ok();
    let mut types: Vec<(Option<u64>, u64)> = found.iter().map(|at| (number(*at), *at)).collect();
    types.sort_unstable();
    for (number, at) in types {
        let Ok(name) = core.structure(TYPE, at).unicode("Name") else { continue };
        manager.types.push(at);
        manager.type_names.insert(at, name.into());
        if let Some(number) = number {
            manager.numbers.insert(number, at);
        }
    }
    if let Kinds::Number(field, _) = manager.kinds {
        manager.kinds = Kinds::Number(field, type_encoding(core, manager, field));
    }
}

fn types_in_directory(core: &Core, manager: &Manager) -> Vec<u64> {
    let Ok(root) = manager.root else { return Vec::new() };
    let mut seen = HashSet::new();
    let is_it = |object: &u64| {
        let header = object_header(core, manager, *object);
        header
            .and_then(|header| header_name(core, manager, &header))
            .is_ok_and(|n| n.1 == "ObjectTypes")
    };
    let objects = directory_objects(core, root, &mut seen);
    let Some(directory) = objects.into_iter().find(is_it) else { return Vec::new() };
    directory_objects(core, directory, &mut seen)
}

fn types_in_table(core: &Core) -> Vec<u64> {
    let symbols = ["ObTypeIndexTable", "ObpObjectTypes"];
    let table = symbols.iter().find_map(|name| core.symbol_address("nt", name));
    let Some(table) = table else { return Vec::new() };
    let step = core.header.width.bytes() as u64;
    let places = (0..MAX_TYPES).filter_map(|i| table.checked_add(i * step));
    let mut seen = HashSet::new();
    // The table starts with a null and a marker, and ends with nulls.
    places
        .filter_map(|place| core.pointer_at(place).ok())
        .filter(|at| *at != 0 && core.pointer_at(*at).is_ok() && seen.insert(*at))
        .collect()
}

/// How the type index is encoded, from the headers of the types.
fn type_encoding(core: &Core, manager: &Manager, field: Field) -> TypeEncoding {
    let cookie = core.symbol_address("nt", "ObHeaderCookie");
    let cookie = cookie.and_then(|at| core.u32_at(at).ok());
    let own =
        manager.types.iter().find(|at| manager.type_names.get(at).is_some_and(|n| &**n == "Type"));
    let own = own.and_then(|at| core.structure(TYPE, *at).unsigned("Index").ok());
    let Some(own) = own else {
        return cookie.map_or(TypeEncoding::Unknown, |c| TypeEncoding::Cookie(c.to_le_bytes()[0]));
    };
    let stated: Vec<(u64, u64)> = manager
        .types
        .iter()
        .filter_map(|at| object_header(core, manager, *at).ok())
        .filter_map(|header| Some((header.address, core.number(&header.bytes, Some(field)).ok()?)))
        .collect();
    let plain = stated.iter().filter(|(_, number)| *number == own).count();
    let derived = |(at, number): &(u64, u64)| second_byte(*at) ^ low_byte(number ^ own);
    let Some(first) = stated.first().map(derived) else { return TypeEncoding::Unknown };
    let agreeing = stated.iter().filter(|fact| derived(fact) == first).count();
    if 2 * plain > stated.len() {
        TypeEncoding::None
    } else if agreeing >= MIN_AGREEING && 2 * agreeing > stated.len() {
        TypeEncoding::Cookie(first)
    } else {
        cookie.map_or(TypeEncoding::Unknown, |c| TypeEncoding::Cookie(c.to_le_bytes()[0]))
    }
}

/// The header of an object.
pub(crate) fn object_header<'a>(
    core: &'a Core,
    manager: &Manager,
    object: u64,
) -> Cell<Header<'a>> {
    let address = object.checked_sub(manager.body).ok_or(Absent::Unreadable)?;
    header_at(core, manager, address)
}

/// The header at an address.
pub(crate) fn header_at<'a>(core: &'a Core, manager: &Manager, address: u64) -> Cell<Header<'a>> {
    let len = usize::try_from(manager.body).map_err(|_| Absent::Unreadable)?;
    Ok(Header { address, bytes: core.kernel_space().slice(address, len)? })
}

/// The address of an object's type.
pub(crate) fn type_of(core: &Core, manager: &Manager, header: &Header<'_>) -> Cell<u64> {
    match manager.kinds {
        Kinds::Pointer(field) => core.pointer_in(&header.bytes, Some(field)),
        Kinds::Number(field, encoding) => {
            let number = core.number(&header.bytes, Some(field))?;
            let number = match encoding {
                TypeEncoding::None => number,
                TypeEncoding::Cookie(cookie) => {
                    u64::from(low_byte(number) ^ second_byte(header.address) ^ cookie)
                }
                TypeEncoding::Unknown => return Err(Absent::NoSymbols),
            };
            manager.numbers.get(&number).copied().ok_or(Absent::Unreadable)
        }
    }
}

/// The name of an object's type.
pub(crate) fn type_name(core: &Core, manager: &Manager, header: &Header<'_>) -> Cell<Arc<str>> {
    let at = type_of(core, manager, header)?;
    if let Some(name) = manager.type_names.get(&at) {
        return Ok(Arc::clone(name));
    }
    // If the type list is not in the dump, the type itself may be.
    if manager.types.is_empty() {
        return core.structure(TYPE, at).unicode("Name").map(Arc::from);
    }
    Err(Absent::Unreadable)
}

/// The directory of an object (null if it is in none) and its name there; not applicable for
/// objects without a name.
pub(crate) fn header_name(
    core: &Core,
    manager: &Manager,
    header: &Header<'_>,
) -> Cell<(u64, String)> {
    let (name, creator) = manager.sizes;
    let back = match manager.names.ok_or(Absent::NoSymbols)? {
        NamePlace::Offset(field) => match core.number(&header.bytes, Some(field))? {
            0 => return Err(Absent::NotApplicable),
            offset => offset,
        },
        NamePlace::Mask(field) => {
            let mask = core.number(&header.bytes, Some(field))?;
            if mask & HAS_NAME == 0 {
                return Err(Absent::NotApplicable);
            }
            if mask & HAS_CREATOR == 0 { name } else { name.saturating_add(creator) }
        }
    };
    let at = header.address.checked_sub(back).ok_or(Absent::Unreadable)?;
    let info = core.structure(NAME_INFO, at);
    Ok((info.raw_pointer("Directory")?, info.unicode("Name")?))
}

/// The objects of a directory, in the order of its hash chains. `seen` holds the visited entries,
/// so that damaged chains end.
pub(crate) fn directory_objects(core: &Core, directory: u64, seen: &mut HashSet<u64>) -> Vec<u64> {
    let mut objects = Vec::new();
    let (Some(chains), Some(link), Some(object)) = (
        core.field(DIRECTORY, "HashBuckets"),
        core.field(ENTRY, "ChainLink"),
        core.field(ENTRY, "Object"),
    ) else {
        return objects;
    };
    let step = core.header.width.bytes() as u64;
    for chain in 0..chains.size as u64 / step {
        let place = directory.checked_add(chains.offset as u64 + chain * step);
        let mut next = place.and_then(|place| core.pointer_at(place).ok()).unwrap_or(0);
        while next != 0 && seen.len() < MAX_ENTRIES && seen.insert(next) {
            let at = |field: Field| next.checked_add(field.offset as u64);
            let object = at(object).and_then(|at| core.pointer_at(at).ok());
            objects.extend(object.filter(|object| *object != 0));
            next = at(link).and_then(|at| core.pointer_at(at).ok()).unwrap_or(0);
        }
    }
    objects
}

impl Manager {
    /// The object behind a header.
    pub(crate) const fn object_of(&self, header: u64) -> Option<u64> {
        header.checked_add(self.body)
    }
}

const fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

const fn second_byte(number: u64) -> u8 {
    number.to_le_bytes()[1]
}
