//! State that stack walks share: the registers of running threads, what is known about images and
//! processes, and how much memory may be read.
//!
//! Stacks are walked on several cores, and symbols are fetched for several modules at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Unanswered;
use crate::source::context::Context;
use crate::source::kernel::batches::Idle;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::arch::Arch;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::process::images::ProcessImages;
use crate::source::kernel::scheduler::prcbs;
use crate::unwind::{Cpu, Knowledge, Registers};

/// How many words the walk of one stack may read.
const MAX_WORDS_OF_ONE: u64 = 1 << 16;
const MAX_CONTEXT: usize = 0x4d0;

/// What is learnt while stacks are walked one after the other.
pub(crate) struct Walks<'a> {
    pub(crate) knowledge: Knowledge,
    /// The memory and the images of processes.
    pub(crate) processes: HashMap<u64, (Space<'a>, Arc<ProcessImages>)>,
    pub(crate) start: Arc<Starts>,
    /// How many words the walk of a stack may read.
    pub(crate) allowed: u64,
    /// How many were read.
    pub(crate) spent: u64,
}

/// The registers of running threads.
#[derive(Default)]
pub(crate) struct Starts {
    /// The registers in the dump's header.
    pub(crate) header: Option<Registers>,
    /// The registers of processors, by the thread that each ran.
    pub(crate) running: HashMap<u64, Registers>,
}

/// What several cores need to walk stacks in parallel. The result of a walk does not depend on the
/// other walks.
pub(crate) struct Stacks<'a> {
    start: Arc<Starts>,
    idle: Idle<Walks<'a>>,
    /// How many words walks may still read, up to the next `settle`.
    left: AtomicU64,
    /// How many words were read since the last `settle`.
    spent: AtomicU64,
}

/// The processor architecture whose stacks are walked, or why none is.
pub(crate) fn walked_cpu(core: &Core) -> Result<Cpu, Unanswered> {
    match core.arch {
        Arch::X86 => Ok(Cpu::X86),
        Arch::X64 => Ok(Cpu::X64),
        Arch::Arm64 => Ok(Cpu::Arm64),
        _ => Err(Unanswered::because(
            "stack walks for the dump's processor architecture are not supported",
        )),
    }
}

impl<'a> Stacks<'a> {
    pub(crate) fn of(core: &'a Core) -> Result<Self, Unanswered> {
        let start = Arc::new(starts(core)?);
        let left = AtomicU64::new(Knowledge::MAX_WORDS);
        let (idle, spent) = (Idle::default(), AtomicU64::new(0));
        Ok(Self { start, idle, left, spent })
    }

    /// Takes the state for one walk.
    pub(crate) fn take(&self) -> Walks<'a> {
        let mut walks = self.idle.take(|| Walks::of(&self.start));
        walks.allowed = self.left.load(Ordering::Relaxed).min(MAX_WORDS_OF_ONE);
        walks
    }

    /// Returns it with what the walk has learnt.
    pub(crate) fn give(&self, mut walks: Walks<'a>) {
        self.spent.fetch_add(std::mem::take(&mut walks.spent), Ordering::Relaxed);
        self.idle.give(walks);
    }

    /// Subtracts what was read.
    pub(crate) fn settle(&self) {
        let spent = self.spent.swap(0, Ordering::Relaxed);
        let left = self.left.load(Ordering::Relaxed).saturating_sub(spent);
        self.left.store(left, Ordering::Relaxed);
    }
}

impl Walks<'_> {
    pub(crate) fn of(start: &Arc<Starts>) -> Self {
        Self {
            knowledge: Knowledge::default(),
            processes: HashMap::new(),
            start: Arc::clone(start),
            allowed: MAX_WORDS_OF_ONE,
            spent: 0,
        }
    }
}

/// The registers with which walks start.
pub(crate) fn starts(core: &Core) -> Result<Starts, Unanswered> {
    let cpu = walked_cpu(core)?;
    core.has_memory()?;
    let named = |context: Context<'_>| Registers::named(cpu, context.registers());
    let header = core.crash_context().map(named);
    let mut starts = Starts { header, ..Starts::default() };
    for (number, prcb) in prcbs::prcbs(core).into_iter().enumerate() {
        let Some(prcb) = prcb else { continue };
        let Ok(thread) = prcb.pointer("CurrentThread") else { continue };
        if let Some(stopped) = core.stopped.get(number) {
            let registers = Registers::named(cpu, stopped.registers(core.header.width));
            starts.running.insert(thread, registers);
            continue;
        }
        let at = prcb.pointer("Context").or_else(|_| prcb.at("ProcessorState.ContextFrame"));
        let Ok(bytes) = at.and_then(|at| core.prefix(at, MAX_CONTEXT)) else { continue };
        let context = core.arch.cpu().and_then(|cpu| Context::new(cpu, &bytes));
        // A processor that was never stopped has an empty context record.
        if let Some(context) = context.filter(|context| context.ip().is_some_and(|ip| ip != 0)) {
            starts.running.insert(thread, named(context));
        }
    }
    Ok(starts)
}
