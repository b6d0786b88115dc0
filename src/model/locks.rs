//! Executive resources and critical sections, their owners and waiters.

use super::row;

row! {
    /// An executive resource.
    pub Lock in "locks" {
        /// Address of the `_ERESOURCE`.
        resource: u64,
        /// Symbol at the address.
        symbol: String,
        /// `free`, `shared`, `exclusive`.
        state: String,
        /// How many times it is held.
        active_count: i64,
        /// Threads that hold it.
        owner_count: i64,
        /// How many times a thread had to wait for it.
        contention_count: i64,
        /// Threads that wait for shared access.
        shared_waiters: i64,
        /// Threads that wait for exclusive access.
        exclusive_waiters: i64,
        /// Flags.
        flags: i64,
    }
}

row! {
    /// A thread that holds an executive resource.
    pub LockOwner in "lock_owners" {
        /// Address of the `_ERESOURCE`.
        resource: u64,
        /// Address of the `_ETHREAD`.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// How many times the thread holds it.
        count: i64,
        /// Whether it holds it exclusively.
        is_exclusive: bool,
        /// Recorded owner, if that is not a thread.
        owner: u64,
    }
}

row! {
    /// A lock that a thread holds or waits for, from the thread's `_KLOCK_ENTRY`.
    pub LockEntry in "lock_entries" {
        /// Address of the `_ETHREAD`.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// Address of the lock.
        lock: u64,
        /// Symbol at the address.
        symbol: String,
        /// `PushLock`, `Resource`, `FastMutex`, `GuardedMutex`.
        kind as "type": String,
        /// `owner` or `waiting`.
        state: String,
        /// How long the thread has waited.
        wait_ms: i64,
    }
}

row! {
    /// A thread that waits for an executive resource.
    pub LockWaiter in "lock_waiters" {
        /// Address of the `_ERESOURCE`.
        resource: u64,
        /// Address of the `_ETHREAD`.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// Position among the waiters for the same kind of access, from 0.
        position: i64,
        /// Whether it waits for exclusive access.
        is_exclusive: bool,
        /// Time since it began to wait.
        wait_ms: i64,
    }
}

row! {
    /// A critical section.
    pub CriticalSection in "critical_sections" {
        /// Address of the section.
        address: u64,
        /// Symbol at the address.
        symbol: String,
        /// `LockCount` as recorded.
        lock_count: i64,
        /// How many times the owner holds it.
        recursion_count: i64,
        /// Thread that holds it.
        owner_tid: i64,
        /// Entries so far.
        entry_count: i64,
        /// How many times a thread had to wait for it.
        contention_count: i64,
        /// Whether it is held.
        is_locked: bool,
        /// Event that waiters wait for.
        lock_semaphore: u64,
        /// Spin count.
        spin_count: i64,
        /// Address of the debug information.
        debug_info: u64,
    }
}
