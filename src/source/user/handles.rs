//! Handles of the process.

use minidump::format as md;

use super::core::Core;
use super::core::streams::kind;
use crate::catalog::Absent;
use crate::model::{Emit, Handle, Unanswered};

pub(super) fn each_handle(core: &Core, emit: Emit<'_, Handle>) -> Result<(), Unanswered> {
    // The newer form of the record only adds fields.
    let list = core.streams.wide_list::<md::MINIDUMP_HANDLE_DESCRIPTOR>(kind::HANDLES, false)?;
    let mut text = core.streams.text();
    let (pid, process) = (core.pid(), core.process_name());
    for raw in list.iter() {
        let mut named = |offset: u32| match text.utf16(offset.into()) {
            Ok(name) if name.is_empty() => Err(Absent::NotApplicable),
            Err(Absent::NotInDump) => Err(Absent::NotApplicable),
            other => other,
        };
        let row = Handle {
            pid,
            process: process.clone(),
            handle: Ok(raw.handle),
            object_type: named(raw.type_name_rva),
            name: named(raw.object_name_rva),
            granted_access: Ok(raw.granted_access.into()),
            attributes: Ok(raw.attributes.into()),
            handle_count: Ok(raw.handle_count.into()),
            pointer_count: Ok(raw.pointer_count.into()),
            ..Handle::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}
