//! Writes the memory of a system as a file: crash dumps of every type, raw memory, ELF core files.
//!
//! This is written from published facts about the formats, independently of the readers. Pages that
//! were never written become holes in formats that store every page, and are omitted in formats
//! that say which pages they store.

use std::io::{Cursor, Result, Seek, SeekFrom, Write};

use super::bytes::{Bytes, len32, low32};
use super::form::{FORM32, FORM64, Form};
use super::memory::{self, PAGE, Page};
use super::system::System;
use super::triage::exception;

/// A file format for memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Type 1: every page of every run.
    Full,
    /// Type 2: the kernel's pages, with a bitmap.
    KernelSummary,
    /// Type 5: every written page, with a bitmap.
    BitmapFull,
    /// Type 6: the kernel's pages, with the newer bitmap.
    BitmapKernel,
    /// Type 8: the kernel's pages, as ranges.
    KernelMemory,
    /// Type 9: pages of the kernel and of processes, as ranges.
    KernelAndUserMemory,
    /// Type 10: every written page, as ranges.
    CompleteMemory,
    /// Raw physical memory.
    Raw,
    /// An ELF core file as hypervisors write it.
    ElfCore,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 9] = [
        Self::Full,
        Self::KernelSummary,
        Self::BitmapFull,
        Self::BitmapKernel,
        Self::KernelMemory,
        Self::KernelAndUserMemory,
        Self::CompleteMemory,
        Self::Raw,
        Self::ElfCore,
    ];

    /// The type in the header of a crash dump.
    pub const fn dump_type(self) -> Option<u32> {
        Some(match self {
            Self::Full => 1,
            Self::KernelSummary => 2,
            Self::BitmapFull => 5,
            Self::BitmapKernel => 6,
            Self::KernelMemory => 8,
            Self::KernelAndUserMemory => 9,
            Self::CompleteMemory => 10,
            Self::Raw | Self::ElfCore => return None,
        })
    }

    /// Whether the pages of processes are left out.
    pub const fn is_kernel_only(self) -> bool {
        matches!(self, Self::KernelSummary | Self::BitmapKernel | Self::KernelMemory)
    }
}

impl System {
    /// The ranges of physical memory: first page and number of pages.
    pub fn runs(&self) -> Vec<(u64, u64)> {
        memory::runs(self.facts.physical_pages, self.memory.highest())
    }

    /// The bytes of a file in this format. A format that stores every page takes as much as all of
    /// memory.
    pub fn to_vec(&self, format: Format) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        // Writing to memory cannot fail.
        let _ = self.write(format, &mut out);
        out.into_inner()
    }

    /// Writes a file in this format, with holes for pages that were never written.
    ///
    /// # Errors
    /// The error of the file.
    pub fn write(&self, format: Format, out: &mut (impl Write + Seek)) -> Result<()> {
        match format {
            Format::Full => self.write_full(out),
            Format::KernelSummary => self.write_bitmap(format, out, true),
            Format::BitmapFull | Format::BitmapKernel => self.write_bitmap(format, out, false),
            Format::KernelMemory | Format::KernelAndUserMemory | Format::CompleteMemory => {
                self.write_ranges(format, out)
            }
            Format::Raw => self.write_raw(out),
            Format::ElfCore => self.write_elf(out),
        }
    }

    /// The pages that a file in this format contains.
    fn kept(&self, format: Format) -> Vec<(u64, &Page)> {
        let leaves_out = format.is_kernel_only();
        let pages = self.memory.pages();
        pages.filter(|(frame, _)| !leaves_out || !self.memory.is_user(*frame)).collect()
    }

    fn header(&self, format: Format, bytes: u64) -> Bytes {
        let is_64_bit = self.version.is_64_bit();
        let form: &Form = if is_64_bit { &FORM64 } else { &FORM32 };
        let (width, facts) = (form.width, &self.facts);
        let mut file = Bytes::filler(form.header);
        file.put(0, if is_64_bit { b"PAGEDU64" } else { b"PAGEDUMP" });
        file.u32(8, 15);
        file.u32(0xc, self.version.build.into());
        let symbol = |name: &str| self.symbols.get(name).copied().unwrap_or(0);
        let pointers = [self.dtb, 0, symbol("PsLoadedModuleList"), symbol("PsActiveProcessHead")];
        for (i, pointer) in pointers.into_iter().enumerate() {
            file.uint(form.pointers + i * width, pointer, width);
        }
        file.u32(form.machine, if is_64_bit { 0x8664 } else { 0x14c });
        file.u32(form.machine + 4, len32(facts.processors.len()));
        file.u32(form.bugcheck, facts.bugcheck.0);
        for (i, parameter) in facts.bugcheck.1.into_iter().enumerate() {
            file.uint(form.parameters + i * width, parameter, width);
        }
        if !is_64_bit {
            let is_pae = self.version.paging == memory::Paging::Pae;
            file.put(0x5c, &[u8::from(is_pae), 0]);
        }
        file.uint(form.debugger_data, self.debugger_data, width);
        self.memory_block(&mut file, form.debugger_data + width.max(4), width);
        file.put(form.context, &vec![0; if is_64_bit { 3000 } else { 1200 }]);
        file.put(form.context, &self.context);
        exception(&mut file, facts.exception.as_ref(), form);
        if !facts.comment.is_empty() {
            let comment: Vec<u8> = facts.comment.bytes().take(127).chain([0]).collect();
            file.put(form.comment, &comment);
        }
        file.u32(form.dump_type, format.dump_type().unwrap_or(0));
        file.u32(form.fields, 0);
        let product = form.fields + 8;
        file.u32(product, if self.version.is_server { 3 } else { 1 });
        file.u32(product + 4, 0x110);
        file.u64(form.required, bytes);
        file.u64(form.system_time, facts.system_time);
        file.u64(form.uptime, facts.ticks * 156_250);
        file
    }

    /// The description of physical memory in the header.
    fn memory_block(&self, file: &mut Bytes, at: usize, width: usize) {
        let runs = self.runs();
        file.uint(at, runs.len() as u64, width);
        file.uint(at + width, runs.iter().map(|run| run.1).sum(), width);
        for (i, (first, count)) in runs.into_iter().enumerate() {
            let at = at + 2 * width + 2 * i * width;
            file.uint(at, first, width);
            file.uint(at + width, count, width);
        }
    }

    fn write_full(&self, out: &mut (impl Write + Seek)) -> Result<()> {
        let runs = self.runs();
        let pages: u64 = runs.iter().map(|run| run.1).sum();
        let header = self.header(Format::Full, 0);
        let start = header.len() as u64;
        let total = start + pages * PAGE;
        out.write_all(self.header(Format::Full, total).as_slice())?;
        self.write_runs(&runs, start, out)?;
        finish(out, total)
    }

    /// The pages of runs that follow each other in the file.
    fn write_runs(
        &self,
        runs: &[(u64, u64)],
        start: u64,
        out: &mut (impl Write + Seek),
    ) -> Result<()> {
        let (mut before, mut pages) = (0, self.memory.pages().peekable());
        for (first, count) in runs {
            while let Some((frame, page)) = pages.next_if(|(frame, _)| *frame < first + count) {
                if frame >= *first {
                    out.seek(SeekFrom::Start(start + (before + frame - first) * PAGE))?;
                    out.write_all(page)?;
                }
            }
            before += count;
        }
        Ok(())
    }

    fn write_raw(&self, out: &mut (impl Write + Seek)) -> Result<()> {
        let end = self.runs().last().map_or(0, |run| run.0 + run.1);
        for (frame, page) in self.kept(Format::Raw) {
            out.seek(SeekFrom::Start(frame * PAGE))?;
            out.write_all(page)?;
        }
        finish(out, end * PAGE)
    }

    /// Writes the header, the bitmap of pages, and the pages. `is_old` selects the first form of
    /// the bitmap.
    fn write_bitmap(
        &self,
        format: Format,
        out: &mut (impl Write + Seek),
        is_old: bool,
    ) -> Result<()> {
        let kept = self.kept(format);
        let bits = self.runs().last().map_or(0, |run| run.0 + run.1).next_multiple_of(64);
        let mut map = Bytes::zeroed(usize::try_from(bits / 8).unwrap_or(0));
        for (frame, _) in &kept {
            let byte = usize::try_from(frame / 8).unwrap_or(0);
            let old = map.as_slice().get(byte).copied().unwrap_or(0);
            map.put(byte, &[old | 1 << (frame % 8)]);
        }
        let mut summary = Bytes::default();
        summary.put(0, if format == Format::BitmapFull { b"FDMPDUMP" } else { b"SDMPDUMP" });
        let place = if !is_old {
            0x38
        } else if self.version.is_64_bit() {
            0x28
        } else {
            0x20
        };
        let form: &Form = if self.version.is_64_bit() { &FORM64 } else { &FORM32 };
        let start = ((form.header + place + map.len()) as u64).next_multiple_of(PAGE);
        let total = start + kept.len() as u64 * PAGE;
        if is_old {
            summary.u32(0xc, low32(start));
            summary.u32(0x10, low32(bits));
            summary.u32(0x14, len32(kept.len()));
            summary.u32(0x18, low32(bits));
        } else {
            summary.put(8, &[0; 0x18]);
            summary.u64(0x20, start);
            summary.u64(0x28, kept.len() as u64);
            summary.u64(0x30, bits);
        }
        summary.put(place, map.as_slice());
        out.write_all(self.header(format, total).as_slice())?;
        out.write_all(summary.as_slice())?;
        out.seek(SeekFrom::Start(start))?;
        for (_, page) in kept {
            out.write_all(page)?;
        }
        finish(out, total)
    }

    /// Writes the header, the ranges of pages, and the pages.
    fn write_ranges(&self, format: Format, out: &mut (impl Write + Seek)) -> Result<()> {
        let kept = self.kept(format);
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (frame, _) in &kept {
            match ranges.last_mut() {
                Some((first, count)) if *first + *count == *frame => *count += 1,
                _ => ranges.push((*frame, 1)),
            }
        }
        // The size covers everything before the pages; an empty range ends the list.
        let header = FORM64.header as u64 + 0x30;
        let room = (header + (ranges.len() as u64 + 1) * 16).next_multiple_of(PAGE);
        let total = room + kept.len() as u64 * PAGE;
        let mut table = Bytes::zeroed(0x30);
        table.u32(0, 0x40);
        table.put(4, b"RDMPDUMP");
        table.u64(0x10, room - 0x2020);
        table.u64(0x18, room);
        if format == Format::CompleteMemory {
            table.u32(0x20, len32(ranges.len()));
            table.u64(0x28, kept.len() as u64);
        }
        for (first, count) in ranges {
            let at = table.len();
            table.u64(at, first);
            table.u64(at + 8, count);
        }
        out.write_all(self.header(format, total).as_slice())?;
        out.write_all(table.as_slice())?;
        out.seek(SeekFrom::Start(room))?;
        for (_, page) in kept {
            out.write_all(page)?;
        }
        finish(out, total)
    }

    /// Writes an ELF core file: notes with the processors' registers, and a segment for each range
    /// of memory.
    fn write_elf(&self, out: &mut (impl Write + Seek)) -> Result<()> {
        let runs = self.runs();
        let note = self.processor_notes();
        let headers = 0x40 + 0x38 * (runs.len() + 1);
        let start = ((headers + note.len()) as u64).next_multiple_of(PAGE);
        let mut elf = Bytes::zeroed(headers);
        elf.put(0, b"\x7fELF\x02\x01\x01");
        elf.u16(0x10, 4);
        elf.u16(0x12, 62);
        elf.u32(0x14, 1);
        elf.u64(0x20, 0x40);
        elf.u16(0x34, 0x40);
        elf.u16(0x36, 0x38);
        elf.u16(0x38, u16::try_from(runs.len() + 1).unwrap_or(0));
        elf.u32(0x40, 4);
        elf.u64(0x48, headers as u64);
        elf.u64(0x60, note.len() as u64);
        elf.u64(0x68, note.len() as u64);
        let mut offset = start;
        for (i, (first, count)) in runs.iter().enumerate() {
            let at = 0x78 + 0x38 * i;
            elf.u32(at, 1);
            for (field, value) in
                [(8, offset), (0x18, first * PAGE), (0x20, count * PAGE), (0x28, count * PAGE)]
            {
                elf.u64(at + field, value);
            }
            offset += count * PAGE;
        }
        elf.put(headers, &note);
        out.write_all(elf.as_slice())?;
        self.write_runs(&runs, start, out)?;
        finish(out, offset)
    }
}

/// Extends the file to its full length.
fn finish(out: &mut (impl Write + Seek), len: u64) -> Result<()> {
    let end = out.seek(SeekFrom::End(0))?;
    if end < len {
        out.seek(SeekFrom::Start(len - 1))?;
        out.write_all(&[0])?;
    }
    out.flush()
}
