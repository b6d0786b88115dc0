//! The pool: by tag, by block, by page.

use super::row;

row! {
    /// Pool usage of a tag.
    pub PoolTag in "pool_tags" {
        /// The tag, four characters.
        tag: String,
        /// Allocations from the nonpaged pool.
        nonpaged_allocs: i64,
        /// Frees to the nonpaged pool.
        nonpaged_frees: i64,
        /// Allocations that were not freed.
        nonpaged_diff: i64,
        /// Bytes in use.
        nonpaged_bytes: i64,
        /// Allocations from the paged pool.
        paged_allocs: i64,
        /// Frees to the paged pool.
        paged_frees: i64,
        /// Allocations that were not freed.
        paged_diff: i64,
        /// Bytes in use.
        paged_bytes: i64,
        /// Description of the tag.
        description: String,
        /// Driver or kernel component that uses the tag, if known.
        binary: String,
        /// Loaded modules whose image contains the bytes of the tag.
        owner_modules: String,
        /// Session whose table counts it.
        session: i64,
    }
}

row! {
    /// A pool block.
    pub PoolBlock in "pool_allocations" {
        /// Address of the block, its header included.
        address: u64,
        /// Size, header included.
        size_bytes: i64,
        /// Size of the block before it.
        previous_bytes: i64,
        /// The tag, four characters.
        tag: String,
        /// `nonpaged`, `paged`, `session` …
        pool_type: String,
        /// `allocated`, `free`, `protected` …
        state: String,
        /// Process that is charged quota.
        eprocess: u64,
        /// Name of that process.
        process: String,
        /// Page of the block.
        page: u64,
        /// Whether it takes whole pages.
        is_big: bool,
        /// Description of the tag.
        description: String,
        /// Session whose pool it is in.
        session: i64,
        /// How it was found: `headers`, `big table` …
        found_by: String,
    }
}

row! {
    /// An allocation of more than a page.
    pub BigBlock in "big_pool" {
        /// Its address.
        address: u64,
        /// The tag, four characters.
        tag: String,
        /// `nonpaged`, `paged`, `paged session` …
        pool_type: String,
        /// Size.
        size_bytes: i64,
        /// Whether it was freed.
        is_free: bool,
        /// Session whose table lists it.
        session: i64,
    }
}

row! {
    /// A page of the pool.
    pub PoolPage in "pool_pages" {
        /// Address of the page.
        address: u64,
        /// `nonpaged` or `paged`.
        pool_type: String,
        /// `unused`, `one page`, `first`, `middle`, `last`, for the position of the page in its run.
        state: String,
        /// Whether the page was in the page file.
        is_paged_out: bool,
        /// Length of its run.
        run_pages: i64,
        /// Session whose pool it is in.
        session: i64,
    }
}
