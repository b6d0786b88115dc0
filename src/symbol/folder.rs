//! Finds files below a folder by name, ignoring case, in both directory layouts of symbol stores.
//!
//! Stores are copied between systems with and without case-sensitive file names. A large store has
//! two tiers: a file `index2.txt` says that each folder is inside a folder named after its first
//! two letters.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Folders with more entries than this are not listed.
const MAX_ENTRIES: usize = 1 << 19;
/// The file that marks a two-tier store.
const TWO_TIERS: &str = "index2.txt";

/// The folders that were listed; each is listed once.
#[derive(Debug, Default)]
pub(super) struct Listings {
    listed: Mutex<HashMap<PathBuf, Arc<Names>>>,
}

/// Entries of a folder by lower-case name.
type Names = HashMap<String, OsString>;

impl Listings {
    /// The file below a folder at a path of names.
    pub(super) fn file(&self, folder: &Path, names: &[&str]) -> Option<PathBuf> {
        let exact = names.iter().fold(folder.to_owned(), |path, name| path.join(name));
        if exact.is_file() {
            return Some(exact);
        }
        let mut at = folder.to_owned();
        for name in names {
            let next = at.join(name);
            at = if next.exists() {
                next
            } else {
                at.join(self.names(&at).get(&name.to_ascii_lowercase())?)
            };
        }
        at.is_file().then_some(at)
    }

    fn names(&self, folder: &Path) -> Arc<Names> {
        let listed = || self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = listed().get(folder) {
            return Arc::clone(names);
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_ENTRIES);
        let mut found: Vec<OsString> = entries.map(|entry| entry.file_name()).collect();
        // Of names that differ only in case, the first in alphabetical order is used.
        found.sort_unstable_by(|a, b| b.cmp(a));
        let lower = |name: OsString| (name.to_string_lossy().to_ascii_lowercase(), name);
        let names: Arc<Names> = Arc::new(found.into_iter().map(lower).collect());
        listed().insert(folder.to_owned(), Arc::clone(&names));
        names
    }
}

/// The folder in which a store keeps files with this name.
pub(super) fn tier(store: &Path, name: &str) -> PathBuf {
    let is_two_tier = store.join(TWO_TIERS).is_file();
    match name.get(..2).filter(|_| is_two_tier) {
        Some(letters) => store.join(letters.to_ascii_lowercase()),
        None => store.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ignore_case_and_stores_may_have_two_tiers() {
        let store = std::env::temp_dir().join(format!("dumpql-store-{}", std::process::id()));
        let folder = store.join("NTKRNLMP.pdb").join("0123ABCD1");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("ntkrnlmp.PDB"), "x").unwrap();
        let listings = Listings::default();
        let file = |names: &[&str]| listings.file(&store, names);
        let found = file(&["ntkrnlmp.pdb", "0123abcd1", "ntkrnlmp.pdb"]);
        assert_eq!(found, Some(folder.join("ntkrnlmp.PDB")));
        assert_eq!(file(&["ntkrnlmp.pdb", "0123abcd2", "ntkrnlmp.pdb"]), None);
        assert_eq!(file(&["ntkrnlmp.pdb"]), None, "a folder is no file");
        assert_eq!(tier(&store, "ntkrnlmp.pdb"), store);
        std::fs::write(store.join(TWO_TIERS), "").unwrap();
        assert_eq!(tier(&store, "NTKRNLMP.PDB"), store.join("nt"));
        assert_eq!(tier(&store, "n"), store);
        std::fs::remove_dir_all(&store).unwrap();
    }
}
