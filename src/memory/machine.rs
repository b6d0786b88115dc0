//! A machine whose physical memory is in a file: its address spaces, and their bytes.

use super::paging::{self, Walked};
use super::tlb::Tlb;
use super::{Fault, Gpa, Gva, Mode, PAGE, PageMap, Physical, Prototypes, Translation, View};

/// A machine: where its physical pages are in the file, and how it translates addresses.
///
/// Threads share it, including the cache of translations.
#[derive(Debug)]
pub struct Machine {
    map: PageMap,
    mode: Mode,
    prototypes: Prototypes,
    kernel: Root,
    tlb: Tlb,
}

/// The root of an address space. Cheap to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Root {
    /// The physical address of the top-level table.
    table: u64,
    /// The number of the address space in the cache.
    number: Option<u16>,
}

impl Root {
    /// The physical address of the top-level table.
    pub const fn table(self) -> Gpa {
        Gpa(self.table)
    }
}

impl Machine {
    /// A machine with the kernel's page directory base.
    pub fn new(map: PageMap, mode: Mode, kernel: u64) -> Self {
        let tlb = Tlb::new();
        let table = mode.table(kernel);
        let kernel = Root { table, number: tlb.number(table) };
        Self { map, mode, prototypes: Prototypes::default(), kernel, tlb }
    }

    /// The machine with another paging mode and another page directory base.
    #[must_use]
    pub fn with_mode(self, mode: Mode, kernel: u64) -> Self {
        Self { prototypes: self.prototypes, ..Self::new(self.map, mode, kernel) }
    }

    /// The machine with another format of prototype PTE pointers.
    #[must_use]
    pub fn with_prototypes(self, prototypes: Prototypes) -> Self {
        Self { prototypes, ..Self::new(self.map, self.mode, self.kernel.table) }
    }

    /// The map of the physical pages.
    pub fn into_map(self) -> PageMap {
        self.map
    }

    /// Where the physical pages are.
    pub const fn map(&self) -> &PageMap {
        &self.map
    }

    /// How it translates addresses.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// How page table entries point to prototype PTEs.
    pub(super) const fn prototypes(&self) -> Prototypes {
        self.prototypes
    }

    /// The kernel's address space.
    pub const fn kernel(&self) -> Root {
        self.kernel
    }

    /// The address space of a page directory base.
    pub fn root(&self, base: u64) -> Root {
        let table = self.mode.table(base);
        if table == self.kernel.table {
            return self.kernel;
        }
        Root { table, number: self.tlb.number(table) }
    }

    /// The physical memory.
    pub fn physical<'a>(&'a self, file: impl Into<View<'a>>) -> Physical<'a> {
        Physical::new(file, &self.map)
    }

    /// The physical address of a virtual one.
    ///
    /// # Errors
    /// A [`Fault`] with the level at which the translation failed.
    pub fn translate<'f>(
        &self,
        file: impl Into<View<'f>>,
        root: Root,
        at: Gva,
    ) -> Result<Translation, Fault> {
        let file = file.into();
        let memory = self.physical(file);
        match paging::walk(memory, self.mode, self.prototypes, root.table, at)? {
            Walked::Page(found) => Ok(found),
            Walked::Prototype(entry) => {
                // Prototype PTEs are in paged pool; a prototype PTE is never itself mapped by a
                // prototype PTE.
                let kernel = self.kernel.table;
                match paging::walk(memory, self.mode, self.prototypes, kernel, entry)? {
                    Walked::Page(found) => {
                        paging::by_prototype(memory, self.mode, found.address, at)
                    }
                    Walked::Prototype(_) => Err(Fault::Damaged { at, level: 1 }),
                }
            }
        }
    }

    /// The bytes from an address up to the end of its 4 KiB page, borrowed from the file. Never
    /// empty.
    ///
    /// # Errors
    /// The [`Fault`] if there are none.
    pub fn at<'f>(
        &self,
        file: impl Into<View<'f>>,
        root: Root,
        at: Gva,
    ) -> Result<&'f [u8], Fault> {
        let file = file.into();
        let offset = self.place(file, root, at)?;
        let start = usize::try_from(offset).map_err(|_| Fault::NotPresent(at))?;
        let skip = usize::try_from(at.0 % PAGE).unwrap_or_default();
        let end = start.saturating_add(usize::try_from(PAGE).unwrap_or_default());
        file.get(start.saturating_add(skip)..end).ok_or(Fault::NotPresent(at))
    }

    /// Where the page of an address is in the file.
    fn place(&self, file: View<'_>, root: Root, at: Gva) -> Result<u64, Fault> {
        let page = at.0 / PAGE;
        let known = root.number.and_then(|number| self.tlb.get(number, page));
        if let Some(offset) = known {
            return Ok(offset);
        }
        let found = self.translate(file, root, at)?;
        let offset = self.map.offset_of(file, found.address.0 / PAGE);
        let offset = offset.ok_or(Fault::NotPresent(at))?;
        if let Some(number) = root.number {
            self.tlb.put(number, page, offset);
        }
        Ok(offset)
    }

    /// The first address between `start` and `end` whose byte the file holds.
    ///
    /// Unmapped ranges are skipped table by table, not page by page. Page tables can map more pages
    /// than exist, so a caller that walks a range must bound the walk.
    pub fn next_present<'f>(
        &self,
        file: impl Into<View<'f>>,
        root: Root,
        start: Gva,
        end: Gva,
    ) -> Option<Gva> {
        let file = file.into();
        let mut at = start;
        while at.0 < end.0 {
            let gap = match self.place(file, root, at) {
                Ok(_) => return Some(at),
                Err(fault) => self.gap(fault),
            };
            at = match gap {
                Gap::Bits(bits) if bits < 64 => Gva((at.0 >> bits).checked_add(1)? << bits),
                Gap::UpperHalf if at.0 < self.mode.upper_half() => Gva(self.mode.upper_half()),
                _ => return None,
            };
            // After the last part of the address space the next address wraps to 0.
            if at.0 == 0 {
                return None;
            }
        }
        None
    }

    /// How much of the address space a fault covers.
    fn gap(&self, fault: Fault) -> Gap {
        match fault {
            Fault::Unmapped { level, .. } | Fault::PagedOut { level, .. } => {
                Gap::Bits(self.mode.shift(level))
            }
            Fault::NoTable { level, .. } => Gap::Bits(self.mode.shift(level.saturating_add(1))),
            Fault::NotCanonical(_) => Gap::UpperHalf,
            _ => Gap::Bits(12),
        }
    }
}

enum Gap {
    /// Up to the next address with this many low bits clear.
    Bits(u32),
    /// Up to the start of kernel space.
    UpperHalf,
}
