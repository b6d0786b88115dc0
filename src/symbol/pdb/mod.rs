//! PDB files: symbols, source lines and types of one image.
//!
//! This is a reader of our own because a symbol file may come from anywhere, and the existing
//! crates index and allocate by values from the file. It reads only the streams that a request
//! needs: the symbols of a module when an address in it is looked up, types on first use. The
//! caller knows which image the file belongs to.

mod addresses;
mod debug;
mod module;
mod msf;
mod records;
mod types;

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use self::debug::Debug;
use self::module::ModuleSymbols;
use self::msf::Msf;
use super::bytes::{cstring, size_at, u32_at};
use super::demangle;
use super::error::Error;
use super::id;
use super::layout::Enum;
use super::names::Names;

pub(super) use self::types::Types;

/// The number of the PDB information stream, which has the identity of the file.
const INFO: usize = 1;
const NAMES: u32 = 0xeffe_effe;
/// How many decorated names are undecorated to find one.
const MAX_DEMANGLED: usize = 300_000;

/// A PDB file.
#[derive(Debug)]
pub struct PdbFile {
    msf: Msf,
    guid: String,
    info_age: u32,
    debug: Debug,
    files_stream: Option<usize>,
    globals: OnceLock<Globals>,
    modules: Mutex<HashMap<usize, Arc<ModuleSymbols>>>,
    files: OnceLock<Files>,
    types: OnceLock<Option<Types>>,
}

/// The symbols that belong to no module.
#[derive(Debug, Default)]
struct Globals {
    /// Offsets and displayed names; sorted by offset, the preferred name of an offset last.
    places: Vec<(u32, Rank, Box<str>)>,
    by_name: HashMap<Box<str>, u32>,
    /// References by name: module, and where its record is.
    references: HashMap<Box<str>, (usize, usize)>,
    /// Decorated names, undecorated when a name is found nowhere else.
    demangled: OnceLock<HashMap<String, u32>>,
}

/// The preference among several names for one offset; the highest is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Decorated,
    Marked,
    Plain,
}

/// The names of source files.
#[derive(Debug, Default)]
pub(super) struct Files(Vec<u8>);

impl Files {
    fn at(&self, at: usize) -> Option<String> {
        let name = cstring(&self.0, at)?;
        (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
    }
}

impl PdbFile {
    /// Opens a file and reads its identity and debug information.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = || path.display().to_string();
        let file = File::open(path).map_err(|source| Error::Io { path: name(), source })?;
        Self::read(file).map_err(|found| Error::NotSymbols { path: name(), found })
    }

    fn read(file: File) -> Result<Self, String> {
        let msf = Msf::open(file)?;
        let damaged = || "a PDB without its identity or debug information".to_owned();
        let info = msf.stream(INFO).ok_or_else(damaged)?;
        let guid = info.get(12..28).and_then(id::guid).ok_or_else(damaged)?;
        Ok(Self {
            debug: Debug::read(&msf).ok_or_else(damaged)?,
            info_age: u32_at(&info, 8).ok_or_else(damaged)?,
            files_stream: named_stream(&info, b"/names"),
            msf,
            guid,
            globals: OnceLock::new(),
            modules: Mutex::default(),
            files: OnceLock::new(),
            types: OnceLock::new(),
        })
    }

    /// The GUID, upper case without separators.
    pub fn guid(&self) -> &str {
        &self.guid
    }

    /// The age that images and symbol servers use.
    pub const fn age(&self) -> u32 {
        self.debug.age
    }

    /// Whether the file belongs to an image with that identity.
    pub fn is(&self, guid: &str, age: u32) -> bool {
        self.guid == guid && [self.debug.age, self.info_age].contains(&age)
    }

    /// `x86`, `x64`, `arm64`, if known.
    pub const fn arch(&self) -> Option<&'static str> {
        super::isf::arch_of(self.debug.machine as u32)
    }

    /// The types, read on first use.
    pub(super) fn types(&self) -> Option<&Types> {
        self.types.get_or_init(|| Types::read(self.msf.stream(types::STREAM)?)).as_ref()
    }

    /// The names of an enumeration.
    pub(super) fn enumeration(&self, name: &str) -> Option<Enum> {
        self.types()?.enumeration(name)
    }

    fn globals(&self) -> &Globals {
        self.globals.get_or_init(|| {
            let bytes = self.debug.symbols.and_then(|stream| self.msf.stream(stream));
            Globals::read(&bytes.unwrap_or_default(), &self.debug, self.is_marked())
        })
    }

    /// Whether names are decorated with calling conventions.
    fn is_marked(&self) -> bool {
        self.arch() == Some("x86")
    }

    fn module(&self, index: usize) -> Option<Arc<ModuleSymbols>> {
        let modules = || self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = modules().get(&index) {
            return Some(Arc::clone(known));
        }
        let module = self.debug.modules.get(index)?;
        let read = ModuleSymbols::read(&self.msf, module, &self.debug.addresses);
        let read = Arc::new(read.unwrap_or_default());
        modules().insert(index, Arc::clone(&read));
        Some(read)
    }

    fn files(&self) -> &Files {
        self.files.get_or_init(|| {
            let read = || {
                let bytes = self.msf.stream(self.files_stream?)?;
                let size = (u32_at(&bytes, 0)? == NAMES).then(|| size_at(&bytes, 8))??;
                Some(Files(bytes.get(12..12usize.checked_add(size)?)?.to_vec()))
            };
            read().unwrap_or_default()
        })
    }

    /// The function of a module at or before an offset, if it is nearer than `than`.
    fn in_module(&self, rva: u32, than: Option<u32>) -> Option<(String, u32)> {
        let (module, start) = self.debug.module_at(rva)?;
        let module = self.module(module)?;
        let (at, _, name) = module.nearest(rva)?;
        // A symbol before the start of this contribution does not cover the offset.
        let is_near = *at >= start && than.is_none_or(|than| *at >= than);
        is_near.then(|| (name.to_string(), *at))
    }
}

impl Names for PdbFile {
    fn nearest(&self, rva: u64) -> Option<(String, u64)> {
        let rva = u32::try_from(rva).ok()?;
        let global = self.globals().nearest(rva);
        let (name, at) = match self.in_module(rva, global.map(|(_, at)| at)) {
            Some(found) => found,
            None => global.map(|(name, at)| (demangle::shown(name).into_owned(), at))?,
        };
        Some((name, rva.checked_sub(at)?.into()))
    }

    fn address(&self, name: &str) -> Option<u64> {
        let globals = self.globals();
        if let Some(rva) = globals.by_name.get(name) {
            return Some(u64::from(*rva));
        }
        if let Some((module, at)) = globals.references.get(name) {
            return self.module(*module)?.of_record(*at).map(u64::from);
        }
        globals.demangled().get(name).copied().map(u64::from)
    }

    fn line(&self, rva: u64) -> Option<(String, u32)> {
        let rva = u32::try_from(rva).ok()?;
        let (module, _) = self.debug.module_at(rva)?;
        self.module(module)?.line(rva, self.files())
    }
}

impl Globals {
    fn read(bytes: &[u8], debug: &Debug, is_marked: bool) -> Self {
        let mut globals = Self::default();
        for (kind, _, content) in records::records(bytes, 0) {
            if let Some(reference) = records::reference(kind, content) {
                let name = String::from_utf8_lossy(reference.name).into();
                globals.references.entry(name).or_insert((reference.module, reference.at));
            } else if let Some(record) = records::place(kind, content, &debug.addresses) {
                let raw = String::from_utf8_lossy(record.name);
                let name = if is_marked && record.is_public {
                    demangle::without_marks(&raw)
                } else {
                    &raw
                };
                globals.by_name.entry(name.into()).or_insert(record.rva);
                globals.places.push((record.rva, rank(name), name.into()));
            }
        }
        globals
            .places
            .sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| b.2.cmp(&a.2)));
        globals
    }

    fn nearest(&self, rva: u32) -> Option<(&str, u32)> {
        let next = self.places.partition_point(|(at, ..)| *at <= rva);
        let (at, _, name) = self.places.get(next.checked_sub(1)?)?;
        Some((name, *at))
    }

    fn demangled(&self) -> &HashMap<String, u32> {
        self.demangled.get_or_init(|| {
            let mut names = HashMap::new();
            let decorated = self.places.iter().filter(|place| place.1 == Rank::Decorated);
            for (rva, _, name) in decorated.take(MAX_DEMANGLED) {
                names.entry(demangle::shown(name).into_owned()).or_insert(*rva);
            }
            names
        })
    }
}

fn rank(name: &str) -> Rank {
    match name.as_bytes().first() {
        Some(b'?') => Rank::Decorated,
        Some(b'_' | b'$') | None => Rank::Marked,
        Some(_) => Rank::Plain,
    }
}

/// The number of a named stream.
fn named_stream(info: &[u8], wanted: &[u8]) -> Option<usize> {
    let strings_size = size_at(info, 28)?;
    let strings = info.get(32..32usize.checked_add(strings_size)?)?;
    // A hash table: size, capacity, two bit sets, then the pairs.
    let mut at = strings_size.checked_add(32)?;
    let count = size_at(info, at)?;
    at = at.checked_add(8)?;
    for _ in 0..2 {
        at = size_at(info, at)?.checked_mul(4)?.checked_add(at)?.checked_add(4)?;
    }
    (0..count.min(4096)).find_map(|i| {
        let pair = i.checked_mul(8)?.checked_add(at)?;
        let name = cstring(strings, size_at(info, pair)?)?;
        if name == wanted { size_at(info, pair.checked_add(4)?) } else { None }
    })
}
