//! The memory manager: its numbers, page files, lists of pages, sessions.

use super::row;

row! {
    /// A number of the memory manager.
    pub VmCounter in "vm" {
        /// Name, as the debugger prints it.
        name: String,
        /// Number of pages.
        pages: i64,
        /// The same in bytes.
        bytes: i64,
        /// What it may not exceed, if there is such a limit.
        limit_bytes: i64,
        /// What is wrong with it, as the debugger warns.
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
        /// Paged pool at most.
        paged_pool_limit_bytes: i64,
        /// View space at most.
        view_limit_bytes: i64,
        /// Commit charge.
        commit_bytes: i64,
        /// Pool allocations that failed.
        pool_failures: i64,
        /// View mappings that failed.
        view_failures: i64,
    }
}
