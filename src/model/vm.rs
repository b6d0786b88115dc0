//! The memory manager: counters, page files, page lists, sessions.

use super::row;

row! {
    /// A counter of the memory manager.
    pub VmCounter in "vm" {
        /// Name, as the debugger prints it.
        name: String,
        /// Number of pages.
        pages: i64,
        /// The same in bytes.
        bytes: i64,
        /// Upper limit, if there is one.
        limit_bytes: i64,
        /// Warning that the debugger prints.
        warning: String,
    }
}

row! {
    /// A page file.
    pub PageFile in "page_files" {
        /// Path of the file.
        path: String,
        /// Size.
        current_bytes: i64,
        /// Free space.
        free_bytes: i64,
        /// Smallest size.
        minimum_bytes: i64,
        /// Largest size.
        maximum_bytes: i64,
    }
}

row! {
    /// A list of physical pages.
    pub MemoryList in "memory_lists" {
        /// Name of the list (`Zeroed`, `Free`, `Standby`).
        list: String,
        /// Number of pages.
        pages: i64,
        /// The same in bytes.
        bytes: i64,
    }
}

row! {
    /// Failed allocations of a pool.
    pub PoolFailure in "pool_failures" {
        /// `nonpaged`, `paged`, `session`, or `all` where they are counted together.
        pool: String,
        /// Session, of session pools.
        session: i64,
        /// Allocations that failed.
        count: i64,
    }
}

row! {
    /// A session.
    pub SessionSpace in "sessions" {
        /// Session id.
        session: i64,
        /// Address of the `_MM_SESSION_SPACE`.
        address: u64,
        /// Processes in the session.
        process_count: i64,
        /// Paged pool in use.
        paged_pool_bytes: i64,
        /// Limit of the paged pool.
        paged_pool_limit_bytes: i64,
        /// Limit of the view space.
        view_limit_bytes: i64,
        /// Commit charge.
        commit_bytes: i64,
        /// Pool allocations that failed.
        pool_failures: i64,
        /// View mappings that failed.
        view_failures: i64,
    }
}
