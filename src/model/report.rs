//! What further extension commands of debuggers report.

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
        /// Address of the `_FLT_VOLUME` that it stands under.
        volume: u64,
        /// Name of that volume.
        volume_name: String,
    }
}

row! {
    /// A setting or a number of Driver Verifier.
    pub VerifierFact in "verifier" {
        /// Heading that it stands under.
        section: String,
        /// What it is.
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
        /// Name of the file, or what else it is.
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
        /// Position among those that wait, from 1.
        position: i64,
    }
}

row! {
    /// A lock that a thread of a deadlock took.
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
        /// Who allocated it.
        caller: String,
        /// Who called that.
        callers_caller: String,
    }
}

row! {
    /// What is wrong with a page of pool or one of its headers.
    pub PoolFault in "pool_faults" {
        /// The page.
        page: u64,
        /// Pool that the page belongs to.
        pool_type: String,
        /// Address of the header that is wrong.
        address: u64,
        /// What is wrong, as the debugger says.
        fault: String,
        /// Number that stands in the header.
        found: i64,
        /// Number that should stand there.
        expected: i64,
    }
}

row! {
    /// A driver that the system may not load.
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
        /// Number of the section; of the record itself, none.
        section: i64,
        /// Type of the section.
        section_name: String,
        /// Name of the field.
        name: String,
        /// What it holds, as printed.
        value: String,
    }
}

row! {
    /// An asynchronous procedure call that waits for its thread.
    pub Apc in "apcs" {
        /// Address of the `_KAPC`.
        apc: u64,
        /// Thread that it is queued to.
        ethread: u64,
        /// Process of the thread.
        eprocess: u64,
        /// Name of the process.
        process: String,
        /// `kernel` or `user`: the queue that it stands in.
        mode: String,
        /// Which state of the thread the queue belongs to: 0 its own process, 1 an attached one.
        state_index: i64,
        /// Routine that runs first, in kernel mode.
        kernel_routine: u64,
        /// Symbol of that routine.
        kernel_symbol: String,
        /// Routine that runs if the thread ends before.
        rundown_routine: u64,
        /// Symbol of that routine.
        rundown_symbol: String,
        /// Routine that the call is for; special kernel calls have none.
        normal_routine: u64,
        /// Symbol of that routine.
        normal_symbol: String,
        /// First argument of the normal routine.
        normal_context: u64,
    }
}

row! {
    /// An entry of a page table on the way to an address.
    pub PageTableEntry in "page_table" {
        /// The address that is translated.
        address: u64,
        /// Level of the table: `PXE`, `PPE`, `PDE` or `PTE`.
        level: String,
        /// Where the entry stands.
        entry: u64,
        /// What the entry contains.
        contents: u64,
        /// Number of the page that it leads to.
        pfn: u64,
        /// What else the debugger says of it: its bits as letters, or why it is not valid.
        flags: String,
        /// Whether it leads to a page.
        is_valid: bool,
        /// Whether it maps a large page and no further table follows.
        is_large_page: bool,
    }
}
