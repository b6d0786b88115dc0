//! Processes whose objects the dump holds.

use super::KernelDump;
use super::object::{Object, first};
use super::types::Ty;
use crate::catalog::{Absent, Cell};
use crate::dump::kdbg;
use crate::model::{Emit, Process, Unanswered, Want};

/// No system has more processes; more is a damaged list.
const MAX_PROCESSES: usize = 1 << 18;
/// `DISPATCHER_HEADER.Type` of processes.
const PROCESS_OBJECT: u8 = 3;

impl KernelDump {
    /// The processes on `PsActiveProcessHead`.
    fn listed_processes(&self) -> Vec<Object<'_>> {
        let block = || self.kdbg().and_then(|kdbg| kdbg.pointer(kdbg::PROCESS_HEAD));
        let head = self.header.process_head.or_else(block).ok_or(Absent::NotInDump);
        let links = self.types().field(self, Ty::Process, "ActiveProcessLinks");
        let Ok(links) = links else { return Vec::new() };
        let found = self.listed(head, links.offset as u64, MAX_PROCESSES).into_iter();
        let objects = found.filter_map(|address| self.object(Ty::Process, address));
        objects.filter(|process| process.dispatcher_type() == Some(PROCESS_OBJECT)).collect()
    }

    pub(super) fn process_objects(&self) -> Vec<Object<'_>> {
        if self.triage.is_none() {
            return self.listed_processes();
        }
        let mut found: Vec<Object<'_>> = self.crash_process().into_iter().collect();
        for thread in self.thread_objects() {
            for path in ["Tcb.Process", "ThreadsProcess", "Tcb.ApcState.Process"] {
                let Ok(address) = thread.pointer(path) else { continue };
                if found.iter().any(|process| process.address == Ok(address)) {
                    continue;
                }
                let process = self.object(Ty::Process, address);
                found.extend(process.filter(|p| p.dispatcher_type() == Some(PROCESS_OBJECT)));
            }
        }
        found
    }

    pub(super) fn each_process(
        &self,
        want: &Want<'_, Process>,
        emit: Emit<'_, Process>,
    ) -> Result<(), Unanswered> {
        self.has_memory()?;
        let processes = self.process_objects();
        if processes.is_empty() {
            return Err(Unanswered::because("the dump holds no process object"));
        }
        for process in &processes {
            if emit.row(self.process_row(want, process)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn process_row(&self, want: &Want<'_, Process>, process: &Object<'_>) -> Process {
        let object_table = process.pointer("ObjectTable");
        let handle_count = if want.has(|c| c.handle_count) {
            object_table.and_then(|table| self.handle_count(table))
        } else {
            Err(Absent::NotApplicable)
        };
        let image = process.pointer("SeAuditProcessCreationInfo.ImageFileName");
        // A reference's lowest bits are its count: 4 of them in 64-bit kernels, 3 in others.
        let counted = !(2 * self.header.width.bytes() as u64 - 1);
        let quota = |i: usize| self.quota(process, i);
        let ticks = |paths: &[&'static str]| first(paths, |path| process.tick_ms(path));
        Process {
            eprocess: process.address,
            pid: process.int("UniqueProcessId"),
            ppid: process.int("InheritedFromUniqueProcessId"),
            name: process.text("ImageFileName"),
            path: image.and_then(|at| self.unicode_string(at)),
            command_line: process.pointer("Peb").and(Err(Absent::NotInDump)),
            session: self.session(process),
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
            vad_root: Self::vad_root(process),
            paged_quota_bytes: quota(1),
            nonpaged_quota_bytes: quota(0),
            ..Process::default()
        }
    }

    /// Charged pool: the first element is of the non-paged pool, the second of the paged one.
    fn quota(&self, process: &Object<'_>, index: usize) -> Cell<i64> {
        let width = self.header.width.bytes();
        let at = first(&["ProcessQuotaUsage", "QuotaUsage"], |path| process.address_of(path))?;
        let at = at.checked_add((index * width) as u64).ok_or(Absent::Unreadable)?;
        i64::try_from(self.pointer_at(at)?).map_err(|_| Absent::Unreadable)
    }

    fn session(&self, process: &Object<'_>) -> Cell<i64> {
        let space = process.pointer("Session")?;
        let field =
            self.types().other("_MM_SESSION_SPACE", "SessionId").ok_or(Absent::NotInDump)?;
        let at = space.checked_add(field.offset as u64).ok_or(Absent::Unreadable)?;
        self.u32_at(at).map(i64::from)
    }
}
