//! The triage block of a small kernel dump: `TRIAGE_DUMP64` and `TRIAGE_DUMP32`, directly after the
//! header, and the lists that it points to.
//!
//! This module knows where ranges of memory are in the file, not what they mean. Every offset and
//! count is checked against the file; what does not fit is left out and reported in `problems`.

use super::bytes::{Width, pointer_at, slice, text_utf16, u16_at, u32_at, u64_at};
use super::header::header_bytes;
use crate::memory::View;

/// Upper limit on drivers; a larger count is damaged.
const MAX_DRIVERS: usize = 10_000;
/// Upper limit on a driver path.
const MAX_NAME: u32 = 1024;
/// The size of `TRIAGE_DATA_BLOCK`, which is the same on all systems: a 64-bit address
/// (sign-extended on 32-bit systems), offset, size.
const BLOCK: u32 = 16;
/// No triage block is longer.
const LONGEST: usize = 0x100;
/// The last four bytes of the triage part of the dump.
const END_MARK: &[u8] = b"TRGD";

/// A range of the file that a triage block gives: offset and size, both within 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Piece {
    /// Offset in the file; 0 for a range that is absent.
    pub offset: u32,
    /// Size in bytes.
    pub size: u32,
}

impl Piece {
    /// The bytes of the range that the file holds; empty for a range that is absent.
    pub fn bytes<'f>(self, file: impl Into<View<'f>>) -> &'f [u8] {
        let file = file.into();
        if self.offset == 0 {
            return &[];
        }
        let start = (self.offset as usize).min(file.len());
        let end = start.saturating_add(self.size as usize).min(file.len());
        file.get(start..end).unwrap_or_default()
    }
}

/// A triage block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Triage {
    /// Service pack: the major number is in bits 8 to 15.
    pub service_pack_build: u32,
    /// Size of the triage part of the dump; secondary data may follow.
    pub size_of_dump: u32,
    /// The offset of the end marker.
    pub valid_offset: u32,
    /// The offset of the context record.
    pub context: u32,
    /// The offset of the exception record.
    pub exception: u32,
    /// Memory manager counters.
    pub mm: Piece,
    /// Unloaded drivers.
    pub unloaded_drivers: Piece,
    /// The `_KPRCB` of the processor that wrote the dump.
    pub prcb: Piece,
    /// The `_EPROCESS` of the current process.
    pub process: Piece,
    /// The `_ETHREAD` of the current thread.
    pub thread: Piece,
    /// The stack, from [`Triage::top_of_stack`] upwards.
    pub call_stack: Piece,
    /// The loaded drivers; `size` reaches up to the next range.
    pub drivers: Piece,
    /// The number of drivers that the block states.
    pub driver_count: u32,
    /// The names of drivers.
    pub string_pool: Piece,
    /// Offset of the name of the driver that Windows found at fault.
    pub broken_driver: u32,
    /// The options with which the dump was written.
    pub options: u32,
    /// Address of the first byte of the stack.
    pub top_of_stack: u64,
    /// A page of data, and its address.
    pub data_page: (u64, Piece),
    /// The debugger data block.
    pub debugger_data: Piece,
    /// The list of data blocks; `size` is that of the list.
    pub data_blocks: Piece,
    /// The number of data blocks that the block states.
    pub data_block_count: u32,
    /// Whether everything that the block states is in the file.
    pub is_complete: bool,
    /// What is missing or inconsistent.
    pub problems: Vec<String>,
}

/// A range of memory at its virtual address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataBlock {
    /// Virtual address.
    pub address: u64,
    /// Where its bytes are in the file.
    pub piece: Piece,
}

/// A loaded driver, as `DUMP_DRIVER_ENTRY` records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Driver {
    /// Offset of the name in the file.
    pub name: u32,
    /// First address.
    pub base: u64,
    /// Size in memory.
    pub size: u32,
    /// Checksum of the PE header.
    pub checksum: u32,
    /// Time date stamp of the PE header.
    pub timestamp: u32,
}

/// An unloaded driver, as `DUMP_UNLOADED_DRIVERS` records it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnloadedDriver {
    /// The first twelve characters of the name.
    pub name: String,
    /// First address.
    pub start: u64,
    /// Address after the last.
    pub end: u64,
}

/// Where the fields of a driver list entry are.
struct DriverPlaces {
    stride: usize,
    base: usize,
    size: usize,
    checksum: usize,
    timestamp: usize,
}

const DRIVER64: DriverPlaces =
    DriverPlaces { stride: 0x90, base: 0x38, size: 0x48, checksum: 0x80, timestamp: 0x88 };
const DRIVER32: DriverPlaces =
    DriverPlaces { stride: 0x4c, base: 0x1c, size: 0x24, checksum: 0x44, timestamp: 0x48 };

/// Reads the triage block; `None` if not even its fixed part is in the file.
pub fn parse<'f>(file: impl Into<View<'f>>, width: Width) -> Option<Triage> {
    let (whole, base) = (file.into(), header_bytes(width));
    let file = whole.head(base.saturating_add(LONGEST));
    let fixed = slice(file, base, 0x4c)?;
    let field = |index: usize| u32_at(fixed, index.saturating_mul(4)).unwrap_or_default();
    let offsets = [5, 6, 7, 8, 9, 10, 12, 14].map(field);
    // Early systems wrote a shorter block: fields that the first range overlaps do not exist.
    let end = offsets.into_iter().filter(|at| *at as usize >= base.saturating_add(0x4c)).min();
    let block_end = end.map_or(usize::MAX, |at| at as usize);
    let late = |offset: usize| {
        let at = base.saturating_add(offset);
        if at.saturating_add(4) <= block_end { u32_at(file, at).unwrap_or_default() } else { 0 }
    };
    let tail = match width {
        Width::W32 => 0x4c,
        Width::W64 => 0x60,
    };
    let step = width.bytes();
    let tail_at = base.saturating_add(tail);
    let data_page_address = if tail_at.saturating_add(step) <= block_end {
        pointer_at(file, tail_at, width).unwrap_or_default()
    } else {
        0
    };
    let behind = |offset: usize| late(tail.saturating_add(step).saturating_add(offset));
    let mut triage = Triage {
        service_pack_build: field(0),
        size_of_dump: field(1),
        valid_offset: field(2),
        context: field(3),
        exception: field(4),
        mm: Piece { offset: field(5), size: 0 },
        unloaded_drivers: Piece { offset: field(6), size: 0 },
        prcb: Piece { offset: field(7), size: 0 },
        process: Piece { offset: field(8), size: 0 },
        thread: Piece { offset: field(9), size: 0 },
        call_stack: Piece { offset: field(10), size: field(11) },
        drivers: Piece { offset: field(12), size: 0 },
        driver_count: field(13),
        string_pool: Piece { offset: field(14), size: field(15) },
        broken_driver: field(16),
        options: field(17),
        top_of_stack: pointer_at(file, base.saturating_add(0x48), width).unwrap_or_default(),
        data_page: (data_page_address, Piece { offset: behind(0), size: behind(4) }),
        debugger_data: Piece { offset: behind(8), size: behind(12) },
        data_blocks: Piece { offset: behind(16), size: 0 },
        data_block_count: behind(20),
        is_complete: true,
        problems: Vec::new(),
    };
    triage.size_pieces();
    triage.check(whole);
    Some(triage)
}

impl Triage {
    /// Ranges without a stated size reach up to the next range.
    fn size_pieces(&mut self) {
        let mut starts = vec![self.size_of_dump, self.valid_offset];
        starts.extend(self.pieces().map(|(_, piece)| piece.offset));
        starts.retain(|at| *at != 0);
        starts.sort_unstable();
        let room = |at: u32| {
            let next = starts.iter().find(|start| **start > at);
            next.map_or(0, |next| next.saturating_sub(at))
        };
        for piece in [
            &mut self.mm,
            &mut self.unloaded_drivers,
            &mut self.prcb,
            &mut self.process,
            &mut self.thread,
            &mut self.drivers,
        ] {
            piece.size = room(piece.offset);
        }
        self.data_blocks.size = self.data_block_count.saturating_mul(BLOCK);
    }

    /// The ranges with their names.
    pub fn pieces(&self) -> impl Iterator<Item = (&'static str, Piece)> + use<> {
        [
            ("memory manager counters", self.mm),
            ("unloaded driver list", self.unloaded_drivers),
            ("prcb", self.prcb),
            ("process", self.process),
            ("thread", self.thread),
            ("stack", self.call_stack),
            ("driver list", self.drivers),
            ("string pool", self.string_pool),
            ("data page", self.data_page.1),
            ("debugger data", self.debugger_data),
            ("data block list", self.data_blocks),
        ]
        .into_iter()
    }

    fn check(&mut self, file: View<'_>) {
        let len = file.len() as u64;
        let mut problems = Vec::new();
        if u64::from(self.size_of_dump) > len {
            let promised = self.size_of_dump;
            problems.push(format!("the file is cut off: {len} of {promised} bytes"));
        }
        for (name, piece) in self.pieces() {
            let end = u64::from(piece.offset).saturating_add(piece.size.into());
            if piece.offset != 0 && end > len {
                problems.push(format!("the {name} ends beyond the file, at {end:#x}"));
            }
        }
        let mark = file.slice_at(u64::from(self.valid_offset), 4);
        if mark.is_some_and(|mark| mark != END_MARK) {
            problems.push("the end mark is missing: the dump was not written to its end".into());
        }
        self.is_complete = problems.is_empty() && mark.is_some();
        self.problems = problems;
    }

    /// The data blocks that the file holds, in the order of the list.
    pub fn blocks<'a>(
        &self,
        file: impl Into<View<'a>>,
        width: Width,
    ) -> impl Iterator<Item = DataBlock> + 'a {
        self.data_blocks.bytes(file).chunks_exact(BLOCK as usize).filter_map(move |entry| {
            let address = width.normalise(u64_at(entry, 0)?);
            let piece = Piece { offset: u32_at(entry, 8)?, size: u32_at(entry, 12)? };
            Some(DataBlock { address, piece })
        })
    }

    /// The loaded drivers that the file holds, in the order of the list.
    pub fn drivers<'a>(
        &self,
        file: impl Into<View<'a>>,
        width: Width,
    ) -> impl Iterator<Item = Driver> + 'a {
        let file = file.into();
        let places = match width {
            Width::W32 => &DRIVER32,
            Width::W64 => &DRIVER64,
        };
        let start =
            if self.drivers.offset == 0 { file.len() } else { self.drivers.offset as usize };
        let count = (self.driver_count as usize).min(MAX_DRIVERS);
        let list = file.part(start, count.saturating_mul(places.stride));
        list.chunks_exact(places.stride).take(count).filter_map(move |entry| {
            Some(Driver {
                name: u32_at(entry, 0)?,
                base: pointer_at(entry, places.base, width)?,
                size: u32_at(entry, places.size)?,
                checksum: u32_at(entry, places.checksum)?,
                timestamp: u32_at(entry, places.timestamp)?,
            })
        })
    }

    /// The unloaded drivers, latest first.
    pub fn unloaded<'a>(
        &self,
        file: impl Into<View<'a>>,
        width: Width,
    ) -> impl Iterator<Item = UnloadedDriver> + 'a {
        let step = width.bytes();
        // An entry is a `UNICODE_STRING`, twelve characters and two pointers; the count precedes
        // the entries.
        let (text_at, start_at, end_at, stride) = match width {
            Width::W32 => (8, 32, 36, 40),
            Width::W64 => (16, 40, 48, 56),
        };
        let list = self.unloaded_drivers.bytes(file);
        let count = u32_at(list, 0).unwrap_or_default() as usize;
        let list = list.get(step..).unwrap_or_default();
        list.chunks_exact(stride).take(count.min(MAX_DRIVERS)).filter_map(move |entry| {
            let bytes = usize::from(u16_at(entry, 0)?).min(24);
            let name = text_utf16(slice(entry, text_at, bytes)?);
            let start = pointer_at(entry, start_at, width)?;
            Some(UnloadedDriver { name, start, end: pointer_at(entry, end_at, width)? })
        })
    }
}

/// The `DUMP_STRING` at an offset of the file: a character count, and the characters.
pub fn name_at<'f>(file: impl Into<View<'f>>, offset: u32) -> Option<String> {
    let offset = usize::try_from(offset).ok().filter(|at| *at != 0)?;
    let file = file.into();
    let count = u32_at(file.part(offset, 4), 0).filter(|count| *count <= MAX_NAME)? as usize;
    Some(text_utf16(file.slice_at(offset.checked_add(4)? as u64, count.checked_mul(2)? as u64)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 32-bit triage dump with one driver, one unloaded driver and one data block.
    fn small32() -> Vec<u8> {
        let mut file = vec![0u8; 0x1200];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        let words =
            |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        let fields = [
            0x200, 0x1200, 0x11fc, 0x320, 0x7d0, 0, 0x1068, 0, 0, 0, 0, 0, 0x1098, 1, 0x1100, 0x20,
        ];
        put(0x1000, &words(&fields));
        put(0x1060, &words(&[0x1120, 1]));
        put(0x1068, &words(&[1, 0x0010_0010, 0]));
        put(0x1074, b"f\0o\0o\0.\0s\0y\0s\0\0\0");
        put(0x108c, &words(&[0xf700_0000, 0xf700_8000]));
        put(0x1098, &words(&[0x1100]));
        put(0x1098 + 0x1c, &words(&[0x8040_0000, 0, 0x20_0000]));
        put(0x1098 + 0x44, &words(&[0x1234, 0x4a5b_c000]));
        put(0x1100, &words(&[6]));
        put(0x1104, b"n\0t\0.\0e\0x\0e\0");
        put(0x1120, &words(&[0x8050_0000, u32::MAX, 0x1130, 4]));
        put(0x11fc, b"TRGD");
        file
    }

    #[test]
    fn a_32_bit_block_and_its_lists() {
        let file = small32();
        let triage = parse(&file, Width::W32).unwrap();
        assert_eq!(triage.problems, [""; 0]);
        assert!(triage.is_complete);
        let drivers: Vec<_> = triage.drivers(&file, Width::W32).collect();
        assert_eq!(drivers.len(), 1);
        assert_eq!((drivers[0].base, drivers[0].size), (0x8040_0000, 0x20_0000));
        assert_eq!((drivers[0].checksum, drivers[0].timestamp), (0x1234, 0x4a5b_c000));
        assert_eq!(name_at(&file, drivers[0].name).as_deref(), Some("nt.exe"));
        let unloaded: Vec<_> = triage.unloaded(&file, Width::W32).collect();
        let foo = UnloadedDriver { name: "foo.sys".into(), start: 0xf700_0000, end: 0xf700_8000 };
        assert_eq!(unloaded, [foo]);
        let blocks: Vec<_> = triage.blocks(&file, Width::W32).collect();
        let piece = Piece { offset: 0x1130, size: 4 };
        assert_eq!(blocks, [DataBlock { address: 0x8050_0000, piece }]);
    }

    #[test]
    fn truncation_is_a_problem_and_the_rest_is_read() {
        let mut file = small32();
        file.truncate(0x1110);
        let triage = parse(&file, Width::W32).unwrap();
        assert!(!triage.is_complete);
        assert_eq!(triage.problems[0], "the file is cut off: 4368 of 4608 bytes");
        assert_eq!(triage.drivers(&file, Width::W32).count(), 1);
        assert_eq!(triage.blocks(&file, Width::W32).count(), 0);
        assert!(parse(&file[..0x1010], Width::W32).is_none());
    }

    #[test]
    fn absurd_counts_end_with_the_file() {
        let mut file = small32();
        for at in [0x1034, 0x1064, 0x1068] {
            file[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        }
        let triage = parse(&file, Width::W32).unwrap();
        assert!(!triage.is_complete);
        assert!(triage.drivers(&file, Width::W32).count() < 10);
        assert!(triage.unloaded(&file, Width::W32).count() < 10);
        assert!(triage.blocks(&file, Width::W32).count() < 20);
    }
}
