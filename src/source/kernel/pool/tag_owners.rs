//! Drivers whose images contain the bytes of a pool tag: code that allocates with a tag contains
//! the tag.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::catalog::{Absent, Cell};
use crate::source::kernel::core::Core;

/// Upper limit on the image bytes searched; only a damaged module list has more.
const MOST_SEARCHED: usize = 1 << 30;
const FILTER_BITS: usize = 1 << 16;

/// The tags of one search.
struct Tags {
    indexes: HashMap<u32, usize>,
    /// One bit per hash value of a tag, so that most words are skipped quickly.
    filter: Vec<bool>,
}

impl Tags {
    fn new(tags: &[[u8; 4]]) -> Self {
        let mut filter = vec![false; FILTER_BITS];
        let words = tags.iter().map(|tag| u32::from_le_bytes(*tag));
        for word in words.clone() {
            if let Some(bit) = filter.get_mut(Self::bit(word)) {
                *bit = true;
            }
        }
        Self { indexes: words.zip(0..).collect(), filter }
    }

    const fn bit(word: u32) -> usize {
        ((word ^ (word >> 16)) & 0xffff) as usize
    }

    fn find(&self, word: u32) -> Option<usize> {
        let may_be = self.filter.get(Self::bit(word)).copied().unwrap_or(false);
        if may_be { self.indexes.get(&word).copied() } else { None }
    }
}

/// For each tag the names of the modules whose images contain it, in module order.
pub(crate) fn tag_owners(core: &Core, tags: &[[u8; 4]]) -> Vec<Cell<String>> {
    let wanted = Tags::new(tags);
    let mut owners: Vec<Vec<String>> = vec![Vec::new(); tags.len()];
    let mut left = MOST_SEARCHED;
    let mut seen = HashSet::new();
    for driver in core.modules().iter().filter(|driver| seen.insert(driver.base)) {
        let end = driver.base.saturating_add(driver.size.into());
        let found = tags_between(core, driver.base, end, &wanted, &mut left);
        if found.is_empty() {
            continue;
        }
        let Ok(place) = core.module_at(driver.base) else { continue };
        for tag in found {
            if let Some(owners) = owners.get_mut(tag) {
                owners.push(place.module.clone());
            }
        }
    }
    let joined = |names: Vec<String>| match names.as_slice() {
        [] => Err(Absent::NotApplicable),
        names => Ok(names.join(", ")),
    };
    owners.into_iter().map(joined).collect()
}

/// The indexes of the tags whose bytes occur in a range.
fn tags_between(
    core: &Core,
    start: u64,
    end: u64,
    wanted: &Tags,
    left: &mut usize,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    // The last four bytes and their end: a tag may cross a page boundary.
    let (mut word, mut at, mut run) = (0u32, start, 0usize);
    for (from, bytes) in core.kernel_space().held(start, end) {
        if *left == 0 {
            break;
        }
        if from != at {
            run = 0;
        }
        let bytes = bytes.get(..*left).unwrap_or(bytes);
        for byte in bytes {
            word = (word >> 8) | u32::from(*byte) << 24;
            run += 1;
            if let Some(tag) = wanted.find(word).filter(|_| run >= 4) {
                found.insert(tag);
            }
        }
        *left -= bytes.len();
        at = from.saturating_add(bytes.len() as u64);
    }
    found
}
