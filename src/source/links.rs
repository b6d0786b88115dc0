//! Lists of structures in memory, walked so that damage costs as little as can be.
//!
//! Knows how entries lead to each other; memory is read by a closure.

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};

/// Reads the pointer at an address.
pub(super) type Pointer<'a> = &'a dyn Fn(u64) -> Cell<u64>;

/// The entries of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    /// Addresses of the `_LIST_ENTRY`s, in the order of the list, none twice.
    pub(super) entries: Vec<u64>,
    /// Whether the list leads from its head back to it.
    pub(super) is_whole: bool,
}

/// The entries of the doubly linked list at a head, at most `most`; `step` is the size of a pointer.
///
/// Where the way forward breaks off, the entries that the way backward reaches are added, so that
/// one damaged link hides nothing.
pub(super) fn list(pointer: Pointer<'_>, step: u64, head: u64, most: usize) -> Listed {
    let mut seen = HashSet::from([head]);
    let forward = walk(pointer, (head, 0), most, &mut seen);
    let mut listed = Listed { entries: forward.0, is_whole: forward.1 };
    if !listed.is_whole {
        let left = most.saturating_sub(listed.entries.len());
        let backward = walk(pointer, (head, step), left, &mut seen);
        listed.entries.extend(backward.0.into_iter().rev());
    }
    listed
}

/// Follows the pointers at an offset of each entry until the head, an entry that was seen or the end
/// of what can be read; says whether it was the head.
fn walk(
    pointer: Pointer<'_>,
    (head, offset): (u64, u64),
    most: usize,
    seen: &mut HashSet<u64>,
) -> (Vec<u64>, bool) {
    let mut entries = Vec::new();
    let mut at = head;
    while entries.len() <= most {
        let next = at.checked_add(offset).ok_or(Absent::Unreadable);
        let Ok(next) = next.and_then(pointer) else { break };
        if next == head {
            return (entries, true);
        }
        // An entry whose own pointers cannot be read is none.
        if next == 0 || !seen.insert(next) || pointer(next).is_err() {
            break;
        }
        entries.push(next);
        at = next;
    }
    entries.truncate(most);
    (entries, false)
}
