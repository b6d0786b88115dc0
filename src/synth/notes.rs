//! The processor state in an ELF core file: for each processor a note in the form of a Linux
//! thread, then one of QEMU's own for each.
//!
//! This is written from published descriptions of both records, independently of the readers.

use super::bytes::{Bytes, len32};
use super::system::System;

/// Offset of the registers in the Linux record of a 64-bit and of a 32-bit thread, and the sizes of
/// the records.
const STATUS: [(usize, usize); 2] = [(112, 336), (72, 144)];
const STATUS_64: [&str; 21] = [
    "R15", "R14", "R13", "R12", "Rbp", "Rbx", "R11", "R10", "R9", "R8", "Rax", "Rcx", "Rdx", "Rsi",
    "Rdi", "", "Rip", "SegCs", "EFlags", "Rsp", "SegSs",
];
const STATUS_32: [&str; 17] = [
    "Ebx", "Ecx", "Edx", "Esi", "Edi", "Ebp", "Eax", "SegDs", "SegEs", "SegFs", "SegGs", "", "Eip",
    "SegCs", "EFlags", "Esp", "SegSs",
];
/// QEMU's record: version, size, these registers, ten segments, five control registers, and the
/// base that `swapgs` loads.
const QEMU_SIZE: usize = 440;
const QEMU: [(&str, &str); 18] = [
    ("Rax", "Eax"),
    ("Rbx", "Ebx"),
    ("Rcx", "Ecx"),
    ("Rdx", "Edx"),
    ("Rsi", "Esi"),
    ("Rdi", "Edi"),
    ("Rsp", "Esp"),
    ("Rbp", "Ebp"),
    ("R8", ""),
    ("R9", ""),
    ("R10", ""),
    ("R11", ""),
    ("R12", ""),
    ("R13", ""),
    ("R14", ""),
    ("R15", ""),
    ("Rip", "Eip"),
    ("EFlags", "EFlags"),
];
const SEGMENTS: [&str; 6] = ["SegCs", "SegDs", "SegEs", "SegFs", "SegGs", "SegSs"];

impl System {
    /// The value of a register of a processor, by its name in `_CONTEXT`. The crashing processor
    /// has the registers of the specification, all others are in the idle loop.
    pub fn register(&self, processor: usize, name: &str) -> u64 {
        if processor == self.facts.crash_processor {
            let found = self.facts.registers.iter().find(|row| row.0 == name);
            return found.map_or(0, |row| row.1);
        }
        let idle = self.facts.processes.first().and_then(|idle| idle.threads.get(processor));
        match name {
            "Rip" | "Eip" => self.kernel.0 + 0x1_5000,
            "Rsp" | "Esp" => idle.map_or(0, |idle| idle.stack.1),
            "SegCs" => 0x10,
            "EFlags" => 0x246,
            _ => 0,
        }
    }

    /// The notes of every processor.
    pub(super) fn processor_notes(&self) -> Vec<u8> {
        let count = self.facts.processors.len();
        let mut notes = Vec::new();
        for processor in 0..count {
            notes.extend(note(*b"CORE", 1, self.status(processor).as_slice()));
        }
        for processor in 0..count {
            notes.extend(note(*b"QEMU", 0, self.state(processor).as_slice()));
        }
        notes
    }

    fn status(&self, processor: usize) -> Bytes {
        let is_64_bit = self.version.is_64_bit();
        let ((first, size), names, width) =
            if is_64_bit { (STATUS[0], &STATUS_64[..], 8) } else { (STATUS[1], &STATUS_32[..], 4) };
        let mut status = Bytes::zeroed(size);
        for (i, name) in names.iter().enumerate() {
            status.uint(first + i * width, self.register(processor, name), width);
        }
        status
    }

    fn state(&self, processor: usize) -> Bytes {
        let is_64_bit = self.version.is_64_bit();
        let mut state = Bytes::zeroed(QEMU_SIZE);
        state.u32(0, 1);
        state.u32(4, len32(QEMU_SIZE));
        for (i, (wide, narrow)) in QEMU.into_iter().enumerate() {
            let name = if is_64_bit { wide } else { narrow };
            state.u64(8 + i * 8, self.register(processor, name));
        }
        let segments = 8 + QEMU.len() * 8;
        for (i, name) in SEGMENTS.into_iter().enumerate() {
            state.u64(segments + i * 24, self.register(processor, name));
        }
        // Kernel code reaches the `_KPCR` through the base of one of two segments.
        let region = if is_64_bit { 4 } else { 3 };
        state.u64(segments + region * 24 + 16, self.region_of(processor));
        let control = segments + 10 * 24;
        state.u64(control, 0x8001_003b);
        state.u64(control + 24, self.dtb);
        state.u64(control + 32, 0x6f8);
        state
    }

    /// The control region (`_KPCR`) of a processor.
    fn region_of(&self, processor: usize) -> u64 {
        let field = if self.version.is_64_bit() { "Prcb" } else { "PrcbData" };
        let layout = super::layout::Layout::of_kernel(self.facts.windows);
        let inside = layout.map_or(0, |layout| layout.offset("_KPCR", field));
        let prcb = self.facts.processors.get(processor).map_or(0, |processor| processor.prcb);
        prcb.saturating_sub(inside.into())
    }
}

/// A note: sizes, kind, name and record, each padded to four bytes.
fn note(name: [u8; 4], kind: u32, record: &[u8]) -> Vec<u8> {
    let mut note = Bytes::zeroed(12);
    note.u32(0, 5);
    note.u32(4, len32(record.len()));
    note.u32(8, kind);
    note.put(12, &name);
    note.put(20, record);
    let mut bytes = note.into_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
