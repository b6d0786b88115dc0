//! Chooses the layout that is accepted, with the reason.

use std::sync::Arc;

use super::Types;
use crate::dump::kdbg;
use crate::source::kernel::core::believed::{Believed, Grounds};
use crate::source::kernel::core::fit::{Fit, PROCESS, THREAD, Ty};
use crate::source::kernel::core::values::SeenFields;
use crate::source::kernel::core::{Core, values};
use crate::symbol::{Candidate, Closeness, Layout, Store, Wanted};

/// Fewer symbols that agree with the debugger data block may be a coincidence.
const MIN_SYMBOLS: usize = 3;
/// Upper limit on the layouts that the accepted layout is compared with.
const MAX_WITNESSES: usize = 16;

/// Whether the layouts found so far make a further search unnecessary.
fn is_enough(found: &[Believed]) -> bool {
    let is_sure = |believed: &Believed| believed.grounds <= Grounds::Whole;
    found.iter().any(is_sure)
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
    // Debuggers may be given the address of a copy of a variable, but not of many.
    agreeing >= MIN_SYMBOLS + 4 * denying
}

impl Types {
    /// Chooses among the layouts of a store.
    pub(crate) fn choose(core: &Core, store: &Store) -> Self {
        let mut types = Self::default();
        let pdb = core.kernel_pdb();
        let wanted = Wanted {
            build: core.header.build.or_else(|| core.build_of_lab()).unwrap_or_default(),
            service_pack: core.service_pack().unwrap_or_default(),
            arch: core.arch.name(),
            revision: core.revision_of_lab(),
            pdb: pdb.as_ref(),
        };
        let mut found: Vec<Believed> = Vec::new();
        for candidate in store.candidates(&wanted) {
            let may_have_names = candidate.closeness <= Closeness::Unknown && !store.is_empty();
            if is_enough(&found) && (types.names.is_some() || !may_have_names) {
                break;
            }
            let is_named = candidate.closeness == Closeness::Named;
            if !is_named && store.is_foreign(&candidate, wanted.arch) {
                continue;
            }
            match store.load(&candidate) {
                Ok(layout) => found.extend(types.judge(core, &layout, &wanted, &candidate)),
                Err(error) => types.notes.push(error.to_string()),
            }
        }
        // Of layouts with equal grounds, the one that fewer facts contradict comes first, then the
        // likelier one.
        found.sort_by_key(|believed| (believed.grounds, believed.denied()));
        let mut found = found.into_iter();
        types.believed = found.next();
        types.witnesses = found.take(MAX_WITNESSES).collect();
        types.look(core);
        if types.believed.is_none() {
            types.notes.push("no layout fits this kernel".to_owned());
        }
        types.say();
        types
    }

    /// Evaluates a layout; `None` if nothing in it can be accepted.
    pub(super) fn judge(
        &mut self,
        core: &Core,
        layout: &Arc<Layout>,
        wanted: &Wanted<'_>,
        candidate: &Candidate,
    ) -> Option<Believed> {
        let label = &candidate.label;
        if let Some(arch) = layout.arch().filter(|arch| *arch != wanted.arch) {
            self.note(format!("{label}: a layout for {arch}, the dump is from {}", wanted.arch));
            return None;
        }
        let pdb = wanted.pdb.map(|id| (id.guid.as_str(), id.age));
        let is_of_pdb = layout.pdb().is_some() && layout.pdb() == pdb;
        let is_by_name = candidate.closeness == Closeness::SamePdb;
        let is_misnamed = is_by_name && layout.pdb().is_some() && !is_of_pdb;
        if is_misnamed {
            self.note(format!("{label}: it is of another build than its name says"));
        }
        let has_names = is_of_pdb || symbols_agree(core, layout);
        if has_names && self.names.is_none() {
            self.names = Some(Arc::clone(layout));
        }
        let fits = Ty::ALL.map(|ty| Fit::of(core.kdbg(), layout, ty));
        if fits.iter().all(Option::is_none) {
            // The file has only symbols.
            return None;
        }
        let denied = fits.iter().flatten().find_map(|fit| fit.denying.first()).cloned();
        let agreeing: usize = fits.iter().flatten().map(|fit| fit.agreeing).sum();
        let lacks = Ty::ALL.into_iter().zip(&fits).find(|(_, fit)| fit.is_none());
        let lacks = lacks.map(|(ty, _)| format!("it has no {}", ty.name()));
        let because = denied.or(lacks);
        let is_near = candidate.closeness <= Closeness::SameBuild && !is_misnamed;
        let denying: usize = fits.iter().flatten().map(|fit| fit.denying.len()).sum();
        // For a layout of another build, more facts have to agree than contradict it. A layout of
        // the same build is checked field by field.
        let is_mostly_true = agreeing > denying;
        let grounds = if has_names || is_by_name && !is_misnamed {
            Grounds::Identity
        } else if because.is_none() && (is_near || agreeing > 0) {
            Grounds::Whole
        } else if candidate.closeness == Closeness::SameBuild {
            Grounds::SameBuild
        } else if candidate.closeness == Closeness::OtherBuild && is_mostly_true {
            Grounds::Nearest
        } else {
            // A layout that the user named, or of unknown build, has to fit.
            if let Some(because) = because.filter(|_| candidate.closeness <= Closeness::SamePdb) {
                self.note(format!("{label}: {because}"));
            }
            return None;
        };
        if let Some(because) = because.filter(|_| grounds == Grounds::Identity) {
            self.note(format!(
                "the debugger data block may be damaged, as {label} of the kernel's own PDB differs: \
                 {because}"
            ));
        }
        let build =
            layout.version().and_then(|version| version.split(['.', ' ']).nth(2)?.parse().ok());
        let is_later = build.is_some_and(|build: u32| build > wanted.build);
        let (layout, label) = (Arc::clone(layout), label.clone());
        Some(Believed { layout, label, grounds, is_near, is_later, fits })
    }

    /// Adds what values show, if the facts leave doubt.
    pub(super) fn look(&mut self, core: &Core) {
        let Some(believed) = self.believed.as_mut().filter(|believed| believed.is_doubtful())
        else {
            self.witnesses.clear();
            return;
        };
        let place = |ty: &'static str, path, number| {
            let stated = core.kdbg().and_then(|kdbg| kdbg.number(number));
            stated.or_else(|| Some(believed.layout.field(ty, path)?.offset))
        };
        let dtb = place(PROCESS, "Pcb.DirectoryTableBase", kdbg::PROCESS_DTB);
        let owner = place(THREAD, "Tcb.ApcState.Process", kdbg::THREAD_PROCESS);
        let seen = match dtb.zip(owner) {
            Some((dtb, owner)) => values::look(core, dtb, owner),
            None => SeenFields::default(),
        };
        self.processes = seen.processes;
        // No fact contradicts the layout, but values do.
        if believed.grounds == Grounds::Whole && believed.is_denied_by(&seen) {
            believed.grounds = Grounds::SameBuild;
        }
        for believed in self.believed.iter_mut().chain(&mut self.witnesses) {
            believed.seen(&seen);
        }
    }
}
