//! The layouts of the kernel's structures: which layout fits, and for which structures it is
//! accepted.
//!
//! A layout from the kernel's own PDB is accepted, whatever else the dump says. Any other layout is
//! checked field by field (`fit`, `values`) against the debugger data block and against values in
//! memory. A structure that grew keeps its earlier fields. From a layout of another build, a field
//! is accepted if a second layout has it at the same offset.

mod choice;

use std::sync::Arc;

use crate::catalog::{Absent, Cell};
use crate::source::kernel::core::Core;
use crate::source::kernel::core::believed::{Believed, Grounds};
use crate::source::kernel::core::fit::{Fit, Sides, Ty};
use crate::source::kernel::core::published;
use crate::symbol::{Field, Layout};

pub(crate) use crate::source::kernel::core::fit::{PRCB, PROCESS, THREAD};

/// If at least this many facts about a structure agree and none contradicts it, all of it is
/// accepted.
const MANY_FACTS: usize = 6;

/// What is known about the kernel's structures and symbols.
#[derive(Debug, Default)]
pub(crate) struct Types {
    believed: Option<Believed>,
    /// Layouts that the accepted layout is compared with where facts leave doubt.
    witnesses: Vec<Believed>,
    /// The number of processes whose values confirm field offsets.
    processes: usize,
    /// The symbol file of this kernel.
    names: Option<Arc<Layout>>,
    /// Layouts that were tried and do not fit.
    pub(crate) notes: Vec<String>,
}

/// What is reported about the accepted layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The source of the layout.
    pub(crate) label: String,
    /// Why it is accepted.
    pub(crate) grounds: String,
    /// The degree of certainty: `certain`, `likely` or `partial`.
    pub(crate) certainty: &'static str,
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

    /// A field that not every version of the structure has. An error if this version may have it
    /// but its offset is unknown.
    pub(crate) fn optional_field(
        &self,
        ty: &'static str,
        path: &'static str,
    ) -> Cell<Option<Field>> {
        match self.known_field(ty, path) {
            Ok(field) => Ok(Some(field)),
            Err(_) if self.has_field(ty, path) => Err(Absent::NoSymbols),
            Err(_) => Ok(None),
        }
    }

    /// A field, or why it has no value: the known structure lacks it, or the structure is unknown.
    pub(crate) fn known_field(&self, ty: &'static str, path: &'static str) -> Cell<Field> {
        self.field(ty, path).ok_or_else(|| {
            let is_known = self.types().knows(ty) && !self.types().is_doubtful(ty, path);
            if is_known { Absent::NotApplicable } else { Absent::NoSymbols }
        })
    }

    /// Whether the structure has a field in the accepted layout or in the debugger data block. This
    /// distinguishes two forms of a structure even if the offset of the field is unknown.
    pub(crate) fn has_field(&self, ty: &'static str, path: &'static str) -> bool {
        self.types().is_in_layout(ty, path) || self.field(ty, path).is_some()
    }

    /// The size of a structure in the accepted layout.
    pub(crate) fn size_of(&self, ty: &'static str) -> Option<u64> {
        self.types().size_of(ty)
    }

    /// The size of a structure from the debugger data block, else from the accepted layout.
    pub(crate) fn size_in_bytes(&self, ty: &'static str) -> Option<usize> {
        let named = Ty::named(ty).filter(|known| known.name() == ty);
        let stated = named.and_then(|ty| self.kdbg()?.number(ty.size()));
        stated.or_else(|| usize::try_from(self.size_of(ty)?).ok())
    }
}

impl Types {
    fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What is reported about the accepted layout.
    pub(crate) fn said(&self) -> Option<Said> {
        let believed = self.believed.as_ref()?;
        let fits = || believed.fits.iter().flatten();
        let agreeing: usize = fits().map(|fit| fit.agreeing).sum();
        let stated = agreeing + believed.denied();
        let facts = match stated {
            0 => "no offset is stated".to_owned(),
            _ => format!("{agreeing} of {stated} stated offsets and sizes agree"),
        };
        let values = match self.processes {
            0 => String::new(),
            count => format!(", the values of {count} processes confirm it"),
        };
        let (grounds, certainty) = match believed.grounds {
            Grounds::Identity => ("of the same kernel by its PDB or symbols".to_owned(), "certain"),
            Grounds::Whole if believed.is_near => (format!("same build, {facts}"), "likely"),
            Grounds::Whole => (format!("another build, {facts}"), "likely"),
            Grounds::SameBuild => (format!("same build, {facts}{values}"), "partial"),
            Grounds::Nearest => (format!("nearest build, {facts}{values}"), "partial"),
        };
        Some(Said { label: believed.label.clone(), grounds, certainty })
    }

    /// Reports the accepted layout if it is accepted only in part.
    fn say(&mut self) {
        let Some(said) = self.said().filter(|said| said.certainty == "partial") else { return };
        let Said { label, grounds, .. } = said;
        self.note(format!(
            "structures are read with the {label} ({grounds}); fields with an unknown offset have no value"
        ));
    }

    /// A field from the accepted layout, else from the debugger data block.
    fn field(&self, core: &Core, ty: &'static str, path: &'static str) -> Option<Field> {
        let known = self.believed.as_ref().and_then(|believed| {
            let field = believed.layout.constant_field(ty, path)?;
            self.placed(believed, ty, field, |layout| layout.constant_field(ty, path))
        });
        known.or_else(|| {
            let stated = Ty::named(ty)?.stated().iter().find(|(name, ..)| *name == path);
            let (_, number, size) = stated?;
            let size = if *size == 0 { core.header.width.bytes() } else { *size };
            let offset = core.kdbg()?.number(*number)?;
            Some(Field { offset, size, bits: None, is_signed: false })
        })
    }

    /// The field in this kernel that corresponds to a field of the accepted layout, if its offset
    /// is known.
    fn placed(
        &self,
        believed: &Believed,
        ty: &str,
        field: Field,
        of: impl Fn(&Layout) -> Option<Field>,
    ) -> Option<Field> {
        if believed.grounds <= Grounds::Whole {
            return Some(field);
        }
        let is_near = believed.grounds == Grounds::SameBuild;
        let Some(ty) = Ty::named(ty) else {
            return self.is_borne_out(believed, ty, field, &of).then_some(field);
        };
        let fit = believed.fits.get(ty.index())?.as_ref()?;
        let at = |offset| Field { offset, ..field };
        let agrees = |other: &Believed, offset: usize, place: fn(&Fit, usize) -> Option<usize>| {
            let theirs = of(&other.layout)?;
            let fit = other.fits.get(ty.index())?.as_ref()?;
            (Field { offset: place(fit, theirs.offset)?, ..theirs } == at(offset)).then_some(())
        };
        if let Some(offset) = fit.place(field.offset) {
            if fit.is_known(field.offset) {
                return Some(at(offset));
            }
            let denies = |other: &Believed| {
                of(&other.layout).is_some() && agrees(other, offset, Fit::place).is_none()
            };
            // Bit fields may move even if the number that contains them does not.
            let counts = |other: &&Believed| other.is_near || field.bits.is_some();
            let is_denied = self.witnesses.iter().filter(counts).any(denies);
            let mut across = self.witnesses.iter().filter(|other| other.is_across(believed));
            let is_sure = is_near
                || fit.is_whole() && fit.agreeing >= MANY_FACTS
                || across.any(|other| agrees(other, offset, Fit::place).is_some());
            return (is_sure && !is_denied).then(|| at(offset));
        }
        let offset = fit.tail(field.offset)?;
        let mut sides = Sides::default();
        for other in &self.witnesses {
            let agrees = agrees(other, offset, Fit::guess).is_some();
            let theirs = other.fits.get(ty.index()).and_then(Option::as_ref);
            let Some(order) = theirs.and_then(|theirs| theirs.size_against(fit)) else { continue };
            sides.take(order, agrees, other.is_near);
        }
        let is_sure = sides.bear_out(fit.own_size_against()?, is_near);
        is_sure.then(|| at(offset))
    }

    /// Whether a field is where the layout has it, for a structure about which no fact is known.
    /// Updates of a build hardly ever change such a structure, so it is enough that no known update
    /// contradicts the layout. For a layout of another build, one from the other side of the
    /// kernel's build has to agree. If there is none, all layouts have to agree, and the structure
    /// must be one that cannot change without breaking drivers.
    fn is_borne_out(
        &self,
        believed: &Believed,
        ty: &str,
        field: Field,
        of: &impl Fn(&Layout) -> Option<Field>,
    ) -> bool {
        let agrees = |other: &&Believed| of(&other.layout) == Some(field);
        // A nested structure may have grown without moving.
        let is_elsewhere = |theirs: Field| {
            let is_number = theirs.size.max(field.size) <= 8;
            (theirs.offset, theirs.bits) != (field.offset, field.bits)
                || is_number && theirs.size != field.size
        };
        let denies = |other: &&Believed| of(&other.layout).is_some_and(is_elsewhere);
        let mut near = self.witnesses.iter().filter(|other| other.is_near);
        if believed.is_near {
            return !near.any(|other| denies(&other));
        }
        let mut across = self.witnesses.iter().filter(|other| other.is_across(believed));
        across.any(|other| agrees(&other))
            || published::is_published(ty)
                && !self.witnesses.is_empty()
                && self.witnesses.iter().all(|other| agrees(&other))
    }

    /// Whether the accepted layout has the structure, so that a field that it lacks does not exist.
    fn knows(&self, ty: &'static str) -> bool {
        let Some(believed) = &self.believed else { return false };
        believed.layout.constant_size(ty).is_some()
    }

    /// Whether the accepted layout has a field, at whatever offset it is in this kernel.
    fn is_in_layout(&self, ty: &'static str, path: &'static str) -> bool {
        let believed = self.believed.as_ref();
        believed.is_some_and(|believed| believed.layout.constant_field(ty, path).is_some())
    }

    /// Whether it is unknown if this kernel has a field, or at which offset.
    fn is_doubtful(&self, ty: &'static str, path: &'static str) -> bool {
        match self.believed.as_ref().map(|believed| believed.grounds) {
            Some(Grounds::Nearest) => true,
            Some(Grounds::SameBuild) => self.is_in_layout(ty, path),
            _ => false,
        }
    }

    /// The size of a structure from the accepted layout, if it can be trusted.
    fn size_of(&self, ty: &'static str) -> Option<u64> {
        let believed = self.believed.as_ref()?;
        let size = believed.layout.constant_size(ty)?;
        let whole = |size| Some(Field { offset: 0, size, bits: None, is_signed: false });
        let of = |layout: &Layout| whole(usize::try_from(layout.constant_size(ty)?).ok()?);
        let is_sure = believed.grounds != Grounds::Nearest
            || of(&believed.layout)
                .is_some_and(|field| self.is_borne_out(believed, ty, field, &of));
        is_sure.then_some(size)
    }

    /// A field whose name was composed at run time.
    pub(crate) fn made_up(&self, ty: &str, path: &str) -> Option<Field> {
        let believed = self.believed.as_ref()?;
        let field = believed.layout.field(ty, path)?;
        self.placed(believed, ty, field, |layout| layout.field(ty, path))
    }

    /// The file with the symbols of this kernel.
    pub(crate) const fn names(&self) -> Option<&Arc<Layout>> {
        self.names.as_ref()
    }

    /// The accepted layout, if everything in it about a type is accepted.
    pub(crate) fn layout_of(&self, ty: &str) -> Option<Arc<Layout>> {
        let believed = self.believed.as_ref()?;
        let is_sure = match believed.grounds {
            Grounds::Identity | Grounds::Whole => true,
            // A `_KPCR` contains a `_KPRCB`.
            Grounds::SameBuild => Ty::named(ty).is_none() && ty != "_KPCR",
            Grounds::Nearest => false,
        };
        is_sure.then(|| Arc::clone(&believed.layout))
    }

    /// The accepted layout, and its source.
    pub(crate) fn source(&self) -> Option<(&Layout, &str)> {
        self.believed.as_ref().map(|believed| (&*believed.layout, &*believed.label))
    }
}
