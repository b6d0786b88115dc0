//! Pool since Windows 10 1903, which is allocated from a segment heap.
//!
//! Blocks lie in two kinds of subsegments. A VS (variable size) subsegment is a chain of chunks
//! whose headers are encoded with the heap key. An LFH (low-fragmentation heap) subsegment holds
//! blocks of one size and an allocation bitmap with two bits per block. Both begin at a page
//! boundary and can be recognized on their own, so no heap list has to be intact. The keys are
//! kernel variables. Without symbols the heap key is derived from a VS chain, because only the
//! right key makes the bytes a chain, and the LFH key as described in `lfh`. Other pages are
//! searched for pool headers.

use crate::source::kernel::core::Core;
use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::lfh::LfhFields;
use crate::source::kernel::pool::part::{Chunk, Pages, is_block};

/// The first build whose pool may be a segment heap: Windows 10 1809, which still has classic pages
/// too.
const FIRST_BUILD: u32 = 17763;
const SUBSEGMENT: &str = "_HEAP_VS_SUBSEGMENT";
const CHUNK: &str = "_HEAP_VS_CHUNK_HEADER";
const SIZES: &str = "_HEAP_VS_CHUNK_HEADER_SIZE";
/// The constant by which size and signature of a VS subsegment differ, and the number of bits of
/// the signature.
const SIGNATURE: u64 = 0x2bed;
const SIGNATURE_BITS: u64 = 0x7fff;
/// This many chunks in a chain are not a coincidence.
const SURE_CHUNKS: usize = 4;
/// After this many contradictions the rest of a chain is given up.
const MAX_BREAKS: usize = 16;

/// A bit field of a number.
#[derive(Debug, Clone, Copy)]
struct Bits {
    offset: u64,
    shift: u32,
    mask: u64,
}

/// The encoding keys of the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Keys {
    /// The heap key, which encodes VS chunk headers. Its lowest 16 bits may be unknown.
    heap: Option<u64>,
    /// The LFH key, which encodes block size and first block of LFH subsegments.
    lfh: Option<u64>,
}

/// Where the fields of subsegments are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segments {
    pub(crate) unit: u64,
    /// Size and signature of a VS subsegment, and the offset of its first chunk.
    size: Bits,
    signature: Bits,
    first: u64,
    /// In a chunk header: its size, the size of the previous chunk, whether it is in use.
    chunk_size: Bits,
    previous: Bits,
    allocated: Bits,
    /// Size in bytes of the encoded number and of the chunk header.
    sizes: usize,
    chunk: u64,
    /// The fields of an LFH subsegment.
    pub(crate) lfh: LfhFields,
}

/// The chunks of a VS subsegment, and the heap key of their headers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The first chunk.
    pub(crate) first: u64,
    /// The address behind the last chunk.
    pub(crate) end: u64,
    key: u64,
}

/// A decoded chunk header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkHeader {
    /// Its size in bytes, and that of the previous chunk.
    pub(crate) bytes: u64,
    pub(crate) previous: u64,
    allocated: u64,
}

impl Bits {
    const fn of(self, number: u64) -> u64 {
        number >> self.shift & self.mask
    }
}

impl Span {
    /// Decodes a chunk header.
    pub(crate) const fn bare(&self, header: u64, at: u64) -> u64 {
        header ^ self.key ^ at
    }
}

impl ChunkHeader {
    /// Whether the values are valid for a chunk.
    pub(crate) const fn is_sound(self) -> bool {
        self.bytes != 0 && self.allocated <= 1
    }
}

impl Segments {
    /// The subsegment layouts of a kernel, if its pool is a segment heap.
    pub(crate) fn of(core: &Core) -> Option<Self> {
        core.header.build.filter(|build| *build >= FIRST_BUILD)?;
        let bits = |ty, path| {
            let field = core.field(ty, path)?;
            let (start, len) = field.bits.unwrap_or((0, u8::try_from(field.size * 8).ok()?));
            let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
            Some(Bits { offset: field.offset as u64, shift: start.into(), mask })
        };
        // All sizes of a chunk are in one number.
        let in_sizes = |path| {
            let bits = bits(CHUNK, path)?;
            Some(Bits { shift: bits.shift + u32::try_from(bits.offset * 8).ok()?, ..bits })
        };
        let unit = 2 * core.header.width.bytes() as u64;
        Some(Self {
            unit,
            size: bits(SUBSEGMENT, "Size")?,
            signature: bits(SUBSEGMENT, "Signature")?,
            first: core.size_of(SUBSEGMENT)?.next_multiple_of(unit),
            chunk_size: in_sizes("Sizes.UnsafeSize")?,
            previous: in_sizes("Sizes.UnsafePrevSize")?,
            allocated: in_sizes("Sizes.Allocated")?,
            sizes: usize::try_from(core.size_of(SIZES)?).ok().filter(|bytes| *bytes <= 8)?,
            chunk: core.size_of(CHUNK)?,
            lfh: LfhFields::of(core)?,
        })
    }

    /// The keys, as far as symbols give their addresses.
    pub(crate) fn stated_keys(core: &Core) -> Keys {
        let Some(at) = core.symbol_address("nt", "RtlpHpHeapGlobals") else {
            return Keys::default();
        };
        let globals = core.structure("_RTLP_HP_HEAP_GLOBALS", at);
        let key = |path| globals.unsigned(path).ok().filter(|key| *key != 0);
        Keys { heap: key("HeapKey"), lfh: key("LfhKey") }
    }

    /// The size in bytes of the VS subsegment that begins at a page, without its header.
    pub(crate) fn chunks_bytes(&self, pages: &Pages<'_>, at: u64) -> Option<u64> {
        let number = |bits: Bits| Some(bits.of(pages.number(at + bits.offset, 2)?));
        let (size, signature) = (number(self.size)?, number(self.signature)?);
        let is_one = size != 0 && (size ^ SIGNATURE) & SIGNATURE_BITS == signature;
        is_one.then(|| size * self.unit)
    }

    /// The span of the chunks of the VS subsegment at a page, from its header.
    pub(crate) fn span(&self, pages: &Pages<'_>, at: u64, key: u64) -> Option<Span> {
        let bytes = self.chunks_bytes(pages, at)?;
        let first = at.checked_add(self.first)?;
        Some(Span { first, end: first.checked_add(bytes)?, key })
    }

    /// Offset of the pool header in a chunk.
    pub(crate) fn in_chunk(&self) -> usize {
        usize::try_from(self.chunk).unwrap_or_default()
    }

    /// The fields of a decoded chunk header.
    #[inline]
    pub(crate) const fn header(&self, bare: u64) -> ChunkHeader {
        ChunkHeader {
            bytes: self.chunk_size.of(bare) * self.unit,
            previous: self.previous.of(bare) * self.unit,
            allocated: self.allocated.of(bare),
        }
    }

    /// Whether an address lies before the end of a subsegment by exactly the length of the
    /// subsegment header.
    pub(crate) const fn ends_before(&self, span: Span, at: u64) -> bool {
        at.wrapping_add(self.first) == span.end
    }

    /// The chunk header at an address, if it is valid and ends before `end`: its size in bytes, the
    /// size of the previous chunk, and whether it is in use.
    fn chunk_at(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<(u64, u64, bool)> {
        let header = self.header(pages.number(at, self.sizes)? ^ key ^ at);
        let is_one = header.is_sound() && header.bytes <= end.checked_sub(at)?;
        is_one.then_some((header.bytes, header.previous, header.allocated == 1))
    }

    /// The chunks of a subsegment that is undamaged up to `end`.
    pub(crate) fn sound_chunks(&self, pages: &Pages<'_>, span: Span, end: u64) -> Vec<Chunk> {
        self.chain(pages, span.first - self.first, end, span.key, usize::MAX).0
    }

    /// Whether a chain of chunks begins at a page: the first chunk has no previous chunk, and each
    /// of the next gives the size of the one before it.
    pub(crate) fn is_chain(&self, pages: &Pages<'_>, at: u64, key: u64) -> bool {
        let (chunks, _) = self.chain(pages, at, pages.end(), key, SURE_CHUNKS);
        chunks.len() >= SURE_CHUNKS
    }

    /// Whether a pool header is in a chunk in use that is large enough for the block.
    pub(crate) fn is_used_chunk(
        &self,
        headers: &Headers,
        pages: &Pages<'_>,
        at: u64,
        key: u64,
    ) -> bool {
        let header = pages.header(headers, at).filter(|header| is_block(headers, *header));
        let Some((header, start)) = header.zip(at.checked_sub(self.chunk)) else { return false };
        let chunk = self.chunk_at(pages, start, pages.end(), key);
        chunk.is_some_and(|(bytes, _, is_used)| {
            is_used && u64::from(header.size) * self.unit + self.chunk <= bytes
        })
    }

    /// The end of the VS subsegment at a page, or `None` if the page does not begin one. If its
    /// header is damaged, the subsegment ends where its chain is no longer consistent.
    fn end(&self, pages: &Pages<'_>, at: u64, key: u64) -> Option<u64> {
        if let Some(bytes) = self.chunks_bytes(pages, at) {
            return Some(at + bytes + self.first);
        }
        let (chunks, end) = self.chain(pages, at, pages.end(), key, usize::MAX);
        (chunks.len() >= SURE_CHUNKS).then_some(end)
    }

    /// The chunks of the VS subsegment at a page and the address behind the last chunk, or `None`
    /// if the page does not begin a VS subsegment.
    ///
    /// Where a header does not agree with the one before it, the chain continues at the next header
    /// that does.
    pub(crate) fn chunks(&self, pages: &Pages<'_>, at: u64, key: u64) -> Option<(Vec<Chunk>, u64)> {
        let end = self.end(pages, at, key)?;
        let mut chunks = Vec::new();
        let (mut next, mut before, mut breaks) = (at + self.first, 0, 0);
        while next < end {
            let sound = self.chunk_at(pages, next, end, key);
            if let Some((bytes, _, allocated)) =
                sound.filter(|(_, previous, _)| *previous == before)
            {
                let named = self.chunk_at(pages, next + bytes, end, key).map(|(_, named, _)| named);
                // If the next header does not agree, either it is damaged or the size in this one
                // is.
                let own = if next + bytes == end || named == Some(bytes) {
                    None
                } else {
                    self.named(pages, next, end, key)
                };
                let bytes = own.unwrap_or(bytes);
                chunks.push(self.chunk(next, bytes, allocated));
                (next, before) = (next + bytes, bytes);
                continue;
            }
            breaks += 1;
            let resumed =
                if breaks > MAX_BREAKS { None } else { self.resume(pages, next, end, key) };
            let Some((place, named)) = resumed else { break };
            chunks.push(self.chunk(next, place - next, true));
            (next, before) = (place, named);
        }
        // Bytes that look like a subsegment header by coincidence are not followed by a chain.
        (chunks.len() > 2 * breaks).then_some((chunks, next))
    }

    /// Whether the chunk at an address agrees with the next: returns the address of the next and
    /// the previous size that it gives.
    fn follows(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<(u64, u64)> {
        let (bytes, previous, _) = self.chunk_at(pages, at, end, key)?;
        let next = at + bytes;
        let agrees = next == end
            || self.chunk_at(pages, next, end, key).is_some_and(|(_, named, _)| named == bytes);
        agrees.then_some((next, previous))
    }

    /// The size of the chunk at an address, from the nearest chunk whose previous size reaches back
    /// to it.
    fn named(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<u64> {
        let sizes = (1..(end - at) / self.unit).map(|i| i * self.unit);
        let names = |bytes: &u64| {
            self.follows(pages, at + bytes, end, key).is_some_and(|(_, named)| named == *bytes)
        };
        sizes.into_iter().find(names)
    }

    /// The next chunk whose previous size reaches back to an address, or that begins a run of
    /// chunks; with its previous size.
    fn resume(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<(u64, u64)> {
        if let Some(bytes) = self.named(pages, at, end, key) {
            return Some((at + bytes, bytes));
        }
        let places = (1..(end - at) / self.unit).map(|i| at + i * self.unit);
        places.into_iter().find_map(|place| {
            let (second, previous) = self.follows(pages, place, end, key)?;
            let (third, _) = self.follows(pages, second, end, key)?;
            let agrees = third == end || self.follows(pages, third, end, key).is_some();
            agrees.then_some((place, previous))
        })
    }

    const fn chunk(&self, at: u64, bytes: u64, is_used: bool) -> Chunk {
        let header = if is_used { self.chunk } else { 0 };
        Chunk { at: at + header, bytes: bytes.saturating_sub(header), is_free: !is_used }
    }

    /// The chunks of a chain up to its first inconsistency, at most `most`, and the address where
    /// it ends.
    fn chain(
        &self,
        pages: &Pages<'_>,
        at: u64,
        end: u64,
        key: u64,
        most: usize,
    ) -> (Vec<Chunk>, u64) {
        let mut chunks = Vec::new();
        let (mut next, mut before) = (at + self.first, 0);
        while chunks.len() < most
            && let Some((bytes, previous, used)) = self.chunk_at(pages, next, end, key)
            && previous == before
        {
            chunks.push(self.chunk(next, bytes, used));
            (next, before) = (next + bytes, bytes);
        }
        (chunks, next)
    }

    /// Whether a chain that ends at an address fills the subsegment. Versions differ in whether the
    /// size includes the subsegment header, so both ends are accepted.
    fn is_whole(&self, pages: &Pages<'_>, at: u64, end: u64) -> bool {
        let bytes = self.chunks_bytes(pages, at).unwrap_or(0);
        end >= at + bytes && bytes != 0
    }

    /// The heap key under which the subsegment at a page is a chain, if there is one.
    pub(crate) fn derive(&self, headers: &Headers, pages: &Pages<'_>, at: u64) -> Option<u64> {
        let bytes = self.chunks_bytes(pages, at)?;
        let (units, first) = (bytes / self.unit, at + self.first);
        // The first chunk has no previous chunk. Its size is tried, and its allocated bit follows
        // from the blocks.
        let bare = pages.number(first, self.sizes)? ^ first;
        let used = 1 << self.allocated.shift;
        let mut best: Option<(usize, u64)> = None;
        for size in 1..=units {
            let key = bare ^ size << self.chunk_size.shift;
            for key in [key, key ^ used] {
                let (chunks, end) = self.chain(pages, at, first + bytes, key, usize::MAX);
                if chunks.len() < SURE_CHUNKS || !self.is_whole(pages, at, end) {
                    continue;
                }
                let is_block = |chunk: &&Chunk| {
                    let header = pages.header(headers, chunk.at);
                    !chunk.is_free && header.is_some_and(|header| is_block(headers, header))
                };
                let blocks = chunks.iter().filter(is_block).count();
                if best.is_none_or(|(most, _)| blocks > most) {
                    best = Some((blocks, key));
                }
            }
        }
        best.filter(|(blocks, _)| *blocks > 0).map(|(_, key)| key)
    }
}

#[cfg(test)]
impl Segments {
    /// The layout of Windows 10 2004.
    pub(crate) const fn for_tests() -> Self {
        const fn bits(offset: u64, shift: u32, mask: u64) -> Bits {
            Bits { offset, shift, mask }
        }
        Self {
            unit: 16,
            size: bits(0x20, 0, 0xffff),
            signature: bits(0x22, 0, 0x7fff),
            first: 0x30,
            chunk_size: bits(0, 16, 0xffff),
            previous: bits(0, 32, 0xffff),
            allocated: bits(0, 48, 0xff),
            sizes: 8,
            chunk: 0x10,
            lfh: LfhFields::for_tests(),
        }
    }
}

impl Keys {
    /// The heap key.
    pub(crate) const fn heap(self) -> Option<u64> {
        self.heap
    }

    /// The LFH key.
    pub(crate) const fn lfh(self) -> Option<u64> {
        self.lfh
    }

    /// These keys, completed with derived ones where unknown.
    pub(crate) fn or(self, heap: Option<u64>, lfh: Option<u64>) -> Self {
        Self { heap: self.heap.or(heap), lfh: self.lfh.or(lfh) }
    }
}
