//! Splits ranges of an address space into parts, each mapped by one page table, so that threads can
//! share the scan of a large range.
//!
//! Each table is read once, and unmapped ranges cost nothing. Tables that point to themselves, or
//! that map more memory than a machine can have, end the walk early.

use super::paging::{self, EntryKind, Level};
use super::software::{self, Software};
use super::{Fault, Gpa, Gva, Machine, PAGE, Root, View};

/// Upper limit on examined entries: 16 TiB of parts, or that many empty tables.
const MAX_STEPS: u32 = 1 << 24;

/// A part of an address space that has pages: 2 MiB of it (4 MiB for 32 bits without PAE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first address.
    pub start: Gva,
    /// The address after the last, or the highest address if there is none after it.
    pub end: Gva,
    behind: Behind,
}

/// What maps a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// A page table at a physical address.
    Table(u64),
    /// Consecutive physical pages from this address on.
    Large(u64),
}

/// A walk over the upper-level tables.
struct Walk<'a> {
    machine: &'a Machine,
    file: View<'a>,
    end: u64,
    most: usize,
    steps: u32,
    /// The tables of the self-map, by which an address space maps its own page tables.
    own: Vec<u64>,
    found: Vec<Part>,
}

impl Part {
    /// Whether a single entry maps all of it (a large page).
    pub const fn is_large(self) -> bool {
        matches!(self.behind, Behind::Large(_))
    }
}

impl Machine {
    /// The bytes of a physical page.
    fn held<'f>(&self, file: View<'f>, page: u64) -> Option<&'f [u8]> {
        let start = usize::try_from(self.map().offset_of(file, page)?).ok()?;
        file.get(start..start.checked_add(usize::try_from(PAGE).ok()?)?)
    }

    /// The parts of a range that have pages, in address order, at most `most`.
    ///
    /// The self-map of the page tables is left out.
    pub fn parts<'f>(
        &self,
        file: impl Into<View<'f>>,
        root: Root,
        start: Gva,
        end: Gva,
        most: usize,
    ) -> Vec<Part> {
        let file = file.into();
        let first = root.table().0;
        let mut own = vec![first];
        if self.mode() == super::Mode::Pae {
            let memory = self.physical(file);
            let entries = (0..4)
                .filter_map(|i| memory.u64_at(Gpa(first.checked_add(8u64.saturating_mul(i))?)));
            own.extend(entries.map(|entry| entry & self.mode().address_bits()));
        }
        let mut walk =
            Walk { machine: self, file, end: end.0, most, steps: 0, own, found: Vec::new() };
        walk.table(first, self.mode().levels(), start.0);
        walk.found
    }

    /// Visits the pages of a part within a range, as the file holds them. Empty entries are
    /// skipped.
    pub fn pages<'f>(
        &self,
        file: impl Into<View<'f>>,
        part: Part,
        (start, end): (Gva, Gva),
        visit: &mut dyn FnMut(Gva, Result<&'f [u8], Fault>),
    ) {
        let file = file.into();
        let memory = self.physical(file);
        let mode = self.mode();
        let limit = memory.map().end();
        let (first, last) = (start.0.max(part.start.0) & !(PAGE - 1), end.0.min(part.end.0));
        // The table is within one page.
        let table = match part.behind {
            Behind::Table(table) => {
                let skip = usize::try_from(table % PAGE).unwrap_or_default();
                self.held(file, table / PAGE).and_then(|page| page.get(skip..))
            }
            Behind::Large(_) => None,
        };
        let width = usize::try_from(mode.entry_bytes()).unwrap_or(8);
        let mut at = first;
        while at < last {
            let index = at.saturating_sub(part.start.0) / PAGE;
            let place = match part.behind {
                Behind::Large(from) => from.checked_add(index.saturating_mul(PAGE)).map(Ok),
                Behind::Table(_) => {
                    let skip = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(width);
                    let bytes = table.and_then(|table| table.get(skip..)?.get(..width));
                    let Some(bytes) = bytes else { break };
                    let entry =
                        bytes.iter().rev().fold(0, |entry, byte| entry << 8 | u64::from(*byte));
                    match mode.kind(entry, 1) {
                        _ if entry == 0 => None,
                        EntryKind::Page => Some(Ok(mode.page(entry, PAGE))),
                        _ => match software::read(mode, self.prototypes(), entry, limit) {
                            Software::Empty => None,
                            Software::Transition(address) => Some(Ok(address)),
                            said => Some(Err(paging::fault(said, Gva(at), 1))),
                        },
                    }
                }
            };
            if let Some(place) = place {
                let held = place.and_then(|address| {
                    self.held(file, address / PAGE).ok_or(Fault::NotPresent(Gva(at)))
                });
                visit(Gva(at), held);
            }
            let Some(next) = at.checked_add(PAGE) else { break };
            at = next;
        }
    }
}

impl Walk<'_> {
    /// Processes the entries of a table that map addresses from `at` on.
    fn table(&mut self, table: u64, levels: &'static [Level], mut at: u64) {
        let Some((Level { shift, bits }, below)) = levels.split_first() else { return };
        let level = u8::try_from(levels.len()).unwrap_or(u8::MAX);
        let (memory, mode) = (self.machine.physical(self.file), self.machine.mode());
        let size = 1u64 << shift;
        // The top-level table is never left before the range ends.
        let is_first = levels.len() == mode.levels().len();
        let span = if is_first { None } else { 1u64.checked_shl(shift.saturating_add(*bits)) };
        let over =
            span.and_then(|span| (at | span.wrapping_sub(1)).checked_add(1)).unwrap_or(u64::MAX);
        while at < self.end.min(over) && self.found.len() < self.most && self.steps < MAX_STEPS {
            self.steps = self.steps.saturating_add(1);
            let index = at >> shift & !(u64::MAX << bits);
            let place = table.checked_add(index.saturating_mul(mode.entry_bytes()));
            let entry = place.and_then(|place| paging::entry_at(memory, mode, Gpa(place)));
            let Some(entry) = entry else { return };
            match mode.kind(entry, level) {
                EntryKind::Page => {
                    self.large(at & !size.wrapping_sub(1), mode.page(entry, size), size);
                }
                EntryKind::Table => self.below(entry & mode.address_bits(), below, at, size),
                EntryKind::Software => {
                    let said =
                        software::read(mode, self.machine.prototypes(), entry, memory.map().end());
                    if let Software::Transition(address) = said {
                        self.below(address, below, at, size);
                    }
                }
            }
            let Some(next) = (at & !size.wrapping_sub(1)).checked_add(size) else { return };
            at = next;
        }
    }

    fn below(&mut self, table: u64, levels: &'static [Level], at: u64, size: u64) {
        // The four page directory pointers of PAE lead to the directories; the self-map is one
        // level below.
        let is_pointer = self.machine.mode() == super::Mode::Pae && levels.len() == 2;
        if self.own.contains(&table) && !is_pointer {
            return;
        }
        if levels.len() > 1 {
            self.table(table, levels, at);
            return;
        }
        let start = at & !size.wrapping_sub(1);
        let end = start.saturating_add(size);
        self.found.push(Part { start: Gva(start), end: Gva(end), behind: Behind::Table(table) });
    }

    /// A large page, split into parts like those of tables.
    fn large(&mut self, start: u64, address: u64, size: u64) {
        let bits = self.machine.mode().levels().iter().rev().nth(1).map_or(21, |level| level.shift);
        let step = 1u64 << bits;
        for i in 0..(size >> bits).max(1) {
            let (Some(at), Some(from)) = (
                start.checked_add(i.saturating_mul(step)),
                address.checked_add(i.saturating_mul(step)),
            ) else {
                return;
            };
            if at >= self.end || self.found.len() >= self.most {
                return;
            }
            let end = at.saturating_add(step);
            self.found.push(Part { start: Gva(at), end: Gva(end), behind: Behind::Large(from) });
        }
    }
}
