//! Doubly linked lists of the kernel.

use crate::source::kernel::core::Core;

use crate::catalog::Cell;
use crate::source::kernel::core::memory::Space;
use crate::source::links::{self, Listed};

impl Space<'_> {
    /// The entries of the list at a head, at most `most`.
    pub(crate) fn list(self, head: u64, most: usize) -> Listed {
        links::list(&|at| self.pointer_at(at), self.pointer_bytes(), head, most)
    }
}

impl Core {
    /// The objects on a list in kernel memory whose list entries are at this offset.
    pub(crate) fn listed(&self, head: Cell<u64>, offset: u64, most: usize) -> Vec<u64> {
        let Ok(head) = head else { return Vec::new() };
        let list = self.kernel_space().list(head, most);
        list.entries.into_iter().filter_map(|entry| entry.checked_sub(offset)).collect()
    }

    /// Whether an address is the head of a doubly linked list.
    pub(crate) fn is_list_head(&self, head: u64) -> bool {
        let step = self.header.width.bytes() as u64;
        let next = self.pointer_at(head).ok().and_then(|next| next.checked_add(step));
        next.is_some_and(|back| self.pointer_at(back) == Ok(head))
    }
}
