//! Symbols and structure layouts: files on the symbol path, and layouts that are built into the
//! program.
//!
//! A [`Store`] lists the layouts that may fit a kernel and loads one when a source asks for it. The
//! source decides which one fits, because it can compare them with the kernel's memory. For any
//! module the store finds the PDB that the module's image names, and returns its symbols.

// Every number here comes from a file that may be damaged.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod binary;
mod bytes;
mod demangle;
mod describe;
mod error;
mod exports;
mod find;
mod folder;
mod id;
pub mod image;
mod isf;
mod kept;
mod known;
mod layout;
mod lookup;
mod names;
pub mod pack;
mod path;
mod pdb;
mod pool_tags;
mod server;
#[cfg(test)]
mod tests;
mod text;
mod vtypes;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

pub use binary::{ImageFile, ImageId};
pub use describe::{FieldInfo, Item, TypeShape};
pub use error::Error;
pub use exports::ExportNames;
pub use id::PdbId;
pub use layout::{Field, Format, Layout};
pub use lookup::{Found, Status};
pub use names::Names;
pub use path::{Search, own_cache};
pub use pdb::PdbFile;
pub use pool_tags::{PoolTagName, PoolTags};

use self::find::LayoutFile;
use self::lookup::{Lookup, SearchedPlace};
use self::pack::Pack;
use self::path::Element;
use crate::dump::cache::Entry;

/// Upper limit on the text of a layout; usual ones are below 20 MB.
const MAX_TEXT: u64 = 256 << 20;
/// Upper limit on the memory for decompression.
const MAX_UNPACK: u64 = 128 << 20;
/// How many files of unknown version are tried.
const MAX_UNKNOWN: usize = 32;
/// How many layouts of other builds are tried.
const MAX_OTHER: usize = 4;
/// How much of a file is read to determine its architecture.
const MAX_PEEK: u64 = 256 << 10;
const XZ: &[u8] = b"\xfd7zXZ\0";
const MSF: &[u8] = b"Microsoft C/C++ MSF";

/// The symbol path and the files loaded from it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    paths: Vec<PathBuf>,
    files: OnceLock<Vec<LayoutFile>>,
    lookup: Lookup,
    images: Mutex<HashMap<ImageId, Option<Arc<ImageFile>>>>,
    loaded: Mutex<HashMap<PathBuf, Arc<Layout>>>,
    /// The cache directory for parsed files.
    cache: Option<PathBuf>,
    /// The pool tag list of the user, if there is one.
    pool_tags: Option<PoolTags>,
    /// Built-in layouts that are not used.
    hidden: Vec<(pack::Version, u8, &'static str)>,
}

/// The kernel for which a layout is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Build number.
    pub build: u32,
    /// Service pack, 0 for none.
    pub service_pack: u8,
    /// `x86`, `x64`, `arm64`.
    pub arch: &'a str,
    /// Revision of the build, if known.
    pub revision: Option<u16>,
    /// Its PDB, if known.
    pub pdb: Option<&'a PdbId>,
}

/// A layout that may fit; candidates are ordered by likelihood.
#[derive(Debug, Clone)]
pub struct Candidate {
    place: LoadedPlace,
    /// Where it comes from, for messages.
    pub label: String,
    /// Why it may fit.
    pub closeness: Closeness,
}

/// Why a layout may fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// The symbol path names the file.
    Named,
    /// The file belongs to the same PDB.
    SamePdb,
    /// The same build.
    SameBuild,
    /// Nothing is known until it is read.
    Unknown,
    /// Another build.
    OtherBuild,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum LoadedPlace {
    File(PathBuf),
    Pack([u16; 4], u8, &'static str),
}

/// A query that waits for symbols; see [`Store::wait_for`].
#[derive(Debug)]
pub struct Waits {
    waiting: lookup::Waiting,
    flag: Arc<AtomicBool>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.waiting.remove(&self.flag);
    }
}

impl Store {
    /// A store for the places of a search. Files that are named are read at once.
    ///
    /// # Errors
    /// A configured path does not exist, or a named file is unusable.
    pub fn new(search: &Search) -> Result<Self, Error> {
        let mut places = Vec::new();
        let mut required = Vec::new();
        for path in &search.paths {
            let elements = path::elements(path);
            // Of several entries those that are there are used, as debuggers do.
            let is_there = |element: &Element| match element {
                Element::Local(path) => path.exists(),
                Element::Chain(_) => true,
            };
            let is_required = !elements.iter().any(is_there);
            required.extend(elements.iter().map(|_| is_required));
            places.extend(
                elements.into_iter().map(|element| SearchedPlace { element, may_ask: true }),
            );
        }
        if !search.environment.trim().is_empty() {
            let elements = path::elements(Path::new(&search.environment));
            places.extend(
                elements.into_iter().map(|element| SearchedPlace { element, may_ask: false }),
            );
        }
        let mut paths = Vec::new();
        for (position, place) in places.iter().enumerate() {
            let is_required = required.get(position).is_some_and(|required| *required);
            for path in place.folders() {
                let exists = std::fs::metadata(path);
                match exists {
                    Ok(_) => paths.push(path.to_owned()),
                    // A cache is made when there is something to keep in it.
                    Err(source) if is_required => {
                        return Err(Error::Io { path: path.display().to_string(), source });
                    }
                    Err(_) => {}
                }
            }
        }
        let lookup = Lookup::new(places, search.offline);
        let pool_tags = search.pool_tags.as_deref().map(PoolTags::read).transpose()?;
        let cache = search.cache.clone();
        let inner = Inner { paths, lookup, cache, pool_tags, ..Inner::default() };
        let store = Self { inner: Arc::new(inner) };
        let named_files = store.inner.paths.iter().filter(|path| path.is_file());
        for file in named_files {
            store.load_file(file)?;
        }
        Ok(store)
    }

    /// A store that has one built-in layout less, to see what becomes of an update that nobody knows.
    #[must_use]
    pub fn without(pack: &Pack) -> Self {
        let hidden = vec![(pack.version, pack.service_pack, pack.arch)];
        Self { inner: Arc::new(Inner { hidden, ..Inner::default() }) }
    }

    /// What is known of a pool tag: by the list that was named, else by the one that is built in.
    pub fn pool_tag(&self, tag: [u8; 4]) -> Option<PoolTagName<'_>> {
        let named = self.inner.pool_tags.as_ref().and_then(|tags| tags.find(tag));
        named.or_else(|| PoolTags::built_in().find(tag))
    }

    /// Whether there is no place to search.
    pub fn is_empty(&self) -> bool {
        self.inner.lookup.is_empty()
    }

    /// Registers a query that waits for downloads, until the guard is dropped or `flag` is set. A
    /// download ends when all waiting queries have given up; while one of them waits it continues,
    /// and all get the file.
    pub fn wait_for(&self, flag: &Arc<AtomicBool>) -> Waits {
        let waiting = self.inner.lookup.waiting().clone();
        waiting.add(flag);
        Waits { waiting, flag: Arc::clone(flag) }
    }

    /// Whether there is a server that may be asked.
    pub fn may_ask(&self) -> bool {
        self.inner.lookup.may_ask()
    }

    /// Fetches the symbols of several modules, eight at a time, so that a caller that needs them
    /// next does not wait for one after the other.
    pub fn fetch_all(&self, ids: &[PdbId]) {
        if self.may_ask() {
            self.inner.lookup.fetch_all(ids);
        }
    }

    /// What is known about the symbols of a module, without asking a server.
    pub fn find(&self, id: &PdbId) -> Found {
        self.inner.lookup.find(id)
    }

    /// The symbols of a module. A configured server is asked for the file if necessary, which takes
    /// time; it is not asked again for a file that it does not have.
    pub fn names(&self, id: &PdbId) -> Option<Arc<dyn Names>> {
        if self.is_empty() {
            return None;
        }
        self.inner.lookup.names(id, |path| {
            let layout = self.load_file(path).ok()?;
            // A file may contain another build than its name says.
            let is_it = layout.pdb().is_none_or(|(guid, _)| guid == id.guid);
            (is_it && layout.has_symbols()).then_some(layout as Arc<dyn Names>)
        })
    }

    /// The types of a module, from its symbol file; asks servers like [`Self::names`].
    pub fn layout(&self, id: &PdbId) -> Option<Arc<Layout>> {
        if self.is_empty() {
            return None;
        }
        self.load_file(&self.inner.lookup.fetch(id).at?).ok()
    }

    /// The file of an image, if it is on the symbol path; no server is asked.
    pub fn image(&self, id: &ImageId) -> Option<Arc<ImageFile>> {
        if self.is_empty() {
            return None;
        }
        let known = || self.inner.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(id) {
            return found.clone();
        }
        let mut folders = self.inner.lookup.folders();
        let listings = self.inner.lookup.listings();
        let found = folders.find_map(|folder| ImageFile::find(folder, id, listings)).map(Arc::new);
        known().insert(id.clone(), found.clone());
        found
    }

    fn files(&self) -> &[LayoutFile] {
        self.inner.files.get_or_init(|| find::files(&self.inner.paths))
    }

    /// The layouts that may fit a kernel, the most likely first: files before built-in layouts.
    pub fn candidates(&self, wanted: &Wanted<'_>) -> Vec<Candidate> {
        let mut found: Vec<(Closeness, u32, Candidate)> = Vec::new();
        let pdb = wanted.pdb.filter(|_| !self.is_empty());
        if let Some(path) = pdb.and_then(|id| self.inner.lookup.fetch(id).at) {
            let label = path.display().to_string();
            let closeness = Closeness::SamePdb;
            found.push((
                closeness,
                0,
                Candidate { place: LoadedPlace::File(path), label, closeness },
            ));
        }
        let known = found.first().map(|(.., candidate)| candidate.place.clone());
        for file in self.files() {
            let Some((closeness, distance)) = closeness(file, wanted) else { continue };
            let label = file.path.display().to_string();
            let place = LoadedPlace::File(file.path.clone());
            if known.as_ref() == Some(&place) {
                continue;
            }
            found.push((closeness, distance, Candidate { place, label, closeness }));
        }
        let known = wanted.pdb.and_then(pack::of_pdb);
        let packs = pack::all().iter().filter(|pack| pack.arch == wanted.arch);
        let mut last = None;
        for pack in packs.filter(|pack| !self.inner.hidden.contains(&pack.key())) {
            let (closeness, distance) = pack_closeness(pack, wanted, known);
            let is_other = closeness == Closeness::OtherBuild;
            let is_later = u32::from(pack.version[2]) > wanted.build;
            // Of the updates of another build the nearest in time is enough.
            if is_other && last == Some(pack.version[2]) {
                if is_later {
                    continue;
                }
                found.pop();
            }
            last = is_other.then_some(pack.version[2]);
            let label = format!("built-in layout {} {}", pack.version_text(), pack.arch);
            let place = LoadedPlace::Pack(pack.version, pack.service_pack, pack.arch);
            found.push((closeness, distance, Candidate { place, label, closeness }));
        }
        found.sort_by_key(|(closeness, distance, _)| (*closeness, *distance));
        let mut room = [MAX_UNKNOWN, MAX_OTHER];
        found.retain(|(closeness, ..)| {
            let room = match closeness {
                Closeness::Unknown => &mut room[0],
                Closeness::OtherBuild => &mut room[1],
                _ => return true,
            };
            let has_room = *room > 0;
            *room = room.saturating_sub(1);
            has_room
        });
        found.into_iter().map(|(_, _, candidate)| candidate).collect()
    }

    /// Whether a layout that was not read yet is of another architecture, judged by its first part.
    pub fn is_foreign(&self, candidate: &Candidate, arch: &str) -> bool {
        let LoadedPlace::File(path) = &candidate.place else { return false };
        if let Some(layout) = self.known(path) {
            return layout.arch().is_some_and(|found| found != arch);
        }
        let mut start = Vec::new();
        let Ok(file) = open(path) else { return false };
        // The readable part is used; `load` reports damage.
        let _ = file.take(MAX_PEEK).read_to_end(&mut start);
        isf::machine(&start).is_some_and(|found| found != arch)
    }

    /// Loads a layout: a file once per store, a built-in layout once per program run.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn load(&self, candidate: &Candidate) -> Result<Arc<Layout>, Error> {
        match &candidate.place {
            LoadedPlace::File(path) => self.load_file(path),
            LoadedPlace::Pack(version, service_pack, arch) => {
                built_in(*version, *service_pack, arch)
            }
        }
    }

    fn load_file(&self, path: &Path) -> Result<Arc<Layout>, Error> {
        if let Some(layout) = self.known(path) {
            return Ok(layout);
        }
        let layout = read_file(path)?;
        if let Some(entry) = self.entry(path) {
            layout.keep(&entry);
        }
        Ok(self.remember(path, layout))
    }

    /// A layout that was already loaded, or that an earlier session cached.
    fn known(&self, path: &Path) -> Option<Arc<Layout>> {
        let loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = loaded.get(path) {
            return Some(Arc::clone(layout));
        }
        drop(loaded);
        let layout = Layout::kept(&self.entry(path)?)?;
        Some(self.remember(path, layout))
    }

    fn entry(&self, path: &Path) -> Option<Entry> {
        kept::entry(path, self.inner.cache.as_deref())
    }

    fn remember(&self, path: &Path, layout: Layout) -> Arc<Layout> {
        let layout = Arc::new(layout);
        let mut loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(path.to_owned(), Arc::clone(&layout));
        layout
    }
}

fn closeness(file: &LayoutFile, wanted: &Wanted<'_>) -> Option<(Closeness, u32)> {
    let known = &file.known;
    if file.is_named {
        return Some((Closeness::Named, 0));
    }
    if known.arch.is_some_and(|arch| arch != wanted.arch) {
        return None;
    }
    let pdb = known.pdb.as_ref().map(|(guid, age)| (guid.as_str(), *age));
    if pdb.is_some() && pdb == wanted.pdb.map(|id| (id.guid.as_str(), id.age)) {
        return Some((Closeness::SamePdb, 0));
    }
    let Some([_, _, build, _]) = known.version else { return Some((Closeness::Unknown, 0)) };
    let of_pack = u32::from(known.service_pack.abs_diff(wanted.service_pack));
    // Of one build, files with symbols come before those without.
    let without_names = if pdb.is_some() { 0 } else { 256 };
    Some(match distance(build, wanted.build) {
        0 => (Closeness::SameBuild, of_pack.saturating_add(without_names)),
        far => (Closeness::OtherBuild, far),
    })
}

fn pack_closeness(
    pack: &Pack,
    wanted: &Wanted<'_>,
    known: Option<&pack::KnownPdb>,
) -> (Closeness, u32) {
    if known.is_some_and(|known| known.is_of(pack)) {
        // After the files of that PDB.
        return (Closeness::SamePdb, 1);
    }
    if pack.is_of_build(wanted.build) {
        let revision = known.map(|known| known.version[3]).or(wanted.revision);
        let far = match revision {
            Some(revision) => u32::from(pack.revision().abs_diff(revision)),
            // The latest is the likeliest.
            None => u32::from(u16::MAX.saturating_sub(pack.revision())),
        };
        let of_pack = match pack.version {
            [6, 3, ..] | [10, ..] => 0,
            _ => u32::from(pack.service_pack.abs_diff(wanted.service_pack)),
        };
        // After every file of the same build.
        return (
            Closeness::SameBuild,
            far.saturating_add(of_pack.saturating_mul(1 << 16)).saturating_add(1024),
        );
    }
    (Closeness::OtherBuild, distance(pack.version[2].into(), wanted.build).saturating_add(1))
}

/// The distance of another build; of two equally near builds, the later one is farther.
const fn distance(build: u32, wanted: u32) -> u32 {
    // A damaged header can contain any build number.
    let step = build.abs_diff(wanted).saturating_mul(2);
    if build > wanted { step.saturating_add(1) } else { step }
}

/// A built-in layout, decompressed on first use: dumps of the same kernel share it.
fn built_in(version: [u16; 4], service_pack: u8, arch: &str) -> Result<Arc<Layout>, Error> {
    type Unpacked = BTreeMap<([u16; 4], u8, &'static str), Arc<Layout>>;
    static UNPACKED: Mutex<Unpacked> = Mutex::new(Unpacked::new());
    let bad = || Error::NotALayout {
        path: "built-in layout".to_owned(),
        found: "a layout that cannot be unpacked".to_owned(),
    };
    let is_it = |pack: &&Pack| {
        (pack.version, pack.service_pack, pack.arch) == (version, service_pack, arch)
    };
    let pack = pack::all().iter().find(is_it).ok_or_else(bad)?;
    let key = (pack.version, pack.service_pack, pack.arch);
    // Concurrent callers wait instead of decompressing it too.
    let mut unpacked = UNPACKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(layout) = unpacked.get(&key) {
        return Ok(Arc::clone(layout));
    }
    let layout = Arc::new(Layout::of_pack(pack).ok_or_else(bad)?);
    unpacked.insert(key, Arc::clone(&layout));
    Ok(layout)
}

/// The text of a file, decompressed if necessary.
fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(XZ.len() as u64).read_to_end(&mut start)?;
    let is_packed = start == XZ;
    let whole = Cursor::new(start).chain(file);
    if !is_packed {
        return Ok(Box::new(whole));
    }
    let stream = Stream::new_stream_decoder(MAX_UNPACK, 0)?;
    Ok(Box::new(XzDecoder::new_stream(BufReader::new(whole), stream)))
}

/// Whether a file has the signature of a PDB.
fn is_pdb(path: &Path) -> bool {
    let mut start = Vec::new();
    let file = File::open(path);
    let read = file.and_then(|file| file.take(MSF.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == MSF
}

fn read_file(path: &Path) -> Result<Layout, Error> {
    let name = || path.display().to_string();
    let bad = |found: String| Error::NotALayout { path: name(), found };
    if is_pdb(path) {
        return PdbFile::open(path).map(|file| Layout::from_pdb(Arc::new(file)));
    }
    let file = open(path).map_err(|source| Error::Io { path: name(), source })?;
    let mut text = String::new();
    let expected = "expected a layout in Volatility's symbol format or nt-layout-1";
    file.take(MAX_TEXT).read_to_string(&mut text).map_err(|error| {
        bad(format!("a file that cannot be read as text ({error}); {expected}"))
    })?;
    Layout::parse(text).map_err(|found| bad(format!("{found}; {expected}")))
}
