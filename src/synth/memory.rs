//! The memory of a synthetic system: page frames that are written on demand, and the page tables
//! over them.
//!
//! Knows what the processor reads when it translates an address. Pages that nothing was written to
//! take no room. Frames are handed out in a scrambled order, so that what is contiguous in virtual
//! memory is not in physical memory, as on a machine that has run for a while.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bytes of a page.
pub(super) const PAGE: u64 = 0x1000;
/// One page.
pub(super) type Page = [u8; 0x1000];

/// The first frame that is handed out; frames below hold what is at fixed places.
const FIRST_FRAME: u64 = 0x1000;
/// Where the hole below 4 GB begins and ends, in frames.
const HOLE: std::ops::Range<u64> = 0xc_0000..0x10_0000;
/// The part of the first megabyte that is memory: the rest is the BIOS's.
const LOW: std::ops::Range<u64> = 1..0x9f;

/// How the processor translates.
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

    /// Bytes of an entry.
    const fn entry(self) -> u8 {
        match self {
            Self::X86 => 4,
            Self::Pae | Self::X64 => 8,
        }
    }

    /// Bytes that one entry of the last directory maps.
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

/// An entry that the processor follows: present, writable, accessed, dirty.
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
    /// Frames that only processes see.
    user: BTreeSet<u64>,
    /// What was mapped, for those who write: (directory, page) to frame.
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

    /// A frame of its own.
    pub(super) fn frame(&mut self) -> u64 {
        let n = self.handed_out;
        self.handed_out += 1;
        // Five is odd, so that eight frames change places among themselves.
        let frame = FIRST_FRAME * 3 + (n & !7) + ((n * 5 + 3) & 7);
        if frame < HOLE.start { frame } else { frame + HOLE.end - HOLE.start }
    }

    /// Frames in a row, aligned to their number.
    fn frames(&mut self, count: u64) -> u64 {
        let first = self.contiguous.next_multiple_of(count);
        self.contiguous = first + count;
        first
    }

    /// The highest frame that was handed out.
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

    /// The table of a level that maps an address, made if need be. The last level is the tables of
    /// pages.
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

    /// Writes a page to the page file: its entry says where in it.
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

    /// Maps a range with large pages over frames in a row; one that does not begin where a large page
    /// may, with small ones.
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

    /// The frame behind a page, mapped if it was not.
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

    /// Writes to virtual memory, mapping pages where there are none.
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

    /// An address space of its own.
    pub(super) fn new_space(&mut self) -> u64 {
        let frame = if self.paging == Paging::Pae { self.frames(8) } else { self.frame() };
        self.space(frame)
    }

    /// Makes the tables at the top of an address space, with the entry that shows them to the
    /// kernel itself. `at` is the frame of the top table, and of those that must follow it.
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

    /// Gives an address space the kernel's half of another.
    pub(super) fn share_kernel(&mut self, from: u64, to: u64) {
        let (first, count) = match self.paging {
            Paging::X64 => (0x100, 0x200),
            Paging::X86 => (0x200, 0x400),
            // The third and the fourth directory, which stand in a row behind the pointers.
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

    /// Shows a range of one address space in another, with all that it will ever hold.
    pub(super) fn share_range(&mut self, from: u64, to: u64, range: std::ops::Range<u64>) {
        let (shift, skip) = match self.paging {
            Paging::X64 => (39, 0),
            Paging::X86 => (22, 0),
            // The directories stand in a row behind the pointers.
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

    /// Whether a frame belongs to processes alone.
    pub(super) fn is_user(&self, frame: u64) -> bool {
        self.user.contains(&frame)
    }

    /// The frames that hold something, in their order.
    pub(super) fn pages(&self) -> impl Iterator<Item = (u64, &Page)> {
        self.pages.iter().map(|(frame, page)| (*frame, &**page))
    }
}

/// Where in its page an address is.
fn within(address: u64) -> usize {
    usize::try_from(address % PAGE).unwrap_or(0)
}

/// The ranges of frames that a machine of this many pages has, as its firmware reports them.
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
