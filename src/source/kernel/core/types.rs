//! The layouts of the kernel's structures: which layout fits, and for which structures it is
//! accepted.
//!
//! The debugger data block contains offsets and sizes of the kernel that wrote the dump. They have
//! priority. A layout adds the rest, and each of its structures is accepted only if it agrees with
//! them. A layout of another build therefore gives no wrong values, and is often still useful.

use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::dump::kdbg::{self, Kdbg, Number};
use crate::source::kernel::core::Core;
use crate::symbol::{Closeness, Field, Layout, Store, Wanted};

/// Fewer symbols that agree with the debugger data block may be a coincidence.
const MIN_SYMBOLS: usize = 3;

/// The names of the structures that most readers start from.
pub(crate) const THREAD: &str = "_ETHREAD";
pub(crate) const PROCESS: &str = "_EPROCESS";
pub(crate) const PRCB: &str = "_KPRCB";

/// A structure for which the debugger data block contains offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ty {
    Thread,
    Process,
    Prcb,
}

/// An offset in the debugger data block: field, location of the offset, size of the field in bytes
/// (0: a pointer).
type Stated = (&'static str, Number, usize);

const OF_THREAD: &[Stated] = &[
    ("Tcb.NextProcessor", kdbg::THREAD_NEXT_PROCESSOR, 4),
    ("Tcb.Teb", kdbg::THREAD_TEB, 0),
    ("Tcb.KernelStack", kdbg::THREAD_KERNEL_STACK, 0),
    ("Tcb.InitialStack", kdbg::THREAD_INITIAL_STACK, 0),
    ("Tcb.ApcState.Process", kdbg::THREAD_PROCESS, 0),
    ("Tcb.State", kdbg::THREAD_STATE, 1),
    ("Tcb.StackLimit", kdbg::THREAD_STACK_LIMIT, 0),
    ("Tcb.StackBase", kdbg::THREAD_STACK_BASE, 0),
    ("IrpList", kdbg::THREAD_IRP_LIST, 0),
    ("Tcb.WaitReason", kdbg::THREAD_WAIT_REASON, 1),
];
const OF_PROCESS: &[Stated] = &[
    ("Peb", kdbg::PROCESS_PEB, 0),
    ("InheritedFromUniqueProcessId", kdbg::PROCESS_PARENT, 0),
    ("Pcb.DirectoryTableBase", kdbg::PROCESS_DTB, 0),
];
const OF_PRCB: &[Stated] = &[
    ("CurrentThread", kdbg::PRCB_CURRENT_THREAD, 0),
    ("IdleThread", kdbg::PRCB_IDLE_THREAD, 0),
    ("MHz", kdbg::PRCB_MHZ, 4),
    ("VendorString", kdbg::PRCB_VENDOR, 13),
    ("Number", kdbg::PRCB_NUMBER, 4),
    ("Context", kdbg::PRCB_CONTEXT, 0),
];

/// What is known of the kernel's structures and symbols.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// The accepted layout of each structure.
    layouts: [Option<Arc<Layout>>; 3],
    /// Whether the same layout is accepted for all of them.
    is_whole: bool,
    /// The file whose symbols are accepted.
    names: Option<Arc<Layout>>,
    /// Where the accepted layout of threads comes from.
    label: String,
    /// What was tried and did not fit.
    pub(crate) notes: Vec<String>,
}

/// How a layout compares with the kernel.
struct Verdict {
    /// For each structure whether it is accepted.
    trusted: [bool; 3],
    /// Whether its symbols are those of exactly this kernel build.
    has_names: bool,
    /// The first disagreement.
    because: Option<String>,
}

impl Ty {
    const ALL: [Self; 3] = [Self::Thread, Self::Process, Self::Prcb];

    /// The structure with this name, if it is one of them.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Thread => THREAD,
            Self::Process => PROCESS,
            Self::Prcb => PRCB,
        }
    }

    const fn stated(self) -> &'static [Stated] {
        match self {
            Self::Thread => OF_THREAD,
            Self::Process => OF_PROCESS,
            Self::Prcb => OF_PRCB,
        }
    }

    const fn size(self) -> Number {
        match self {
            Self::Thread => kdbg::THREAD_SIZE,
            Self::Process => kdbg::PROCESS_SIZE,
            Self::Prcb => kdbg::PRCB_SIZE,
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

impl Core {
    /// A field of a structure, if the accepted layout has it.
    pub(crate) fn field(&self, ty: &'static str, path: &'static str) -> Option<Field> {
        self.types().field(self, ty, path)
    }

    /// The first of some fields that the structure has, because versions differ in field names.
    pub(crate) fn field_of(&self, ty: &'static str, paths: &[&'static str]) -> Option<Field> {
        paths.iter().find_map(|path| self.field(ty, path))
    }

    /// A field, or why it has no value: the known structure lacks it, or the structure is unknown.
    pub(crate) fn known_field(&self, ty: &'static str, path: &'static str) -> Cell<Field> {
        self.field(ty, path).ok_or_else(|| {
            if self.types().knows(ty) { Absent::NotApplicable } else { Absent::NoSymbols }
        })
    }

    /// Whether the accepted layout has a field.
    pub(crate) fn knows(&self, ty: &'static str, path: &'static str) -> bool {
        self.field(ty, path).is_some()
    }

    /// The size of a structure in the accepted layout.
    pub(crate) fn size_of(&self, ty: &'static str) -> Option<u64> {
        self.types().layout_of(ty)?.constant_size(ty)
    }

    /// The size of a structure from the debugger data block, else from the accepted layout.
    pub(crate) fn size_in_bytes(&self, ty: &'static str) -> Option<usize> {
        let stated = Ty::named(ty).and_then(|ty| self.kdbg()?.number(ty.size()));
        stated.or_else(|| usize::try_from(self.size_of(ty)?).ok())
    }
}

impl Types {
    /// Chooses among the layouts of the store.
    pub(crate) fn choose(core: &Core, store: &Store) -> Self {
        let mut types = Self::default();
        let pdb = core.kernel_pdb();
        let wanted = Wanted {
            build: core.header.build.unwrap_or_default(),
            service_pack: core.service_pack().unwrap_or_default(),
            arch: core.arch.name(),
            pdb: pdb.as_ref(),
        };
        for candidate in store.candidates(&wanted) {
            let may_have_names = candidate.closeness <= Closeness::Unknown && !store.is_empty();
            let is_near = candidate.closeness <= Closeness::SameBuild;
            let is_enough = types.layouts.iter().all(Option::is_some);
            if is_enough
                && (types.is_whole || !is_near)
                && (types.names.is_some() || !may_have_names)
            {
                break;
            }
            let is_named = candidate.closeness == Closeness::Named;
            if !is_named && store.is_foreign(&candidate, wanted.arch) {
                continue;
            }
            match store.load(&candidate) {
                Ok(layout) => {
                    let verdict = judge(core, &layout, &wanted, candidate.closeness);
                    types.take(&layout, &verdict, &candidate.label, candidate.closeness);
                }
                Err(error) => types.notes.push(error.to_string()),
            }
        }
        for ty in Ty::ALL {
            if types.layouts.get(ty.index()).is_some_and(Option::is_none) {
                types.notes.push(format!("no layout of {} fits this kernel", ty.name()));
            }
        }
        types
    }

    fn take(&mut self, layout: &Arc<Layout>, verdict: &Verdict, label: &str, closeness: Closeness) {
        if verdict.has_names && self.names.is_none() {
            self.names = Some(Arc::clone(layout));
        }
        // Among layouts of one build, that of another update may fit in part.
        let fits = verdict.trusted.iter().all(|trusted| *trusted);
        let is_better = fits && !self.is_whole;
        if verdict.trusted[0] && (self.label.is_empty() || is_better || verdict.has_names) {
            label.clone_into(&mut self.label);
        }
        self.is_whole |= fits;
        for (slot, trusted) in self.layouts.iter_mut().zip(verdict.trusted) {
            // The layout of exactly this kernel build replaces one that merely fits.
            if trusted && (slot.is_none() || is_better || verdict.has_names) {
                *slot = Some(Arc::clone(layout));
            }
        }
        let said = closeness <= Closeness::SamePdb && !fits;
        if let Some(because) = verdict.because.as_ref().filter(|_| said) {
            self.notes.push(format!("{label}: {because}"));
        }
    }

    /// The accepted layout for a structure; a structure that is not checked separately uses the
    /// layout of threads.
    fn layout_of(&self, ty: &str) -> Option<&Arc<Layout>> {
        self.layouts.get(Ty::named(ty).map_or(0, Ty::index))?.as_ref()
    }

    /// A field from the accepted layout, else from the debugger data block.
    fn field(&self, core: &Core, ty: &'static str, path: &'static str) -> Option<Field> {
        let known = self.layout_of(ty).and_then(|layout| layout.constant_field(ty, path));
        known.or_else(|| {
            let stated = Ty::named(ty)?.stated().iter().find(|(name, ..)| *name == path);
            let (_, number, size) = stated?;
            let size = if *size == 0 { core.header.width.bytes() } else { *size };
            let offset = core.kdbg()?.number(*number)?;
            Some(Field { offset, size, bits: None, is_signed: false })
        })
    }

    /// Whether an accepted layout has the structure, so that a missing field does not exist.
    fn knows(&self, ty: &'static str) -> bool {
        let layout = self.layout_of(ty);
        layout.is_some_and(|layout| Ty::named(ty).is_some() || layout.constant_size(ty).is_some())
    }

    /// The same for a name that is computed at run time.
    pub(crate) fn made_up(&self, ty: &str, path: &str) -> Option<Field> {
        self.layouts.first()?.as_ref()?.field(ty, path)
    }

    /// The file with the symbols of this kernel.
    pub(crate) const fn names(&self) -> Option<&Arc<Layout>> {
        self.names.as_ref()
    }

    /// The same, for keeping.
    pub(crate) fn layout(&self) -> Option<Arc<Layout>> {
        self.layouts.first()?.clone()
    }

    /// The accepted layout of threads, and where it comes from.
    pub(crate) fn source(&self) -> Option<(&Layout, &str)> {
        Some((self.layouts.first()?.as_ref()?, &self.label))
    }
}

fn judge(core: &Core, layout: &Layout, wanted: &Wanted<'_>, closeness: Closeness) -> Verdict {
    let mut verdict = Verdict { trusted: [false; 3], has_names: false, because: None };
    if layout.arch().is_some_and(|arch| arch != wanted.arch) {
        let arch = layout.arch().unwrap_or_default();
        verdict.because = Some(format!("a layout for {arch}, the dump is from {}", wanted.arch));
        return verdict;
    }
    let kdbg = core.kdbg();
    let inside = layout.pdb().map(|(guid, _)| guid);
    let is_misnamed = closeness == Closeness::SamePdb
        && inside.zip(wanted.pdb).is_some_and(|(guid, id)| guid != id.guid);
    if is_misnamed {
        let because = "it is of another build than its name says";
        verdict.because = Some(because.to_owned());
    }
    let is_near = closeness <= Closeness::SameBuild && !is_misnamed;
    for (ty, trusted) in Ty::ALL.into_iter().zip(&mut verdict.trusted) {
        match disagreement(kdbg, layout, ty) {
            Ok(agreeing) => *trusted = agreeing > 0 || is_near,
            Err(because) => {
                verdict.because.get_or_insert(because);
            }
        }
    }
    let is_same_pdb =
        layout.pdb().is_some() && layout.pdb() == wanted.pdb.map(|id| (id.guid.as_str(), id.age));
    verdict.has_names = is_same_pdb || symbols_agree(core, layout);
    verdict
}

/// The number of offsets in the debugger data block that a structure agrees with, or the first
/// disagreement.
fn disagreement(kdbg: Option<Kdbg<'_>>, layout: &Layout, ty: Ty) -> Result<usize, String> {
    let name = ty.name();
    let Some(size) = layout.size_of(name) else { return Err(format!("it has no {name}")) };
    let Some(kdbg) = kdbg else { return Ok(0) };
    let mut agreeing = 0;
    if let Some(stated) = kdbg.number(ty.size()) {
        if stated as u64 != size {
            return Err(format!("its {name} has {size} bytes, the kernel's has {stated}"));
        }
        agreeing += 1;
    }
    for (path, number, _) in ty.stated() {
        let Some((stated, field)) = kdbg.number(*number).zip(layout.field(name, path)) else {
            continue;
        };
        if stated != field.offset {
            let there = field.offset;
            return Err(format!("its {name}.{path} is at {there:#x}, the kernel's at {stated:#x}"));
        }
        agreeing += 1;
    }
    Ok(agreeing)
}

/// Whether the symbols of a file are at the addresses that the debugger data block gives.
fn symbols_agree(core: &Core, layout: &Layout) -> bool {
    let (Some(kdbg), Some(base)) = (core.kdbg(), core.kernel_base()) else { return false };
    let mut agreeing = 0;
    let mut denying = 0;
    for (name, offset) in kdbg::POINTERS {
        let stated = kdbg.pointer(*offset).and_then(|address| address.checked_sub(base));
        let Some((stated, symbol)) = stated.zip(layout.symbol(name)) else { continue };
        let count = if stated == symbol { &mut agreeing } else { &mut denying };
        *count += 1;
    }
    // A kernel may give debuggers the address of a copy of a variable, but not of many.
    agreeing >= MIN_SYMBOLS + 4 * denying
}
