//! A cache of field lookups. A scan of 100,000 threads looks up the same few dozen fields of each
//! by name; a lookup among types and paths is far slower than the read of the field.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{OnceLock, PoisonError, RwLock};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::layout::Field;

/// Upper limit on cached fields: ordinary queries name few, hostile ones many.
const MOST: usize = 16_384;

/// Number of slots for fields whose names are constants of this program; it has fewer.
const CONSTANTS: usize = 1024;
/// How many slots are probed for one of them.
const PROBES: usize = 8;

/// The cached fields, by the hash of type and path.
#[derive(Debug, Default)]
pub(super) struct Known {
    found: RwLock<HashMap<u64, Entry, BuildHasherDefault<Same>>>,
    /// The cached fields whose names are constants.
    constants: OnceLock<Box<[OnceLock<Constant>]>>,
}

/// A field whose names are constants, identified by their addresses.
#[derive(Debug)]
struct Constant {
    ty: &'static str,
    path: &'static str,
    field: Option<Field>,
}

/// A cached field and the result of its lookup.
#[derive(Debug)]
struct Entry {
    ty: Box<str>,
    path: Box<str>,
    field: Option<Field>,
}

impl Known {
    /// The field of a type by its path; `find` looks it up if it is not cached.
    pub(super) fn field(
        &self,
        ty: &str,
        path: &str,
        find: impl FnOnce() -> Option<Field>,
    ) -> Option<Field> {
        let key = hash(ty, path);
        {
            let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = found.get(&key)
                && *entry.ty == *ty
                && *entry.path == *path
            {
                return entry.field;
            }
        }
        let field = find();
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if found.len() < MOST {
            // Of two names with one hash, only the first is cached.
            found.entry(key).or_insert_with(|| Entry { ty: ty.into(), path: path.into(), field });
        }
        field
    }
}

impl Known {
    /// The same for constant names; finding a cached one takes no lock.
    pub(super) fn constant(
        &self,
        ty: &'static str,
        path: &'static str,
        find: impl FnOnce() -> Option<Field>,
    ) -> Option<Field> {
        let all = self.constants.get_or_init(|| (0..CONSTANTS).map(|_| OnceLock::new()).collect());
        let first = (ty.as_ptr() as usize).rotate_left(7) ^ path.as_ptr() as usize;
        let first = first.wrapping_mul(0x9e37_79b9) >> 12;
        for at in first..first.saturating_add(PROBES) {
            let Some(place) = all.get(at % CONSTANTS) else { break };
            let Some(known) = place.get() else {
                let field = find();
                let _ = place.set(Constant { ty, path, field });
                return field;
            };
            // Equal names may have several addresses, but different names never have the same.
            if std::ptr::eq(known.ty, ty) && std::ptr::eq(known.path, path) {
                return known.field;
            }
        }
        find()
    }
}

/// A hash of both names.
fn hash(ty: &str, path: &str) -> u64 {
    xxh3_64_with_seed(path.as_bytes(), xxh3_64(ty.as_bytes()))
}

/// A hasher that returns its input, which is already a hash.
#[derive(Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_names_are_found_by_their_addresses() {
        const TEXT: &str = "_TAB";
        let known = Known::default();
        let field = |offset| Some(Field { offset, size: 4, bits: None, is_signed: false });
        let (ty, a, ab) = (&TEXT[..2], &TEXT[2..3], &TEXT[2..]);
        assert_eq!(known.constant(ty, a, || field(1)), field(1));
        assert_eq!(known.constant(ty, a, || unreachable!("it is known")), field(1));
        // A name that begins at the same address but has another length is another name.
        assert_eq!(known.constant(ty, ab, || field(2)), field(2));
        assert_eq!(known.constant(a, ty, || None), None);
        assert_eq!(known.constant(a, ty, || unreachable!("that there is none is known")), None);
        // More names than there are slots.
        let names: &'static str = "x".repeat(4096).leak();
        for round in 0..2 {
            for i in 0..4096 {
                assert_eq!(known.constant(ty, &names[i..], || field(i)), field(i), "{round} {i}");
            }
        }
    }

    #[test]
    fn a_field_is_looked_up_once() {
        let known = Known::default();
        let field = Field { offset: 8, size: 4, bits: None, is_signed: false };
        assert_eq!(known.field("_T", "A", || Some(field)), Some(field));
        assert_eq!(known.field("_T", "A", || unreachable!("it is known")), Some(field));
        assert_eq!(known.field("_T", "B", || None), None);
        assert_eq!(known.field("_T", "B", || unreachable!("that there is none is known")), None);
        // Type and path are hashed separately.
        assert_eq!(known.field("_", "TA", || None), None);
        assert_eq!(known.field("_TA", "", || None), None);
    }
}
