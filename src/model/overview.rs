//! The dump as a whole: what it is, why it was written, and its defects.

use super::row;

row! {
    /// The one row of table `dump`.
    pub DumpInfo in "dump" {
        /// Path of the file as it was opened.
        path: String,
        /// Container format (`PAGEDU64`, `PAGEDUMP`, `MDMP`).
        format: String,
        /// What the container holds (`triage`, `full memory`, `process with full memory` …).
        dump_type: String,
        /// The operating system's name and version (`Windows 10.0`).
        os: String,
        /// Build number.
        build: i64,
        /// Service pack or its text.
        service_pack: String,
        /// Build lab text (`19041.1.amd64fre.vb_release.191206-1406`).
        build_lab: String,
        /// `x86`, `x64`, `arm64`, ….
        arch: String,
        /// Whether the kernel uses physical address extension.
        is_pae: bool,
        /// Number of processors.
        processors: i64,
        /// When the dump was written; microseconds since 1970 UTC.
        system_time: i64,
        /// Milliseconds since boot (kernel) or since the process started (user).
        uptime_ms: i64,
        /// Size of the file.
        file_bytes: i64,
        /// Size of physical memory.
        physical_bytes: i64,
        /// Page directory base.
        dtb: u64,
        /// Base of the kernel image.
        kernel_base: u64,
        /// `PsLoadedModuleList`.
        module_list: u64,
        /// `PsActiveProcessHead`.
        process_head: u64,
        /// `MmPfnDatabase`.
        pfn_database: u64,
        /// Address of the debugger data block.
        kdbg: u64,
        /// Offset of the first page behind the page bitmap.
        bitmap_header_bytes: i64,
        /// Number of bits of the page bitmap.
        bitmap_bits: i64,
        /// Number of pages that the bitmap's header states.
        bitmap_pages: i64,
        /// The comment in the file.
        comment: String,
        /// Whether the file holds everything that its headers describe.
        is_complete: bool,
        /// Source of the layout of the kernel's structures.
        layout: String,
        /// Why the layout is accepted.
        layout_grounds: String,
        /// How certain it is: `certain`, `likely`, `partial`.
        layout_certainty: String,
    }
}

row! {
    /// The bug check of a kernel dump.
    pub Bugcheck in "bugcheck" {
        /// The code.
        code: i64,
        /// Its name (`SYSTEM_THREAD_EXCEPTION_NOT_HANDLED`).
        name: String,
        /// The first parameter.
        p1: u64,
        /// The second parameter.
        p2: u64,
        /// The third parameter.
        p3: u64,
        /// The fourth parameter.
        p4: u64,
        /// What the first parameter means, where documented.
        p1_description: String,
        /// What the second parameter means, where documented.
        p2_description: String,
        /// What the third parameter means, where documented.
        p3_description: String,
        /// What the fourth parameter means, where documented.
        p4_description: String,
        /// The thread that was running.
        ethread: u64,
        /// The name of its process.
        process: String,
        /// The module of the faulting address.
        module: String,
        /// The symbol of the faulting address.
        symbol: String,
        /// A short text that is equal for equal crashes.
        bucket_id: String,
        /// The suspected module.
        culprit_module: String,
        /// The symbol in it, or the module and offset.
        culprit_symbol: String,
        /// The number of its frame on the stack of the crash.
        culprit_frame: i64,
        /// The rule that selected the module.
        culprit_reason: String,
    }
}

row! {
    /// An exception record.
    pub Exception in "exception" {
        /// Exception code.
        code: i64,
        /// Its name (`ACCESS_VIOLATION`).
        name: String,
        /// Address of the exception.
        address: u64,
        /// The symbol there.
        symbol: String,
        /// Exception flags.
        flags: i64,
        /// Whether execution could continue.
        is_continuable: bool,
        /// The parameters in hex, separated by spaces.
        parameters: String,
        /// The thread object.
        ethread: u64,
        /// The thread id.
        tid: i64,
        /// Whether it comes from the .NET runtime.
        is_clr: bool,
        /// What the parameters mean (`read of 0x0000000000000010`).
        description: String,
        /// The suspected module.
        culprit_module: String,
        /// The symbol in it, or the module and offset.
        culprit_symbol: String,
        /// The number of its frame on the stack of the crash.
        culprit_frame: i64,
        /// The rule that selected the module.
        culprit_reason: String,
    }
}

row! {
    /// A module that may have caused a crash.
    pub Suspect in "suspects" {
        /// Its rank among the suspects, from 1.
        rank: i64,
        /// The module.
        module: String,
        /// The symbol in it, or the module and offset.
        symbol: String,
        /// The number of its frame on the stack of the crash.
        frame: i64,
        /// The evidence against it.
        evidence: String,
        /// The weight of the evidence, up to 100.
        score: i64,
    }
}

row! {
    /// A defect of a source or of a table's values.
    pub Problem in "problems" {
        /// The table, if it concerns one.
        table: String,
        /// The column, if it concerns one.
        column: String,
        /// What is wrong.
        reason: String,
        /// The number of occurrences.
        count: i64,
    }
}
