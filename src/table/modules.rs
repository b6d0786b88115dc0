//! `modules`: the loaded images.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Module;

pub(super) static TABLE: TableDef<Module> = TableDef {
    doc: "One row for each loaded image, in load order.",
    answers: "lm, lmv",
    kinds: &[SourceKind::Kernel, SourceKind::Triage, SourceKind::User, SourceKind::Log],
    examples: &[
        Example {
            sql: "SELECT name, base, size_bytes FROM modules ORDER BY size_bytes DESC LIMIT 5",
            doc: "The five largest images.",
        },
        Example {
            sql: "SELECT name, file_version, pdb_name, pdb_guid FROM modules WHERE name ILIKE '%flt%'",
            doc: "Version and symbol file of some of them.",
        },
    ],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.base, "First address.", Get::Addr(|r| r.base)),
        Column::new(|c| c.end, "Address after the last.", Get::Addr(|r| r.end)),
        Column::new(|c| c.size_bytes, "Size in memory.", Get::Int(|r| r.size_bytes)),
        Column::new(
            |c| c.name,
            "Name as debuggers print it: no directory, no extension, `nt` for the kernel.",
            Get::Text(|r| text(&r.name)),
        ),
        Column::new(
            |c| c.path,
            "Full path as the system recorded it.",
            Get::Text(|r| text(&r.path)),
        ),
        Column::new(|c| c.image_name, "File name.", Get::Text(|r| text(&r.image_name))),
        Column::hex(
            |c| c.timestamp,
            "Time date stamp of the PE header: seconds since 1970, or a hash in reproducible builds.",
            Get::Int(|r| r.timestamp),
        ),
        Column::new(
            |c| c.build_time,
            "When it was built, in UTC; absent if `timestamp` is a hash: the image says so, or the \
             time lies after that of the dump.",
            Get::Time(|r| r.build_time),
        ),
        Column::hex(|c| c.checksum, "Checksum of the PE header.", Get::Int(|r| r.checksum)),
        Column::new(|c| c.file_version, "File version.", Get::Text(|r| text(&r.file_version))),
        Column::new(
            |c| c.product_version,
            "Product version.",
            Get::Text(|r| text(&r.product_version)),
        ),
        Column::new(
            |c| c.company,
            "Company, from the version resource.",
            Get::Text(|r| text(&r.company)),
        ),
        Column::new(
            |c| c.description,
            "Description, from the version resource.",
            Get::Text(|r| text(&r.description)),
        ),
        Column::new(
            |c| c.copyright,
            "Copyright, from the version resource.",
            Get::Text(|r| text(&r.copyright)),
        ),
        Column::new(
            |c| c.original_name,
            "Original file name, from the version resource.",
            Get::Text(|r| text(&r.original_name)),
        ),
        Column::new(
            |c| c.internal_name,
            "Internal name, from the version resource.",
            Get::Text(|r| text(&r.internal_name)),
        ),
        Column::new(
            |c| c.language,
            "Language of the version resource.",
            Get::Text(|r| text(&r.language)),
        ),
        Column::new(
            |c| c.pdb_name,
            "Name of the PDB file, from the debug directory.",
            Get::Text(|r| text(&r.pdb_name)),
        ),
        Column::new(
            |c| c.pdb_guid,
            "GUID of the PDB, upper case without separators.",
            Get::Text(|r| text(&r.pdb_guid)),
        ),
        Column::new(|c| c.pdb_age, "Age of the PDB.", Get::Int(|r| r.pdb_age)),
        Column::new(
            |c| c.symbol_status,
            "Kind of symbols that are known for it.",
            Get::Text(|r| text(&r.symbol_status)),
        ),
        Column::new(|c| c.is_user, "Whether it is a user-mode image.", Get::Bool(|r| r.is_user)),
        Column::new(|c| c.pid, "Process id, for user-mode images.", Get::Int(|r| r.pid)),
        Column::new(
            |c| c.process,
            "Process name, for user-mode images.",
            Get::Text(|r| text(&r.process)),
        ),
        Column::new(
            |c| c.load_order,
            "Position in the loader's list, from 0.",
            Get::Int(|r| r.load_order),
        ),
        Column::new(
            |c| c.driver_object,
            "Driver object, in kernel dumps.",
            Get::Addr(|r| r.driver_object),
        ),
    ],
};
