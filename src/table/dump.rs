//! `dump`: facts about each source and the system that it is from.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::DumpInfo;

pub(super) static TABLE: TableDef<DumpInfo> = TableDef {
    doc: "One row for each open source: what it is, and the system it was taken from.",
    answers: "vertarget, .bugcheck, crashinfo",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT os, build, arch, processors, system_time FROM dump",
            doc: "The system that the dump is from.",
        },
        Example {
            sql: "SELECT path, dump_type, file_bytes, is_complete FROM dump",
            doc: "The kind of file, and whether it is complete.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.path, "Path of the file as it was opened.", Get::Text(|r| text(&r.path))),
        Column::new(
            |c| c.format,
            "Container format: `PAGEDU64`, `PAGEDUMP`, `MDMP`, `ELF`, or `raw` for a raw memory image.",
            Get::Text(|r| text(&r.format)),
        ),
        Column::new(
            |c| c.dump_type,
            "What the container holds, such as `triage` or `full memory`.",
            Get::Text(|r| text(&r.dump_type)),
        ),
        Column::new(
            |c| c.os,
            "Name and version of the operating system.",
            Get::Text(|r| text(&r.os)),
        ),
        Column::new(|c| c.build, "Build number of the operating system.", Get::Int(|r| r.build)),
        Column::new(|c| c.service_pack, "Service pack.", Get::Text(|r| text(&r.service_pack))),
        Column::new(
            |c| c.build_lab,
            "Build lab text, which names the exact build.",
            Get::Text(|r| text(&r.build_lab)),
        ),
        Column::new(
            |c| c.arch,
            "Processor architecture: `x86`, `x64`, `arm64` and others.",
            Get::Text(|r| text(&r.arch)),
        ),
        Column::new(
            |c| c.is_pae,
            "Whether a 32-bit kernel uses physical address extension (PAE).",
            Get::Bool(|r| r.is_pae),
        ),
        Column::new(|c| c.processors, "Number of processors.", Get::Int(|r| r.processors)),
        Column::new(
            |c| c.system_time,
            "When the dump was written, in UTC.",
            Get::Time(|r| r.system_time),
        ),
        Column::new(
            |c| c.uptime_ms,
            "Time since boot for a kernel dump, since the start of the process for a user dump.",
            Get::Int(|r| r.uptime_ms),
        ),
        Column::new(|c| c.file_bytes, "Size of the file.", Get::Int(|r| r.file_bytes)),
        Column::new(
            |c| c.physical_bytes,
            "Size of physical memory.",
            Get::Int(|r| r.physical_bytes),
        ),
        Column::new(
            |c| c.dtb,
            "Page directory base of the context in which the dump was written.",
            Get::Addr(|r| r.dtb),
        ),
        Column::new(
            |c| c.kernel_base,
            "Base address of the kernel image.",
            Get::Addr(|r| r.kernel_base),
        ),
        Column::new(
            |c| c.module_list,
            "Address of `PsLoadedModuleList`.",
            Get::Addr(|r| r.module_list),
        ),
        Column::new(
            |c| c.process_head,
            "Address of `PsActiveProcessHead`.",
            Get::Addr(|r| r.process_head),
        ),
        Column::new(
            |c| c.pfn_database,
            "`MmPfnDatabase`, as the header holds it.",
            Get::Addr(|r| r.pfn_database),
        ),
        Column::new(|c| c.kdbg, "Address of the debugger data block.", Get::Addr(|r| r.kdbg)),
        Column::hex(
            |c| c.bitmap_header_bytes,
            "Offset of the first page in the file, from the header of the page bitmap.",
            Get::Int(|r| r.bitmap_header_bytes),
        ),
        Column::new(
            |c| c.bitmap_bits,
            "Number of bits of the page bitmap, from its header.",
            Get::Int(|r| r.bitmap_bits),
        ),
        Column::new(
            |c| c.bitmap_pages,
            "Number of pages in the page bitmap, from its header.",
            Get::Int(|r| r.bitmap_pages),
        ),
        Column::new(|c| c.comment, "Comment stored in the file.", Get::Text(|r| text(&r.comment))),
        Column::new(
            |c| c.is_complete,
            "Whether the file holds everything that its headers describe.",
            Get::Bool(|r| r.is_complete),
        ),
        Column::new(
            |c| c.layout,
            "Where the layout of the kernel's structures comes from: a file on the symbol path, or a built-in layout and the kernel that it is of.",
            Get::Text(|r| text(&r.layout)),
        ),
        Column::new(
            |c| c.layout_grounds,
            "Why that layout is used.",
            Get::Text(|r| text(&r.layout_grounds)),
        ),
        Column::new(
            |c| c.layout_certainty,
            "How certain it is: `certain` (the same kernel), `likely` (the debugger data block does not contradict it), or `partial` (only fields whose offsets are confirmed have values).",
            Get::Text(|r| text(&r.layout_certainty)),
        ),
    ],
};
