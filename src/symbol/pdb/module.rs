//! The functions and lines of one module.

use super::Files;
use super::addresses::Addresses;
use super::debug::Module;
use super::msf::Msf;
use super::records;
use crate::symbol::bytes::{align4, size_at, u16_at, u32_at};

const LINES: u32 = 0xf2;
const CHECKSUMS: u32 = 0xf4;
/// Line numbers that the compiler assigns to code without a source line.
const NO_LINE: [u32; 2] = [0xfe_efee, 0xf0_0f00];

/// The functions of a module with their offsets, and its lines.
#[derive(Debug, Default)]
pub(super) struct ModuleSymbols {
    /// Offset, size and name of functions and data; sorted.
    pub(super) places: Vec<(u32, u32, Box<str>)>,
    /// The offset of each function by the position of its record.
    by_record: Vec<(usize, u32)>,
    /// Start, end, line and position of the file name; sorted.
    lines: Vec<(u32, u32, u32, usize)>,
}

impl ModuleSymbols {
    pub(super) fn read(msf: &Msf, module: &Module, addresses: &Addresses) -> Option<Self> {
        let bytes = msf.stream(module.stream?)?;
        let mut read = Self::default();
        let symbols = bytes.get(..module.symbols_end)?;
        for (kind, at, content) in records::records(symbols, 4) {
            let Some(record) = records::place(kind, content, addresses) else { continue };
            let name = String::from_utf8_lossy(record.name).into();
            read.by_record.push((at, record.rva));
            read.places.push((record.rva, record.size, name));
        }
        read.places.sort_unstable();
        if let Some(lines) = bytes.get(module.lines.clone()) {
            read.read_lines(lines, addresses);
        }
        Some(read)
    }

    /// The offset of the function whose record is at a position.
    pub(super) fn of_record(&self, at: usize) -> Option<u32> {
        let found = self.by_record.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        self.by_record.get(found).map(|(_, rva)| *rva)
    }

    /// The function at or before an offset.
    pub(super) fn nearest(&self, rva: u32) -> Option<&(u32, u32, Box<str>)> {
        let next = self.places.partition_point(|(at, ..)| *at <= rva);
        self.places.get(next.checked_sub(1)?)
    }

    /// Source file and line of an offset.
    pub(super) fn line(&self, rva: u32, files: &Files) -> Option<(String, u32)> {
        let next = self.lines.partition_point(|(start, ..)| *start <= rva);
        let (_, end, line, file) = *self.lines.get(next.checked_sub(1)?)?;
        if rva >= end || NO_LINE.contains(&line) {
            return None;
        }
        Some((files.at(file)?, line))
    }

    fn read_lines(&mut self, bytes: &[u8], addresses: &Addresses) {
        let sections: Vec<(u32, &[u8])> = subsections(bytes).collect();
        let checksums = sections.iter().find(|(kind, _)| *kind == CHECKSUMS);
        let checksums = checksums.map_or(&[][..], |(_, content)| content);
        for (_, content) in sections.iter().filter(|(kind, _)| *kind == LINES) {
            let _ = self.read_function(content, checksums, addresses);
        }
        self.lines.sort_unstable();
    }

    fn read_function(
        &mut self,
        bytes: &[u8],
        checksums: &[u8],
        addresses: &Addresses,
    ) -> Option<()> {
        let start = addresses.place(bytes, 0, 4)?;
        let end = start.checked_add(u32_at(bytes, 8)?)?;
        let has_columns = u16_at(bytes, 6)? & 1 != 0;
        let mut at = 12usize;
        let mut lines = Vec::new();
        while let Some(size) = size_at(bytes, at.checked_add(8)?) {
            // An entry of the checksum table begins with the position of the file name.
            let file = size_at(checksums, size_at(bytes, at)?).unwrap_or(usize::MAX);
            let count = size_at(bytes, at.checked_add(4)?)?;
            let width = if has_columns { 12 } else { 8 };
            let block_end = at.checked_add(size)?;
            if size.checked_sub(12).is_none_or(|room| count.saturating_mul(width) > room) {
                break;
            }
            for i in 0..count {
                let line = at.checked_add(12)?.checked_add(i.checked_mul(8)?)?;
                let (offset, flags) = (u32_at(bytes, line)?, u32_at(bytes, line.checked_add(4)?)?);
                lines.push((start.checked_add(offset)?, flags & 0xff_ffff, file));
            }
            at = block_end;
        }
        lines.sort_unstable_by_key(|(at, ..)| *at);
        let ends = lines.iter().skip(1).map(|(at, ..)| *at).chain([end]);
        let line = |((at, line, file), end): (&(u32, u32, usize), u32)| (*at, end, *line, *file);
        self.lines.extend(lines.iter().zip(ends).map(line));
        Some(())
    }
}

fn subsections(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (kind, len) = (u32_at(bytes, at)?, size_at(bytes, at.checked_add(4)?)?);
        let start = at.checked_add(8)?;
        let end = start.checked_add(len)?;
        let content = bytes.get(start..end)?;
        at = align4(end)?;
        Some((kind, content))
    })
}
