//! Processors, registers, and memory as ranges.

use super::row;

row! {
    /// A processor.
    pub Processor in "processors" {
        /// Number, from 0.
        processor: i64,
        /// Address of the `_KPRCB`.
        prcb: u64,
        /// Running thread.
        current_ethread: u64,
        /// Thread chosen to run next.
        next_ethread: u64,
        /// Idle thread.
        idle_ethread: u64,
        /// Whether the idle thread runs.
        is_idle: bool,
        /// Name of the running thread's process.
        current_process: String,
        /// Interrupt request level.
        irql: i64,
        /// DPCs queued.
        dpc_queue_depth: i64,
        /// DPCs so far.
        dpc_count: i64,
        /// Milliseconds in DPCs.
        dpc_time_ms: i64,
        /// Interrupts so far.
        interrupt_count: i64,
        /// Milliseconds in interrupts.
        interrupt_time_ms: i64,
        /// Milliseconds in user mode.
        user_time_ms: i64,
        /// Milliseconds in kernel mode.
        kernel_time_ms: i64,
        /// Clock frequency.
        mhz: i64,
        /// Vendor (`GenuineIntel`).
        vendor: String,
        /// Queued spin locks that it owns or waits for.
        queued_locks: String,
    }
}

row! {
    /// One register of one context record.
    pub Register in "registers" {
        /// Thread object of the context record.
        ethread: u64,
        /// Thread id of the context record.
        tid: i64,
        /// Processor of the context record.
        processor: i64,
        /// Name (`rax`).
        name: String,
        /// Value; the low 64 bits of wider registers.
        value: u64,
        /// Symbol that the value points to.
        symbol: String,
        /// Bytes of the value as printable ASCII, if at least four are.
        ascii: String,
        /// Bytes of the value as printable UTF-16, if at least two are.
        utf16: String,
        /// Whether the value lies in a module.
        is_in_module: bool,
    }
}

row! {
    /// A region of an address space.
    pub MemoryRegion in "memory_regions" {
        /// Address of the `_EPROCESS`.
        eprocess: u64,
        /// Process id.
        pid: i64,
        /// Process name.
        process: String,
        /// First address.
        start: u64,
        /// Address after the last.
        end: u64,
        /// Size.
        size_bytes: i64,
        /// `commit`, `reserve`, `free`.
        state: String,
        /// Protection (`PAGE_READWRITE`).
        protection: String,
        /// `image`, `mapped`, `private`.
        kind as "type": String,
        /// Committed pages.
        commit_pages: i64,
        /// File behind the region.
        file: String,
    }
}

row! {
    /// A range of memory that the dump holds.
    pub CoverageRange in "coverage" {
        /// `virtual` or `physical`.
        space: String,
        /// First address.
        start: u64,
        /// Address after the last.
        end: u64,
        /// Size.
        size_bytes: i64,
        /// Pages present, whole or in part.
        present_pages: i64,
        /// Offset of the bytes in the file.
        file_offset: i64,
        /// What the range is (`stack`, `prcb`, `data block`, `memory list`).
        kind: String,
    }
}
