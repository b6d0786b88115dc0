//! Output of other debugger extension commands.

use super::row;

row! {
    /// A file system filter or an instance of one.
    pub Filter in "filters" {
        /// Address of the `_FLT_FILTER`.
        filter: u64,
        /// Name of the filter.
        name: String,
        /// Altitude, as written.
        altitude: String,
        /// Frame that it is in.
        frame: String,
        /// Whether the row is an instance.
        is_instance: bool,
        /// Address of the `_FLT_INSTANCE`.
        instance: u64,
        /// Name of the instance.
        instance_name: String,
        /// Address of the `_FLT_VOLUME` above it.
        volume: u64,
        /// Name of that volume.
        volume_name: String,
    }
}

row! {
    /// A setting or a counter of Driver Verifier.
    pub VerifierFact in "verifier" {
        /// Heading above it.
        section: String,
        /// Name of the setting or counter.
        name: String,
        /// Bit of the setting.
        flag: i64,
        /// Whether the setting is on.
        is_enabled: bool,
        /// The number.
        value: i64,
    }
}

row! {
    /// Pages of a control area.
    pub MappedFile in "mapped_files" {
        /// Address of the `_CONTROL_AREA`.
        control_area: u64,
        /// Name of the file, or a description of the area.
        name: String,
        /// Pages in working sets.
        valid_bytes: i64,
        /// Pages on the standby list.
        standby_bytes: i64,
        /// Pages that are modified.
        dirty_bytes: i64,
        /// Pages that processes share.
        shared_bytes: i64,
        /// Pages that are locked.
        locked_bytes: i64,
        /// Page tables.
        page_table_bytes: i64,
    }
}

row! {
    /// A queued spin lock that a processor holds or waits for.
    pub QueuedLock in "queued_locks" {
        /// Name of the lock.
        name: String,
        /// Processor.
        processor: i64,
        /// `owner`, `waiting` or `corrupt`.
        state: String,
        /// Position among the waiters, from 1.
        position: i64,
    }
}

row! {
    /// A lock that a thread of a deadlock acquired.
    pub DeadlockStep in "deadlocks" {
        /// Number of the thread in the report.
        thread_number: i64,
        /// Address of the `_ETHREAD`.
        ethread: u64,
        /// Position in the order, from 0.
        position: i64,
        /// Letter of the lock in the report.
        label: String,
        /// Address of the lock.
        lock: u64,
        /// Symbol at the address.
        lock_name: String,
        /// Type of the lock.
        kind as "type": String,
    }
}

row! {
    /// A range of system page table entries.
    pub SystemPte in "system_ptes" {
        /// Address of the first entry, or the address that it maps.
        address: u64,
        /// Number of entries.
        pages: i64,
        /// `free` or `allocated`.
        state: String,
        /// Address of the `_MDL`.
        mdl: u64,
        /// Function that allocated it.
        caller: String,
        /// Caller of that function.
        callers_caller: String,
    }
}

row! {
    /// Corruption of a pool page or of one of its headers.
    pub PoolFault in "pool_faults" {
        /// The page.
        page: u64,
        /// Pool that the page belongs to.
        pool_type: String,
        /// Address of the invalid header.
        address: u64,
        /// Description, as the debugger prints it.
        fault: String,
        /// Value in the header.
        found: i64,
        /// Expected value.
        expected: i64,
    }
}

row! {
    /// An entry of the list of blocked drivers.
    pub BlockedDriver in "blocked_drivers" {
        /// Name of the file.
        name: String,
        /// Status of the entry.
        status: i64,
        /// Identifier of the entry.
        guid: String,
    }
}

row! {
    /// A field of a hardware error record.
    pub ErrorFact in "error_records" {
        /// Address of the record.
        record: u64,
        /// Number of the section; absent for the record itself.
        section: i64,
        /// Type of the section.
        section_name: String,
        /// Name of the field.
        name: String,
        /// The value, as printed.
        value: String,
    }
}

row! {
    /// An asynchronous procedure call (APC) that waits for its thread.
    pub Apc in "apcs" {
        /// Address of the `_KAPC`.
        apc: u64,
        /// Thread that it is queued to.
        ethread: u64,
        /// Process of the thread.
        eprocess: u64,
        /// Name of the process.
        process: String,
        /// `kernel` or `user`: the queue that it is in.
        mode: String,
        /// APC state that the queue belongs to: 0 for the thread's own process, 1 for an attached one.
        state_index: i64,
        /// Routine that runs first, in kernel mode.
        kernel_routine: u64,
        /// Symbol of that routine.
        kernel_symbol: String,
        /// Routine that runs if the thread ends before the APC is delivered.
        rundown_routine: u64,
        /// Symbol of that routine.
        rundown_symbol: String,
        /// Normal routine of the APC; special kernel APCs have none.
        normal_routine: u64,
        /// Symbol of that routine.
        normal_symbol: String,
        /// First argument of the normal routine.
        normal_context: u64,
    }
}

row! {
    /// A page table entry of an address translation.
    pub PageTableEntry in "page_table" {
        /// The address that is translated.
        address: u64,
        /// Level of the table: `PXE`, `PPE`, `PDE` or `PTE`.
        level: String,
        /// Address of the entry.
        entry: u64,
        /// Contents of the entry.
        contents: u64,
        /// Page frame number that it contains.
        pfn: u64,
        /// Its other bits as letters, or why it is not valid.
        flags: String,
        /// Whether it is valid.
        is_valid: bool,
        /// Whether it maps a large page and no further table follows.
        is_large_page: bool,
    }
}
