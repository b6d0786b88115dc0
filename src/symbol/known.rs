//! Fields that were looked up before. A scan of 100,000 threads asks for the same few dozen fields
//! of each, by name; finding one among types and paths costs far more than reading it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{PoisonError, RwLock};

use super::layout::Field;

/// More fields than this are not remembered: queries name few, hostile ones many.
const MOST: usize = 16_384;

/// What was found, by the hash of type and path.
#[derive(Debug, Default)]
pub(super) struct Known {
    found: RwLock<HashMap<u64, Entry, BuildHasherDefault<Same>>>,
}

/// A field that was looked up, and what was found.
#[derive(Debug)]
struct Entry {
    ty: Box<str>,
    path: Box<str>,
    field: Option<Field>,
}

impl Known {
    /// The field of a type by its path; `find` looks it up if it was not before.
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
            // Of two names with one hash, the first stays and the other is looked up each time.
            found.entry(key).or_insert_with(|| Entry { ty: ty.into(), path: path.into(), field });
        }
        field
    }
}

/// A hash of both names, eight bytes at a time.
fn hash(ty: &str, path: &str) -> u64 {
    let mut hash = 0u64;
    for text in [ty, path] {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        hash ^= text.len() as u64;
    }
    // The table looks at the upper bits and at the lower ones.
    hash ^ hash >> 32
}

/// Takes a hash for what it is.
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
    fn a_field_is_looked_up_once() {
        let known = Known::default();
        let field = Field { offset: 8, size: 4, bits: None, is_signed: false };
        assert_eq!(known.field("_T", "A", || Some(field)), Some(field));
        assert_eq!(known.field("_T", "A", || unreachable!("it is known")), Some(field));
        assert_eq!(known.field("_T", "B", || None), None);
        assert_eq!(known.field("_T", "B", || unreachable!("that there is none is known")), None);
        // The names do not run into each other.
        assert_eq!(known.field("_", "TA", || None), None);
        assert_eq!(known.field("_TA", "", || None), None);
    }
}
