//! How the layout of a structure fits this kernel, field by field.
//!
//! The debugger data block gives the offsets of some fields and the size of the structure; values
//! in memory give the offsets of others. If two such known fields moved by the same distance, the
//! fields between them moved by that distance too. If they moved by different distances, a field
//! was added or removed between them, and the offsets between them are unknown.

use std::cmp::Ordering;

use crate::dump::kdbg::{self, Kdbg, Number};
use crate::symbol::Layout;

/// The names of the structures that most readers start from.
pub(crate) const THREAD: &str = "_ETHREAD";
pub(crate) const PROCESS: &str = "_EPROCESS";
pub(crate) const PRCB: &str = "_KPRCB";

/// A structure that the debugger data block describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ty {
    Thread,
    Process,
    Prcb,
}

/// A fact in the debugger data block: field, offset, size in bytes (0: a pointer).
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

impl Ty {
    pub(super) const ALL: [Self; 3] = [Self::Thread, Self::Process, Self::Prcb];

    /// The structure with this name, or the one that begins with it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            THREAD | "_KTHREAD" => Some(Self::Thread),
            PROCESS | "_KPROCESS" => Some(Self::Process),
            PRCB => Some(Self::Prcb),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Thread => THREAD,
            Self::Process => PROCESS,
            Self::Prcb => PRCB,
        }
    }

    pub(super) const fn stated(self) -> &'static [Stated] {
        match self {
            Self::Thread => OF_THREAD,
            Self::Process => OF_PROCESS,
            Self::Prcb => OF_PRCB,
        }
    }

    pub(super) const fn size(self) -> Number {
        match self {
            Self::Thread => kdbg::THREAD_SIZE,
            Self::Process => kdbg::PROCESS_SIZE,
            Self::Prcb => kdbg::PRCB_SIZE,
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// How a structure of a layout compares with the kernel's.
#[derive(Debug, Clone, Default)]
pub(super) struct Fit {
    /// Field offsets in the layout and the corresponding offsets in this kernel; sorted.
    places: Vec<(usize, usize)>,
    /// How many facts agree, and for each fact that contradicts the layout the end of a sentence.
    pub(super) agreeing: usize,
    pub(super) denying: Vec<String>,
    /// The size of the structure in the layout, and in the debugger data block.
    size: usize,
    stated_size: Option<usize>,
}

/// What other layouts say about the offset of a field at the end of a structure whose size changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sides {
    /// Whether a layout agrees whose structure is not larger than the kernel's.
    is_below: bool,
    /// Whether a layout agrees whose structure is not smaller than the kernel's.
    is_above: bool,
    /// The result from the layouts of the same build, if there are any.
    near: Option<Near>,
}

/// The result from layouts of the same build, the strongest contradiction last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Near {
    /// All agree, and all their structures are smaller than the kernel's.
    Smaller,
    /// One agrees whose structure is not smaller than the kernel's.
    Reached,
    /// One has the field at another offset.
    Denied,
}

impl Sides {
    /// Adds the result from a layout; `size` compares the size of its structure with the kernel's.
    pub(super) fn take(&mut self, size: Ordering, agrees: bool, is_near: bool) {
        self.is_below |= agrees && size.is_le();
        self.is_above |= agrees && size.is_ge();
        let near = match (is_near, agrees) {
            (true, false) => Some(Near::Denied),
            (true, true) if size.is_ge() => Some(Near::Reached),
            (true, true) => Some(Near::Smaller),
            (false, _) => None,
        };
        self.near = self.near.max(near);
    }

    /// Whether the other layouts confirm the offset in a layout; `own` compares the size of its
    /// structure with the kernel's. They do if the kernel's size lies between the sizes in two
    /// layouts that agree, or if it is larger than in all known updates of the build and these
    /// agree.
    pub(super) fn bear_out(self, own: Ordering, is_near: bool) -> bool {
        if self.near == Some(Near::Denied) {
            return false;
        }
        match own {
            Ordering::Less => self.is_above || is_near && self.near == Some(Near::Smaller),
            Ordering::Greater => self.is_below,
            // If the size is the same, it is unknown which fields moved.
            Ordering::Equal => false,
        }
    }
}

impl Fit {
    /// Compares a structure with the debugger data block; `None` if the layout lacks the structure.
    pub(super) fn of(kdbg: Option<Kdbg<'_>>, layout: &Layout, ty: Ty) -> Option<Self> {
        let name = ty.name();
        let size = usize::try_from(layout.size_of(name)?).ok()?;
        let mut fit = Self { size, ..Self::default() };
        let Some(kdbg) = kdbg else { return Some(fit) };
        if let Some(stated) = kdbg.number(ty.size()) {
            fit.stated_size = Some(stated);
            fit.take(size, stated, || {
                format!("its {name} has {size} bytes, the kernel's has {stated}")
            });
        }
        for (path, number, _) in ty.stated() {
            let field = layout.field(name, path);
            let Some((stated, field)) = kdbg.number(*number).zip(field) else { continue };
            let there = field.offset;
            fit.take(there, stated, || {
                format!("its {name}.{path} is at {there:#x}, the kernel's at {stated:#x}")
            });
        }
        fit.places.push((0, 0));
        fit.places.sort_unstable();
        Some(fit)
    }

    fn take(&mut self, there: usize, here: usize, because: impl FnOnce() -> String) {
        self.places.push((there, here));
        if there == here {
            self.agreeing += 1;
        } else {
            self.denying.push(because());
        }
    }

    /// Adds the offset of a field that was derived from values.
    pub(super) fn seen(&mut self, there: usize, here: usize) {
        let at = self.places.partition_point(|(place, _)| *place < there);
        if self.places.get(at).is_some_and(|(place, _)| *place == there) {
            return;
        }
        self.places.insert(at, (there, here));
    }

    /// Whether no fact contradicts the layout.
    pub(super) const fn is_whole(&self) -> bool {
        self.denying.is_empty()
    }

    /// Whether the offset of a field is known, and not only inferred.
    pub(super) fn is_known(&self, offset: usize) -> bool {
        let at = self.places.binary_search_by_key(&offset, |(place, _)| *place);
        at.is_ok() && offset != 0
    }

    /// The offset of a field in this kernel, if the known fields around it determine it.
    pub(super) fn place(&self, offset: usize) -> Option<usize> {
        let next = self.places.partition_point(|(place, _)| *place <= offset);
        let (place, here) = *self.places.get(next.checked_sub(1)?)?;
        if place == offset {
            return Some(here);
        }
        let moved = here.checked_sub(place);
        let back = place.checked_sub(here);
        let is_alike = match self.places.get(next) {
            Some((place, here)) => {
                (here.checked_sub(*place), place.checked_sub(*here)) == (moved, back)
            }
            // No field behind it is known. If nothing contradicts the layout, nothing moved.
            None => self.is_whole(),
        };
        if is_alike { self.guess(offset) } else { None }
    }

    /// The offset of a field, if no field was added or removed between it and the known field
    /// before it.
    pub(super) fn guess(&self, offset: usize) -> Option<usize> {
        let next = self.places.partition_point(|(place, _)| *place <= offset);
        let (place, here) = *self.places.get(next.checked_sub(1)?)?;
        offset.checked_sub(place)?.checked_add(here)
    }

    /// The same for a field with no known field behind it except the end of the structure.
    pub(super) fn tail(&self, offset: usize) -> Option<usize> {
        let next = self.places.partition_point(|(place, _)| *place <= offset);
        let (end, stated) = *self.places.get(next)?;
        let here = self.guess(offset).filter(|here| *here < stated)?;
        (end == self.size).then_some(here)
    }

    /// Compares the size of the structure in this layout with the kernel's size as `other` has it.
    pub(super) fn size_against(&self, other: &Self) -> Option<Ordering> {
        other.stated_size.map(|stated| self.size.cmp(&stated))
    }

    /// Compares the size of the structure in this layout with the kernel's size.
    pub(super) fn own_size_against(&self) -> Option<Ordering> {
        self.size_against(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(places: &[(usize, usize)], is_whole: bool) -> Fit {
        let denying = if is_whole { Vec::new() } else { vec![String::new()] };
        Fit { places: places.to_vec(), denying, ..Fit::default() }
    }

    #[test]
    fn fields_move_with_the_known_fields_around_them() {
        let moved = fit(&[(0, 0), (0x28, 0x28), (0x80, 0x90), (0xc0, 0xd0), (0x100, 0x108)], false);
        assert_eq!(moved.place(0x10), Some(0x10));
        assert_eq!(moved.place(0x28), Some(0x28));
        assert_eq!(moved.place(0x40), None, "something was added in between");
        assert_eq!(moved.guess(0x40), Some(0x40));
        assert_eq!(moved.place(0xa0), Some(0xb0));
        assert_eq!(moved.place(0xc8), None);
        assert_eq!(moved.place(0x100), Some(0x108));
        assert_eq!(moved.place(0x110), None);
        assert_eq!(fit(&[(0, 0), (8, 8)], true).place(0x10), Some(0x10));
        assert_eq!(fit(&[(0, 0), (0x80, 0x70)], false).place(0x10), None);
        assert_eq!(fit(&[(0, 0), (0x40, 0x30), (0x80, 0x70)], false).place(0x50), Some(0x40));
    }

    #[test]
    fn fields_found_by_values_are_known_offsets() {
        let mut fit = fit(&[(0, 0), (0x80, 0x90)], false);
        fit.seen(0x40, 0x50);
        fit.seen(0x80, 0x100);
        assert_eq!((fit.place(0x60), fit.place(0x80)), (Some(0x70), Some(0x90)));
    }

    #[test]
    fn fields_at_the_end_of_a_structure_that_grew() {
        let grown = Fit { size: 0x700, stated_size: Some(0x708), ..Fit::default() };
        let grown = Fit { places: vec![(0, 0), (0x400, 0x400), (0x700, 0x708)], ..grown };
        assert_eq!((grown.place(0x500), grown.tail(0x500)), (None, Some(0x500)));
        assert_eq!(grown.tail(0x100), None);
        assert_eq!(grown.own_size_against(), Some(Ordering::Less));
        let mut sides = Sides::default();
        assert!(!sides.bear_out(Ordering::Less, true), "no other update says anything");
        assert!(!sides.bear_out(Ordering::Less, false) && !sides.bear_out(Ordering::Greater, true));
        sides.take(Ordering::Less, true, true);
        assert!(sides.bear_out(Ordering::Less, true) && sides.bear_out(Ordering::Greater, true));
        assert!(!sides.bear_out(Ordering::Equal, true));
        sides.take(Ordering::Greater, true, false);
        assert!(sides.bear_out(Ordering::Less, false));
        sides.take(Ordering::Less, false, true);
        assert!(!sides.bear_out(Ordering::Less, true), "updates do not agree");
    }
}
