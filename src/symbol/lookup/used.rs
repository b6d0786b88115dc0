//! The files that were found, so that nothing is written to them.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::{Lookup, Slot};

impl Lookup {
    /// The symbol files of all modules that were looked for, in no order.
    pub(in crate::symbol) fn files(&self) -> Vec<PathBuf> {
        let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let found = |slot: &Arc<Slot>| slot.fetched.get().or_else(|| slot.local.get())?.at.clone();
        modules.values().filter_map(found).collect()
    }
}
