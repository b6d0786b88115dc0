//! Fetches the symbols that rows of stacks and threads need from symbol servers, for several
//! modules at a time.

use crate::source::frames::{self, Scene as _};
use std::collections::BTreeSet;

use crate::model::{Frame, OfRow, Thread, Want};
use crate::source::frames::Owner;
use crate::source::kernel::core::Core;
use crate::source::kernel::scheduler::thread::FoundThread;
use crate::source::kernel::stack::stacks;
use crate::source::kernel::stack::walks::Stacks;
use crate::source::verdicts;

/// Fetches the symbols that rows of these stacks need, several files at a time.
pub(crate) fn fetch_frames(
    core: &Core,
    want: &Want<'_, Frame>,
    stacks: &Stacks<'_>,
    batch: &[(FoundThread<'_>, Owner)],
) {
    if !core.symbols.may_ask() || !frames::needs_names(want) {
        return;
    }
    let mut walks = stacks.take();
    let mut needed = BTreeSet::new();
    for (seen, _) in batch {
        let Some(thread) = seen.object(core) else { continue };
        let (view, frames) = stacks::stack_of(core, &mut walks, &thread, seen.is_crash());
        needed.extend(frames.iter().filter_map(|frame| view.pdb(frame.inside())));
    }
    core.symbols.fetch_all(&needed.into_iter().collect::<Vec<_>>());
}

/// The same for rows of threads.
pub(crate) fn fetch_start_symbols(
    core: &Core,
    want: &Want<'_, Thread>,
    stacks: Option<&Stacks<'_>>,
    batch: &[FoundThread<'_>],
) {
    let columns: [(OfRow<Thread>, _); 2] =
        [(|c| c.start_symbol, "StartAddress"), (|c| c.win32_start_symbol, "Win32StartAddress")];
    if !core.symbols.may_ask()
        || !want.has_any(|c| [c.start_symbol, c.win32_start_symbol, c.blocker])
    {
        return;
    }
    let mut walks = stacks.filter(|_| want.has(|c| c.blocker)).map(Stacks::take);
    let mut needed = BTreeSet::new();
    for seen in batch {
        let Some(thread) = seen.object(core) else { continue };
        for (_, path) in columns.iter().filter(|(column, _)| want.has(*column)) {
            needed.extend(thread.pointer(path).ok().and_then(|at| core.pdb_at(at)));
        }
        if let Some(walks) = &mut walks {
            let (view, frames) = stacks::stack_of(core, walks, &thread, seen.is_crash());
            let blocking = verdicts::blocking(&view, &frames);
            needed.extend(blocking.and_then(|frame| view.pdb(frame.ip)));
        }
    }
    core.symbols.fetch_all(&needed.into_iter().collect::<Vec<_>>());
}
