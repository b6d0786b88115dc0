//! The system's own list of unloaded drivers, of dumps with whole memory.

use super::KernelDump;
use super::overview::unix_micros;
use crate::catalog::{Absent, Cell};
use crate::dump::bytes::text_utf16;
use crate::dump::bytes::{u16_at, u64_at, unsigned_at};
use crate::dump::kdbg;
use crate::model::{Emit, Unanswered, UnloadedModule};

/// The system remembers this many (`MI_UNLOADED_DRIVERS`).
const ENTRIES: u64 = 50;
/// No name is longer, in bytes.
const MAX_NAME: usize = 1024;

impl KernelDump {
    /// The drivers that `MmUnloadedDrivers` remembers, the latest first.
    pub(super) fn each_remembered(&self, emit: Emit<'_, UnloadedModule>) -> Result<(), Unanswered> {
        let kdbg = self
            .kdbg()
            .ok_or_else(|| Unanswered::because("the dump holds no debugger data block"))?;
        let table = kdbg.pointer(kdbg::UNLOADED_DRIVERS).map(|at| self.pointer_at(at));
        let Some(Ok(table)) = table.filter(|table| *table != Ok(0)) else {
            return Err(Unanswered::because("the list of unloaded drivers is not in the dump"));
        };
        let next =
            kdbg.pointer(kdbg::LAST_UNLOADED).map_or(Err(Absent::NotInDump), |at| self.u32_at(at));
        let next = u64::from(next.unwrap_or(0)) % ENTRIES;
        for back in 1..=ENTRIES {
            let index = (next + ENTRIES - back) % ENTRIES;
            let Some(row) = self.remembered(table, index) else { continue };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// An entry: a `_UNICODE_STRING`, first and last address, and a time. The structure is in no
    /// public type information; it is made of these alone, so the width of pointers lays it out.
    fn remembered(&self, table: u64, index: u64) -> Option<UnloadedModule> {
        let step = self.header.width.bytes();
        let size = 4 * step + 8;
        let at = table.checked_add(index.checked_mul(size as u64)?)?;
        let bytes = self.bytes(at, size).ok()?;
        let start = unsigned_at(&bytes, 2 * step, step)?;
        let end = unsigned_at(&bytes, 3 * step, step)?;
        if start == 0 && end == 0 {
            return None;
        }
        let length = usize::from(u16_at(&bytes, 0)?);
        let buffer = unsigned_at(&bytes, step, step)?;
        let name: Cell<String> = self.bytes(buffer, length.min(MAX_NAME)).map(|b| text_utf16(&b));
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
}
