//! Memory: the ranges that the dump holds, reading them, and the map of the address space.

use std::collections::BTreeSet;

use minidump::format as md;

use super::UserDump;
use super::modules::Paths;
use super::streams::{Gap, List, Streams, kind};
use crate::catalog::{Absent, Cell};
use crate::model::{CoverageRange, Emit, Flow, MemoryRegion, Unanswered};

/// More ranges than any process has; what a damaged list has beyond is left out.
const MAX_RANGES: usize = 4 << 20;
const PAGE: u64 = 0x1000;

/// The ranges of memory in the dump.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// As the lists have them, by address.
    ranges: Vec<Range>,
    /// The same without overlaps, for searching.
    disjoint: Vec<Range>,
    /// How many ranges the lists promise that the file does not hold.
    missing: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: u64,
    size: u64,
    offset: u64,
    kind: &'static str,
}

impl Range {
    const fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }
}

impl Memory {
    pub(super) fn new(streams: &Streams, mask: u64) -> Self {
        let mut memory = Self::default();
        let stacks = stack_starts(streams, mask);
        memory.take_full_list(streams, mask, &stacks);
        memory.take_list(streams, mask, &stacks);
        memory.ranges.sort_by_key(|range| (range.start, range.size));
        memory.disjoint = disjoint(&memory.ranges);
        memory
    }

    /// The full list has its bytes end to end from one offset on.
    fn take_full_list(&mut self, streams: &Streams, mask: u64, stacks: &BTreeSet<u64>) {
        let Ok(list) = full_list(streams) else { return };
        let (list, mut offset) = list;
        self.missing += list.missing();
        for raw in list.iter() {
            self.take(streams, raw.start_of_memory_range & mask, raw.data_size, offset, |start| {
                if stacks.contains(&start) { "stack" } else { "full memory" }
            });
            offset = offset.saturating_add(raw.data_size);
        }
    }

    fn take_list(&mut self, streams: &Streams, mask: u64, stacks: &BTreeSet<u64>) {
        let Ok(list) = streams.list::<md::MINIDUMP_MEMORY_DESCRIPTOR>(kind::MEMORY) else { return };
        self.missing += list.missing();
        for raw in list.iter() {
            let (start, size) = (raw.start_of_memory_range & mask, raw.memory.data_size.into());
            self.take(streams, start, size, raw.memory.rva.into(), |start| {
                if stacks.contains(&start) { "stack" } else { "memory list" }
            });
        }
    }

    /// Adds a range as far as the file holds it.
    fn take(
        &mut self,
        streams: &Streams,
        start: u64,
        size: u64,
        offset: u64,
        kind: impl Fn(u64) -> &'static str,
    ) {
        let held = (streams.image().len() as u64).saturating_sub(offset).min(size);
        let held = held.min(u64::MAX - start);
        self.missing += u64::from(held < size);
        if held > 0 && offset > 0 && self.ranges.len() < MAX_RANGES {
            self.ranges.push(Range { start, size: held, offset, kind: kind(start) });
        }
    }

    /// How many ranges are not in the file, whole or in part.
    pub(super) const fn missing(&self) -> u64 {
        self.missing
    }

    fn find(&self, address: u64) -> Option<&Range> {
        let after = self.disjoint.partition_point(|range| range.start <= address);
        let range = self.disjoint.get(after.checked_sub(1)?)?;
        (address < range.end()).then_some(range)
    }

    /// Fills the buffer, across ranges that touch.
    pub(super) fn read(&self, streams: &Streams, address: u64, buffer: &mut [u8]) -> Cell<()> {
        let mut at = address;
        let mut rest = buffer;
        while !rest.is_empty() {
            let range = self.find(at).ok_or(Absent::NotInDump)?;
            let into = at - range.start;
            let len = usize::try_from(range.size - into).unwrap_or(usize::MAX).min(rest.len());
            let bytes = streams.range(range.offset + into, len as u64).ok_or(Absent::NotInDump)?;
            let (now, later) = rest.split_at_mut(len);
            now.copy_from_slice(bytes);
            rest = later;
            at = at.saturating_add(len as u64);
        }
        Ok(())
    }

    /// As many bytes from an address on as the dump holds in one go, at least one.
    pub(super) fn prefix(&self, streams: &Streams, address: u64, most: usize) -> Cell<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < most {
            let at = address.checked_add(bytes.len() as u64);
            let Some((at, range)) = at.and_then(|at| Some((at, self.find(at)?))) else { break };
            let into = at - range.start;
            let left = usize::try_from(range.size - into).unwrap_or(usize::MAX);
            let len = left.min(most - bytes.len());
            let Some(held) = streams.range(range.offset + into, len as u64) else { break };
            bytes.extend_from_slice(held);
        }
        if bytes.is_empty() && most > 0 { Err(Absent::NotInDump) } else { Ok(bytes) }
    }

    /// Whether the byte at an address is in the dump.
    pub(super) fn holds(&self, address: u64) -> bool {
        self.find(address).is_some()
    }
}

/// Descriptors of the full list, and where in the file the bytes begin.
fn full_list(streams: &Streams) -> Result<(List<'_, md::MINIDUMP_MEMORY_DESCRIPTOR64>, u64), Gap> {
    let stream = streams.get(kind::MEMORY64)?;
    let count: u64 = streams.record(stream, 0).ok_or(Gap::Outside(kind::MEMORY64))?;
    let offset: u64 = streams.record(stream, 8).ok_or(Gap::Outside(kind::MEMORY64))?;
    Ok((List::new(stream, 16, 16, count, streams.endian()), offset))
}

fn stack_starts(streams: &Streams, mask: u64) -> BTreeSet<u64> {
    let threads = streams.list::<md::MINIDUMP_THREAD>(kind::THREADS);
    let threads = threads.iter().flat_map(List::iter);
    threads.map(|thread| thread.stack.start_of_memory_range & mask).collect()
}

/// Cuts off what an earlier range covers already.
fn disjoint(sorted: &[Range]) -> Vec<Range> {
    let mut out: Vec<Range> = Vec::with_capacity(sorted.len());
    for range in sorted {
        let covered = out.last().map_or(0, Range::end);
        if range.end() <= covered {
            continue;
        }
        let cut = covered.saturating_sub(range.start);
        let (start, size) = (range.start + cut, range.size - cut);
        out.push(Range { start, size, offset: range.offset + cut, kind: range.kind });
    }
    out
}

impl UserDump {
    pub(super) fn each_range(&self, emit: Emit<'_, CoverageRange>) -> Result<(), Unanswered> {
        let (full, list) =
            (self.streams.get(kind::MEMORY64).err(), self.streams.get(kind::MEMORY).err());
        if let (Some(_), Some(gap)) = (full, list) {
            return Err(gap.into());
        }
        for range in &self.memory().ranges {
            let pages = (range.end() - 1) / PAGE - range.start / PAGE + 1;
            let row = CoverageRange {
                space: Ok("virtual".to_owned()),
                start: Ok(range.start),
                end: Ok(range.end()),
                size_bytes: signed(range.size),
                present_pages: signed(pages),
                file_offset: signed(range.offset),
                kind: Ok(range.kind.to_owned()),
                ..CoverageRange::default()
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn each_region(&self, emit: Emit<'_, MemoryRegion>) -> Result<(), Unanswered> {
        match self.streams.wide_list::<md::MINIDUMP_MEMORY_INFO>(kind::MEMORY_INFO, true) {
            Ok(list) => self.each_windows_region(&list, emit),
            Err(gap) => match self.streams.get(kind::LINUX_MAPS) {
                Ok(maps) => self.each_linux_region(maps, emit),
                Err(_) => return Err(gap.into()),
            },
        }
        Ok(())
    }

    fn each_windows_region(
        &self,
        list: &List<'_, md::MINIDUMP_MEMORY_INFO>,
        emit: Emit<'_, MemoryRegion>,
    ) {
        let mut paths = Paths::new(self);
        let (pid, process) = (self.pid(), self.process_name());
        for raw in list.iter() {
            let is_free = raw.state == 0x1_0000;
            let is_committed = raw.state == 0x1000;
            let pages = if is_committed { raw.region_size / PAGE } else { 0 };
            let row = MemoryRegion {
                pid,
                process: process.clone(),
                start: Ok(raw.base_address),
                end: raw.base_address.checked_add(raw.region_size).ok_or(Absent::Unreadable),
                size_bytes: signed(raw.region_size),
                state: state(raw.state),
                protection: protection(raw.protection),
                kind: if is_free { Err(Absent::NotApplicable) } else { region_kind(raw._type) },
                commit_pages: signed(pages),
                file: paths.at(raw.base_address),
                ..MemoryRegion::default()
            };
            if emit.row(row).is_break() {
                return;
            }
        }
    }

    /// Lines of `/proc/PID/maps`.
    fn each_linux_region(&self, maps: &[u8], emit: Emit<'_, MemoryRegion>) {
        for line in maps.split(|&b| b == b'\n') {
            let line = String::from_utf8_lossy(line);
            let row = parse_map_line(&line).map(|(start, end, protection, file)| MemoryRegion {
                pid: self.pid(),
                process: self.process_name(),
                start: Ok(start),
                end: Ok(end),
                size_bytes: signed(end - start),
                state: Ok("commit".to_owned()),
                protection: Ok(protection.to_owned()),
                kind: Ok(self.linux_kind(start, file).to_owned()),
                commit_pages: Err(Absent::NotInDump),
                file: file.map(str::to_owned).ok_or(Absent::NotApplicable),
                ..MemoryRegion::default()
            });
            if row.is_some_and(|row| emit.row(row) == Flow::Break(())) {
                return;
            }
        }
    }

    fn linux_kind(&self, start: u64, file: Option<&str>) -> &'static str {
        match file {
            _ if self.is_in_module(start) => "image",
            Some(file) if file.starts_with('/') => "mapped",
            _ => "private",
        }
    }
}

fn parse_map_line(line: &str) -> Option<(u64, u64, &str, Option<&str>)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16).ok().filter(|&end| end >= start)?;
    let protection = words.next()?;
    // Offset, device and inode lie between the protection and the path, which may hold blanks.
    let inode = words.nth(2)?;
    let after = inode.as_ptr().addr().checked_sub(line.as_ptr().addr())? + inode.len();
    let file = line.get(after..)?.trim();
    Some((start, end, protection, (!file.is_empty()).then_some(file)))
}

fn state(bits: u32) -> Cell<String> {
    match bits {
        0x1000 => Ok("commit".to_owned()),
        0x2000 => Ok("reserve".to_owned()),
        0x1_0000 => Ok("free".to_owned()),
        _ => Err(Absent::Unreadable),
    }
}

fn region_kind(bits: u32) -> Cell<String> {
    match bits {
        0x100_0000 => Ok("image".to_owned()),
        0x4_0000 => Ok("mapped".to_owned()),
        0x2_0000 => Ok("private".to_owned()),
        0 => Err(Absent::NotApplicable),
        _ => Err(Absent::Unreadable),
    }
}

fn protection(bits: u32) -> Cell<String> {
    const NAMES: [(u32, &str); 11] = [
        (0x01, "PAGE_NOACCESS"),
        (0x02, "PAGE_READONLY"),
        (0x04, "PAGE_READWRITE"),
        (0x08, "PAGE_WRITECOPY"),
        (0x10, "PAGE_EXECUTE"),
        (0x20, "PAGE_EXECUTE_READ"),
        (0x40, "PAGE_EXECUTE_READWRITE"),
        (0x80, "PAGE_EXECUTE_WRITECOPY"),
        (0x100, "PAGE_GUARD"),
        (0x200, "PAGE_NOCACHE"),
        (0x400, "PAGE_WRITECOMBINE"),
    ];
    let names = NAMES.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name);
    let text = names.collect::<Vec<_>>().join(" | ");
    if text.is_empty() { Err(Absent::NotApplicable) } else { Ok(text) }
}

pub(super) fn signed(value: u64) -> Cell<i64> {
    i64::try_from(value).map_err(|_| Absent::Unreadable)
}
