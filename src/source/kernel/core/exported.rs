//! The kernel's lists by its exports, for memory whose debugger data block is encoded.
//!
//! `PsLoadedModuleList` is an export. `PsInitialSystemProcess` is one too, and the system process is
//! the first on the list of processes: its entry points back to the head, which is in the kernel's
//! image, and stands behind its id.

use super::known::Known;

/// The id of the system process.
const SYSTEM: u64 = 4;
/// Its entry in the list of processes is not farther from its start.
const FAR: u64 = 0x1000;
/// The largest image of a kernel.
const MAX_IMAGE: u64 = 64 << 20;

/// Heads of the kernel's lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lists {
    /// `PsLoadedModuleList`.
    pub(super) modules: Option<u64>,
    /// `PsActiveProcessHead`.
    pub(super) processes: Option<u64>,
}

/// The lists of the kernel at a base, as far as its exports are in memory.
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

/// The head of the list of processes, if one place alone in the system process can be its entry.
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
