//! The symbol files that the loaded drivers need.

use crate::catalog::Absent;
use crate::model::{Emit, NeededSymbol, Want};
use crate::source::kernel::core::Core;

pub(crate) fn each_needed(
    core: &Core,
    want: &Want<'_, NeededSymbol>,
    emit: Emit<'_, NeededSymbol>,
) {
    if core.modules().iter().next().is_none() {
        each_without_list(core, want, emit);
        return;
    }
    for driver in core.modules().iter() {
        let end = driver.base.saturating_add(driver.size.into());
        let id = core.pdb_of(driver.base, end).ok_or(Absent::NotInDump);
        let said = want.has_any(|c| [c.found_at, c.status]).then(|| core.said_of(driver));
        let row = NeededSymbol {
            module: core.module_at(driver.base).map(|place| place.module),
            base: Ok(driver.base),
            pdb: id.as_ref().map(|id| id.name.clone()).map_err(|e| *e),
            guid: id.as_ref().map(|id| id.guid.clone()).map_err(|e| *e),
            age: id.as_ref().map(|id| id.age.into()).map_err(|e| *e),
            store_path: id.and_then(|id| id.store_path().ok_or(Absent::Unreadable)),
            found_at: said.as_ref().map_or(Err(Absent::NoSymbols), |s| s.found_at.clone()),
            status: said.map_or(Err(Absent::NotApplicable), |said| Ok(said.status)),
            ..NeededSymbol::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
}

/// The kernel, if the module list cannot be read; its symbols would make that possible.
fn each_without_list(core: &Core, want: &Want<'_, NeededSymbol>, emit: Emit<'_, NeededSymbol>) {
    let Some((base, id)) = core.kernel_base().zip(core.kernel_pdb()) else { return };
    let status = want.has(|c| c.status).then(|| core.status_of(&id));
    let row = NeededSymbol {
        module: Ok("nt".to_owned()),
        base: Ok(base),
        store_path: id.store_path().ok_or(Absent::Unreadable),
        pdb: Ok(id.name),
        guid: Ok(id.guid),
        age: Ok(id.age.into()),
        status: status.ok_or(Absent::NotApplicable),
        ..NeededSymbol::default()
    };
    let _ = emit.row(row);
}
