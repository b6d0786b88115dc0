//! Notes of ELF core files in which hypervisors store the registers of processors: QEMU's own
//! notes, the `NT_PRSTATUS` notes next to them, and those of `VirtualBox`.
//!
//! This module knows the records as they are in the file. No note says whether a processor ran
//! 32-bit code, so the caller, which knows the system, chooses the register names.

use super::bytes::{Width, u16_at, u32_at, u64_at};

/// Upper limit on notes: three times the number of processors that Windows supports.
const MAX_NOTES: usize = 6144;
const PRSTATUS: u32 = 1;
/// The general registers, in the order in which debuggers print them.
const NAMES: [(&str, &str); 18] = [
    ("rax", "eax"),
    ("rbx", "ebx"),
    ("rcx", "ecx"),
    ("rdx", "edx"),
    ("rsi", "esi"),
    ("rdi", "edi"),
    ("rip", "eip"),
    ("rsp", "esp"),
    ("rbp", "ebp"),
    ("r8", ""),
    ("r9", ""),
    ("r10", ""),
    ("r11", ""),
    ("r12", ""),
    ("r13", ""),
    ("r14", ""),
    ("r15", ""),
    ("efl", "efl"),
];
const SEGMENTS: [&str; 6] = ["cs", "ss", "ds", "es", "fs", "gs"];
const CONTROL: [&str; 4] = ["cr0", "cr2", "cr3", "cr4"];

/// A note record: its name, its type if that matters, and where its numbers are.
struct NoteShape {
    name: &'static [u8],
    kind: Option<u32>,
    /// The minimum size in bytes.
    size: usize,
    general: [Option<usize>; 18],
    /// Segment selectors, and the size of each segment record.
    segments: [usize; 6],
    control: Option<[usize; 4]>,
    /// Bases of `fs` and `gs`, and the base that `swapgs` exchanges.
    bases: Option<[usize; 3]>,
    is_narrow: bool,
}

/// Offsets of consecutive words, by the index of each of [`NAMES`].
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the compiler runs it, and refuses what overflows"
)]
const fn words(first: usize, step: usize, order: [i8; 18]) -> [Option<usize>; 18] {
    let mut places = [None; 18];
    let mut i = 0;
    while i < 18 {
        if order[i] >= 0 {
            places[i] = Some(first + step * order[i].unsigned_abs() as usize);
        }
        i += 1;
    }
    places
}

/// QEMU: version and size, 18 registers, ten segments of 24 bytes, five control registers, and in
/// newer versions the kernel `gs` base.
const QEMU: NoteShape = {
    const SEGMENT: usize = 8 + 18 * 8;
    const CR0: usize = SEGMENT + 10 * 24;
    NoteShape {
        name: b"QEMU",
        kind: None,
        size: CR0 + 40,
        general: words(8, 8, [0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17]),
        segments: [
            SEGMENT,
            SEGMENT + 5 * 24,
            SEGMENT + 24,
            SEGMENT + 2 * 24,
            SEGMENT + 3 * 24,
            SEGMENT + 4 * 24,
        ],
        control: Some([CR0, CR0 + 16, CR0 + 24, CR0 + 32]),
        bases: Some([SEGMENT + 3 * 24 + 16, SEGMENT + 4 * 24 + 16, CR0 + 40]),
        is_narrow: false,
    }
};

/// `VirtualBox`, `DBGFCORECPU`: 18 registers, six segments of 24 bytes that begin with the base,
/// four control registers, eight debug registers, four descriptor tables, the system call entry
/// registers, and model-specific registers.
const VBOX: NoteShape = {
    const SEGMENT: usize = 18 * 8;
    const SELECTOR: usize = SEGMENT + 16;
    const CR0: usize = SEGMENT + 6 * 24;
    NoteShape {
        name: b"VBCPU",
        kind: None,
        size: CR0 + 32,
        general: words(0, 8, [0, 1, 2, 3, 4, 5, 14, 15, 16, 6, 7, 8, 9, 10, 11, 12, 13, 17]),
        segments: [
            SELECTOR,
            SELECTOR + 5 * 24,
            SELECTOR + 24,
            SELECTOR + 2 * 24,
            SELECTOR + 3 * 24,
            SELECTOR + 4 * 24,
        ],
        control: Some([CR0, CR0 + 8, CR0 + 16, CR0 + 24]),
        bases: Some([SEGMENT + 3 * 24, SEGMENT + 4 * 24, 0x218]),
        is_narrow: false,
    }
};

/// `NT_PRSTATUS` of a 64-bit machine: registers in Linux order at offset 112.
const STATUS_64: NoteShape = NoteShape {
    name: b"CORE",
    kind: Some(PRSTATUS),
    size: 112 + 27 * 8,
    general: words(112, 8, [10, 5, 11, 12, 13, 14, 16, 19, 4, 9, 8, 7, 6, 3, 2, 1, 0, 18]),
    segments: [248, 272, 296, 304, 312, 320],
    control: None,
    bases: None,
    is_narrow: false,
};

/// The same of a 32-bit machine, at offset 72.
const STATUS_32: NoteShape = NoteShape {
    name: b"CORE",
    kind: Some(PRSTATUS),
    size: 72 + 17 * 4,
    general: words(72, 4, [6, 0, 1, 2, 3, 4, 12, 15, 5, -1, -1, -1, -1, -1, -1, -1, -1, 14]),
    segments: [124, 136, 100, 104, 108, 112],
    control: None,
    bases: None,
    is_narrow: true,
};

/// The registers of a processor as its hypervisor saved them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stopped {
    general: [Option<u64>; 18],
    segments: [Option<u64>; 6],
    control: [Option<u64>; 4],
    bases: [Option<u64>; 3],
}

impl Stopped {
    /// Sets a register by its name in 64-bit or 32-bit code; other names are left out.
    pub(super) fn set(&mut self, name: &str, value: Option<u64>) {
        let is_called = |(wide, narrow): &(&str, &str)| *wide == name || *narrow == name;
        let general = NAMES.iter().position(is_called).filter(|_| !name.is_empty());
        let control = CONTROL.iter().position(|control| *control == name);
        let place = general
            .and_then(|index| self.general.get_mut(index))
            .or_else(|| control.and_then(|index| self.control.get_mut(index)));
        if let Some(place) = place {
            *place = value;
        }
    }

    /// The registers under their names in 32-bit or 64-bit code, in the order in which debuggers
    /// print them, followed by the control registers.
    pub fn registers(&self, width: Width) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let is_wide = width == Width::W64;
        let names = NAMES.iter().map(move |(wide, narrow)| if is_wide { *wide } else { *narrow });
        let mask = if is_wide { u64::MAX } else { u64::from(u32::MAX) };
        let general = names.zip(&self.general).filter(|(name, _)| !name.is_empty());
        let segments = SEGMENTS.into_iter().zip(&self.segments);
        let control = CONTROL.into_iter().zip(&self.control);
        general
            .chain(segments)
            .chain(control)
            .filter_map(move |(name, value)| Some((name, (*value)? & mask)))
    }

    /// The page directory base.
    pub fn table(&self) -> Option<u64> {
        self.control.get(2).copied().flatten()
    }

    /// Candidates for the address of the processor's control region: its segment bases, the one
    /// that kernel code uses first.
    pub fn regions(&self, width: Width) -> impl Iterator<Item = u64> {
        let [fs, gs, swapped] = self.bases;
        let all = match width {
            Width::W64 => [gs, swapped],
            Width::W32 => [fs, None],
        };
        all.into_iter().flatten()
    }
}

/// The processors that the notes of a segment describe, in order: from the hypervisor's own notes,
/// or else from those with less detail.
pub(super) fn processors(mut rest: &[u8]) -> Vec<Stopped> {
    let (mut own, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..MAX_NOTES {
        let Some((note, left)) = next(rest) else { break };
        for shape in [&QEMU, &VBOX] {
            own.extend(shape.read(&note));
        }
        // The longer record is that of a 64-bit machine.
        plain.extend(STATUS_64.read(&note).or_else(|| STATUS_32.read(&note)));
        rest = left;
    }
    if own.is_empty() { plain } else { own }
}

struct Note<'f> {
    name: &'f [u8],
    kind: u32,
    body: &'f [u8],
}

/// The note at the start of some bytes, and the bytes after it.
fn next(bytes: &[u8]) -> Option<(Note<'_>, &[u8])> {
    let (name_size, size) = (u32_at(bytes, 0)?, u32_at(bytes, 4)?);
    let kind = u32_at(bytes, 8)?;
    let length = |size: u32| usize::try_from(size).ok();
    let padded = |size: u32| length(size)?.checked_next_multiple_of(4);
    let name = bytes.get(12..)?.get(..length(name_size)?)?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let body = bytes.get(12usize.checked_add(padded(name_size)?)?..)?;
    let held = body.get(..length(size)?).unwrap_or(body);
    let left = body.get(padded(size)?..).unwrap_or_default();
    Some((Note { name, kind, body: held }, left))
}

impl NoteShape {
    /// The registers of a note with this layout.
    fn read(&self, note: &Note<'_>) -> Option<Stopped> {
        let is_it = note.name == self.name
            && self.kind.is_none_or(|kind| kind == note.kind)
            && note.body.len() >= self.size;
        if !is_it {
            return None;
        }
        let word = |at: usize| {
            if self.is_narrow {
                u32_at(note.body, at).map(u64::from)
            } else {
                u64_at(note.body, at)
            }
        };
        let selector = |at: usize| u16_at(note.body, at).map(u64::from);
        let none = [None; 4];
        Some(Stopped {
            general: self.general.map(|at| word(at?)),
            segments: self.segments.map(selector),
            control: self.control.map_or(none, |places| places.map(word)),
            bases: self.bases.map_or([None; 3], |places| places.map(word)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, body: &[u8]) -> Vec<u8> {
        let sizes = [name.len() + 1, body.len()].map(|size| u32::try_from(size).unwrap());
        let mut bytes =
            [sizes[0].to_le_bytes(), sizes[1].to_le_bytes(), kind.to_le_bytes()].concat();
        bytes.extend(name);
        bytes.resize((bytes.len() + 1).next_multiple_of(4), 0);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A record in which every number is its own offset.
    fn numbered(len: usize, step: usize) -> Vec<u8> {
        (0..len / step)
            .flat_map(|i| (i as u64 * step as u64).to_le_bytes()[..step].to_vec())
            .collect()
    }

    fn value(stopped: &Stopped, width: Width, name: &str) -> Option<u64> {
        stopped.registers(width).find(|row| row.0 == name).map(|row| row.1)
    }

    #[test]
    fn each_hypervisor_has_its_own_order() {
        let notes = [note(b"CORE", 1, &numbered(336, 8)), note(b"QEMU", 0, &numbered(440, 8))];
        let [qemu] = &processors(&notes.concat())[..] else { panic!("one processor") };
        let of = |name| value(qemu, Width::W64, name);
        assert_eq!((of("rax"), of("rsp"), of("rip")), (Some(8), Some(8 + 6 * 8), Some(8 + 16 * 8)));
        assert_eq!((qemu.table(), of("cr3")), (Some(416), Some(416)));
        assert_eq!(qemu.regions(Width::W64).collect::<Vec<_>>(), [152 + 4 * 24 + 16, 432]);
        let [status] = &processors(&notes[0])[..] else { panic!("one processor") };
        let of = |name| value(status, Width::W64, name);
        assert_eq!((of("r15"), of("rip"), of("rsp")), (Some(112), Some(240), Some(264)));
        assert_eq!((of("efl"), status.table()), (Some(256), None));
        let [vbox] = &processors(&note(b"VBCPU", 0xb01, &numbered(0x240, 8)))[..] else {
            panic!("one processor")
        };
        let of = |name| value(vbox, Width::W64, name);
        assert_eq!((of("rip"), of("rsp"), of("rbp")), (Some(0x70), Some(0x78), Some(0x80)));
        assert_eq!((of("r8"), vbox.table(), of("cs")), (Some(0x30), Some(0x130), Some(0xa0)));
        assert_eq!(vbox.regions(Width::W64).collect::<Vec<_>>(), [0xf0, 0x218]);
    }

    #[test]
    fn narrow_machines_have_narrow_registers() {
        let [one] = &processors(&note(b"CORE", 1, &numbered(144, 4)))[..] else {
            panic!("one processor")
        };
        let of = |name| value(one, Width::W32, name);
        assert_eq!((of("ebx"), of("eax"), of("eip")), (Some(72), Some(96), Some(120)));
        assert_eq!((of("esp"), of("r8")), (Some(132), None));
    }

    #[test]
    fn damage_ends_with_the_bytes() {
        let whole = [note(b"QEMU", 0, &numbered(440, 8)), note(b"CORE", 1, &[1; 336])].concat();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] = 0xff;
            let _ = processors(&bytes);
            let _ = processors(&whole[..at]);
        }
        assert_eq!(processors(&[0xff; 64]), []);
        assert_eq!(processors(&vec![0; 1 << 16]), []);
    }
}
