//! Named objects, object types, and virtual address descriptors.

use super::row;

row! {
    /// A kernel object.
    pub KernelObject in "objects" {
        /// Address of the object.
        object: u64,
        /// Type of the object.
        kind as "type": String,
        /// Name of the object.
        name: String,
        /// Full path in the object manager's namespace.
        path: String,
        /// Address of the directory that holds it.
        directory: u64,
        /// Open handles.
        handle_count: i64,
        /// References.
        pointer_count: i64,
        /// Address of the `_OBJECT_HEADER`.
        object_header: u64,
        /// Target of a symbolic link.
        link_target: String,
    }
}

row! {
    /// A type of kernel object.
    pub ObjectType in "object_types" {
        /// Address of the `_OBJECT_TYPE`.
        object_type: u64,
        /// Type index.
        index: i64,
        /// Name.
        name: String,
        /// Number of objects.
        object_count: i64,
        /// Number of handles.
        handle_count: i64,
        /// Peak number of objects.
        peak_object_count: i64,
        /// Peak number of handles.
        peak_handle_count: i64,
        /// Tag of its allocations.
        pool_tag: String,
    }
}

row! {
    /// A virtual address descriptor.
    pub Vad in "vads" {
        /// Address of the `_MMVAD`.
        vad: u64,
        /// Address of the `_EPROCESS`.
        eprocess: u64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// First address.
        start: u64,
        /// Address after the last.
        end: u64,
        /// Size of the range.
        size_bytes: i64,
        /// Depth in the tree, from 0.
        level: i64,
        /// Protection (`PAGE_READWRITE`).
        protection: String,
        /// `Private`, `Mapped`, `Image` …
        kind as "type": String,
        /// Whether its pages are private.
        is_private: bool,
        /// Pages committed.
        commit_pages: i64,
        /// File that is mapped.
        file: String,
        /// Address of the parent in the tree.
        parent: u64,
    }
}
