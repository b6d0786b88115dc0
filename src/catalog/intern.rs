//! Names and specifications that live until the program ends.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::FunctionSpec;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A copy of `name` that lives until the program ends. Equal names share one copy, so that a
/// service that attaches the same tables repeatedly does not grow.
pub fn intern(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let copy: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(copy);
    copy
}

static FUNCTIONS: Mutex<Vec<&'static FunctionSpec>> = Mutex::new(Vec::new());

/// A copy of a function's specification that lives until the program ends, as plans require. Equal
/// specifications share one copy.
pub fn intern_function(spec: &FunctionSpec) -> &'static FunctionSpec {
    let mut functions = FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = functions.iter().find(|known| **known == spec) {
        return known;
    }
    let copy: &'static FunctionSpec = Box::leak(Box::new(*spec));
    functions.push(copy);
    copy
}
