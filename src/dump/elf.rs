//! ELF core files that hold a machine's physical memory, as QEMU and `VirtualBox` write them.
//!
//! Segments of type `PT_LOAD` give physical addresses; notes hold the registers of processors.
//! Whether Windows is in the memory is decided elsewhere.

use super::bytes::{u16_at, u32_at, u64_at};
use super::notes::{self, Stopped};
use super::pages::{Pages, bytes_of};
use crate::memory::{PAGE, PageMap, Run, Runs, View};

const CORE: u16 = 4;
const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
/// The segment count which means that the count is in the first section header.
const COUNT_ELSEWHERE: u16 = 0xffff;
/// The size of the header.
const HEADER: usize = 0x40;
/// Upper limit on segments; more are damage.
const MAX_SEGMENTS: u64 = 1 << 16;

/// What such a file holds.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) pages: Pages,
    /// The processors in file order.
    pub(super) processors: Vec<Stopped>,
}

/// Whether the file is an ELF core file of a little-endian machine.
pub(super) fn is_core(file: &[u8]) -> bool {
    file.starts_with(b"\x7fELF") && file.get(5) == Some(&1) && u16_at(file, 16) == Some(CORE)
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    held: u64,
    size: u64,
}

/// Where the fields of the two kinds of headers are.
struct Places {
    list: usize,
    sections: usize,
    entry: usize,
    count: usize,
    section_info: u64,
}

const ELF32: Places =
    Places { list: 0x1c, sections: 0x20, entry: 0x2a, count: 0x2c, section_info: 0x1c };
const ELF64: Places =
    Places { list: 0x20, sections: 0x28, entry: 0x36, count: 0x38, section_info: 0x2c };

/// Reads the file.
pub(super) fn parse<'f>(file: impl Into<View<'f>>) -> Core {
    let file = file.into();
    let is_wide = file.byte(4) == Some(2);
    let segments = segments(file, is_wide);
    let loads = segments.iter().filter(|segment| segment.kind == PT_LOAD);
    let mut described = 0u64;
    let mut needed = 0u64;
    let mut runs = Vec::new();
    for load in loads {
        let Some(run) = run(load) else { continue };
        described = described.saturating_add(run.pages);
        needed = needed.max(run.offset.saturating_add(bytes_of(run.pages)));
        runs.push(run);
    }
    let map = PageMap::Runs(Runs::new(runs, file.len() as u64));
    let notes = segments.iter().filter(|segment| segment.kind == PT_NOTE);
    Core {
        pages: Pages::new(map, described, needed, "memory segment", Vec::new()),
        processors: notes.flat_map(|note| notes::processors(self::notes(file, note))).collect(),
    }
}

fn segments(file: View<'_>, is_wide: bool) -> Vec<Segment> {
    let head = file.head(HEADER);
    let places = if is_wide { &ELF64 } else { &ELF32 };
    let number = |offset: usize| {
        if is_wide { u64_at(head, offset) } else { u32_at(head, offset).map(u64::from) }
    };
    let (Some(list), Some(entry)) = (number(places.list), u16_at(head, places.entry)) else {
        return Vec::new();
    };
    let count = match u16_at(head, places.count) {
        // Then the first section header has the count.
        Some(COUNT_ELSEWHERE) => number(places.sections)
            .and_then(|at| file.slice_at(at.checked_add(places.section_info)?, 4))
            .and_then(|info| u32_at(info, 0))
            .map_or(0, u64::from),
        count => count.map_or(0, u64::from),
    };
    (0..count.min(MAX_SEGMENTS))
        .map_while(|i| {
            let at = list.checked_add(i.checked_mul(entry.into())?)?;
            segment(file.slice_at(at, if is_wide { 56 } else { 32 })?, is_wide)
        })
        .collect()
}

fn segment(bytes: &[u8], is_wide: bool) -> Option<Segment> {
    let kind = u32_at(bytes, 0)?;
    Some(if is_wide {
        Segment {
            kind,
            offset: u64_at(bytes, 8)?,
            address: u64_at(bytes, 24)?,
            held: u64_at(bytes, 32)?,
            size: u64_at(bytes, 40)?,
        }
    } else {
        let number = |offset| u32_at(bytes, offset).map(u64::from);
        Segment {
            kind,
            offset: number(4)?,
            address: number(12)?,
            held: number(16)?,
            size: number(20)?,
        }
    })
}

/// The complete pages of a segment that the file holds.
fn run(load: &Segment) -> Option<Run> {
    let skip = load.address.wrapping_neg() % PAGE;
    let pages = load.held.min(load.size).checked_sub(skip)? / PAGE;
    let first = load.address.checked_add(skip)? / PAGE;
    Some(Run { first, pages, offset: load.offset.checked_add(skip)? })
}

/// The bytes of a note segment.
fn notes<'f>(file: View<'f>, note: &Segment) -> &'f [u8] {
    let held = (file.len() as u64).saturating_sub(note.offset).min(note.held);
    file.slice_at(note.offset, held).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the numbers of these tests are small")]
mod tests {
    use super::*;

    /// A core file, built byte by byte: a QEMU note and two segments.
    fn core(is_wide: bool) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0\x01\0\0\0".to_vec();
        let mut put = |at: usize, bytes: &[u8]| {
            file.resize(file.len().max(at + bytes.len()), 0);
            file[at..at + bytes.len()].copy_from_slice(bytes);
        };
        let segments = [
            (4u32, 0x400u64, 0u64, 0x200u64),
            (1, 0x1000, 0, 0x2000),
            (1, 0x3000, 0x10_0000, 0x1000),
        ];
        if is_wide {
            put(0x20, &64u64.to_le_bytes());
            put(0x36, &[56, 0, 3, 0]);
        } else {
            put(4, &[1]);
            put(0x1c, &64u32.to_le_bytes());
            put(0x2a, &[32, 0, 3, 0]);
        }
        for (i, (kind, offset, address, size)) in segments.into_iter().enumerate() {
            if is_wide {
                let at = 64 + i * 56;
                put(at, &kind.to_le_bytes());
                put(at + 8, &[offset, 0, address, size, size].map(u64::to_le_bytes).concat());
            } else {
                let numbers = [offset, 0, address, size, size].map(|n| (n as u32).to_le_bytes());
                put(64 + i * 32, &kind.to_le_bytes());
                put(64 + i * 32 + 4, &numbers.concat());
            }
        }
        put(0x400, &[5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0]);
        put(0x40c, b"CORE\0\0\0\0abcd");
        put(0x418, &[5, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0, 0, 0]);
        put(0x424, b"QEMU\0\0\0\0");
        put(0x42c + 416, &0x1aa_000u64.to_le_bytes());
        put(0x1000, &[1; 0x1000]);
        put(0x2000, &[2; 0x1000]);
        put(0x3000, &[3; 0x1000]);
        file
    }

    #[test]
    fn segments_and_notes() {
        for is_wide in [true, false] {
            let file = core(is_wide);
            assert!(is_core(&file));
            let core = parse(&file);
            let tables: Vec<_> = core.processors.iter().map(Stopped::table).collect();
            assert_eq!(tables, [Some(0x1aa_000)]);
            assert!(core.pages.facts.is_complete());
            let memory = crate::memory::Physical::new(&file, &core.pages.map);
            assert_eq!(memory.page(1).unwrap(), [2; 0x1000]);
            assert_eq!(memory.page(0x100).unwrap(), [3; 0x1000]);
            assert_eq!(memory.page(2), None);
        }
    }

    #[test]
    fn damage_ends_with_the_file() {
        let whole = core(true);
        for at in 0..0x700 {
            let mut file = whole.clone();
            file[at] = 0xff;
            let _ = parse(&file);
            file.truncate(at);
            let _ = (is_core(&file), parse(&file));
        }
    }
}
