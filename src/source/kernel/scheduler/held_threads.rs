//! The threads of a triage dump: those that its processors refer to.

use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::THREAD;
use crate::source::kernel::scheduler::{held, prcbs};

/// `DISPATCHER_HEADER.Type` of threads.
const THREAD_OBJECT: u8 = 6;

/// The threads that the dump holds: first the current thread of the processor that wrote the dump,
/// then those of the other processors.
pub(crate) fn thread_objects(core: &Core) -> Vec<Structure<'_>> {
    let mut found: Vec<Structure<'_>> = held::crash_thread(core).into_iter().collect();
    for prcb in prcbs::prcbs(core).into_iter().flatten() {
        for path in ["CurrentThread", "NextThread", "IdleThread"] {
            let Ok(address) = prcb.pointer(path) else { continue };
            if found.iter().any(|thread| thread.address == Ok(address)) {
                continue;
            }
            let thread = core.object(THREAD, address);
            // For some threads a dump holds only what a debugger needs to identify them.
            let is_thread = |t: &Structure<'_>| {
                t.dispatcher_type() == Some(THREAD_OBJECT) && t.unsigned("Tcb.State").is_ok()
            };
            found.extend(thread.filter(is_thread));
        }
    }
    found
}
