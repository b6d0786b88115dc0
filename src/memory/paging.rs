//! Page tables: translation of virtual to physical addresses.
//!
//! This module knows the formats that processors define. Entries that are invalid for the processor
//! are decoded by [`super::software`].

use super::software::{self, Prototypes, Software};
use super::{Fault, Gpa, Gva, Physical};

/// The paging mode of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 32-bit, two levels.
    X86,
    /// 32-bit with physical address extension (PAE), three levels.
    Pae,
    /// 64-bit, four levels.
    X64,
    /// 64-bit, five levels.
    X64La57,
    /// ARM64 with 4 KiB pages, four levels. Windows puts the top-level tables of both halves of the
    /// address space in one page.
    Arm64,
}

/// A level of page tables: the lowest address bit that selects an entry, and the number of bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) shift: u32,
    pub(super) bits: u32,
}

const X86: &[Level] = &[Level { shift: 22, bits: 10 }, Level { shift: 12, bits: 10 }];
const PAE: &[Level] =
    &[Level { shift: 30, bits: 2 }, Level { shift: 21, bits: 9 }, Level { shift: 12, bits: 9 }];
const X64: &[Level] = &[
    Level { shift: 48, bits: 9 },
    Level { shift: 39, bits: 9 },
    Level { shift: 30, bits: 9 },
    Level { shift: 21, bits: 9 },
    Level { shift: 12, bits: 9 },
];

impl Mode {
    /// The levels, from the table that the page directory base points to.
    pub(super) fn levels(self) -> &'static [Level] {
        match self {
            Self::X86 => X86,
            Self::Pae => PAE,
            Self::X64 | Self::Arm64 => X64.get(1..).unwrap_or_default(),
            Self::X64La57 => X64,
        }
    }

    /// The lowest address bit that selects an entry at a level, counted from 1.
    pub(super) fn shift(self, level: u8) -> u32 {
        let from_last = usize::from(level.saturating_sub(1));
        self.levels().iter().rev().nth(from_last).map_or(64, |level| level.shift)
    }

    /// The size of an entry.
    pub const fn entry_bytes(self) -> u64 {
        match self {
            Self::X86 => 4,
            _ => 8,
        }
    }

    /// The address of the top-level table in a page directory base, whose low bits hold other
    /// values such as the address space identifier.
    pub const fn table(self, base: u64) -> u64 {
        match self {
            Self::X86 => base & 0xffff_f000,
            Self::Pae => base & 0xffff_ffe0,
            Self::X64 | Self::X64La57 => base & 0x000f_ffff_ffff_f000,
            Self::Arm64 => base & 0x0000_ffff_ffff_f000,
        }
    }

    /// The bits of an entry that are the address of a page or a table.
    pub(super) const fn address_bits(self) -> u64 {
        match self {
            Self::X86 => 0xffff_f000,
            Self::Pae | Self::X64 | Self::X64La57 => 0x000f_ffff_ffff_f000,
            Self::Arm64 => 0x0000_ffff_ffff_f000,
        }
    }

    /// Whether the address is canonical.
    pub(super) const fn has(self, at: Gva) -> bool {
        let upper = match self {
            Self::X86 | Self::Pae => return at.0 >> 32 == 0,
            Self::X64 | Self::Arm64 => at.0.cast_signed() >> 47,
            Self::X64La57 => at.0.cast_signed() >> 56,
        };
        upper == 0 || upper == -1
    }

    /// The first address of kernel space.
    pub(super) const fn upper_half(self) -> u64 {
        match self {
            Self::X86 | Self::Pae => 0x8000_0000,
            Self::X64 | Self::Arm64 => 0xffff_8000_0000_0000,
            Self::X64La57 => 0xff00_0000_0000_0000,
        }
    }

    /// The kind of a hardware entry at a level, counted from 1.
    pub(super) const fn kind(self, entry: u64, level: u8) -> EntryKind {
        let large = entry & 0x80 != 0;
        match (self, level) {
            (Self::Arm64, _) => match (entry & 3, level) {
                (3, 1) | (1, 2 | 3) => EntryKind::Page,
                (3, _) => EntryKind::Table,
                _ => EntryKind::Software,
            },
            _ if entry & 1 == 0 => EntryKind::Software,
            (_, 1) | (Self::X64 | Self::X64La57, 2 | 3) | (Self::X86 | Self::Pae, 2)
                if level == 1 || large =>
            {
                EntryKind::Page
            }
            _ => EntryKind::Table,
        }
    }

    /// The physical address of the page that an entry maps.
    pub(super) const fn page(self, entry: u64, size: u64) -> u64 {
        let address = entry & self.address_bits() & !(size.wrapping_sub(1));
        match self {
            // Bits 32 to 39 of the address of a 4 MiB page (PSE-36).
            Self::X86 if size > 0x1000 => address | (entry >> 13 & 0xff) << 32,
            _ => address,
        }
    }
}

/// The kind of an entry for the processor.
pub(super) enum EntryKind {
    Page,
    Table,
    Software,
}

/// The kind of page table entry that gave a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A valid entry.
    Hardware,
    /// A transition entry: it is invalid for the processor, but the page is still in memory.
    Transition,
    /// A prototype PTE, which processes that share the page have in common.
    Prototype,
}

/// The result of a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translation {
    /// The physical address.
    pub address: Gpa,
    /// The size of the page.
    pub page_bytes: u64,
    /// How it was found.
    pub via: Via,
}

/// The result of a page table walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walked {
    /// A page.
    Page(Translation),
    /// The address of a prototype PTE.
    Prototype(Gva),
}

/// Walks the page tables from the top-level table.
///
/// Every step goes one level down, so the walk ends even if tables point to themselves.
pub(super) fn walk(
    memory: Physical<'_>,
    mode: Mode,
    prototypes: Prototypes,
    first: u64,
    at: Gva,
) -> Result<Walked, Fault> {
    if !mode.has(at) {
        return Err(Fault::NotCanonical(at));
    }
    let levels = mode.levels();
    let mut table = first;
    for (above, Level { shift, bits }) in levels.iter().enumerate() {
        let level = u8::try_from(levels.len().saturating_sub(above)).unwrap_or(u8::MAX);
        let index = at.0 >> shift & !(u64::MAX << bits);
        let place = table.checked_add(index.saturating_mul(mode.entry_bytes()));
        let entry = place.and_then(|place| entry_at(memory, mode, Gpa(place)));
        let entry = entry.ok_or(Fault::NoTable { at, level })?;
        table = match mode.kind(entry, level) {
            EntryKind::Page => return Ok(Walked::Page(page(mode, entry, *shift, at))),
            EntryKind::Table => entry & mode.address_bits(),
            EntryKind::Software => {
                let said = software::read(mode, prototypes, entry, memory.map().end());
                match (said, level) {
                    (Software::Transition(address), 1) => {
                        return Ok(Walked::Page(small(address, at, Via::Transition)));
                    }
                    // Page tables can be in transition like other pages.
                    (Software::Transition(address), _) => address,
                    (Software::Prototype(entry), 1) => return Ok(Walked::Prototype(entry)),
                    // A demand-zero page table has no entries.
                    (Software::DemandZero, 2..) => return Err(Fault::Unmapped { at, level }),
                    (said, _) => return Err(fault(said, at, level)),
                }
            }
        };
    }
    Err(Fault::Unmapped { at, level: 1 })
}

/// Decodes a prototype PTE.
pub(super) fn by_prototype(
    memory: Physical<'_>,
    mode: Mode,
    entry: Gpa,
    at: Gva,
) -> Result<Translation, Fault> {
    let entry = entry_at(memory, mode, entry).ok_or(Fault::NoTable { at, level: 1 })?;
    if entry & 1 == 1 {
        return Ok(small(entry & mode.address_bits(), at, Via::Prototype));
    }
    match software::read_prototype(mode, entry, memory.map().end()) {
        Software::Transition(address) => Ok(small(address, at, Via::Prototype)),
        said => Err(fault(said, at, 1)),
    }
}

/// The entry at a physical address.
pub(super) fn entry_at(memory: Physical<'_>, mode: Mode, place: Gpa) -> Option<u64> {
    match mode {
        Mode::X86 => memory.u32_at(place).map(u64::from),
        _ => memory.u64_at(place),
    }
}

fn page(mode: Mode, entry: u64, shift: u32, at: Gva) -> Translation {
    let page_bytes = 1 << shift;
    let address = Gpa(mode.page(entry, page_bytes) | at.0 & !(u64::MAX << shift));
    Translation { address, page_bytes, via: Via::Hardware }
}

fn small(page: u64, at: Gva, via: Via) -> Translation {
    Translation { address: Gpa(page | at.0 & 0xfff), page_bytes: 0x1000, via }
}

/// The fault for an address whose entry maps no page.
pub(super) const fn fault(said: Software, at: Gva, level: u8) -> Fault {
    match said {
        Software::PagedOut => Fault::PagedOut { at, level },
        Software::DemandZero => Fault::DemandZero(at),
        Software::Empty => Fault::Unmapped { at, level },
        Software::Transition(_) | Software::Prototype(_) | Software::Damaged => {
            Fault::Damaged { at, level }
        }
    }
}
