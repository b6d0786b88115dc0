//! The bounds of thread stacks.

use std::ops::Range;

use minidump::format as md;

use super::core::Core;
use crate::catalog::{Absent, Cell};

/// Upper limit on a stack whose bounds are unknown.
const MOST_OF_STACK: u64 = 64 << 20;

pub(super) struct Stack {
    pub(super) base: Cell<u64>,
    pub(super) limit: Cell<u64>,
    pub(super) is_resident: bool,
}

impl Default for Stack {
    fn default() -> Self {
        Self { base: Err(Absent::NotInDump), limit: Err(Absent::NotInDump), is_resident: false }
    }
}

/// The bounds of a stack: from the TEB if the dump holds it, else from the thread list.
pub(super) fn of(core: &Core, raw: &md::MINIDUMP_THREAD) -> Stack {
    let start = raw.stack.start_of_memory_range & core.address_mask();
    let written = core.streams.bytes(raw.stack.memory).filter(|bytes| !bytes.is_empty());
    let written = written.filter(|_| raw.stack.memory.rva != 0);
    let end = start.checked_add(raw.stack.memory.data_size.into());
    let end = end.filter(|_| start != 0).ok_or(Absent::NotInDump);
    let start = if start == 0 { Err(Absent::NotInDump) } else { Ok(start) };
    let is_resident = written.is_some() || start.is_ok_and(|s| core.memory().holds(s));
    let (base, limit) = stack_of_teb(core, raw.teb).unzip();
    Stack { base: base.map_or(end, Ok), limit: limit.map_or(start, Ok), is_resident }
}

/// `NT_TIB.StackBase` and `StackLimit`, if they are in the dump and valid.
fn stack_of_teb(core: &Core, teb: u64) -> Option<(u64, u64)> {
    let teb = Some(teb & core.address_mask()).filter(|&teb| teb != 0 && core.is_windows())?;
    let width = core.pointer_bytes();
    let base = core.pointer(teb.checked_add(width)?).ok()?;
    let limit = core.pointer(teb.checked_add(2 * width)?).ok()?;
    (limit < base).then_some((base, limit))
}

/// The range of a stack: from the stack pointer to the base, or a fixed distance if the base is
/// invalid.
pub(super) fn range(sp: Option<u64>, end: Option<u64>) -> Range<u64> {
    let sp = sp.unwrap_or_default();
    let far = sp.saturating_add(MOST_OF_STACK);
    sp..end.filter(|end| (sp..=far).contains(end)).unwrap_or(far)
}
