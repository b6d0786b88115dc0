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
mod candidates;
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
mod reading;
mod server;
#[cfg(test)]
mod tests;
mod text;
mod vtypes;

use self::candidates::LoadedPlace;
use self::reading::{built_in, read_file};
pub use candidates::{Candidate, Closeness, Wanted};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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
            // A configured path may have several entries; as in debuggers, missing entries are
            // ignored.
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
                    // The cache directory is created when something is stored in it.
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

    /// A store without one of the built-in layouts, for tests with an unknown update.
    #[must_use]
    pub fn without(pack: &Pack) -> Self {
        let hidden = vec![(pack.version, pack.service_pack, pack.arch)];
        Self { inner: Arc::new(Inner { hidden, ..Inner::default() }) }
    }

    /// The description of a pool tag, from the user's list, else from the built-in list.
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

    /// The files that symbols and layouts were read from.
    pub fn files_in_use(&self) -> Vec<PathBuf> {
        let loaded = self.inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files: Vec<PathBuf> = loaded.keys().cloned().collect();
        drop(loaded);
        files.extend(self.inner.paths.iter().filter(|path| path.is_file()).cloned());
        files.extend(self.inner.lookup.files());
        files.sort();
        files.dedup();
        files
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
