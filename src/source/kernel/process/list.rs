//! The processes that the dump holds.

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::Structure;
use crate::source::kernel::core::types::PROCESS;
use crate::source::kernel::scheduler::{held, held_threads};

/// Upper limit on processes; a longer list is damaged.
const MAX_PROCESSES: usize = 1 << 18;
/// `DISPATCHER_HEADER.Type` of processes.
const PROCESS_OBJECT: u8 = 3;

/// The process whose handles or ranges are listed.
pub(crate) struct ProcessOwner {
    pub(crate) eprocess: Cell<u64>,
    pub(crate) pid: Cell<i64>,
    pub(crate) name: Cell<String>,
}

/// The processes on `PsActiveProcessHead`.
fn listed_processes(core: &Core) -> Vec<Structure<'_>> {
    let block = || core.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PROCESS_HEAD));
    let head = core.header.process_head.or_else(block).ok_or(Absent::NotInDump);
    let links = core.known_field(PROCESS, "ActiveProcessLinks");
    let Ok(links) = links else { return Vec::new() };
    let found = core.listed(head, links.offset as u64, MAX_PROCESSES).into_iter();
    let objects = found.filter_map(|address| core.object(PROCESS, address));
    objects.filter(|process| process.dispatcher_type() == Some(PROCESS_OBJECT)).collect()
}

pub(crate) fn process_objects(core: &Core) -> Vec<Structure<'_>> {
    if core.triage.is_none() {
        return listed_processes(core);
    }
    let mut found: Vec<Structure<'_>> = held::crash_process(core).into_iter().collect();
    for thread in held_threads::thread_objects(core) {
        for path in ["Tcb.Process", "ThreadsProcess", "Tcb.ApcState.Process"] {
            let Ok(address) = thread.pointer(path) else { continue };
            if found.iter().any(|process| process.address == Ok(address)) {
                continue;
            }
            let process = core.object(PROCESS, address);
            found.extend(process.filter(|p| p.dispatcher_type() == Some(PROCESS_OBJECT)));
        }
    }
    found
}

impl ProcessOwner {
    pub(crate) fn new(process: Option<&Structure<'_>>) -> Self {
        let missing = Absent::NotInDump;
        match process {
            Some(process) => Self {
                eprocess: process.address,
                pid: process.int("UniqueProcessId"),
                name: process.text("ImageFileName"),
            },
            None => Self { eprocess: Err(missing), pid: Err(missing), name: Err(missing) },
        }
    }
}
