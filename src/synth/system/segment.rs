//! Pool in a segment heap: VS subsegments, whose chunk headers are encoded with the heap key, and
//! LFH subsegments.

use super::build::Builder;
use super::pool::Pool;
use super::spec::{PoolBlock, PoolState};
use crate::synth::memory::PAGE;

/// The encoding keys of the heap.
const HEAP_KEY: u64 = 0x9c1e_5ab4_33d7_f065;
const LFH_KEY: u64 = 0x47d2_0b6e_e18c_95a3;
/// The size of a VS subsegment in bytes.
const SUBSEGMENT: u64 = 16 * PAGE;
/// The constant by which the size and the signature of a VS subsegment differ.
const SIGNATURE: u64 = 0x2bed;

/// A VS chunk that was created: its address, its size and that of the previous chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    at: u64,
    bytes: u64,
    before: u64,
}

impl Builder<'_> {
    /// Whether the pool is a segment heap.
    pub(super) const fn has_segment_heap(&self) -> bool {
        self.version.build >= 18362
    }

    /// Allocates a block in a VS subsegment; returns the address behind its header.
    pub(super) fn chunk_pool(&mut self, is_paged: bool, tag: [u8; 4], size: u64) -> u64 {
        let which = self.pools.which(is_paged);
        let (unit, before) = (self.unit(), self.chunk_header());
        let bytes = (size + before + unit).next_multiple_of(unit);
        if self.chunk_room(which) < bytes {
            self.close_chunks(which);
            self.open_chunks(which);
        }
        let Pool { next, previous } = self.pools.open[which];
        let chunk = Chunk { at: next, bytes, before: previous };
        self.put_chunk(chunk, true);
        let at = next + before;
        let kind = self.in_use(is_paged);
        self.pool_header(at, (0, (bytes - before) / unit, kind), tag);
        let block =
            PoolBlock { address: at, bytes: bytes - before, tag, is_paged, ..PoolBlock::default() };
        self.pools.note(block);
        self.pools.last_chunk = Some(chunk);
        self.pools.open[which] = Pool { next: next + bytes, previous: bytes };
        at + unit
    }

    /// The size of a chunk header.
    fn chunk_header(&self) -> u64 {
        self.layout.size("_HEAP_VS_CHUNK_HEADER") as u64
    }

    /// The offset of the first chunk in a subsegment.
    fn first_chunk(&self) -> u64 {
        (self.layout.size("_HEAP_VS_SUBSEGMENT") as u64).next_multiple_of(self.unit())
    }

    /// Frees the last block, which is a chunk.
    pub(super) fn free_chunk(&mut self) {
        let (Some(chunk), Some(block)) = (self.pools.last_chunk, self.pools.blocks.last_mut())
        else {
            return;
        };
        block.address = chunk.at;
        block.bytes = chunk.bytes;
        block.state = PoolState::Free;
        block.tag = [0; 4];
        self.put_chunk(chunk, false);
    }

    /// The remaining space in a pool's subsegment.
    fn chunk_room(&self, which: usize) -> u64 {
        let next = self.pools.open[which].next;
        self.pools.subsegments[which].map_or(0, |start| start + SUBSEGMENT - next)
    }

    fn open_chunks(&mut self, which: usize) {
        let start = self.pools.open[which].next.next_multiple_of(PAGE);
        self.pools.subsegments[which] = Some(start);
        let first = self.first_chunk();
        let size = (SUBSEGMENT - first) / self.unit();
        let mut header = self.new_object("_HEAP_VS_SUBSEGMENT");
        header.empty_list("ListEntry", start).set("Size", size);
        header.set("Signature", (size ^ SIGNATURE) & 0x7fff).set("FullCommit", 1);
        self.place(start, header);
        self.pools.open[which] = Pool { next: start + first, previous: 0 };
    }

    /// Turns the rest of a subsegment into a free chunk.
    pub(super) fn close_chunks(&mut self, which: usize) {
        let Some(start) = self.pools.subsegments[which].take() else { return };
        let Pool { next, previous } = self.pools.open[which];
        let bytes = start + SUBSEGMENT - next;
        if bytes > 0 {
            self.put_chunk(Chunk { at: next, bytes, before: previous }, false);
            let (is_paged, state) = (which != 0, PoolState::Free);
            let block = PoolBlock { address: next, bytes, is_paged, state, ..PoolBlock::default() };
            self.pools.note(block);
        }
        for page in 0..SUBSEGMENT / PAGE {
            self.memory.commit(self.dtb, start + page * PAGE);
            self.touch(start + page * PAGE);
        }
        self.pools.open[which] = Pool { next: start + SUBSEGMENT, previous: 0 };
    }

    /// Maps a page without changing its contents.
    fn touch(&mut self, at: u64) {
        let word = self.memory.read(self.dtb, at, 8);
        self.put(at, &word.to_le_bytes());
    }

    fn put_chunk(&mut self, chunk: Chunk, is_used: bool) {
        let mut header = self.new_object("_HEAP_VS_CHUNK_HEADER");
        let unit = self.unit();
        header.set("Sizes.MemoryCost", 1).set("Sizes.UnsafeSize", chunk.bytes / unit);
        header.set("Sizes.UnsafePrevSize", chunk.before / unit);
        header.set("Sizes.Allocated", u64::from(is_used));
        header.set("EncodedSegmentPageOffset", (chunk.at / PAGE) & 0xff);
        let mut bytes = self.finish(header);
        let hidden = HEAP_KEY ^ chunk.at;
        let sizes = self.layout.size("_HEAP_VS_CHUNK_HEADER_SIZE");
        for (byte, key) in bytes.iter_mut().zip(hidden.to_le_bytes()).take(sizes) {
            *byte ^= key;
        }
        self.put(chunk.at, &bytes);
    }

    /// Creates an LFH subsegment, every fourth block of which is free.
    pub(super) fn lfh_pool(&mut self, is_paged: bool, tag: [u8; 4], size: u64, count: u64) {
        let which = self.pools.which(is_paged);
        self.close_chunks(which);
        let start = self.pools.open[which].next.next_multiple_of(PAGE);
        let (unit, width) = (self.unit(), self.width());
        let bytes = (size + unit).next_multiple_of(unit);
        let bitmap = self.offset("_HEAP_LFH_SUBSEGMENT", "BlockBitmap");
        // Two bits per block, in machine words.
        let each = 4 * width;
        let first = (bitmap + count.div_ceil(each) * width).next_multiple_of(unit);
        let hidden = (first << 16 | bytes) ^ LFH_KEY ^ (start / PAGE);
        let mut header = self.new_object("_HEAP_LFH_SUBSEGMENT");
        header.empty_list("ListEntry", start).set("BlockCount", count);
        header.set("FreeCount", count / 4).set("BlockOffsets.EncodedData", hidden & 0xffff_ffff);
        self.place(start, header);
        let mut map = vec![0u64; usize::try_from(count.div_ceil(each)).unwrap_or(0)];
        let kind = self.in_use(is_paged);
        for index in 0..count {
            let at = start + first + index * bytes;
            let is_used = index % 4 != 3;
            let block =
                PoolBlock { address: at, bytes, is_paged, is_lfh: true, ..PoolBlock::default() };
            if is_used {
                map[usize::try_from(index / each).unwrap_or(0)] |= 1 << (2 * (index % each));
                self.pool_header(at, (0, bytes / unit, kind), tag);
                self.pools.note(PoolBlock { tag, ..block });
            } else {
                self.put(at, &[0; 0x10]);
                self.pools.note(PoolBlock { state: PoolState::Free, ..block });
            }
        }
        for (index, word) in map.into_iter().enumerate() {
            self.put_pointer(start + bitmap + width * index as u64, word);
        }
        let end = (start + first + count * bytes).next_multiple_of(PAGE);
        self.pools.open[which] = Pool { next: end, previous: 0 };
    }

    /// Writes the encoding keys of the heap.
    pub(super) fn heap_globals(&mut self) {
        let at = self.variable("RtlpHpHeapGlobals", 64);
        let mut globals = self.new_object("_RTLP_HP_HEAP_GLOBALS");
        globals.set("HeapKey", HEAP_KEY).set("LfhKey", LFH_KEY);
        self.place(at, globals);
    }
}
