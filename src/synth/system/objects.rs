//! The object manager: types, headers, directories, named objects.

use std::collections::{BTreeMap, HashMap};

use super::bodies;
use super::build::Builder;
use super::spec::NamedObject;

/// The object types in index order, with the pool tags of their objects.
const TYPES: [(&str, [u8; 4]); 22] = [
    ("Type", *b"ObjT"),
    ("Directory", *b"Dire"),
    ("SymbolicLink", *b"Symb"),
    ("Token", *b"Toke"),
    ("Job", *b"Job "),
    ("Process", *b"Proc"),
    ("Thread", *b"Thre"),
    ("Event", *b"Even"),
    ("Mutant", *b"Muta"),
    ("Callback", *b"Call"),
    ("Semaphore", *b"Sema"),
    ("Timer", *b"Time"),
    ("WindowStation", *b"Wind"),
    ("Desktop", *b"Desk"),
    ("Section", *b"Sect"),
    ("Key", *b"Key "),
    ("Port", *b"Port"),
    ("IoCompletion", *b"IoCo"),
    ("Controller", *b"Cont"),
    ("Device", *b"Devi"),
    ("Driver", *b"Driv"),
    ("File", *b"File"),
];

/// The directories that every system has.
const DIRECTORIES: [&str; 8] = [
    r"\ObjectTypes",
    r"\Device",
    r"\Driver",
    r"\FileSystem",
    r"\BaseNamedObjects",
    r"\KnownDlls",
    r"\Windows",
    r"\RPC Control",
];

/// The objects of a system that is being built.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// Address and index of each type.
    types: HashMap<&'static str, (u64, u64)>,
    /// Number of objects and handles of each type.
    counts: BTreeMap<&'static str, (u64, u64)>,
    directories: HashMap<String, u64>,
    /// The contents of each directory: names and objects.
    entries: BTreeMap<String, Vec<(String, u64)>>,
    /// Objects by path.
    pub(super) named: HashMap<String, u64>,
    cookie: u64,
    /// Handles to each object.
    handles: HashMap<u64, u64>,
    /// The type of each object.
    kinds: HashMap<u64, &'static str>,
    /// Key control blocks of registry keys by path.
    pub(super) keys: HashMap<String, u64>,
}

/// The description of an object to be created.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) kind: &'a str,
    pub(super) size: u64,
    /// Path in the object namespace; empty for none.
    pub(super) path: &'a str,
    /// Address of the body; 0 if the builder chooses it.
    pub(super) address: u64,
}

impl Objects {
    /// Creates the types and the directories.
    pub(super) fn new(builder: &mut Builder<'_>) -> Self {
        let mut all = Self::default();
        if builder.version.has_cookie() && builder.has_symbol("ObHeaderCookie") {
            all.cookie = 0xa7;
            let at = builder.variable("ObHeaderCookie", 4);
            builder.put_u32(at, all.cookie);
        }
        all.make_types(builder);
        write_offsets(builder);
        let root = all.directory(builder, "\\");
        let at = builder.variable("ObpRootDirectoryObject", 8);
        builder.put_pointer(at, root);
        for path in DIRECTORIES {
            all.directory(builder, path);
        }
        for (name, _) in TYPES {
            let address = all.types[name].0;
            all.entries
                .entry(r"\ObjectTypes".to_owned())
                .or_default()
                .push((name.to_owned(), address));
            all.named.insert(format!(r"\ObjectTypes\{name}"), address);
        }
        all
    }

    /// Creates the type objects. They are themselves objects of the type `Type`, to which their
    /// headers refer.
    fn make_types(&mut self, builder: &mut Builder<'_>) {
        let size = builder.layout.size("_OBJECT_TYPE") as u64;
        let old = !builder.layout.has("_OBJECT_HEADER", "TypeIndex");
        let first = if old { 1 } else { 2 };
        let overhead = Self::overhead(builder, true);
        for (i, (name, _)) in TYPES.iter().enumerate() {
            let block = builder.pool(false, *b"ObjT", overhead + size);
            self.types.insert(name, (block + overhead, i as u64 + first));
        }
        let table = if old { "ObpObjectTypes" } else { "ObTypeIndexTable" };
        let at = builder.variable(table, 8 * 64);
        let width = builder.width();
        let skipped = if old { 0 } else { 2 };
        if !old {
            builder.put_pointer(at + width, 0xbad0_b0b0);
        }
        for (i, (name, _)) in TYPES.iter().enumerate() {
            builder.put_pointer(at + (i as u64 + skipped) * width, self.types[name].0);
        }
        let variable = builder.variable("ObpTypeObjectType", 8);
        builder.put_pointer(variable, self.types["Type"].0);
        for (name, kind) in [
            ("PsProcessType", "Process"),
            ("PsThreadType", "Thread"),
            ("IoFileObjectType", "File"),
            ("ExEventObjectType", "Event"),
            ("IoDriverObjectType", "Driver"),
            ("IoDeviceObjectType", "Device"),
            ("MmSectionObjectType", "Section"),
        ] {
            if builder.has_symbol(name) {
                let at = builder.variable(name, 8);
                builder.put_pointer(at, self.types[kind].0);
            }
        }
    }

    /// Writes the types, once the numbers of objects and handles are known.
    pub(super) fn finish(&mut self, builder: &mut Builder<'_>) {
        for (name, tag) in TYPES {
            let (address, index) = self.types[name];
            let wanted =
                Wanted { kind: "Type", size: 0, path: &format!(r"\ObjectTypes\{name}"), address };
            self.header(builder, &wanted, address);
            let (objects, handles) = self.counts.get(name).copied().unwrap_or_default();
            let mut object = builder.new_object("_OBJECT_TYPE");
            builder.string(&mut object, "Name", name);
            object.set("Index", index).put("Key", &tag).empty_list("TypeList", address);
            object.set("TotalNumberOfObjects", objects).set("TotalNumberOfHandles", handles);
            object.set("HighWaterNumberOfObjects", objects + 3);
            object.set("HighWaterNumberOfHandles", handles + 5);
            let is_paged =
                matches!(name, "Directory" | "SymbolicLink" | "Section" | "Key" | "Token");
            object.set("TypeInfo.PoolType", u64::from(is_paged));
            builder.place(address, object);
        }
        let handles: Vec<(u64, u64)> = self.handles.iter().map(|(at, n)| (*at, *n)).collect();
        let header = builder.offset("_OBJECT_HEADER", "Body");
        let pointers = builder.offset("_OBJECT_HEADER", "PointerCount");
        let count = builder.offset("_OBJECT_HEADER", "HandleCount");
        let mut handles = handles;
        handles.sort_unstable();
        for (object, count_of) in handles {
            builder.put_pointer(object - header + count, count_of);
            builder.put_pointer(object - header + pointers, count_of + 1);
        }
        self.write_directories(builder);
    }

    fn overhead(builder: &mut Builder<'_>, is_named: bool) -> u64 {
        let header = builder.offset("_OBJECT_HEADER", "Body");
        let name = builder.layout.size("_OBJECT_HEADER_NAME_INFO") as u64;
        header + if is_named { name } else { 0 }
    }

    /// Creates an object: its header, and space for its body.
    pub(super) fn make(&mut self, builder: &mut Builder<'_>, wanted: &Wanted<'_>) -> u64 {
        let is_named = !wanted.path.is_empty();
        let overhead = Self::overhead(builder, is_named);
        let kind = TYPES.iter().find(|row| row.0 == wanted.kind).unwrap_or(&TYPES[7]);
        let address = if wanted.address == 0 {
            let block = builder.pool(false, kind.1, overhead + wanted.size);
            // Before Windows 8, driver objects are in protected pool, which must be freed with its
            // tag.
            if kind.0 == "Driver" && builder.version.build < 9200 {
                builder.protect_pool();
            }
            block + overhead
        } else {
            builder.pool_at(wanted.address - overhead, kind.1, wanted.size + overhead);
            wanted.address
        };
        self.header(builder, wanted, address);
        if is_named {
            self.enter(builder, wanted.path, address);
        }
        address
    }

    fn header(&mut self, builder: &mut Builder<'_>, wanted: &Wanted<'_>, address: u64) {
        let size = builder.offset("_OBJECT_HEADER", "Body");
        let at = address - size;
        let kind = TYPES.iter().find(|row| row.0 == wanted.kind).unwrap_or(&TYPES[7]).0;
        let (ty, index) = self.types[kind];
        self.counts.entry(kind).or_default().0 += 1;
        self.kinds.insert(address, kind);
        let name_size = builder.layout.size("_OBJECT_HEADER_NAME_INFO") as u64;
        let mut header = builder.new_object("_OBJECT_HEADER");
        header.set("PointerCount", 1);
        let hidden = index ^ (at >> 8 & 0xff) ^ self.cookie;
        let index = if self.cookie == 0 { index } else { hidden };
        header.opt("TypeIndex", index).opt("Type", ty).set("Flags", 2);
        let Some((directory, name)) = wanted.path.rsplit_once('\\') else {
            builder.place(at, header);
            return;
        };
        header.opt("InfoMask", 2).opt("NameInfoOffset", name_size);
        builder.place(at, header);
        let directory = if directory.is_empty() { "\\" } else { directory };
        let directory = self.directories.get(directory).copied().unwrap_or(0);
        let mut info = builder.new_object("_OBJECT_HEADER_NAME_INFO");
        info.set("Directory", directory);
        builder.string(&mut info, "Name", if name.is_empty() { "\\" } else { name });
        info.set_any(&["ReferenceCount", "QueryReferences"], 1);
        builder.place(at - name_size, info);
    }

    /// Enters an object into its directory, which is created if necessary.
    fn enter(&mut self, builder: &mut Builder<'_>, path: &str, address: u64) {
        self.named.insert(path.to_owned(), address);
        let Some((directory, name)) = path.rsplit_once('\\').filter(|(_, name)| !name.is_empty())
        else {
            return;
        };
        let directory = if directory.is_empty() { "\\" } else { directory };
        self.directory(builder, directory);
        self.entries.entry(directory.to_owned()).or_default().push((name.to_owned(), address));
    }

    pub(super) fn directory(&mut self, builder: &mut Builder<'_>, path: &str) -> u64 {
        if let Some(found) = self.directories.get(path) {
            return *found;
        }
        let size = builder.layout.size("_OBJECT_DIRECTORY") as u64;
        let address = self.make(builder, &Wanted { kind: "Directory", size, path, address: 0 });
        self.directories.insert(path.to_owned(), address);
        self.entries.entry(path.to_owned()).or_default();
        address
    }

    /// A directory is a hash table of 37 chains.
    fn write_directories(&mut self, builder: &mut Builder<'_>) {
        let size = builder.layout.size("_OBJECT_DIRECTORY_ENTRY") as u64;
        for (path, entries) in std::mem::take(&mut self.entries) {
            let directory = self.directories[&path];
            let mut chains = [0; 37];
            for (name, object) in entries {
                let hash = hash(&name);
                let chain = &mut chains[hash as usize % 37];
                let at = builder.pool(true, *b"ObDi", size);
                let mut entry = builder.new_object("_OBJECT_DIRECTORY_ENTRY");
                entry.set("ChainLink", *chain).set("Object", object).opt("HashValue", hash.into());
                builder.place(at, entry);
                *chain = at;
            }
            let mut object = builder.new_object("_OBJECT_DIRECTORY");
            for (i, chain) in chains.into_iter().enumerate() {
                object.set(&format!("HashBuckets[{i}]"), chain);
            }
            builder.place(directory, object);
        }
    }

    /// Counts a handle to an object.
    pub(super) fn opened(&mut self, object: u64) {
        if let Some(kind) = self.kinds.get(&object) {
            self.counts.entry(kind).or_default().1 += 1;
        }
        *self.handles.entry(object).or_default() += 1;
    }

    /// Creates a named object with its body.
    pub(super) fn make_named(
        &mut self,
        builder: &mut Builder<'_>,
        object: &NamedObject,
        owner: u64,
    ) -> u64 {
        let (structure, ty): (&'static str, u64) = match object.kind.as_str() {
            "Mutant" => ("_KMUTANT", 2),
            "Semaphore" => ("_KSEMAPHORE", 5),
            "Timer" => ("_KTIMER", 8),
            "File" => ("_FILE_OBJECT", 5),
            "Device" => ("_DEVICE_OBJECT", 3),
            "Driver" => ("_DRIVER_OBJECT", 4),
            "Section" if builder.layout.size("_SECTION") > 0 => ("_SECTION", 0),
            "Section" => ("_SECTION_OBJECT", 0),
            "Key" => ("_CM_KEY_BODY", 0),
            "SymbolicLink" => ("_OBJECT_SYMBOLIC_LINK", 0),
            "Port" | "WindowStation" | "Desktop" | "Token" => ("", 0),
            _ => ("_KEVENT", 0),
        };
        let size = builder.layout.size(structure).max(0x40) as u64;
        let path = if object.path.starts_with('\\') { object.path.as_str() } else { "" };
        let wanted = Wanted { kind: &object.kind, size, path, address: object.address };
        let address = self.make(builder, &wanted);
        self.named.insert(object.path.clone(), address);
        if structure.is_empty() {
            builder.put(address, &[0; 0x40]);
            return address;
        }
        let mut body = builder.new_object(structure);
        match object.kind.as_str() {
            "Section" => bodies::section(builder, self, &mut body, object),
            "Key" => bodies::key(builder, self, &mut body, object),
            "SymbolicLink" => builder.string(&mut body, "LinkTarget", &object.file),
            "File" | "Device" | "Driver" => {
                body.set("Type", ty).set("Size", size);
                if object.kind == "File" {
                    builder.string(&mut body, "FileName", &object.file);
                    let device = self.named.get(r"\Device\HarddiskVolume1").copied().unwrap_or(0);
                    body.set("DeviceObject", device).set("ReadAccess", 1).set("SharedRead", 1);
                }
            }
            kind => {
                let is_notification = path.contains("Notification");
                let ty = if kind == "Event" { u64::from(!is_notification) } else { ty };
                body.set("Header.Type", ty).set("Header.Size", size / 4);
                body.empty_list("Header.WaitListHead", address);
                if kind == "Mutant" {
                    body.set("OwnerThread", owner).set("Header.SignalState", u64::from(owner == 0));
                    body.empty_list("MutantListEntry", address);
                }
                if kind == "Semaphore" {
                    body.set("Limit", 0x7fff_ffff);
                }
            }
        }
        builder.place(address, body);
        address
    }
}

/// Writes the table that gives the kernel the offsets of optional headers: for each mask, their
/// total size in bytes.
fn write_offsets(builder: &mut Builder<'_>) {
    let structures = ["CREATOR", "NAME", "HANDLE", "QUOTA", "PROCESS"];
    let size = |name| builder.layout.size(&format!("_OBJECT_HEADER_{name}_INFO"));
    let sizes = structures.map(size);
    let table: Vec<u8> = (0..=255u8)
        .map(|mask| {
            let set = sizes.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
            u8::try_from(set.map(|(_, size)| size).sum::<usize>()).unwrap_or(0)
        })
        .collect();
    let at = builder.variable("ObpInfoMaskToOffset", 256);
    builder.put(at, &table);
}

/// The hash of a name, without regard to case.
fn hash(name: &str) -> u32 {
    name.to_uppercase().encode_utf16().fold(0u32, |hash, c| {
        hash.wrapping_add((hash << 1).wrapping_add(hash >> 1)).wrapping_add(c.into())
    })
}
