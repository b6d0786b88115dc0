//! Processes, threads and handles.

use super::row;

row! {
    /// A process.
    pub Process in "processes" {
        /// Address of the `_EPROCESS`.
        eprocess: u64,
        /// Process id.
        pid: i64,
        /// Id of the creator.
        ppid: i64,
        /// Image name, up to 15 characters on old systems.
        name: String,
        /// Full path of the image.
        path: String,
        /// Command line.
        command_line: String,
        /// Session id.
        session: i64,
        /// Whether it is a 32-bit process on a 64-bit system.
        is_wow64: bool,
        /// Page directory base.
        dtb: u64,
        /// Address of the PEB.
        peb: u64,
        /// Address of the handle table.
        object_table: u64,
        /// Number of handles.
        handle_count: i64,
        /// Number of threads.
        thread_count: i64,
        /// Creation time; microseconds since 1970 UTC.
        create_time: i64,
        /// Exit time; microseconds since 1970 UTC.
        exit_time: i64,
        /// Milliseconds in user mode.
        user_time_ms: i64,
        /// Milliseconds in kernel mode.
        kernel_time_ms: i64,
        /// Working set.
        working_set_bytes: i64,
        /// Peak working set.
        peak_working_set_bytes: i64,
        /// Private memory.
        private_bytes: i64,
        /// Commit charge.
        commit_bytes: i64,
        /// Size of the address space in use.
        virtual_bytes: i64,
        /// Page faults.
        page_faults: i64,
        /// Base priority.
        base_priority: i64,
        /// Address of the primary token.
        token: u64,
        /// Address of the job object.
        job: u64,
        /// Address of the root of the VAD tree.
        vad_root: u64,
        /// Paged pool quota charged.
        paged_quota_bytes: i64,
        /// Nonpaged pool quota charged.
        nonpaged_quota_bytes: i64,
    }
}

row! {
    /// A thread.
    pub Thread in "threads" {
        /// Address of the `_ETHREAD`.
        ethread: u64,
        /// Thread id.
        tid: i64,
        /// Process id.
        pid: i64,
        /// Address of the `_EPROCESS`.
        eprocess: u64,
        /// Name of the process.
        process: String,
        /// Name that the program set.
        name: String,
        /// Scheduling state (`Running`, `Waiting` …).
        state: String,
        /// Why it waits (`Executive`, `UserRequest` …).
        wait_reason: String,
        /// `KernelMode` or `UserMode`.
        wait_mode: String,
        /// Whether the wait is alertable.
        is_alertable: bool,
        /// Clock ticks since it began to wait.
        wait_ticks: i64,
        /// Milliseconds since it began to wait.
        wait_ms: i64,
        /// Current priority.
        priority: i64,
        /// Base priority.
        base_priority: i64,
        /// Priority boost that decays.
        priority_decrement: i64,
        /// Processor on which it runs or ran last.
        processor: i64,
        /// Ideal processor.
        ideal_processor: i64,
        /// Context switches.
        context_switches: i64,
        /// Milliseconds in user mode.
        user_time_ms: i64,
        /// Milliseconds in kernel mode.
        kernel_time_ms: i64,
        /// Start address.
        start_address: u64,
        /// Symbol of the start address.
        start_symbol: String,
        /// Win32 start address.
        win32_start_address: u64,
        /// Symbol of the Win32 start address.
        win32_start_symbol: String,
        /// Address of the TEB.
        teb: u64,
        /// Address of the win32k thread.
        win32_thread: u64,
        /// Upper end of the stack (kernel stack in kernel dumps).
        stack_base: u64,
        /// Lower end of the stack.
        stack_limit: u64,
        /// Saved or current stack pointer.
        stack_pointer: u64,
        /// Whether the kernel stack is in memory.
        is_stack_resident: bool,
        /// Address of the trap frame.
        trap_frame: u64,
        /// Number of IRPs.
        irp_count: i64,
        /// The first object it waits for.
        wait_object: u64,
        /// Its type.
        wait_object_type: String,
        /// Whether it impersonates.
        is_impersonating: bool,
        /// Whether it is processing an LPC message.
        is_lpc_server: bool,
        /// Process that it is attached to.
        attached_eprocess: u64,
        /// Suspend count.
        suspend_count: i64,
        /// First frame that is not the wait itself.
        blocker: String,
        /// Hash that equal stacks share.
        stack_id: u64,
        /// Creation time; microseconds since 1970 UTC.
        create_time: i64,
        /// Exit time; microseconds since 1970 UTC.
        exit_time: i64,
    }
}

row! {
    /// An open handle.
    pub Handle in "handles" {
        /// Address of the `_EPROCESS`.
        eprocess: u64,
        /// Process id.
        pid: i64,
        /// Name of the process.
        process: String,
        /// Handle value.
        handle: u64,
        /// Address of the object.
        object: u64,
        /// Type of the object (`File`, `Event`).
        object_type as "type": String,
        /// Name of the object.
        name: String,
        /// Access mask.
        granted_access: i64,
        /// Attributes.
        attributes: i64,
        /// Handles to the object.
        handle_count: i64,
        /// References to the object.
        pointer_count: i64,
    }
}
