//! Processes whose objects the dump holds.

use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Process, Unanswered, Want};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::structure::{Structure, first};
use crate::source::kernel::mm::vads;
use crate::source::kernel::objects::handles;
use crate::source::kernel::process::list;
use crate::source::kernel::process::peb;
use crate::source::kernel::wanted::wanted;

pub(crate) fn each_process(
    core: &Core,
    want: &Want<'_, Process>,
    emit: Emit<'_, Process>,
) -> Result<(), Unanswered> {
    core.has_memory()?;
    let processes = list::process_objects(core);
    if processes.is_empty() {
        return Err(Unanswered::because("the dump holds no process object"));
    }
    for process in &processes {
        if emit.row(process_row(core, want, process)).is_break() {
            break;
        }
    }
    Ok(())
}

fn process_row(core: &Core, want: &Want<'_, Process>, process: &Structure<'_>) -> Process {
    let object_table = process.pointer("ObjectTable");
    let handle_count = if want.has(|c| c.handle_count) {
        object_table.and_then(|table| handles::handle_count(core, table))
    } else {
        Err(Absent::NotApplicable)
    };
    let image = process.pointer("SeAuditProcessCreationInfo.ImageFileName");
    // The lowest bits of a fast reference (`_EX_FAST_REF`) are its count: 4 bits in 64-bit kernels,
    // 3 in others.
    let counted = !(2 * core.header.width.bytes() as u64 - 1);
    let quota = |i: u64| quota(process, i);
    let ticks = |paths: &[&'static str]| first(paths, |path| process.tick_ms(path));
    Process {
        eprocess: process.address,
        pid: process.int("UniqueProcessId"),
        ppid: process.int("InheritedFromUniqueProcessId"),
        name: process.text("ImageFileName"),
        path: image.and_then(|at| core.unicode_string(at)),
        command_line: wanted(want, |c| c.command_line, || peb::command_line(core, process)),
        session: session(core, process),
        is_wow64: first(&["WoW64Process", "Wow64Process"], |path| process.raw_pointer(path))
            .map(|at| at != 0),
        dtb: process.pointer("Pcb.DirectoryTableBase"),
        peb: process.pointer("Peb"),
        object_table,
        handle_count,
        thread_count: process.int("ActiveThreads"),
        create_time: process.time("CreateTime", 0),
        exit_time: process.time("ExitTime", 0),
        user_time_ms: ticks(&["Pcb.UserTime", "Pcb.UserTimeLow"]),
        kernel_time_ms: ticks(&["Pcb.KernelTime", "Pcb.KernelTimeLow"]),
        working_set_bytes: process.pages(&["Vm.Instance.WorkingSetSize", "Vm.WorkingSetSize"]),
        peak_working_set_bytes: process
            .pages(&["Vm.Instance.PeakWorkingSetSize", "Vm.PeakWorkingSetSize"]),
        private_bytes: process.pages(&["NumberOfPrivatePages", "PrivatePageCount"]),
        commit_bytes: process.pages(&["CommitCharge"]),
        virtual_bytes: process.int("VirtualSize"),
        page_faults: process.int_of(&["Vm.Instance.PageFaultCount", "Vm.PageFaultCount"]),
        base_priority: process.int("Pcb.BasePriority"),
        token: process.pointer("Token").map(|token| token & counted),
        job: process.pointer("Job"),
        vad_root: vads::vad_root(process),
        paged_quota_bytes: quota(1),
        nonpaged_quota_bytes: quota(0),
        ..Process::default()
    }
}

/// The quota charged: the first element is nonpaged pool, the second paged pool.
fn quota(process: &Structure<'_>, index: u64) -> Cell<i64> {
    let charged = first(&["ProcessQuotaUsage", "QuotaUsage"], |path| process.element(path, index))?;
    i64::try_from(charged).map_err(|_| Absent::Unreadable)
}

fn session(core: &Core, process: &Structure<'_>) -> Cell<i64> {
    let space = process.pointer("Session")?;
    let field = core.field("_MM_SESSION_SPACE", "SessionId").ok_or(Absent::NotInDump)?;
    let at = space.checked_add(field.offset as u64).ok_or(Absent::Unreadable)?;
    core.u32_at(at).map(i64::from)
}
