//! Linked lists in memory, walked so that damage hides as few entries as possible.
//!
//! This module knows only how entries are linked; a closure reads memory.

use std::collections::HashSet;

use crate::catalog::{Absent, Cell};

/// Reads the pointer at an address.
pub(super) type Pointer<'a> = &'a dyn Fn(u64) -> Cell<u64>;

/// The entries of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    /// Addresses of the `_LIST_ENTRY`s in list order, without duplicates.
    pub(super) entries: Vec<u64>,
    /// Whether the list leads back to its head.
    pub(super) is_whole: bool,
}

/// The entries of the doubly linked list at a head, at most `most`; `step` is the size of a
/// pointer.
///
/// If the forward links are broken, the entries that the backward links reach are added, so that
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

/// Follows the pointers at an offset of each entry up to the head, to an entry that was visited, or
/// to one that cannot be read; returns whether it was the head.
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
        // An entry whose own pointers cannot be read is left out.
        if next == 0 || !seen.insert(next) || pointer(next).is_err() {
            break;
        }
        entries.push(next);
        at = next;
    }
    entries.truncate(most);
    (entries, false)
}
