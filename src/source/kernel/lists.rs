//! Doubly linked lists of the kernel, walked so that damage costs as little as can be.

use std::collections::HashSet;

use super::KernelDump;
use super::memory::Space;
use crate::catalog::{Absent, Cell};

/// The entries of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listed {
    /// Addresses of the `_LIST_ENTRY`s, in the order of the list, none twice.
    pub(super) entries: Vec<u64>,
    /// Whether the list leads from its head back to it.
    pub(super) is_whole: bool,
}

impl Space<'_> {
    /// The entries of the list at a head, at most `most`.
    ///
    /// Where the way forward breaks off, the entries that the way backward reaches are added, so
    /// that one damaged link hides nothing.
    pub(super) fn list(self, head: u64, most: usize) -> Listed {
        let step = self.pointer_bytes();
        let mut seen = HashSet::from([head]);
        let forward = self.walk(head, 0, most, &mut seen);
        let mut listed = Listed { entries: forward.0, is_whole: forward.1 };
        if !listed.is_whole {
            let left = most.saturating_sub(listed.entries.len());
            let backward = self.walk(head, step, left, &mut seen);
            listed.entries.extend(backward.0.into_iter().rev());
        }
        listed
    }

    /// Follows the pointers at an offset of each entry until the head, an entry that was seen or
    /// the end of what can be read; says whether it was the head.
    fn walk(
        self,
        head: u64,
        offset: u64,
        most: usize,
        seen: &mut HashSet<u64>,
    ) -> (Vec<u64>, bool) {
        let mut entries = Vec::new();
        let mut at = head;
        while entries.len() <= most {
            let next = at.checked_add(offset).ok_or(Absent::Unreadable);
            let Ok(next) = next.and_then(|link| self.pointer_at(link)) else { break };
            if next == head {
                return (entries, true);
            }
            // An entry whose own pointers cannot be read is none.
            if next == 0 || !seen.insert(next) || self.pointer_at(next).is_err() {
                break;
            }
            entries.push(next);
            at = next;
        }
        entries.truncate(most);
        (entries, false)
    }
}

impl KernelDump {
    /// The objects on a list of kernel memory whose entries stand at an offset of each.
    pub(super) fn listed(&self, head: Cell<u64>, offset: u64, most: usize) -> Vec<u64> {
        let Ok(head) = head else { return Vec::new() };
        let list = self.kernel_space().list(head, most);
        list.entries.into_iter().filter_map(|entry| entry.checked_sub(offset)).collect()
    }
}
