//! What the object manager knows of every object: its header, its type, its name and directory.
//!
//! Before Windows 7 a header points to its type; since then it holds the type's number, which
//! Windows 10 and later hide behind a byte of the header's address and a secret byte. The secret is
//! a variable without an export, but it shows in the headers of the types themselves: each type
//! states its number in plain, and its header hides that of the type `Type`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::KernelDump;
use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::Unanswered;
use crate::symbol::Field;

pub(super) const HEADER: &str = "_OBJECT_HEADER";
pub(super) const TYPE: &str = "_OBJECT_TYPE";
const NAME_INFO: &str = "_OBJECT_HEADER_NAME_INFO";
const CREATOR_INFO: &str = "_OBJECT_HEADER_CREATOR_INFO";
const DIRECTORY: &str = "_OBJECT_DIRECTORY";
const ENTRY: &str = "_OBJECT_DIRECTORY_ENTRY";
/// Bits of `_OBJECT_HEADER.InfoMask`: optional headers, the nearest to the header first.
const HAS_CREATOR: u64 = 1;
const HAS_NAME: u64 = 2;
/// A type's number is a byte.
const MAX_TYPES: u64 = 256;
/// No directory holds more; more is a damaged one.
const MAX_ENTRIES: usize = 1 << 20;
/// A secret that a single type shows may be chance.
const MIN_AGREEING: usize = 2;

/// How headers state the type of their object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    /// By a pointer to the type.
    Pointer(Field),
    /// By the type's number.
    Number(Field, Hiding),
}

/// How the number of a type is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hiding {
    None,
    /// Behind the second byte of the header's address and this secret.
    Secret(u8),
    /// Nobody knows how.
    Unknown,
}

/// Where headers keep the name.
#[derive(Debug, Clone, Copy)]
enum NamePlace {
    /// So many bytes before the header as a byte of it says.
    Offset(Field),
    /// Before the header and the creator's information, by the mask of what there is.
    Mask(Field),
}

/// What is known of objects in general.
#[derive(Debug)]
pub(super) struct Manager {
    /// Bytes from a header to its object.
    body: u64,
    kinds: Kinds,
    names: Option<NamePlace>,
    pub(super) handle_count: Option<Field>,
    pub(super) pointer_count: Option<Field>,
    /// The sizes of the name's and the creator's information.
    sizes: (u64, u64),
    /// The directory that all others are in.
    pub(super) root: Cell<u64>,
    /// The types, in the order of their numbers.
    pub(super) types: Vec<u64>,
    /// Names of the types by address.
    type_names: HashMap<u64, Arc<str>>,
    /// Types by number.
    numbers: HashMap<u64, u64>,
}

/// The header of an object.
pub(super) struct Header<'a> {
    pub(super) address: u64,
    pub(super) bytes: Cow<'a, [u8]>,
}

impl KernelDump {
    /// What is known of objects; found when first asked for.
    pub(super) fn manager(&self) -> Result<&Manager, Unanswered> {
        let manager = self.manager.get_or_init(|| self.find_manager());
        manager.as_ref().ok_or_else(|| Unanswered::because("no layout of object headers is known"))
    }

    fn find_manager(&self) -> Option<Manager> {
        let body = self.field(HEADER, "Body")?.offset as u64;
        let kinds = match self.field(HEADER, "TypeIndex") {
            Some(field) => Kinds::Number(field, Hiding::Unknown),
            None => Kinds::Pointer(self.field(HEADER, "Type")?),
        };
        let mask = self.field(HEADER, "InfoMask").map(NamePlace::Mask);
        let offset = || self.field(HEADER, "NameInfoOffset").map(NamePlace::Offset);
        let size = |ty| self.types().size_of(ty).unwrap_or(0);
        let mut manager = Manager {
            body,
            kinds,
            names: mask.or_else(offset),
            handle_count: self.field(HEADER, "HandleCount"),
            pointer_count: self.field(HEADER, "PointerCount"),
            sizes: (size(NAME_INFO), size(CREATOR_INFO)),
            root: self.variable_pointer(kdbg::ROOT_DIRECTORY, "ObpRootDirectoryObject"),
            types: Vec::new(),
            type_names: HashMap::new(),
            numbers: HashMap::new(),
        };
        self.find_types(&mut manager);
        Some(manager)
    }

    /// A pointer that is a variable of the kernel: the debugger data names it, or its symbol does.
    pub(super) fn variable_pointer(&self, offset: usize, symbol: &str) -> Cell<u64> {
        let stated = self.kdbg().and_then(|kdbg| kdbg.pointer(offset));
        let at = stated.or_else(|| self.symbol_address("nt", symbol)).ok_or(Absent::NoSymbols)?;
        match self.pointer_at(at)? {
            0 => Err(Absent::NotApplicable),
            pointer => Ok(pointer),
        }
    }

    /// Finds the types: in their directory, or else in the kernel's table of them.
    fn find_types(&self, manager: &mut Manager) {
        let mut found = self.types_in_directory(manager);
        if found.is_empty() {
            found = self.types_in_table();
        }
        let number = |at| self.structure(TYPE, at).unsigned("Index").ok();
        let mut types: Vec<(Option<u64>, u64)> =
            found.iter().map(|at| (number(*at), *at)).collect();
        types.sort_unstable();
        for (number, at) in types {
            let Ok(name) = self.structure(TYPE, at).unicode("Name") else { continue };
            manager.types.push(at);
            manager.type_names.insert(at, name.into());
            if let Some(number) = number {
                manager.numbers.insert(number, at);
            }
        }
        if let Kinds::Number(field, _) = manager.kinds {
            manager.kinds = Kinds::Number(field, self.hiding(manager, field));
        }
    }

    fn types_in_directory(&self, manager: &Manager) -> Vec<u64> {
        let Ok(root) = manager.root else { return Vec::new() };
        let mut seen = HashSet::new();
        let is_it = |object: &u64| {
            let header = self.object_header(manager, *object);
            header
                .and_then(|header| self.header_name(manager, &header))
                .is_ok_and(|n| n.1 == "ObjectTypes")
        };
        let objects = self.directory_objects(root, &mut seen);
        let Some(directory) = objects.into_iter().find(is_it) else { return Vec::new() };
        self.directory_objects(directory, &mut seen)
    }

    fn types_in_table(&self) -> Vec<u64> {
        let symbols = ["ObTypeIndexTable", "ObpObjectTypes"];
        let table = symbols.iter().find_map(|name| self.symbol_address("nt", name));
        let Some(table) = table else { return Vec::new() };
        let step = self.header.width.bytes() as u64;
        let places = (0..MAX_TYPES).filter_map(|i| table.checked_add(i * step));
        let mut seen = HashSet::new();
        // The table starts with a null and a mark, and ends with nulls.
        places
            .filter_map(|place| self.pointer_at(place).ok())
            .filter(|at| *at != 0 && self.pointer_at(*at).is_ok() && seen.insert(*at))
            .collect()
    }

    /// How type numbers are hidden, as the headers of the types themselves show.
    fn hiding(&self, manager: &Manager, field: Field) -> Hiding {
        let cookie = self.symbol_address("nt", "ObHeaderCookie");
        let cookie = cookie.and_then(|at| self.u32_at(at).ok());
        let own = manager
            .types
            .iter()
            .find(|at| manager.type_names.get(at).is_some_and(|n| &**n == "Type"));
        let own = own.and_then(|at| self.structure(TYPE, *at).unsigned("Index").ok());
        let Some(own) = own else {
            return cookie.map_or(Hiding::Unknown, |c| Hiding::Secret(c.to_le_bytes()[0]));
        };
        let stated: Vec<(u64, u64)> = manager
            .types
            .iter()
            .filter_map(|at| self.object_header(manager, *at).ok())
            .filter_map(|header| {
                Some((header.address, self.number(&header.bytes, Some(field)).ok()?))
            })
            .collect();
        let plain = stated.iter().filter(|(_, number)| *number == own).count();
        let secret = |(at, number): &(u64, u64)| second_byte(*at) ^ low_byte(number ^ own);
        let Some(first) = stated.first().map(secret) else { return Hiding::Unknown };
        let agreeing = stated.iter().filter(|fact| secret(fact) == first).count();
        if 2 * plain > stated.len() {
            Hiding::None
        } else if agreeing >= MIN_AGREEING && 2 * agreeing > stated.len() {
            Hiding::Secret(first)
        } else {
            cookie.map_or(Hiding::Unknown, |c| Hiding::Secret(c.to_le_bytes()[0]))
        }
    }

    /// The header of an object.
    pub(super) fn object_header(&self, manager: &Manager, object: u64) -> Cell<Header<'_>> {
        let address = object.checked_sub(manager.body).ok_or(Absent::Unreadable)?;
        self.header_at(manager, address)
    }

    /// The header at an address.
    pub(super) fn header_at(&self, manager: &Manager, address: u64) -> Cell<Header<'_>> {
        let len = usize::try_from(manager.body).map_err(|_| Absent::Unreadable)?;
        Ok(Header { address, bytes: self.kernel_space().slice(address, len)? })
    }

    /// The address of an object's type.
    pub(super) fn type_of(&self, manager: &Manager, header: &Header<'_>) -> Cell<u64> {
        match manager.kinds {
            Kinds::Pointer(field) => self.pointer_in(&header.bytes, Some(field)),
            Kinds::Number(field, hiding) => {
                let number = self.number(&header.bytes, Some(field))?;
                let number = match hiding {
                    Hiding::None => number,
                    Hiding::Secret(secret) => {
                        u64::from(low_byte(number) ^ second_byte(header.address) ^ secret)
                    }
                    Hiding::Unknown => return Err(Absent::NoSymbols),
                };
                manager.numbers.get(&number).copied().ok_or(Absent::Unreadable)
            }
        }
    }

    /// The name of an object's type.
    pub(super) fn type_name(&self, manager: &Manager, header: &Header<'_>) -> Cell<Arc<str>> {
        let at = self.type_of(manager, header)?;
        if let Some(name) = manager.type_names.get(&at) {
            return Ok(Arc::clone(name));
        }
        // Where the list of types is not in the dump, the type itself may be.
        if manager.types.is_empty() {
            return self.structure(TYPE, at).unicode("Name").map(Arc::from);
        }
        Err(Absent::Unreadable)
    }

    /// The directory of an object (null for none) and its name there; not applicable for objects
    /// without a name.
    pub(super) fn header_name(
        &self,
        manager: &Manager,
        header: &Header<'_>,
    ) -> Cell<(u64, String)> {
        let (name, creator) = manager.sizes;
        let back = match manager.names.ok_or(Absent::NoSymbols)? {
            NamePlace::Offset(field) => match self.number(&header.bytes, Some(field))? {
                0 => return Err(Absent::NotApplicable),
                offset => offset,
            },
            NamePlace::Mask(field) => {
                let mask = self.number(&header.bytes, Some(field))?;
                if mask & HAS_NAME == 0 {
                    return Err(Absent::NotApplicable);
                }
                if mask & HAS_CREATOR == 0 { name } else { name.saturating_add(creator) }
            }
        };
        let at = header.address.checked_sub(back).ok_or(Absent::Unreadable)?;
        let info = self.structure(NAME_INFO, at);
        Ok((info.raw_pointer("Directory")?, info.unicode("Name")?))
    }

    /// The objects of a directory, in the order of its chains; `seen` has the entries that were
    /// met, so that damaged chains end.
    pub(super) fn directory_objects(&self, directory: u64, seen: &mut HashSet<u64>) -> Vec<u64> {
        let mut objects = Vec::new();
        let (Some(chains), Some(link), Some(object)) = (
            self.field(DIRECTORY, "HashBuckets"),
            self.field(ENTRY, "ChainLink"),
            self.field(ENTRY, "Object"),
        ) else {
            return objects;
        };
        let step = self.header.width.bytes() as u64;
        for chain in 0..chains.size as u64 / step {
            let place = directory.checked_add(chains.offset as u64 + chain * step);
            let mut next = place.and_then(|place| self.pointer_at(place).ok()).unwrap_or(0);
            while next != 0 && seen.len() < MAX_ENTRIES && seen.insert(next) {
                let at = |field: Field| next.checked_add(field.offset as u64);
                let object = at(object).and_then(|at| self.pointer_at(at).ok());
                objects.extend(object.filter(|object| *object != 0));
                next = at(link).and_then(|at| self.pointer_at(at).ok()).unwrap_or(0);
            }
        }
        objects
    }
}

impl Manager {
    /// The object behind a header.
    pub(super) const fn object_of(&self, header: u64) -> Option<u64> {
        header.checked_add(self.body)
    }
}

const fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

const fn second_byte(number: u64) -> u8 {
    number.to_le_bytes()[1]
}
