//! The processor, thread and process on which a triage dump was written.

use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::{PRCB, PROCESS, THREAD};

/// The `_KPRCB` that the triage block gives.
pub(crate) fn crash_prcb(core: &Core) -> Option<Structure<'_>> {
    let triage = core.triage.as_ref()?;
    core.object_of(PRCB, triage.prcb, core.objects.prcb)
}

/// The thread that the triage block gives.
pub(crate) fn crash_thread(core: &Core) -> Option<Structure<'_>> {
    let triage = core.triage.as_ref()?;
    core.object_of(THREAD, triage.thread, core.objects.thread)
}

/// The process that the triage block gives.
pub(crate) fn crash_process(core: &Core) -> Option<Structure<'_>> {
    let triage = core.triage.as_ref()?;
    core.object_of(PROCESS, triage.process, core.objects.process)
}
