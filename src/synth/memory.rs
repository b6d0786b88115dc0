//! The memory of a synthetic system: page frames that are allocated on demand, and the page tables
//! over them.
//!
//! This module knows the page table formats of processors. Pages that were never written take no
//! space. Frames are allocated in a scrambled order, so that memory that is contiguous in virtual
//! addresses is not contiguous in physical memory, as on a machine that has run for a while.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The size of a page.
pub(super) const PAGE: u64 = 0x1000;
/// One page.
pub(super) type Page = [u8; 0x1000];

/// The first frame that is allocated; frames below it have fixed uses.
const FIRST_FRAME: u64 = 0x1000;
/// Start and end of the memory hole below 4 GB, in frames.
const HOLE: std::ops::Range<u64> = 0xc_0000..0x10_0000;
/// The part of the first megabyte that is memory; the rest belongs to the BIOS.
const LOW: std::ops::Range<u64> = 1..0x9f;

/// A paging mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// Two levels of 32-bit entries.
    X86,
    /// Three levels of 64-bit entries.
    Pae,
    /// Four levels of 64-bit entries.
    X64,
}

impl Paging {
    /// The levels from the top: the lowest bit of the index, and the number of its bits.
    const fn levels(self) -> &'static [(u32, u32)] {
        match self {
            Self::X86 => &[(22, 10), (12, 10)],
            Self::Pae => &[(30, 2), (21, 9), (12, 9)],
            Self::X64 => &[(39, 9), (30, 9), (21, 9), (12, 9)],
        }
    }

    /// The size of an entry in bytes.
    const fn entry(self) -> u8 {
        match self {
            Self::X86 => 4,
            Self::Pae | Self::X64 => 8,
        }
    }

    /// The number of bytes that one entry of the last directory maps.
    pub(super) const fn large_page(self) -> u64 {
        match self {
            Self::X86 => 4 << 20,
            Self::Pae | Self::X64 => 2 << 20,
        }
    }

    const fn is_user(self, address: u64) -> bool {
        match self {
            Self::X86 | Self::Pae => address < 0x8000_0000,
            Self::X64 => address >> 47 == 0,
        }
    }
}

/// A valid entry: present, writable, accessed, dirty.
const VALID: u64 = 0x63;
const USER: u64 = 4;
const LARGE: u64 = 0x80;
const FRAME: u64 = 0x000f_ffff_ffff_f000;

/// Page frames and page tables.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) paging: Paging,
    /// Index of the entry by which a top table maps itself.
    self_map: u64,
    pages: BTreeMap<u64, Box<Page>>,
    /// Frames that only processes map.
    user: BTreeSet<u64>,
    /// The frame of each (directory, page).
    mapped: HashMap<(u64, u64), u64>,
    handed_out: u64,
    contiguous: u64,
}

impl Memory {
    pub(super) fn new(paging: Paging, self_map: u64) -> Self {
        Self {
            paging,
            self_map,
            pages: BTreeMap::new(),
            user: BTreeSet::new(),
            mapped: HashMap::new(),
            handed_out: 0,
            contiguous: 0x400,
        }
    }

    /// Allocates a frame.
    pub(super) fn frame(&mut self) -> u64 {
        let n = self.handed_out;
        self.handed_out += 1;
        // Five is odd, so groups of eight frames are permuted among themselves.
        let frame = FIRST_FRAME * 3 + (n & !7) + ((n * 5 + 3) & 7);
        if frame < HOLE.start { frame } else { frame + HOLE.end - HOLE.start }
    }

    /// Allocates contiguous frames, aligned to their number.
    fn frames(&mut self, count: u64) -> u64 {
        let first = self.contiguous.next_multiple_of(count);
        self.contiguous = first + count;
        first
    }

    /// The highest frame that was allocated.
    pub(super) fn highest(&self) -> u64 {
        let last = self.pages.keys().next_back().copied().unwrap_or(0);
        last.max(self.contiguous)
    }

    /// Writes to physical memory.
    pub(super) fn put_physical(&mut self, mut address: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let offset = within(address);
            let (now, rest) = bytes.split_at(bytes.len().min(0x1000 - offset));
            let page = self.pages.entry(address / PAGE).or_insert_with(|| Box::new([0; 0x1000]));
            page[offset..offset + now.len()].copy_from_slice(now);
            address += now.len() as u64;
            bytes = rest;
        }
    }

    fn word(&self, address: u64, width: u8) -> u64 {
        let Some(page) = self.pages.get(&(address / PAGE)) else { return 0 };
        let bytes = page[within(address)..].iter().take(usize::from(width));
        bytes.rev().fold(0, |value, byte| (value << 8) | u64::from(*byte))
    }

    fn entry_address(&self, table: u64, address: u64, level: usize) -> u64 {
        let (shift, bits) = self.paging.levels()[level];
        table + ((address >> shift) & ((1 << bits) - 1)) * u64::from(self.paging.entry())
    }

    fn set_entry(&mut self, at: u64, value: u64) {
        let width = usize::from(self.paging.entry());
        self.put_physical(at, &value.to_le_bytes()[..width]);
    }

    /// The table of a level that maps an address; it is created if necessary. The last level is
    /// that of page tables.
    fn table(&mut self, dtb: u64, address: u64, level: usize) -> u64 {
        let mut table = dtb;
        for above in 0..level {
            let at = self.entry_address(table, address, above);
            let entry = self.word(at, self.paging.entry());
            if entry & 1 == 0 {
                let frame = self.frame();
                self.put_physical(frame * PAGE, &[0; 0x1000]);
                let is_pointer = self.paging == Paging::Pae && above == 0;
                let user = if self.paging.is_user(address) { USER } else { 0 };
                let flags = if is_pointer { 1 } else { VALID | user };
                self.set_entry(at, (frame * PAGE) | flags);
                table = frame * PAGE;
            } else {
                table = entry & FRAME;
            }
        }
        table
    }

    /// Maps a page to a frame.
    pub(super) fn map(&mut self, dtb: u64, address: u64, frame: u64) {
        let level = self.paging.levels().len() - 1;
        let table = self.table(dtb, address, level);
        let at = self.entry_address(table, address, level);
        let is_user = self.paging.is_user(address);
        self.set_entry(at, (frame * PAGE) | VALID | if is_user { USER } else { 0x100 });
        self.mapped.insert((dtb, address / PAGE), frame);
    }

    /// Writes a page to the page file: its entry holds the location there.
    pub(super) fn page_out(&mut self, dtb: u64, address: u64) {
        const PROTECTION: u64 = 4 << 5;
        let level = self.paging.levels().len() - 1;
        let table = self.table(dtb, address, level);
        let at = self.entry_address(table, address, level);
        let place = 0x123 + (address / PAGE) % 0x1000;
        let shift = if self.paging == Paging::X86 { 12 } else { 32 };
        self.set_entry(at, place << shift | PROTECTION);
        self.mapped.remove(&(dtb, address / PAGE));
    }

    /// Maps a range with large pages over contiguous frames; with small pages if the range is not
    /// aligned to a large page.
    pub(super) fn map_large(&mut self, dtb: u64, address: u64, len: u64) {
        let large = self.paging.large_page();
        if !address.is_multiple_of(large) {
            for page in 0..len.div_ceil(PAGE) {
                let _ = self.commit(dtb, address + page * PAGE);
            }
            return;
        }
        let level = self.paging.levels().len() - 2;
        for part in 0..len.div_ceil(large) {
            let frame = self.frames(large / PAGE);
            let address = address + part * large;
            let table = self.table(dtb, address, level);
            let at = self.entry_address(table, address, level);
            self.set_entry(at, (frame * PAGE) | VALID | LARGE | 0x100);
            for page in 0..large / PAGE {
                self.mapped.insert((dtb, address / PAGE + page), frame + page);
            }
        }
    }

    /// The frame of a page, which is mapped if it was not.
    pub(super) fn commit(&mut self, dtb: u64, address: u64) -> u64 {
        if let Some(frame) = self.mapped.get(&(dtb, address / PAGE)) {
            return *frame;
        }
        let frame = self.frame();
        self.map(dtb, address & !(PAGE - 1), frame);
        if self.paging.is_user(address) {
            self.user.insert(frame);
        }
        frame
    }

    /// Writes to virtual memory, and maps pages where there are none.
    pub(super) fn put(&mut self, dtb: u64, mut address: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(0x1000 - within(address)));
            let frame = self.commit(dtb, address);
            self.put_physical(frame * PAGE + address % PAGE, now);
            address = address.wrapping_add(now.len() as u64);
            bytes = rest;
        }
    }

    /// Reads back a number that was written.
    pub(super) fn read(&self, dtb: u64, address: u64, width: u8) -> u64 {
        let frame = self.mapped.get(&(dtb, address / PAGE));
        frame.map_or(0, |frame| self.word(frame * PAGE + address % PAGE, width))
    }

    /// Creates an address space.
    pub(super) fn new_space(&mut self) -> u64 {
        let frame = if self.paging == Paging::Pae { self.frames(8) } else { self.frame() };
        self.space(frame)
    }

    /// Creates the top-level tables of an address space, with the self-map entry. `at` is the first
    /// frame of the top-level tables.
    pub(super) fn space(&mut self, at: u64) -> u64 {
        let dtb = at * PAGE;
        match self.paging {
            Paging::X64 => {
                self.put_physical(dtb, &[0; 0x1000]);
                self.set_entry(dtb + self.self_map * 8, dtb | VALID);
            }
            Paging::X86 => {
                self.put_physical(dtb, &[0; 0x1000]);
                self.set_entry(dtb + 0x300 * 4, dtb | VALID);
            }
            Paging::Pae => {
                for frame in 0..5 {
                    self.put_physical(dtb + frame * PAGE, &[0; 0x1000]);
                }
                for part in 0..4 {
                    let directory = dtb + (part + 1) * PAGE;
                    self.set_entry(dtb + part * 8, directory | 1);
                    self.set_entry(dtb + 4 * PAGE + part * 8, directory | VALID);
                }
            }
        }
        dtb
    }

    /// Copies the kernel half of an address space into another.
    pub(super) fn share_kernel(&mut self, from: u64, to: u64) {
        let (first, count) = match self.paging {
            Paging::X64 => (0x100, 0x200),
            Paging::X86 => (0x200, 0x400),
            // The third and fourth directory; the directories follow the page directory pointer
            // table.
            Paging::Pae => (0x600, 0xa00),
        };
        let width = u64::from(self.paging.entry());
        for index in first..count {
            let entry = self.word(from + index * width, self.paging.entry());
            let is_own = entry & FRAME >= from && entry & FRAME <= from + 4 * PAGE;
            if entry & 1 == 1 && !is_own {
                self.set_entry(to + index * width, entry);
            }
        }
    }

    /// Maps a range of an address space in another one, including pages that are added later.
    pub(super) fn share_range(&mut self, from: u64, to: u64, range: std::ops::Range<u64>) {
        let (shift, skip) = match self.paging {
            Paging::X64 => (39, 0),
            Paging::X86 => (22, 0),
            // The directories follow the page directory pointer table.
            Paging::Pae => (21, PAGE),
        };
        let width = u64::from(self.paging.entry());
        let mask = if self.paging == Paging::X64 { 0x1ff } else { u64::MAX };
        for index in range.start >> shift..=(range.end - 1) >> shift {
            let at = skip + (index & mask) * width;
            let entry = self.word(from + at, self.paging.entry());
            if entry & 1 == 1 {
                self.set_entry(to + at, entry);
            }
        }
    }

    /// Whether a frame is mapped only by processes.
    pub(super) fn is_user(&self, frame: u64) -> bool {
        self.user.contains(&frame)
    }

    /// The frames that were written, in order.
    pub(super) fn pages(&self) -> impl Iterator<Item = (u64, &Page)> {
        self.pages.iter().map(|(frame, page)| (*frame, &**page))
    }
}

/// The offset of an address in its page.
fn within(address: u64) -> usize {
    usize::try_from(address % PAGE).unwrap_or(0)
}

/// The ranges of frames of a machine with this many pages, as its firmware reports them.
pub(super) fn runs(pages: u64, highest: u64) -> Vec<(u64, u64)> {
    let low = LOW.end - LOW.start;
    let middle =
        pages.saturating_sub(low).max((highest + 1).min(HOLE.start)).min(HOLE.start - 0x100);
    let high = pages.saturating_sub(low + middle);
    let needed = (highest + 1).saturating_sub(HOLE.end);
    let mut all = vec![(LOW.start, low), (0x100, middle)];
    if high.max(needed) > 0 {
        all.push((HOLE.end, high.max(needed)));
    }
    all
}
