//! Critical sections of a process: all that have debug information are on one list.
//!
//! The head of the list is the `ntdll` variable `RtlCriticalSectionList`. The list is circular, so
//! any entry leads to all others; without symbols the reader starts at the entry of the loader
//! lock, to which the PEB points, and takes the one node that is not debug information as the head.
//! Since Windows 8 most critical sections have no debug information and are on no list.

use std::collections::HashSet;

use super::core::Core;
use super::core::types::View;
use crate::catalog::{Absent, Cell};
use crate::model::{CriticalSection, Emit, Unanswered, Want};
use crate::source::links;
use crate::symbol::Layout;

const SECTION: &str = "_RTL_CRITICAL_SECTION";
const DEBUG: &str = "_RTL_CRITICAL_SECTION_DEBUG";
const PEB: &str = "_PEB";
/// System locks that the PEB points to.
const OF_PEB: [&str; 2] = ["LoaderLock", "FastPebLock"];
/// Upper limit on critical sections.
const MAX_SECTIONS: usize = 1 << 20;
/// The bits of the spin count; the bits above are flags.
const SPINS: u64 = 0x00ff_ffff;

pub(super) fn each_section(
    core: &Core,
    want: &Want<'_, CriticalSection>,
    emit: Emit<'_, CriticalSection>,
) -> Result<(), Unanswered> {
    if !core.is_windows() {
        return Err(Unanswered::because("its system is not Windows"));
    }
    let view = core.view();
    let layout = core.types(view.width).map_err(Unanswered::because)?;
    let begins = |width| core.variable(width, "RtlCriticalSectionList");
    let mut seen = HashSet::new();
    let found = sections(view, &layout, (core.peb(), begins(view.width)), &mut seen);
    // The 32-bit part of the process has a list of its own.
    let narrow = core.narrow_view().and_then(|view| {
        let layout = core.types(view.width).ok()?;
        let start = (core.narrow_peb(), begins(view.width));
        let sections = sections(view, &layout, start, &mut seen);
        Some((view, layout, sections.ok()?))
    });
    let own = match (found, &narrow) {
        (Err(why), None) => return Err(why),
        (found, _) => (view, layout, found.unwrap_or_default()),
    };
    for (view, layout, sections) in std::iter::once(own).chain(narrow) {
        for at in sections {
            if emit.row(section_row(core, view, &layout, at, want)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn section_row(
    core: &Core,
    view: View<'_>,
    layout: &Layout,
    at: u64,
    want: &Want<'_, CriticalSection>,
) -> CriticalSection {
    let number = |path| view.number(layout, SECTION, at, path);
    let debug = number("DebugInfo");
    let of_debug = |path| count(view.number(layout, DEBUG, debug?, path));
    let present = |number: Cell<u64>| match number {
        Ok(0) => Err(Absent::NotApplicable),
        other => other,
    };
    let recursion = count(number("RecursionCount"));
    CriticalSection {
        address: Ok(at),
        symbol: if want.has(|c| c.symbol) {
            core.symbol_text(at)
        } else {
            Err(Absent::NotApplicable)
        },
        // Both counts are signed 32-bit numbers.
        lock_count: number("LockCount").map(signed_32),
        recursion_count: recursion,
        owner_tid: present(number("OwningThread")).and_then(|tid| count(Ok(tid))),
        entry_count: of_debug("EntryCount"),
        contention_count: of_debug("ContentionCount"),
        is_locked: recursion.map(|count| count > 0),
        lock_semaphore: present(number("LockSemaphore")),
        spin_count: count(number("SpinCount").map(|spins| spins & SPINS)),
        debug_info: debug,
        ..CriticalSection::default()
    }
}

/// The critical sections of the 64-bit or the 32-bit part, in list order.
fn sections(
    view: View<'_>,
    layout: &Layout,
    (peb, begins): (Cell<u64>, Option<u64>),
    seen: &mut HashSet<u64>,
) -> Result<Vec<u64>, Unanswered> {
    let unknown = || Unanswered::because("no layout of its critical sections is known");
    let links = layout.field(DEBUG, "ProcessLocksList").ok_or_else(unknown)?.offset as u64;
    layout.field(SECTION, "DebugInfo").ok_or_else(unknown)?;
    let pointer = |at| view.pointer(at);
    let ring = |start: u64| links::list(&pointer, view.width as u64, start, MAX_SECTIONS).entries;
    let of_peb = |name| {
        let lock = view.number(layout, PEB, peb?, name)?;
        let debug = view.number(layout, SECTION, lock, "DebugInfo")?;
        section_of(view, layout, debug).filter(|at| *at == lock).ok_or(Absent::NotInDump)?;
        Ok::<u64, Absent>(debug)
    };
    let entries = if let Some(head) = begins {
        ring(head)
    } else {
        let first = OF_PEB.into_iter().find_map(|name| of_peb(name).ok());
        let first = first.and_then(|debug| debug.checked_add(links)).ok_or_else(|| {
            Unanswered::because(
                "the list of critical sections is not in the dump, or where it begins only \
                     symbols of ntdll say",
            )
        })?;
        let mut all = vec![first];
        all.extend(ring(first));
        // The entry that is not debug information is the head.
        let is_one = |entry: &u64| {
            let debug = entry.checked_sub(links);
            debug.is_some_and(|debug| section_of(view, layout, debug).is_some())
        };
        let head = all.iter().position(|entry| !is_one(entry)).unwrap_or(0);
        all.rotate_left(head);
        all
    };
    let debugs = entries.into_iter().filter_map(|entry| entry.checked_sub(links));
    let sections = debugs.filter_map(|debug| section_of(view, layout, debug));
    Ok(sections.filter(|at| seen.insert(*at)).collect())
}

/// The critical section of debug information, if they point to each other.
fn section_of(view: View<'_>, layout: &Layout, debug: u64) -> Option<u64> {
    let section = view.number(layout, DEBUG, debug, "CriticalSection").ok()?;
    let back = view.number(layout, SECTION, section, "DebugInfo").ok()?;
    // The head of an empty list points to itself in both directions.
    (back == debug && section != 0 && section != debug).then_some(section)
}

fn count(number: Cell<u64>) -> Cell<i64> {
    number.and_then(|number| i64::try_from(number).map_err(|_| Absent::Unreadable))
}

/// The low 32 bits as a signed number.
fn signed_32(number: u64) -> i64 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d]).into()
}
