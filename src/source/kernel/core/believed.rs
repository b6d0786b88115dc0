//! A layout accepted for this kernel, and the reason for accepting it.

use std::sync::Arc;

use crate::source::kernel::core::fit::{Fit, Ty};
use crate::source::kernel::core::values::SeenFields;
use crate::symbol::Layout;

/// An accepted layout, and how its structures compare with those of the kernel.
#[derive(Debug, Clone)]
pub(super) struct Believed {
    pub(super) layout: Arc<Layout>,
    pub(super) label: String,
    pub(super) grounds: Grounds,
    /// Whether the layout is of the kernel's build, and whether it is of a later build.
    pub(super) is_near: bool,
    pub(super) is_later: bool,
    /// How each structure that the debugger data block describes compares with the kernel's.
    pub(super) fits: [Option<Fit>; 3],
}

/// Why a layout is accepted, the strongest reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grounds {
    /// The layout is that of the kernel's PDB.
    Identity,
    /// The layout was named on the symbol path or is of the same build, and no fact contradicts it.
    Whole,
    /// The layout is of the same build, but some facts contradict it.
    SameBuild,
    /// The layout is of the nearest build.
    Nearest,
}

impl Believed {
    /// Whether the kernel's build is between the builds of this layout and of another.
    pub(super) const fn is_across(&self, other: &Self) -> bool {
        !self.is_near && !other.is_near && self.is_later != other.is_later
    }

    /// The number of facts that contradict the layout.
    pub(super) fn denied(&self) -> usize {
        self.fits.iter().flatten().map(|fit| fit.denying.len()).sum()
    }

    /// Whether facts or values must confirm the layout field by field.
    pub(super) fn is_doubtful(&self) -> bool {
        let is_stated = self.fits.iter().flatten().any(|fit| fit.agreeing > 0);
        self.grounds >= Grounds::SameBuild || self.grounds == Grounds::Whole && !is_stated
    }

    /// Whether the values in memory show a field at another offset.
    pub(super) fn is_denied_by(&self, seen: &SeenFields) -> bool {
        let there = |ty: Ty, path| self.layout.field(ty.name(), path).map(|field| field.offset);
        let differs = |(ty, path, place): (Ty, _, Option<usize>)| {
            place.zip(there(ty, path)).is_some_and(|(here, there)| here != there)
        };
        places(seen).into_iter().any(differs)
    }

    /// Adds the field offsets that were derived from values.
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

/// Fields, and their offsets derived from values.
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
