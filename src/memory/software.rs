//! Software page table entries: what Windows stores in an entry that is invalid for the processor.
//!
//! The processor examines only the lowest bit of such an entry. In the other bits Windows stores
//! where the page is: still in memory (transition), mapped by a prototype PTE, in a page file, or
//! not created yet (demand zero).

use super::{Gva, Mode};

/// The bits that distinguish kinds of entries: valid, prototype, transition.
const KIND: u64 = 0xc01;
const TRANSITION: u64 = 0x800;
const PROTOTYPE: u64 = 0x400;
/// Set if the entry has no L1TF mitigation bits (`SwizzleBit`).
const NOT_HIDDEN: u64 = 0x10;
/// Processors with fewer than 40 bits of physical address are no longer made.
const LEAST_HIDDEN: u64 = 1 << 39;
/// The page frame number in a 64-bit entry.
const NUMBER: u64 = 0x000f_ffff_ffff_f000;

/// How 32-bit entries point to prototype PTEs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prototypes {
    /// With 29 bits of the address, whose highest bit is implied. Since Vista.
    #[default]
    Absolute,
    /// With an offset from the start of paged pool. Up to Windows Server 2003, without PAE.
    FromPagedPool(u32),
}

/// A decoded software entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Software {
    /// The entry is empty.
    Empty,
    /// Transition: the page is in memory, at this physical address.
    Transition(u64),
    /// The prototype PTE at this address maps the page.
    Prototype(Gva),
    /// In a page file, or in a part of a mapped file that is not in memory.
    PagedOut,
    /// Demand zero: not created yet.
    DemandZero,
    /// The entry is invalid.
    Damaged,
}

/// Decodes an entry. `end` is greater than every page number of the machine.
pub(super) fn read(mode: Mode, prototypes: Prototypes, entry: u64, end: u64) -> Software {
    if entry == 0 {
        return Software::Empty;
    }
    if entry & KIND == TRANSITION {
        return Software::Transition(number(mode, entry, end));
    }
    if entry & PROTOTYPE != 0 {
        return prototype(mode, prototypes, entry);
    }
    let in_file = match mode {
        Mode::X86 => entry >> 12,
        _ => offset(entry),
    };
    if in_file == 0 { Software::DemandZero } else { Software::PagedOut }
}

/// Decodes a prototype PTE, in which the prototype bit has another meaning.
pub(super) fn read_prototype(mode: Mode, entry: u64, end: u64) -> Software {
    // A part of a mapped file that is not in memory. Since Windows 11 22H2 the entry is the address
    // of a subsection; all other entries have the highest bits clear.
    let is_address = mode.entry_bytes() == 8 && entry >> 47 == 0x1_ffff;
    if entry & KIND != TRANSITION && (entry & PROTOTYPE != 0 || is_address) {
        return Software::PagedOut;
    }
    read(mode, Prototypes::default(), entry, end)
}

/// The physical address of a page in transition.
fn number(mode: Mode, entry: u64, end: u64) -> u64 {
    match mode {
        Mode::X86 => entry & 0xffff_f000,
        _ => shown(entry, end) & NUMBER,
    }
}

/// An entry without the L1TF mitigation bits.
///
/// Since Windows 10 1803, as mitigation for L1 terminal fault (L1TF), the kernel sets high bits of
/// the page frame number in such entries so that they refer to no memory, unless another bit says
/// that it did not. Which bits these are depends on the processor, but a bit beyond all memory is
/// never part of the page frame number.
const fn shown(entry: u64, end: u64) -> u64 {
    if entry & NOT_HIDDEN != 0 || (entry & NUMBER) >> 12 < end {
        return entry;
    }
    let used = u64::MAX >> end.saturating_sub(1).leading_zeros();
    let hidden = NUMBER & !(used << 12);
    // The mitigation sets only a few bits; more of them are damage.
    if (entry & hidden).count_ones() > 2 { entry } else { entry & !hidden }
}

/// The offset in a page file, in pages. A single high bit, in an entry that does not say otherwise,
/// is the mitigation bit: no page file starts to be used at that page.
const fn offset(entry: u64) -> u64 {
    let offset = entry >> 32;
    let hides = offset.is_power_of_two() && offset >= LEAST_HIDDEN >> 32;
    if hides && entry & NOT_HIDDEN == 0 { 0 } else { offset }
}

fn prototype(mode: Mode, prototypes: Prototypes, entry: u64) -> Software {
    let (address, is_kernel, align) = match mode {
        Mode::X86 => {
            let address = match prototypes {
                Prototypes::Absolute => 0x8000_0000 | entry >> 1 & 0x7fff_fc00 | entry << 1 & 0x3fc,
                Prototypes::FromPagedPool(base) => {
                    let distance = (entry >> 11 << 9).saturating_add((entry & 0xfe) << 1);
                    u64::from(base).saturating_add(distance) & 0xffff_ffff
                }
            };
            (address, address >> 31 == 1, 4)
        }
        Mode::Pae => (entry >> 32, entry >> 63 == 1, 8),
        _ => (0xffff << 48 | entry >> 16, entry >> 63 == 1, 8),
    };
    // If the offset is all ones, the prototype PTE has to be looked up through the VAD, because the
    // process has not used the page yet.
    if mode.entry_bytes() == 8 && entry >> 32 == 0xffff_ffff {
        return Software::PagedOut;
    }
    if is_kernel && address.is_multiple_of(align) {
        Software::Prototype(Gva(address))
    } else {
        Software::Damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn x64(entry: u64) -> Software {
        read(Mode::X64, Prototypes::default(), entry, 0x20_0000)
    }

    #[test]
    fn kinds_of_entries() {
        assert_eq!(x64(0), Software::Empty);
        assert_eq!(x64(0x0000_0001_2345_6880), Software::Transition(0x1_2345_6000));
        // 46 bits of physical address: bit 45 is the mitigation bit.
        assert_eq!(x64(0x0000_2001_2345_6880), Software::Transition(0x1_2345_6000));
        assert_eq!(x64(0x0000_2001_2345_6890), Software::Transition(0x2001_2345_6000));
        assert_eq!(x64(0x80), Software::DemandZero);
        assert_eq!(x64(0x0000_2000_0000_0080), Software::DemandZero);
        assert_eq!(x64(0x0001_2345_0000_2080), Software::PagedOut);
        assert_eq!(x64(0xffff_ffff_0000_0480), Software::PagedOut);
        assert_eq!(x64(0x8a00_1234_5678_0400), Software::Prototype(Gva(0xffff_8a00_1234_5678)));
        assert_eq!(x64(0x0a00_1234_5678_0400), Software::Damaged);
        assert_eq!(x64(0x8a00_1234_5679_0400), Software::Damaged);
    }

    #[test]
    fn kinds_of_32_bit_entries() {
        let pae = |entry| read(Mode::Pae, Prototypes::default(), entry, 0x10_0000);
        assert_eq!(pae(0xe123_4568_0000_0420), Software::Prototype(Gva(0xe123_4568)));
        assert_eq!(pae(0x1234_5880), Software::Transition(0x1234_5000));
        let x86 = |prototypes, entry| read(Mode::X86, prototypes, entry, 0x10_0000);
        assert_eq!(x86(Prototypes::Absolute, 0x1234_5880), Software::Transition(0x1234_5000));
        assert_eq!(x86(Prototypes::Absolute, 0x0000_5080), Software::PagedOut);
        assert_eq!(x86(Prototypes::Absolute, 0x0000_0080), Software::DemandZero);
        // The entry for a prototype PTE at 0xe1234568, as each version packs it.
        let absolute = (0x6123_4568u64 >> 10) << 11 | 0x400 | (0x168 >> 2) << 1;
        assert_eq!(x86(Prototypes::Absolute, absolute), Software::Prototype(Gva(0xe123_4568)));
        let distance = 0x12_3568u64;
        let packed = distance >> 9 << 11 | 0x400 | (distance & 0x1fc) >> 1;
        assert_eq!(
            x86(Prototypes::FromPagedPool(0xe100_0000), packed),
            Software::Prototype(Gva(0xe112_3568))
        );
    }

    #[test]
    fn prototype_ptes_are_decoded() {
        let of = |entry| read_prototype(Mode::X64, entry, 0x20_0000);
        assert_eq!(of(0x8a00_1234_5678_0400), Software::PagedOut);
        assert_eq!(of(0xffff_8a00_1234_5670), Software::PagedOut);
        assert_eq!(of(0x1_2345_6880), Software::Transition(0x1_2345_6000));
        assert_eq!(of(0x80), Software::DemandZero);
    }
}
