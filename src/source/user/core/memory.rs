//! Memory: the ranges that the dump holds, and reading them.

use std::collections::BTreeSet;

use minidump::format as md;

use super::streams::{Gap, List, Streams, kind};
use crate::catalog::{Absent, Cell};

/// Upper limit on ranges; more in a damaged list are left out.
const MAX_RANGES: usize = 4 << 20;

/// The ranges of memory in the dump.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// As the lists give them, in address order.
    pub(crate) ranges: Vec<Range>,
    /// The same without overlaps, for searches.
    disjoint: Vec<Range>,
    /// How many ranges of the lists are beyond the end of the file.
    missing: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
    pub(crate) kind: &'static str,
}

impl Range {
    pub(crate) const fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }
}

impl Memory {
    pub(crate) fn new(streams: &Streams, mask: u64) -> Self {
        let mut memory = Self::default();
        let stacks = stack_starts(streams, mask);
        memory.take_full_list(streams, mask, &stacks);
        memory.take_list(streams, mask, &stacks);
        memory.ranges.sort_by_key(|range| (range.start, range.size));
        memory.disjoint = disjoint(&memory.ranges);
        memory
    }

    /// The bytes of the full memory list are contiguous from one offset on.
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

    /// How many ranges are wholly or partly missing from the file.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    fn find(&self, address: u64) -> Option<&Range> {
        let after = self.disjoint.partition_point(|range| range.start <= address);
        let range = self.disjoint.get(after.checked_sub(1)?)?;
        (address < range.end()).then_some(range)
    }

    /// Fills the buffer, across adjacent ranges.
    pub(crate) fn read(&self, streams: &Streams, address: u64, buffer: &mut [u8]) -> Cell<()> {
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

    /// The longest contiguous prefix of bytes from an address on, at least one byte.
    pub(crate) fn prefix(&self, streams: &Streams, address: u64, most: usize) -> Cell<Vec<u8>> {
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
    pub(crate) fn holds(&self, address: u64) -> bool {
        self.find(address).is_some()
    }
}

/// The descriptors of the full memory list, and the file offset of its bytes.
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

/// Removes the parts that an earlier range covers.
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

pub(crate) fn signed(value: u64) -> Cell<i64> {
    i64::try_from(value).map_err(|_| Absent::Unreadable)
}
