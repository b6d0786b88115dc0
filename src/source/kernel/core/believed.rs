//! A layout that is believed, and why.

use std::sync::Arc;

use crate::source::kernel::core::fit::{Fit, Ty};
use crate::source::kernel::core::values::SeenFields;
use crate::symbol::Layout;

/// A layout that is believed, and what is known of how it fits.
#[derive(Debug, Clone)]
pub(super) struct Believed {
    pub(super) layout: Arc<Layout>,
    pub(super) label: String,
    pub(super) grounds: Grounds,
    /// Whether it is of the same build, and whether of a later one.
    pub(super) is_near: bool,
    pub(super) is_later: bool,
    /// For each structure of which facts are stated how it fits.
    pub(super) fits: [Option<Fit>; 3],
}

/// Why a layout is believed, the best reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grounds {
    /// It is of the kernel's PDB.
    Identity,
    /// The symbol path names it, or it is of the same build; nothing that is stated denies it.
    Whole,
    /// It is of the same build, but some of what is stated denies it.
    SameBuild,
    /// It is the nearest.
    Nearest,
}

impl Believed {
    /// Whether the kernel lies in time between this layout and another.
    pub(super) const fn is_across(&self, other: &Self) -> bool {
        !self.is_near && !other.is_near && self.is_later != other.is_later
    }

    /// How many facts deny it.
    pub(super) fn denied(&self) -> usize {
        self.fits.iter().flatten().map(|fit| fit.denying.len()).sum()
    }

    /// Whether facts or values have to say how far it can be believed.
    pub(super) fn is_doubtful(&self) -> bool {
        let is_stated = self.fits.iter().flatten().any(|fit| fit.agreeing > 0);
        self.grounds >= Grounds::SameBuild || self.grounds == Grounds::Whole && !is_stated
    }

    /// Whether values show a field elsewhere.
    pub(super) fn is_denied_by(&self, seen: &SeenFields) -> bool {
        let there = |ty: Ty, path| self.layout.field(ty.name(), path).map(|field| field.offset);
        let differs = |(ty, path, place): (Ty, _, Option<usize>)| {
            place.zip(there(ty, path)).is_some_and(|(here, there)| here != there)
        };
        places(seen).into_iter().any(differs)
    }

    /// Adds where fields are by their values.
    pub(super) fn seen(&mut self, seen: &SeenFields) {
        for (ty, path, place) in places(seen) {
            let field = self.layout.field(ty.name(), path);
            let fit = self.fits.get_mut(ty.index()).and_then(Option::as_mut);
            if let (Some(field), Some(fit), Some(place)) = (field, fit, place) {
                fit.seen(field.offset, place);
            }
        }
    }
}

/// Fields, and where values show that they are.
const fn places(seen: &SeenFields) -> [(Ty, &'static str, Option<usize>); 6] {
    [
        (Ty::Process, "ActiveProcessLinks", seen.links),
        (Ty::Process, "UniqueProcessId", seen.pid),
        (Ty::Process, "ImageFileName", seen.name),
        (Ty::Process, "ThreadListHead", seen.threads),
        (Ty::Thread, "ThreadListEntry", seen.entry),
        (Ty::Thread, "Cid", seen.cid),
    ]
}
