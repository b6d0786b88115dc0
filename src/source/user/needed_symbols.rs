//! The symbol files that modules need.

use super::core::Core;
use crate::catalog::Absent;
use crate::model::{Emit, NeededSymbol, Unanswered, Want};

#[allow(clippy::unnecessary_wraps, reason = "the signature of a table reader")]
pub(super) fn each_needed(
    core: &Core,
    want: &Want<'_, NeededSymbol>,
    emit: Emit<'_, NeededSymbol>,
) -> Result<(), Unanswered> {
    for span in core.module_map().iter() {
        let id = span.pdb.as_ref().ok_or(Absent::NotInDump);
        let found = id.ok().filter(|_| want.has(|c| c.found_at)).map(|id| core.symbols.find(id));
        let at = found.and_then(|found| found.at).ok_or(Absent::NoSymbols);
        let file = span.file_name.as_deref().map_err(|e| *e);
        let row = NeededSymbol {
            module: file.map(|file| core.module_name(file).to_owned()),
            base: Ok(span.base),
            pdb: id.map(|id| id.name.clone()),
            guid: id.map(|id| id.guid.clone()),
            age: id.map(|id| id.age.into()),
            store_path: id.and_then(|id| id.store_path().ok_or(Absent::Unreadable)),
            found_at: at.map(|path| path.display().to_string()),
            status: Ok(core.said_of(span)),
            ..NeededSymbol::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}
