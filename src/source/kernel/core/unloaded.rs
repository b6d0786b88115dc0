//! Unloaded drivers: from the system's list if the dump has physical memory, else from the list in
//! the triage block.

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::{text_utf16, u16_at, u64_at, unsigned_at};
use crate::dump::kdbg;
use crate::model::{Emit, Flow, Located, Unanswered, UnloadedModule};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::time::unix_micros;

/// The size of the system's list (`MI_UNLOADED_DRIVERS`).
const ENTRIES: u64 = 50;
/// Upper limit on a name, in bytes.
const MAX_NAME: usize = 1024;

/// The unloaded drivers, latest first.
pub(crate) fn each_unloaded(core: &Core, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
    if core.pages.is_some() { each_remembered(core, emit) } else { each_in_triage(core, emit) }
}

/// The drivers in `MmUnloadedDrivers`, latest first.
fn each_remembered(core: &Core, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
    let kdbg =
        core.kdbg().ok_or_else(|| Unanswered::because("the dump holds no debugger data block"))?;
    let table = kdbg.pointer(kdbg::UNLOADED_DRIVERS).map(|at| core.pointer_at(at));
    let Some(Ok(table)) = table.filter(|table| *table != Ok(0)) else {
        return Err(Unanswered::because("the list of unloaded drivers is not in the dump"));
    };
    let next =
        kdbg.pointer(kdbg::LAST_UNLOADED).map_or(Err(Absent::NotInDump), |at| core.u32_at(at));
    let next = u64::from(next.unwrap_or(0)) % ENTRIES;
    for back in 1..=ENTRIES {
        let index = (next + ENTRIES - back) % ENTRIES;
        let Some(row) = remembered(core, table, index) else { continue };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// An entry: a `_UNICODE_STRING`, first and last address, and a time. No public type information
/// contains the structure; its layout follows from these fields and the pointer size.
fn remembered(core: &Core, table: u64, index: u64) -> Option<UnloadedModule> {
    let step = core.header.width.bytes();
    let size = 4 * step + 8;
    let at = table.checked_add(index.checked_mul(size as u64)?)?;
    let bytes = core.bytes(at, size).ok()?;
    let start = unsigned_at(&bytes, 2 * step, step)?;
    let end = unsigned_at(&bytes, 3 * step, step)?;
    if start == 0 && end == 0 {
        return None;
    }
    let length = usize::from(u16_at(&bytes, 0)?);
    let buffer = unsigned_at(&bytes, step, step)?;
    let name: Cell<String> = core.bytes(buffer, length.min(MAX_NAME)).map(|b| text_utf16(&b));
    let time = u64_at(&bytes, 4 * step)?;
    Some(UnloadedModule {
        name: name.and_then(|n| if n.is_empty() { Err(Absent::Unreadable) } else { Ok(n) }),
        start: Ok(start),
        end: Ok(end),
        size_bytes: end
            .checked_sub(start)
            .and_then(|n| i64::try_from(n).ok())
            .ok_or(Absent::Unreadable),
        unload_time: if time == 0 { Err(Absent::NotApplicable) } else { unix_micros(time) },
        timestamp: Err(Absent::NotApplicable),
        checksum: Err(Absent::NotApplicable),
        ..UnloadedModule::default()
    })
}

/// The drivers that the triage block lists.
fn each_in_triage(core: &Core, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
    let triage = core.triage()?;
    if triage.unloaded_drivers.offset == 0 {
        return Err(Unanswered::because("the dump has no list of unloaded drivers"));
    }
    for driver in triage.unloaded(&core.image, core.header.width) {
        let size = driver.end.checked_sub(driver.start).and_then(|n| i64::try_from(n).ok());
        let row = UnloadedModule {
            name: if driver.name.is_empty() { Err(Absent::Unreadable) } else { Ok(driver.name) },
            start: Ok(driver.start),
            end: Ok(driver.end),
            size_bytes: size.ok_or(Absent::Unreadable),
            // Triage dumps leave out the times of the system's list.
            unload_time: Err(Absent::NotInDump),
            timestamp: Err(Absent::NotInDump),
            checksum: Err(Absent::NotInDump),
            ..UnloadedModule::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
    Ok(())
}

impl Core {
    /// The unloaded driver that contained an address, as debuggers print it.
    pub(crate) fn unloaded_at(&self, address: u64) -> Option<Located> {
        let gone = self.gone.get_or_init(|| {
            let mut all = Vec::new();
            let _ = each_unloaded(self, &mut |row: UnloadedModule| {
                if let (Ok(name), Ok(start), Ok(end)) = (row.name, row.start, row.end) {
                    all.push((start, end, name));
                }
                Flow::Continue(())
            });
            all
        });
        // Where the list has an order, the latest come first.
        let (start, _, name) =
            gone.iter().find(|(start, end, _)| (*start..*end).contains(&address))?;
        let module = format!("<Unloaded_{name}>");
        Some(Located { module, symbol: None, offset: address - start })
    }
}
