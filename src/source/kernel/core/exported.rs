//! Finds the kernel's lists through its exports, for memory whose debugger data block is encoded.
//!
//! `PsLoadedModuleList` is an export, and so is `PsInitialSystemProcess`. The system process is the
//! first entry on the process list: its list entry follows its process ID and points back to the
//! list head, which is in the kernel image.

use super::known::Known;

/// The process ID of the system process.
const SYSTEM: u64 = 4;
/// Upper limit on the offset of the list entry in the process.
const FAR: u64 = 0x1000;
/// Upper limit on the size of a kernel image.
const MAX_IMAGE: u64 = 64 << 20;

/// Heads of the kernel's lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lists {
    /// `PsLoadedModuleList`.
    pub(super) modules: Option<u64>,
    /// `PsActiveProcessHead`.
    pub(super) processes: Option<u64>,
}

/// The list heads of the kernel at a base, as far as its exports are in memory.
pub(super) fn lists(known: &Known<'_>, base: u64) -> Lists {
    let exports = known.with_image(base, |image| Some(image.exports())).unwrap_or_default();
    let address = |name: &str| {
        let (rva, _) = exports.iter().find(|(_, export)| export == name)?;
        base.checked_add((*rva).into())
    };
    let modules = address("PsLoadedModuleList").filter(|head| is_list(known, *head));
    let system = address("PsInitialSystemProcess").and_then(|at| known.pointer(at));
    Lists { modules, processes: system.and_then(|system| head(known, system, base)) }
}

/// Whether the first entry of a list points back to its head.
fn is_list(known: &Known<'_>, head: u64) -> bool {
    let first = known.pointer(head).and_then(|first| first.checked_add(known.pointer_bytes()));
    first.and_then(|back| known.pointer(back)) == Some(head)
}

/// The head of the process list, if exactly one offset in the system process can be its list entry.
fn head(known: &Known<'_>, system: u64, base: u64) -> Option<u64> {
    let step = known.pointer_bytes();
    let image = base..base.checked_add(MAX_IMAGE)?;
    let head_at = |offset: u64| {
        let entry = system.checked_add(offset)?;
        let id = known.pointer(entry.checked_sub(step)?)?;
        let head = known.pointer(entry.checked_add(step)?)?;
        let is_entry = id == SYSTEM && image.contains(&head) && known.pointer(head) == Some(entry);
        (is_entry && is_list(known, entry)).then_some(head)
    };
    let mut found = (1..FAR / step).filter_map(|index| head_at(index * step));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}
