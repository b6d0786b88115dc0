//! Where readers of commands put their rows, whichever table is asked for.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::line::Line;
use crate::model::{
    Apc, BlockedDriver, Bugcheck, Callback, CriticalSection, DeadlockStep, Device, Dispatch, Dpc,
    Driver, DumpInfo, ErrorFact, Exception, Filter, Frame, Handle, Instruction, InterruptVector,
    Irp, IrpLocation, KernelObject, Lock, LockOwner, LockWaiter, LogPlace, MappedFile, MemoryList,
    MemoryRegion, Module, ObjectType, PageFile, PageTableEntry, PoolBlock, PoolFailure, PoolFault,
    PoolPage, PoolTag, Process, Processor, QueuedLock, ReadyThread, Register, SessionSpace,
    StackWord, SystemCall, SystemPte, Thread, Timer, UnloadedModule, Vad, VerifierFact,
    VerifierFrame, VmCounter, WaitObject, WorkItem, WorkQueue,
};

/// A row of some table.
pub(super) trait LogRow: Sized {
    /// The table.
    const TABLE: &'static str;

    /// Says where the row stands in the log.
    fn set_place(&mut self, place: LogPlace);

    /// Forgets of which table the row is.
    fn erased(self) -> AnyRow;

    /// Remembers it again; `None` if it is of another table.
    fn of(row: AnyRow) -> Option<Self>;
}

macro_rules! rows {
    ($($row:ident: $table:literal),* $(,)?) => {
        /// A row of any table that a log can fill.
        #[allow(clippy::large_enum_variant, reason = "one at a time, and never stored")]
        #[derive(Debug)]
        pub(super) enum AnyRow {
            $($row($row),)*
        }

        $(impl LogRow for $row {
            const TABLE: &'static str = $table;

            fn set_place(&mut self, place: LogPlace) {
                self.log = Some(place);
            }

            fn erased(self) -> AnyRow {
                AnyRow::$row(self)
            }

            fn of(row: AnyRow) -> Option<Self> {
                if let AnyRow::$row(row) = row { Some(row) } else { None }
            }
        })*
    };
}

rows! {
    VerifierFact: "verifier",
    SystemPte: "system_ptes",
    QueuedLock: "queued_locks",
    MappedFile: "mapped_files",
    PoolFault: "pool_faults",
    BlockedDriver: "blocked_drivers",
    ErrorFact: "error_records",
    Filter: "filters",
    DeadlockStep: "deadlocks",
    Apc: "apcs",
    Bugcheck: "bugcheck",
    Callback: "callbacks",
    CriticalSection: "critical_sections",
    Device: "devices",
    Dispatch: "driver_dispatch",
    Dpc: "dpcs",
    Driver: "drivers",
    DumpInfo: "dump",
    Exception: "exception",
    Frame: "stacks",
    Handle: "handles",
    Instruction: "disassembly",
    InterruptVector: "idt",
    Irp: "irps",
    IrpLocation: "irp_stack",
    KernelObject: "objects",
    Lock: "locks",
    LockOwner: "lock_owners",
    LockWaiter: "lock_waiters",
    MemoryList: "memory_lists",
    MemoryRegion: "memory_regions",
    Module: "modules",
    ObjectType: "object_types",
    PageFile: "page_files",
    PageTableEntry: "page_table",
    PoolBlock: "pool_allocations",
    PoolFailure: "pool_failures",
    PoolPage: "pool_pages",
    PoolTag: "pool_tags",
    Process: "processes",
    Processor: "processors",
    ReadyThread: "ready_threads",
    Register: "registers",
    SessionSpace: "sessions",
    StackWord: "raw_stack",
    SystemCall: "ssdt",
    Thread: "threads",
    Timer: "timers",
    UnloadedModule: "unloaded_modules",
    Vad: "vads",
    VerifierFrame: "verifier_stacks",
    VmCounter: "vm",
    WaitObject: "wait_objects",
    WorkItem: "work_items",
    WorkQueue: "work_queues",
}

/// What is asked of the readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The rows of a table.
    Rows(&'static str),
    /// How many rows there are, and the lines that were not understood.
    Count,
}

/// Something that the log does not bear out, or a line that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    /// The line.
    pub(super) line: u64,
    /// Its text, or what is wrong.
    pub(super) text: String,
    /// Whether it is a line of the log, and not a finding about it.
    pub(super) is_line: bool,
}

/// Takes what a reader finds in the output of one command.
pub(super) struct Sink<'a> {
    ask: Ask,
    command: Arc<str>,
    stopped: &'a Cell<bool>,
    emit: &'a mut dyn FnMut(AnyRow) -> ControlFlow<()>,
    /// Rows that were found, of all tables.
    pub(super) rows: u64,
    /// The tables that they are of.
    pub(super) tables: Vec<&'static str>,
    /// What was not understood; kept only if asked for.
    pub(super) unread: Vec<Unread>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        ask: Ask,
        command: Arc<str>,
        stopped: &'a Cell<bool>,
        emit: &'a mut dyn FnMut(AnyRow) -> ControlFlow<()>,
    ) -> Self {
        Self { ask, command, stopped, emit, rows: 0, tables: Vec::new(), unread: Vec::new() }
    }

    /// Whether rows of a type are asked for; a reader may leave out the work that others cost.
    pub(super) fn wants<R: LogRow>(&self) -> bool {
        self.ask == Ask::Rows(R::TABLE)
    }

    /// Counts a row that nobody asked for, without making it.
    pub(super) fn pass<R: LogRow>(&mut self) {
        self.rows += 1;
        if !self.tables.contains(&R::TABLE) {
            self.tables.push(R::TABLE);
        }
    }

    /// Takes a row that stands on a line.
    pub(super) fn row<R: LogRow>(&mut self, line: &Line<'_>, row: R) {
        self.row_at(line.number, row);
    }

    /// Takes a row that starts on the line of that number.
    pub(super) fn row_at<R: LogRow>(&mut self, line: u64, mut row: R) {
        self.pass::<R>();
        if self.wants::<R>() && !self.stopped.get() {
            row.set_place(LogPlace { line, command: Arc::clone(&self.command) });
            if (self.emit)(row.erased()).is_break() {
                self.stopped.set(true);
            }
        }
    }

    /// Takes a line that was not understood.
    pub(super) fn unread(&mut self, line: &Line<'_>) {
        if self.ask == Ask::Count && !line.is_blank() {
            let text = line.trimmed().to_owned();
            self.unread.push(Unread { line: line.number, text, is_line: true });
        }
    }

    /// Takes a finding: what a line says and its table does not bear out.
    pub(super) fn doubt(&mut self, line: &Line<'_>, text: impl Into<String>) {
        if self.ask == Ask::Count {
            self.unread.push(Unread { line: line.number, text: text.into(), is_line: false });
        }
    }
}
