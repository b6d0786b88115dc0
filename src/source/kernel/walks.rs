//! What walks of stacks share: where threads start that were running, what was learnt of images and
//! processes, and how much may be read.
//!
//! Stacks are walked on several cores, and asked of symbol servers for several modules at a time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::KernelDump;
use super::batches::Idle;
use super::memory::Space;
use super::process_images::ProcessImages;
use super::threads::Seen;
use crate::model::{Frame, OfRow, Thread, Unanswered, Want};
use crate::source::context::Context;
use crate::source::frames::{self, Owner, Scene as _};
use crate::source::verdicts;
use crate::symbol::PdbId;
use crate::unwind::{Knowledge, Registers};

/// No walk of one stack reads more words.
const MAX_WORDS_OF_ONE: u64 = 1 << 16;
const MAX_CONTEXT: usize = 0x4d0;

/// What was learnt while stacks are walked one after the other.
pub(super) struct Walks<'a> {
    pub(super) knowledge: Knowledge,
    /// The memory and the images of processes.
    pub(super) processes: HashMap<u64, (Space<'a>, Arc<ProcessImages>)>,
    pub(super) start: Arc<Starts>,
    /// How many words the walk of a stack may read.
    pub(super) allowed: u64,
    /// How many were read.
    pub(super) spent: u64,
}

/// Where threads start that were running.
#[derive(Default)]
pub(super) struct Starts {
    /// What the dump's header says.
    pub(super) header: Option<Registers>,
    /// Registers of processors by the thread that they ran.
    pub(super) running: HashMap<u64, Registers>,
}

/// What several cores need to walk stacks side by side. What a walk finds does not depend on what
/// others do meanwhile.
pub(super) struct Stacks<'a> {
    start: Arc<Starts>,
    idle: Idle<Walks<'a>>,
    /// How many words walks may still read, as long as nothing is settled.
    left: AtomicU64,
    /// How many were read since.
    spent: AtomicU64,
}

impl<'a> Stacks<'a> {
    pub(super) fn of(dump: &'a KernelDump) -> Result<Self, Unanswered> {
        let start = Arc::new(dump.starts()?);
        let left = AtomicU64::new(Knowledge::MAX_WORDS);
        let (idle, spent) = (Idle::default(), AtomicU64::new(0));
        Ok(Self { start, idle, left, spent })
    }

    /// Something to walk stacks with.
    pub(super) fn take(&self) -> Walks<'a> {
        let mut walks = self.idle.take(|| Walks::of(&self.start));
        walks.allowed = self.left.load(Ordering::Relaxed).min(MAX_WORDS_OF_ONE);
        walks
    }

    /// Takes it back, with what it has learnt.
    pub(super) fn give(&self, mut walks: Walks<'a>) {
        self.spent.fetch_add(std::mem::take(&mut walks.spent), Ordering::Relaxed);
        self.idle.give(walks);
    }

    /// Takes account of what was read.
    pub(super) fn settle(&self) {
        let spent = self.spent.swap(0, Ordering::Relaxed);
        let left = self.left.load(Ordering::Relaxed).saturating_sub(spent);
        self.left.store(left, Ordering::Relaxed);
    }
}

impl Walks<'_> {
    pub(super) fn of(start: &Arc<Starts>) -> Self {
        Self {
            knowledge: Knowledge::default(),
            processes: HashMap::new(),
            start: Arc::clone(start),
            allowed: MAX_WORDS_OF_ONE,
            spent: 0,
        }
    }
}

impl KernelDump {
    /// What walking stacks starts with.
    pub(super) fn starts(&self) -> Result<Starts, Unanswered> {
        let cpu = self.walked_cpu()?;
        self.has_memory()?;
        let named = |context: Context<'_>| Registers::named(cpu, context.registers());
        let header = self.crash_context().map(named);
        let mut starts = Starts { header, ..Starts::default() };
        for (number, prcb) in self.prcbs().into_iter().enumerate() {
            let Some(prcb) = prcb else { continue };
            let Ok(thread) = prcb.pointer("CurrentThread") else { continue };
            if let Some(stopped) = self.stopped.get(number) {
                let registers = Registers::named(cpu, stopped.registers(self.header.width));
                starts.running.insert(thread, registers);
                continue;
            }
            let at =
                prcb.pointer("Context").or_else(|_| prcb.address_of("ProcessorState.ContextFrame"));
            let Ok(bytes) = at.and_then(|at| self.prefix(at, MAX_CONTEXT)) else { continue };
            let context = self.arch.cpu().and_then(|cpu| Context::new(cpu, &bytes));
            // A processor that was never stopped has an empty record.
            if let Some(context) = context.filter(|context| context.ip().is_some_and(|ip| ip != 0))
            {
                starts.running.insert(thread, named(context));
            }
        }
        Ok(starts)
    }

    /// Asks servers for the names that rows of these stacks need, several at a time.
    pub(super) fn fetch_frames(
        &self,
        want: &Want<'_, Frame>,
        stacks: &Stacks<'_>,
        batch: &[(Seen<'_>, Owner)],
    ) {
        if !self.symbols.may_ask() || !frames::needs_names(want) {
            return;
        }
        let mut walks = stacks.take();
        let mut needed = BTreeSet::new();
        for (seen, _) in batch {
            let Some(thread) = seen.object(self) else { continue };
            let (view, frames) = self.stack_of(&mut walks, &thread, seen.is_crash());
            needed.extend(frames.iter().filter_map(|frame| view.pdb(frame.inside())));
        }
        self.symbols.fetch_all(&needed.into_iter().collect::<Vec<_>>());
    }

    /// The same for rows of threads.
    pub(super) fn fetch_start_symbols(
        &self,
        want: &Want<'_, Thread>,
        stacks: Option<&Stacks<'_>>,
        batch: &[Seen<'_>],
    ) {
        let columns: [(OfRow<Thread>, _); 2] =
            [(|c| c.start_symbol, "StartAddress"), (|c| c.win32_start_symbol, "Win32StartAddress")];
        if !self.symbols.may_ask()
            || !want.has_any(|c| [c.start_symbol, c.win32_start_symbol, c.blocker])
        {
            return;
        }
        let mut walks = stacks.filter(|_| want.has(|c| c.blocker)).map(Stacks::take);
        let mut needed = BTreeSet::new();
        for seen in batch {
            let Some(thread) = seen.object(self) else { continue };
            for (_, path) in columns.iter().filter(|(column, _)| want.has(*column)) {
                needed.extend(thread.pointer(path).ok().and_then(|at| self.pdb_at(at)));
            }
            if let Some(walks) = &mut walks {
                let (view, frames) = self.stack_of(walks, &thread, seen.is_crash());
                let blocking = verdicts::blocking(&view, &frames);
                needed.extend(blocking.and_then(|frame| view.pdb(frame.ip)));
            }
        }
        self.symbols.fetch_all(&needed.into_iter().collect::<Vec<_>>());
    }

    /// What the module that an address lies in says of its PDB.
    pub(super) fn pdb_at(&self, address: u64) -> Option<PdbId> {
        let (base, end) = self.drivers().span(address)?;
        self.pdb_of(base, end)
    }
}
