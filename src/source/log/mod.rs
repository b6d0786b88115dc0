//! Debugger logs: the text that somebody's debugger printed, as a source.
//!
//! A log is indexed once (where its commands are) and read again for each table that is asked for:
//! of its commands only those whose readers fill that table. So a log of any size takes little
//! memory. Nothing is known here that a command did not print.

mod code;
mod command;
mod commands;
mod context;
mod frame;
mod frames;
mod index;
mod layout;
mod line;
mod prompt;
mod scan;
mod signature;
mod sink;
mod symbol;
mod tabular;
mod text;
mod time;
mod words;

use std::borrow::Cow;
use std::cell::Cell as StdCell;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use self::command::Context;
use self::commands::shown;
use self::index::Section;
use self::line::{Line, Lines, normalised};
use self::sink::{AnyRow, Ask, LogRow, Sink, Unread};
use self::text::Text;
use crate::catalog::{Absent, PointerWidth, SourceKind, Value};
use crate::dump::{Error, Image};
use crate::model::{
    Apc, BlockedDriver, Bugcheck, Callback, CoverageRange, CriticalSection, DeadlockStep, Device,
    Dispatch, Dpc, Driver, DumpInfo, DynTable, Emit, ErrorFact, Exception, Filter, Frame, Handle,
    Instruction, InterruptVector, Irp, IrpLocation, KernelObject, Lock, LockOwner, LockWaiter,
    LogCommand, Machine, MappedFile, MemoryList, MemoryRegion, Module, ObjectType, PageFile,
    PageTableEntry, PoolBlock, PoolFailure, PoolFault, PoolPage, PoolTag, Problem, Process,
    Processor, QueuedLock, ReadyThread, Refused, Register, SessionSpace, Source, StackWord,
    SystemCall, SystemPte, Thread, Timer, Unanswered, UnloadedModule, Vad, VerifierFact,
    VerifierFrame, VmCounter, WaitObject, Want, WorkItem, WorkQueue,
};

/// How many lines are looked at to tell the width of addresses.
const SAMPLE: usize = 20_000;
/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    text: Text,
    sections: Vec<Section>,
    machine: OnceLock<Machine>,
}

/// Opens a log.
///
/// # Errors
/// [`Error::NotADump`] if nothing in the text is a command or its output.
pub(crate) fn open(image: Image) -> Result<Box<dyn Source>, Error> {
    let text = Text::new(image);
    let sections = index::sections(&text);
    if !sections.iter().any(Section::is_command) {
        return Err(Error::NotADump {
            path: text.path().to_owned(),
            found: "a text file in which no output of a debugger was found; expected a Windows \
                    kernel dump, a minidump or a debugger log"
                .to_owned(),
        });
    }
    Ok(Box::new(Log { text, sections, machine: OnceLock::new() }))
}

/// What was found in the output of a command.
struct Reading {
    /// Rows of all tables.
    rows: u64,
    /// The tables that they are of.
    tables: Vec<&'static str>,
    /// What was not understood.
    unread: Vec<Unread>,
    /// Whether more is wanted.
    flow: ControlFlow<()>,
}

impl Log {
    /// The lines of a section's output.
    fn output<'a>(&'a self, section: &'a Section, stopped: &'a StdCell<bool>) -> Lines<'a> {
        let (mut start, mut number) = (section.start, section.line);
        let mut first = None;
        if !section.prompt.is_empty() || !section.starts_at_once {
            // The line of the prompt is the command's, not its output's, unless output follows it.
            if let Some(line) = self.text.line(start) {
                (start, number) = (line.next, number + 1);
                if section.starts_at_once {
                    first = Some((normalised(line.text).into_owned(), section.line));
                }
            }
        }
        let mut lines =
            Lines::new(&self.text, start..section.end, number, &section.prefix, stopped);
        if let Some((text, number)) = first {
            let rest = prompt::find(&text).map_or("", |p| p.rest).to_owned();
            lines.push_front(Line { number, text: Cow::Owned(rest) });
        }
        lines
    }

    /// Reads a section and returns what was found in it.
    fn read(
        &self,
        section: &Section,
        ask: Ask,
        emit: &mut dyn FnMut(AnyRow) -> ControlFlow<()>,
    ) -> Reading {
        let stopped = StdCell::new(false);
        let mut sink = Sink::new(ask, Arc::clone(&section.command), &stopped, emit);
        let mut lines = self.output(section, &stopped);
        match section.reader() {
            Some(reader) => {
                let cx = Context {
                    command: &section.command,
                    is_kernel: section.is_kernel,
                    number: section.number(),
                };
                (reader.read)(&cx, &mut lines, &mut sink);
                // What a reader leaves was not understood.
                for line in lines {
                    sink.unread(&line);
                }
            }
            None if ask == Ask::Count => lines.for_each(|line| sink.unread(&line)),
            None => {}
        }
        let flow = if stopped.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        Reading { rows: sink.rows, tables: sink.tables, unread: sink.unread, flow }
    }

    /// The rows of one table, in the order of the lines.
    fn scan<R: LogRow>(&self, emit: Emit<'_, R>) -> Result<(), Unanswered> {
        let fills = |section: &&Section| {
            section.reader().is_some_and(|reader| reader.tables.contains(&R::TABLE))
        };
        let mut sections = self.sections.iter().filter(fills).peekable();
        if sections.peek().is_none() {
            return Err(Self::lacks(R::TABLE));
        }
        for section in sections {
            let mut take = |row: AnyRow| match R::of(row) {
                Some(row) => emit(row),
                None => ControlFlow::Continue(()),
            };
            if self.read(section, Ask::Rows(R::TABLE), &mut take).flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// What a log would need to answer a table.
    fn lacks(table: &str) -> Unanswered {
        let mut names: Vec<&str> = command::ALL
            .iter()
            .filter(|reader| reader.tables.contains(&table))
            .map(|reader| reader.name)
            .collect();
        names.dedup();
        if names.is_empty() {
            return Unanswered::KIND;
        }
        Unanswered::because(format!("the log holds no output of {}", names.join(", ")))
    }

    /// Whether addresses have 64 bits: as the log's own banner says, else as its numbers look.
    fn machine(&self) -> Machine {
        *self.machine.get_or_init(|| {
            let (mut wide, mut narrow, mut arch) = (0usize, 0usize, None);
            let mut at = self.text.start();
            for _ in 0..SAMPLE {
                let Some(line) = self.text.line(at) else { break };
                arch = arch.or_else(|| arch_of(&line.text));
                for word in line.text.split(|c: char| !c.is_ascii_hexdigit() && c != '`') {
                    let is_wide = word.len() == 16 || word.as_bytes().get(8) == Some(&b'`');
                    wide += usize::from(is_wide && word.len() >= 16);
                    narrow += usize::from(word.len() == 8 && scan::hex(word).is_some());
                }
                at = line.next;
            }
            let width = match arch {
                Some("x86") => PointerWidth::Bits32,
                Some(_) => PointerWidth::Bits64,
                None if wide * 4 > narrow => PointerWidth::Bits64,
                None => PointerWidth::Bits32,
            };
            Machine { width, arch: arch.unwrap_or_default() }
        })
    }
}

/// The machine, as a banner or `vertarget` states it.
fn arch_of(line: &str) -> Option<&'static str> {
    if !line.contains("Windows") {
        return None;
    }
    if line.contains(" x86 compatible") {
        Some("x86")
    } else if line.contains(" Free x64") || line.contains(" Checked x64") {
        Some("x64")
    } else if line.contains("ARM 64") {
        Some("arm64")
    } else if line.contains(" IA64") {
        Some("ia64")
    } else {
        None
    }
}

macro_rules! answers {
    ($($method:ident: $row:ident),* $(,)?) => {
        $(fn $method(&self, _: &Want<'_>, emit: Emit<'_, $row>) -> Result<(), Unanswered> {
            self.scan(emit)
        })*
    };
}

impl Source for Log {
    fn kind(&self) -> SourceKind {
        SourceKind::Log
    }

    fn machine(&self) -> Machine {
        Log::machine(self)
    }

    fn dump(&self, _: &Want<'_>) -> Result<DumpInfo, Unanswered> {
        let mut row = DumpInfo::default();
        let mut said = None;
        // Several commands say something of the same target; the first to say a thing is right. Of
        // several targets, the first of which anything is said is the source's.
        for section in self.commands() {
            let is_asked = section.reader().is_some_and(|r| r.tables.contains(&DumpInfo::TABLE));
            if !is_asked || said.is_some_and(|target| target != section.target) {
                continue;
            }
            let _ = self.read(section, Ask::Rows(DumpInfo::TABLE), &mut |found| {
                if let Some(found) = DumpInfo::of(found) {
                    said = Some(section.target);
                    row.complete_with(found);
                }
                ControlFlow::Continue(())
            });
        }
        row.path = Ok(self.text.path().to_owned());
        row.format = Ok("debugger log".to_owned());
        row.file_bytes = i64::try_from(self.text.len()).map_err(|_| Absent::Unreadable);
        if row.arch.is_err() && !self.machine().arch.is_empty() {
            row.arch = Ok(self.machine().arch.to_owned());
        }
        Ok(row)
    }

    answers! {
        bugcheck: Bugcheck,
        exceptions: Exception,
        registers: Register,
        processes: Process,
        threads: Thread,
        processors: Processor,
        modules: Module,
        unloaded_modules: UnloadedModule,
        memory_regions: MemoryRegion,
        handles: Handle,
        wait_objects: WaitObject,
        stacks: Frame,
        raw_stack: StackWord,
        ready_threads: ReadyThread,
        dpcs: Dpc,
        timers: Timer,
        work_queues: WorkQueue,
        work_items: WorkItem,
        drivers: Driver,
        driver_dispatch: Dispatch,
        devices: Device,
        irps: Irp,
        irp_stack: IrpLocation,
        pool_tags: PoolTag,
        pool_allocations: PoolBlock,
        pool_pages: PoolPage,
        locks: Lock,
        lock_owners: LockOwner,
        lock_waiters: LockWaiter,
        critical_sections: CriticalSection,
        vm: VmCounter,
        page_files: PageFile,
        memory_lists: MemoryList,
        pool_failures: PoolFailure,
        sessions: SessionSpace,
        objects: KernelObject,
        object_types: ObjectType,
        vads: Vad,
        callbacks: Callback,
        ssdt: SystemCall,
        idt: InterruptVector,
        verifier_stacks: VerifierFrame,
        disassembly: Instruction,
        verifier: VerifierFact,
        system_ptes: SystemPte,
        queued_locks: QueuedLock,
        mapped_files: MappedFile,
        pool_faults: PoolFault,
        blocked_drivers: BlockedDriver,
        error_records: ErrorFact,
        filters: Filter,
        deadlocks: DeadlockStep,
        apcs: Apc,
        page_table: PageTableEntry,
    }

    fn log_commands(&self, _: &Want<'_>, emit: Emit<'_, LogCommand>) -> Result<(), Unanswered> {
        for (n, section) in (1..).zip(self.commands()) {
            if emit(self.command_row(n, section)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        if name != "log_table" {
            return Err(Refused::KIND);
        }
        let Some(Value::Int(n)) = args.first() else {
            return Err(Refused::argument(0, "expected the number of a command"));
        };
        let index = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1));
        let section = index.and_then(|index| self.commands().nth(index)).ok_or_else(|| {
            let count = self.commands().count();
            Refused::argument(0, format!("no command {n}; the log has {count}, see log_commands"))
        })?;
        let stopped = StdCell::new(false);
        let shape = tabular::shape(&mut self.output(section, &stopped)).ok_or_else(|| {
            Refused::because(format!("command {n}, {}, printed nothing", shown(&section.command)))
        })?;
        Ok(DynTable {
            columns: shape.columns(),
            rows: Box::new(move |_, emit| {
                let stopped = StdCell::new(false);
                shape.rows(&mut self.output(section, &stopped), emit);
            }),
        })
    }

    fn coverage(&self, _: &Want<'_>, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
        for section in self.commands() {
            let int = |n: usize| i64::try_from(n).map_err(|_| Absent::Unreadable);
            let row = CoverageRange {
                space: Ok("log".to_owned()),
                size_bytes: int(section.end - section.start),
                file_offset: int(section.start),
                kind: scan::text(&section.command),
                ..CoverageRange::default()
            };
            if emit(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn problems(&self, emit: Emit<'_, Problem>) {
        let _ = self.each_problem(emit);
    }
}
