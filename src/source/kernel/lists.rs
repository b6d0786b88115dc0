//! Doubly linked lists of the kernel.

use super::KernelDump;
use super::memory::Space;
use crate::catalog::Cell;
use crate::source::links::{self, Listed};

impl Space<'_> {
    /// The entries of the list at a head, at most `most`.
    pub(super) fn list(self, head: u64, most: usize) -> Listed {
        links::list(&|at| self.pointer_at(at), self.pointer_bytes(), head, most)
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
