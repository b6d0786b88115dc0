//! The pools: pages of blocks, each with its header, and the table of big allocations.
//!
//! Blocks follow one another; the rest of a page is a free block. The pages around blocks with a
//! specified address are filled up, so that every page is complete.

use std::collections::BTreeMap;

use super::build::Builder;
use super::spec::{PoolBlock, PoolRequest, PoolState, SystemSpec};
use crate::synth::memory::PAGE;

/// The number of entries of the table of big allocations.
pub(super) const BIG_ENTRIES: u64 = 0x200;
/// The tag bit of protected pool.
const PROTECTED: u8 = 0x80;
/// The pool type of nonpaged pool that is not executable, since Windows 8.
const NOT_EXECUTABLE: u64 = 0x200;
/// The pool type bit of session pool.
const SESSION: u64 = 0x20;

/// A pool that is being filled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pool {
    pub(super) next: u64,
    /// Size of the previous block, in units of the pool.
    pub(super) previous: u64,
}

/// A block with a specified address: its size in units, its type, its tag.
pub(super) type Fixed = (u64, u64, [u8; 4]);

/// The contents of the pools.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// Nonpaged pool, paged pool, and the paged pool of each session.
    pub(super) open: Vec<Pool>,
    /// The VS subsegments that are being filled.
    pub(super) subsegments: Vec<Option<u64>>,
    /// The session for which blocks are created: its index and its ID.
    pub(super) session: Option<(usize, u32)>,
    pub(super) last_chunk: Option<super::segment::Chunk>,
    /// Every block.
    pub(super) blocks: Vec<PoolBlock>,
    /// Blocks with a specified address, by address: size in units, type, tag.
    pub(super) fixed: BTreeMap<u64, Fixed>,
}

impl Pools {
    /// Pools, of which nonpaged and paged pool start at these addresses.
    pub(super) fn new(starts: [u64; 2]) -> Self {
        let mut pools = Self::default();
        for start in starts {
            pools.add(start);
        }
        pools
    }

    /// Adds a pool.
    pub(super) fn add(&mut self, start: u64) {
        self.open.push(Pool { next: start, previous: 0 });
        self.subsegments.push(None);
    }

    /// The index of the pool of a block.
    pub(super) fn which(&self, is_paged: bool) -> usize {
        match self.session {
            Some((index, _)) if is_paged => 2 + index,
            _ => usize::from(is_paged),
        }
    }

    /// Records a block.
    pub(super) fn note(&mut self, block: PoolBlock) {
        let session = self.session.map(|(_, id)| id);
        self.blocks.push(PoolBlock { session, ..block });
    }
}

/// Creates the blocks that a specification asks for.
pub(super) fn requested(builder: &mut Builder<'_>, spec: &SystemSpec) {
    for request in &spec.pool {
        let session = request.session.and_then(|id| super::sessions::find(spec, id));
        if request.session.is_some() && session.is_none() {
            continue;
        }
        builder.in_session(session, request.is_paged, |builder| blocks(builder, spec, request));
    }
}

fn blocks(builder: &mut Builder<'_>, spec: &SystemSpec, request: &PoolRequest) {
    let PoolRequest { is_paged, tag, bytes, count, .. } = *request;
    if request.is_special {
        (0..count).for_each(|_| {
            builder.special_pool(is_paged, tag, bytes);
        });
        return;
    }
    if request.is_lfh && builder.has_segment_heap() {
        builder.lfh_pool(is_paged, tag, bytes, count);
        return;
    }
    let process = spec.processes.iter().find(|p| request.pid != 0 && p.pid == request.pid);
    for _ in 0..count {
        if request.state == PoolState::Free {
            builder.free_pool(is_paged, tag, bytes);
            continue;
        }
        builder.pool(is_paged, tag, bytes);
        builder.page_out_pool(&request.paged_out);
        if let Some(process) = process {
            builder.charge_pool(process.eprocess);
        }
        if request.state == PoolState::Protected {
            builder.protect_pool();
        }
    }
}

impl Builder<'_> {
    /// The unit of sizes, which is the size of a header.
    pub(super) const fn unit(&self) -> u64 {
        2 * self.width()
    }

    /// The pool type in the header of a block in use.
    pub(super) fn in_use(&self, is_paged: bool) -> u64 {
        let first = if self.version.build < 6000 { 5 } else { 2 };
        let session = if self.pools.session.is_some() { SESSION } else { 0 };
        (first + u64::from(is_paged)) | session
    }

    /// Allocates a block with its header; returns the address behind the header.
    pub(super) fn pool(&mut self, is_paged: bool, tag: [u8; 4], size: u64) -> u64 {
        let unit = self.unit();
        let block = (size + unit).next_multiple_of(unit);
        if block >= PAGE {
            return self.big_pool(is_paged, tag, size);
        }
        if self.has_segment_heap() {
            return self.chunk_pool(is_paged, tag, size);
        }
        let which = self.pools.which(is_paged);
        let room = self.room_in_page(which);
        if room > 0 && room < block {
            self.close_page(which);
        }
        let Pool { next, previous } = self.pools.open[which];
        let kind = self.in_use(is_paged);
        self.block(next, (previous, block / unit, kind), tag, is_paged);
        let end = next + block;
        let previous = if end.is_multiple_of(PAGE) { 0 } else { block / unit };
        self.pools.open[which] = Pool { next: end, previous };
        next + unit
    }

    /// Adds a free block.
    pub(super) fn free_pool(&mut self, is_paged: bool, tag: [u8; 4], size: u64) -> u64 {
        let body = self.pool(is_paged, tag, size);
        let unit = self.unit();
        let at = body - unit;
        let is_chunk = self.has_segment_heap();
        if let Some(block) = self.pools.blocks.last_mut() {
            block.state = PoolState::Free;
            if block.is_big {
                return body;
            }
            if is_chunk {
                self.free_chunk();
                return body;
            }
            let (size, is_paged) = (block.bytes / unit, block.is_paged);
            let kind = if self.version.build < 6000 { self.in_use(is_paged) & 3 } else { 0 };
            let previous = self.previous_size(at);
            self.pool_header(at, (previous, size, kind), tag);
        }
        body
    }

    /// Marks the last block as protected pool, which must be freed with its tag.
    pub(super) fn protect_pool(&mut self) {
        let Some(block) = self.pools.blocks.last_mut() else { return };
        block.state = PoolState::Protected;
        let (at, tag) = (block.address, block.tag);
        let offset = self.offset("_POOL_HEADER", "PoolTag");
        self.put(at + offset, &[tag[0], tag[1], tag[2], tag[3] | PROTECTED]);
    }

    /// Writes pages of the last block, a big allocation, to the page file.
    fn page_out_pool(&mut self, pages: &std::ops::Range<u64>) {
        let Some(block) = self.pools.blocks.last_mut().filter(|block| block.is_big) else { return };
        block.paged_out = pages.clone();
        let start = block.address;
        for page in pages.clone() {
            self.memory.page_out(self.dtb, start + page * PAGE);
        }
    }

    /// Charges quota for the last block to a process.
    pub(super) fn charge_pool(&mut self, process: u64) {
        const CHARGED: u64 = 8;
        let Some(block) = self.pools.blocks.last_mut() else { return };
        block.process = process;
        let (at, bytes, tag, is_paged) = (block.address, block.bytes, block.tag, block.is_paged);
        let kind = self.in_use(is_paged) | CHARGED;
        let previous = self.previous_size(at);
        self.pool_header(at, (previous, bytes / self.unit(), kind), tag);
        let hidden = if self.version.build < 9200 { process } else { process ^ at ^ self.cookie() };
        if self.version.is_64_bit() {
            let offset = self.offset("_POOL_HEADER", "ProcessBilled");
            self.put_pointer(at + offset, hidden);
        } else {
            self.put_pointer(at + bytes - 4, hidden);
        }
    }

    /// The key with which the kernel encodes the pointer to the charged process.
    fn cookie(&mut self) -> u64 {
        const COOKIE: u64 = 0x51ab_09c3_77d2_e644;
        let at = self.variable("ExpPoolQuotaCookie", 8);
        self.put_pointer(at, COOKIE);
        COOKIE
    }

    /// The previous size in the header at an address.
    fn previous_size(&mut self, at: u64) -> u64 {
        let mask = if self.version.is_64_bit() { 0xff } else { 0x1ff };
        self.memory.read(self.dtb, at, 2) & mask
    }

    /// Allocates whole pages.
    fn big_pool(&mut self, is_paged: bool, tag: [u8; 4], size: u64) -> u64 {
        let which = self.pools.which(is_paged);
        if self.has_segment_heap() {
            self.close_chunks(which);
        } else {
            self.close_page(which);
        }
        let at = self.pools.open[which].next;
        let bytes = size.next_multiple_of(PAGE);
        self.pools.open[which] = Pool { next: at + bytes, previous: 0 };
        for page in 0..bytes / PAGE {
            self.memory.commit(self.dtb, at + page * PAGE);
            self.put(at + page * PAGE, &[0]);
        }
        let block =
            PoolBlock { address: at, bytes, tag, is_paged, is_big: true, ..Default::default() };
        self.pools.note(block);
        at
    }

    fn room_in_page(&self, which: usize) -> u64 {
        let next = self.pools.open[which].next;
        next.next_multiple_of(PAGE) - next
    }

    /// Turns the rest of a page into a free block.
    fn close_page(&mut self, which: usize) {
        let room = self.room_in_page(which);
        if room == 0 {
            return;
        }
        let Pool { next, previous } = self.pools.open[which];
        self.block(next, (previous, room / self.unit(), 0), *b"Free", which != 0);
        self.pools.open[which] = Pool { next: next + room, previous: 0 };
    }

    /// Writes the header of a block and records the block.
    fn block(&mut self, at: u64, sizes: (u64, u64, u64), tag: [u8; 4], is_paged: bool) {
        self.pool_header(at, sizes, tag);
        let state = if sizes.2 == 0 { PoolState::Free } else { PoolState::Used };
        let bytes = sizes.1 * self.unit();
        let block = PoolBlock { address: at, bytes, tag, is_paged, state, ..Default::default() };
        self.pools.note(block);
    }

    /// Writes a pool header: previous size, size and type.
    pub(super) fn pool_header(&mut self, at: u64, sizes: (u64, u64, u64), tag: [u8; 4]) {
        let mut header = self.new_object("_POOL_HEADER");
        header.set("PreviousSize", sizes.0).set("BlockSize", sizes.1).set("PoolType", sizes.2);
        header.put("PoolTag", &tag);
        self.place(at, header);
    }

    /// Creates a nonpaged block whose data is at a specified address; none if that is in the kernel
    /// image.
    pub(super) fn pool_at(&mut self, address: u64, tag: [u8; 4], size: u64) {
        if self.is_in_image(address) {
            return;
        }
        let unit = self.unit();
        let kind = self.in_use(false);
        self.pools.fixed.insert(address - unit, ((size + unit).div_ceil(unit), kind, tag));
    }

    /// Fills up every page that has blocks, and writes the table of big allocations.
    pub(super) fn finish_pools(&mut self) {
        for which in 0..2 {
            self.close(which);
        }
        if self.has_segment_heap() {
            self.heap_globals();
        }
        self.fill_around_fixed();
        let big = |block: &&PoolBlock| block.is_big && (block.session.is_none() || !block.is_paged);
        let big: Vec<PoolBlock> = self.pools.blocks.iter().filter(big).cloned().collect();
        let Some(table) = self.big_room() else { return };
        self.write_big_table(table, &big);
        // The variable is near the pool tracker variable.
        let _ = self.variable("PoolTrackTable", 8);
        let at = self.variable("PoolBigPageTable", 8);
        self.put_pointer(at, table);
        let at = self.variable("PoolBigPageTableSize", 8);
        self.put_pointer(at, BIG_ENTRIES);
    }

    /// Fills up the current page of a pool.
    pub(super) fn close(&mut self, which: usize) {
        if self.has_segment_heap() {
            self.close_chunks(which);
        } else {
            self.close_page(which);
        }
    }

    fn fill_around_fixed(&mut self) {
        let unit = self.unit();
        let fixed = std::mem::take(&mut self.pools.fixed);
        let mut pages: BTreeMap<u64, Vec<(u64, Fixed)>> = BTreeMap::new();
        for (at, block) in fixed {
            pages.entry(at & !(PAGE - 1)).or_default().push((at, block));
        }
        for (page, blocks) in pages {
            let (mut next, mut previous) = (page, 0);
            let end = (page + PAGE, (0, 0, *b"Free"));
            for (at, (size, kind, tag)) in blocks.into_iter().chain([end]) {
                if at > next {
                    let room = (at - next) / unit;
                    self.block(next, (previous, room, 0), *b"Free", false);
                    previous = room;
                }
                if size == 0 {
                    break;
                }
                self.block(at, (previous, size, kind), tag, false);
                next = at + size * unit;
                previous = size;
            }
        }
    }

    /// Allocates a table of big allocations; none for kernels with unknown entries.
    pub(super) fn big_room(&mut self) -> Option<u64> {
        let entry = self.layout.size("_POOL_TRACKER_BIG_PAGES") as u64;
        (entry != 0).then(|| self.pages((BIG_ENTRIES * entry).div_ceil(PAGE)))
    }

    /// Writes a table of big allocations, which is a hash table over addresses.
    pub(super) fn write_big_table(&mut self, table: u64, big: &[PoolBlock]) {
        let entry = self.layout.size("_POOL_TRACKER_BIG_PAGES") as u64;
        let bytes = (BIG_ENTRIES * entry).next_multiple_of(PAGE);
        self.put(table, &vec![0; usize::try_from(bytes).unwrap_or(0)]);
        let mut taken = vec![false; usize::try_from(BIG_ENTRIES).unwrap_or(0)];
        for block in big {
            let first = usize::try_from((block.address / PAGE).wrapping_mul(0x9e5) % BIG_ENTRIES);
            let first = first.unwrap_or(0);
            let slot =
                (0..taken.len()).map(|i| (first + i) % taken.len()).find(|slot| !taken[*slot]);
            let Some(slot) = slot else { continue };
            taken[slot] = true;
            let mut object = self.new_object("_POOL_TRACKER_BIG_PAGES");
            object
                .set("Va", block.address | u64::from(block.state == PoolState::Free))
                .put("Key", &block.tag);
            let new =
                if self.version.build >= 9200 && !block.is_paged { NOT_EXECUTABLE } else { 0 };
            let session = if block.session.is_some() { SESSION } else { 0 };
            object.opt("PoolType", u64::from(block.is_paged) | new | session);
            object.opt("NumberOfBytes", block.bytes).opt("NumberOfPages", block.bytes / PAGE);
            self.place(table + slot as u64 * entry, object);
        }
    }
}
