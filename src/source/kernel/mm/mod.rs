//! The memory manager: counters, page files, sessions and virtual address descriptors (VADs).

pub(crate) mod counters;
pub(crate) mod mi_state;
pub(crate) mod page_files;
pub(crate) mod sessions;
pub(crate) mod vads;
