//! The symbol file of a module, by the identity in its image: where it is, and its symbols.
//!
//! A file is searched for on first use of its module, and only once: what was not found or not
//! fetched remains so for the lifetime of the store.

mod used;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::folder::{self, Listings};
use super::id::PdbId;
use super::names::Names;
use super::path::{Element, Stop};
use super::pdb::PdbFile;
use super::server::{self, Failure};

/// Subfolders of old symbol packages.
const OLD_FOLDERS: [&str; 3] = ["dll", "exe", "sys"];

/// How many files are fetched in parallel.
const SIDE_BY_SIDE: usize = 8;

/// What is known about the symbols of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The kind of symbols.
    pub status: Status,
    /// The path of the file.
    pub at: Option<PathBuf>,
    /// What is wrong with the file, or why there is none.
    pub note: Option<String>,
}

/// The kind of symbols that a module has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// A PDB file.
    Pdb,
    /// A file in Volatility's format.
    Isf,
    /// A server may have the file, and is asked when an address in the module is looked up.
    Deferred,
    /// None.
    None,
}

impl Status {
    /// The name that tables show.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Pdb => "pdb",
            Self::Isf => "isf",
            Self::Deferred => "deferred",
            Self::None => "none",
        }
    }
}

/// The places that are searched, and what was found.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    places: Vec<SearchedPlace>,
    offline: bool,
    modules: Mutex<HashMap<PdbId, Arc<Slot>>>,
    silent: Mutex<HashSet<String>>,
    /// The queries that wait for downloads.
    waiting: Waiting,
    /// The folders that were listed.
    listings: Listings,
}

/// A location to search, and whether its servers may be asked.
#[derive(Debug)]
pub(super) struct SearchedPlace {
    pub(super) element: Element,
    pub(super) may_ask: bool,
}

impl SearchedPlace {
    /// The folders and files of the location.
    pub(super) fn folders(&self) -> Vec<&Path> {
        match &self.element {
            Element::Local(path) => vec![path],
            Element::Chain(stops) => {
                let mut folders = Vec::new();
                for stop in stops {
                    if let Stop::Folder(folder) = stop {
                        folders.push(folder.as_path());
                    }
                }
                folders
            }
        }
    }
}

/// The result for one module.
#[derive(Debug, Default)]
struct Slot {
    local: OnceLock<Found>,
    fetched: OnceLock<Found>,
    names: OnceLock<Option<Arc<dyn Names>>>,
    /// Held while the file is fetched, so that it is fetched only once.
    asking: Mutex<()>,
}

/// The cancel flags of the waiting queries; a set flag means that the query gave up.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Vec<Arc<AtomicBool>>>>);

impl Waiting {
    fn flags(&self) -> MutexGuard<'_, Vec<Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, flag: &Arc<AtomicBool>) {
        self.flags().push(Arc::clone(flag));
    }

    pub(super) fn remove(&self, flag: &Arc<AtomicBool>) {
        let mut flags = self.flags();
        if let Some(at) = flags.iter().position(|known| Arc::ptr_eq(known, flag)) {
            flags.swap_remove(at);
        }
    }

    /// Whether all waiting queries gave up.
    fn is_over(&self) -> bool {
        let flags = self.flags();
        !flags.is_empty() && flags.iter().all(|flag| flag.load(Ordering::Relaxed))
    }
}

impl Lookup {
    pub(super) fn new(places: Vec<SearchedPlace>, offline: bool) -> Self {
        Self { places, offline, ..Self::default() }
    }

    /// The queries that wait for downloads.
    pub(super) const fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// The folders and files of all locations in order.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.places.iter().flat_map(SearchedPlace::folders)
    }

    /// The folders that were listed.
    pub(super) const fn listings(&self) -> &Listings {
        &self.listings
    }

    /// Whether there is anything to search.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn slot(&self, id: &PdbId) -> Arc<Slot> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(modules.entry(id.clone()).or_default())
    }

    /// What is known about the symbols of a module, without asking a server.
    pub(super) fn find(&self, id: &PdbId) -> Found {
        let slot = self.slot(id);
        match slot.fetched.get() {
            Some(found) => found.clone(),
            None => slot.local.get_or_init(|| self.search(id)).clone(),
        }
    }

    /// The same after asking the servers that may be asked. After a cancelled request the file may
    /// be requested again.
    pub(super) fn fetch(&self, id: &PdbId) -> Found {
        let slot = self.slot(id);
        let local = slot.local.get_or_init(|| self.search(id));
        if local.status != Status::Deferred {
            return local.clone();
        }
        let _asking = slot.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = slot.fetched.get() {
            return found.clone();
        }
        match self.ask(id) {
            Some(found) => slot.fetched.get_or_init(|| found).clone(),
            None => local.clone(),
        }
    }

    /// Whether there is a server that may be asked.
    pub(super) fn may_ask(&self) -> bool {
        let asks = |place: &SearchedPlace| {
            let Element::Chain(stops) = &place.element else { return false };
            place.may_ask && stops.iter().any(|stop| matches!(stop, Stop::Server(_)))
        };
        !self.offline && self.places.iter().any(asks)
    }

    /// Fetches the missing symbol files of several modules, some of them in parallel.
    pub(super) fn fetch_all(&self, ids: &[PdbId]) {
        let mut missing: Vec<&PdbId> = ids.iter().collect();
        missing.sort_unstable();
        missing.dedup();
        missing.retain(|id| self.find(id).status == Status::Deferred);
        let next = AtomicUsize::new(0);
        let ask = || {
            while let Some(id) = missing.get(next.fetch_add(1, Ordering::Relaxed))
                && !self.waiting.is_over()
            {
                let _ = self.fetch(id);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..missing.len().min(SIDE_BY_SIDE) {
                // If no thread can be started, the others do the work.
                let _ = std::thread::Builder::new().spawn_scoped(scope, ask);
            }
            ask();
        });
    }

    /// The symbols of a module; its file is opened on first use.
    pub(super) fn names(
        &self,
        id: &PdbId,
        open: impl FnOnce(&Path) -> Option<Arc<dyn Names>>,
    ) -> Option<Arc<dyn Names>> {
        let slot = self.slot(id);
        if let Some(names) = slot.names.get() {
            return names.clone();
        }
        let found = self.fetch(id);
        if found.status == Status::Deferred {
            return None;
        }
        slot.names.get_or_init(|| open(found.at.as_deref()?)).clone()
    }

    fn search(&self, id: &PdbId) -> Found {
        let mut found = Found { status: Status::None, at: None, note: None };
        if !id.is_safe() {
            found.note = Some("the image names a file that cannot be one".to_owned());
            return found;
        }
        for place in &self.places {
            match &place.element {
                Element::Local(path) => self.local(path, id, &mut found),
                Element::Chain(stops) => self.chain(stops, place.may_ask, id, &mut found),
            }
            if found.at.is_some() {
                break;
            }
        }
        found
    }

    fn chain(&self, stops: &[Stop], may_ask: bool, id: &PdbId, found: &mut Found) {
        for stop in stops {
            match stop {
                Stop::Folder(folder) => {
                    self.local(folder, id, found);
                    if found.at.is_some() {
                        return;
                    }
                }
                Stop::Server(server) => {
                    if may_ask && !self.offline {
                        found.status = Status::Deferred;
                        found.note = None;
                    } else if found.note.is_none() {
                        let why = if may_ask { "offline" } else { "only --symbols asks servers" };
                        found.note = Some(format!("not fetched from {server}: {why}"));
                    }
                }
            }
        }
    }

    /// Asks the servers of each chain in order, and stores the file in the first folder before the
    /// server.
    /// `None` if the request was cancelled.
    fn ask(&self, id: &PdbId) -> Option<Found> {
        let mut notes = Vec::new();
        for place in self.places.iter().filter(|place| place.may_ask && !self.offline) {
            let Element::Chain(stops) = &place.element else { continue };
            let folder = stops.iter().find_map(|stop| match stop {
                Stop::Folder(folder) => Some(folder.clone()),
                Stop::Server(_) => None,
            });
            let folder = folder.unwrap_or_else(super::path::default_cache);
            let target = folder::tier(&folder, &id.name).join(server::place(id));
            if is_it(&target, id).is_ok() {
                return Some(Found { status: Status::Pdb, at: Some(target), note: None });
            }
            for stop in stops {
                let Stop::Server(url) = stop else { continue };
                match self.ask_one(url, id, &target)? {
                    Ok(()) => {
                        return Some(Found { status: Status::Pdb, at: Some(target), note: None });
                    }
                    Err(note) => notes.push(note),
                }
            }
        }
        Some(Found { status: Status::None, at: None, note: Some(notes.join("; ")) })
    }

    fn ask_one(&self, url: &str, id: &PdbId, target: &Path) -> Option<Result<(), String>> {
        let silent = || self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent().contains(url) {
            return Some(Err(format!("{url} does not answer")));
        }
        Some(match server::fetch(url, id, target, &|| self.waiting.is_over()) {
            Ok(()) => is_it(target, id),
            Err(Failure::Stopped) => return None,
            Err(Failure::Missing) => Err(format!("{url} does not have it")),
            Err(Failure::Other(note)) => Err(note),
            Err(Failure::Silent(note)) => {
                silent().insert(url.to_owned());
                Err(note)
            }
        })
    }
}

impl Lookup {
    /// Looks for a module's file in a folder, or whether a file is it.
    fn local(&self, path: &Path, id: &PdbId, found: &mut Found) {
        let mut note = |text: String| {
            found.note.get_or_insert(text);
        };
        if path.is_file() {
            let is_named = path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(&id.name));
            match is_it(path, id) {
                Ok(()) => found.take(path.to_owned()),
                Err(why) if is_named => note(why),
                Err(_) => {}
            }
            return;
        }
        let (name, folder) = (id.name.as_str(), id.folder());
        let store = folder::tier(path, name);
        let file = |store: &Path, names: &[&str]| self.listings.file(store, names);
        let sorted = file(&store, &[name, &folder, name]).into_iter();
        let flat = file(path, &[name]).into_iter();
        let old = OLD_FOLDERS.iter().filter_map(|old| file(path, &[old, name]));
        for file in sorted.chain(flat).chain(old) {
            match is_it(&file, id) {
                Ok(()) => return found.take(file),
                Err(why) => note(why),
            }
        }
        let isf = [".json.xz", ".json"].map(|end| format!("{}-{}{end}", id.guid, id.age));
        // In the directory layouts that Volatility uses.
        let isf = isf.iter().find_map(|isf| {
            file(&store, &[name, isf]).or_else(|| file(path, &["windows", name, isf]))
        });
        if let Some(file) = isf {
            return found.take(file);
        }
        if let Some(packed) = file(&store, &[name, &folder, &packed_name(name)]) {
            note(format!("{} is compressed, expand it first", packed.display()));
        }
    }
}

impl Found {
    fn take(&mut self, file: PathBuf) {
        let is_pdb =
            file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdb"));
        *self = Self {
            status: if is_pdb { Status::Pdb } else { Status::Isf },
            at: Some(file),
            note: None,
        };
    }
}

/// `name.pd_` for `name.pdb`.
fn packed_name(name: &str) -> String {
    let mut packed = name.to_owned();
    packed.pop();
    packed.push('_');
    packed
}

/// Checks whether a file is the PDB with this identity; the error says what is wrong.
fn is_it(path: &Path, id: &PdbId) -> Result<(), String> {
    let file = PdbFile::open(path).map_err(|error| error.to_string())?;
    if file.is(&id.guid, id.age) {
        return Ok(());
    }
    Err(format!("{} is of another build ({}, age {})", path.display(), file.guid(), file.age()))
}
