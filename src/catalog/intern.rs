//! Names that live as long as the program.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A copy of `name` that lives as long as the program; equal names share one copy, so that a
/// service that attaches the same tables again and again does not grow.
pub fn intern(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let copy: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(copy);
    copy
}
