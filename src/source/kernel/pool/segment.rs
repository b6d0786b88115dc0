//! Pool of Windows 10 1903 and later, whose pages a segment heap hands out.
//!
//! Blocks lie in subsegments of two kinds. Those of variable size (VS) are a chain of chunks whose
//! headers a secret number hides; those of one size (LFH) have a map of two bits a block. Either begins
//! on a page's boundary and can be told from other pages by itself, so that no list of the heap has to
//! be whole. The secrets are variables of the kernel; without symbols that of chunks follows from a
//! chain, which only the right number makes one, and the other as `one_size` says. What is neither is
//! searched for headers of blocks.

use crate::source::kernel::core::Core;
use crate::source::kernel::pool::header::Headers;
use crate::source::kernel::pool::one_size::OneSize;
use crate::source::kernel::pool::part::{Chunk, Pages, is_block};

/// The first build whose pool may be a segment heap: Windows 10 1809, which still has classic pages.
const FIRST_BUILD: u32 = 17763;
const SUBSEGMENT: &str = "_HEAP_VS_SUBSEGMENT";
const CHUNK: &str = "_HEAP_VS_CHUNK_HEADER";
const SIZES: &str = "_HEAP_VS_CHUNK_HEADER_SIZE";
/// What size and signature of a subsegment differ by, and how many bits the signature has.
const SIGNATURE: u64 = 0x2bed;
const SIGNATURE_BITS: u64 = 0x7fff;
/// So many chunks in a chain are no chance.
const SURE_CHUNKS: usize = 4;
/// After so many contradictions the rest of a chain is given up.
const MAX_BREAKS: usize = 16;

/// Some bits of a number.
#[derive(Debug, Clone, Copy)]
struct Bits {
    offset: u64,
    shift: u32,
    mask: u64,
}

/// The secrets of the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Keys {
    /// Hides the headers of chunks. Of the lowest 16 bits nothing may be known.
    heap: Option<u64>,
    /// Hides the places of blocks of one size.
    lfh: Option<u64>,
}

/// Where the fields of subsegments are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segments {
    pub(crate) unit: u64,
    /// Size and signature of a subsegment of chunks, and where its chunks begin.
    size: Bits,
    signature: Bits,
    first: u64,
    /// In the header of a chunk: its size, that of the one before, whether it is in use.
    chunk_size: Bits,
    previous: Bits,
    allocated: Bits,
    /// Bytes of that number, which hides behind the secret, and of the header.
    sizes: usize,
    chunk: u64,
    /// Of a subsegment of blocks of one size.
    pub(crate) one_size: OneSize,
}

/// Where the chunks of a subsegment are, and the secret of their headers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// The first chunk.
    pub(crate) first: u64,
    /// The address behind the last.
    pub(crate) end: u64,
    key: u64,
}

/// The header of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkHeader {
    /// Its size in bytes, and that of the chunk before it.
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
    /// The header of a chunk as it was before it was hidden.
    pub(crate) const fn bare(&self, header: u64, at: u64) -> u64 {
        header ^ self.key ^ at
    }
}

impl ChunkHeader {
    /// Whether it may be one.
    pub(crate) const fn is_sound(self) -> bool {
        self.bytes != 0 && self.allocated <= 1
    }
}

impl Segments {
    /// The subsegments of a kernel, if its pool is made of them.
    pub(crate) fn of(core: &Core) -> Option<Self> {
        core.header.build.filter(|build| *build >= FIRST_BUILD)?;
        let bits = |ty, path| {
            let field = core.field(ty, path)?;
            let (start, len) = field.bits.unwrap_or((0, u8::try_from(field.size * 8).ok()?));
            let mask = 1u64.checked_shl(len.into()).map_or(u64::MAX, |bit| bit - 1);
            Some(Bits { offset: field.offset as u64, shift: start.into(), mask })
        };
        // All of a chunk's sizes are in one number.
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
            one_size: OneSize::of(core)?,
        })
    }

    /// The secrets, as far as symbols say where they are.
    pub(crate) fn stated_keys(core: &Core) -> Keys {
        let Some(at) = core.symbol_address("nt", "RtlpHpHeapGlobals") else {
            return Keys::default();
        };
        let globals = core.structure("_RTLP_HP_HEAP_GLOBALS", at);
        let key = |path| globals.unsigned(path).ok().filter(|key| *key != 0);
        Keys { heap: key("HeapKey"), lfh: key("LfhKey") }
    }

    /// The bytes of the subsegment of chunks that begins at a page, its own header left aside.
    pub(crate) fn chunks_bytes(&self, pages: &Pages<'_>, at: u64) -> Option<u64> {
        let number = |bits: Bits| Some(bits.of(pages.number(at + bits.offset, 2)?));
        let (size, signature) = (number(self.size)?, number(self.signature)?);
        let is_one = size != 0 && (size ^ SIGNATURE) & SIGNATURE_BITS == signature;
        is_one.then(|| size * self.unit)
    }

    /// Where the chunks of the subsegment at a page are, as its header says.
    pub(crate) fn span(&self, pages: &Pages<'_>, at: u64, key: u64) -> Option<Span> {
        let bytes = self.chunks_bytes(pages, at)?;
        let first = at.checked_add(self.first)?;
        Some(Span { first, end: first.checked_add(bytes)?, key })
    }

    /// How far behind a chunk's header that of its block is.
    pub(crate) fn in_chunk(&self) -> usize {
        usize::try_from(self.chunk).unwrap_or_default()
    }

    /// The header of a chunk that is not hidden any more.
    #[inline]
    pub(crate) const fn header(&self, bare: u64) -> ChunkHeader {
        ChunkHeader {
            bytes: self.chunk_size.of(bare) * self.unit,
            previous: self.previous.of(bare) * self.unit,
            allocated: self.allocated.of(bare),
        }
    }

    /// Whether an address is as far before the end of a subsegment as its own header is long.
    pub(crate) const fn ends_before(&self, span: Span, at: u64) -> bool {
        at.wrapping_add(self.first) == span.end
    }

    /// The header of a chunk, if it may be one before `end`: its size in bytes, that of the chunk
    /// before it, and whether it is in use.
    fn chunk_at(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<(u64, u64, bool)> {
        let header = self.header(pages.number(at, self.sizes)? ^ key ^ at);
        let is_one = header.is_sound() && header.bytes <= end.checked_sub(at)?;
        is_one.then_some((header.bytes, header.previous, header.allocated == 1))
    }

    /// The chunks of a subsegment that has no flaw up to `end`.
    pub(crate) fn sound_chunks(&self, pages: &Pages<'_>, span: Span, end: u64) -> Vec<Chunk> {
        self.chain(pages, span.first - self.first, end, span.key, usize::MAX).0
    }

    /// Whether a chain of chunks begins at a page: the first has none before it, and the next say so
    /// of the one before each.
    pub(crate) fn is_chain(&self, pages: &Pages<'_>, at: u64, key: u64) -> bool {
        let (chunks, _) = self.chain(pages, at, pages.end(), key, SURE_CHUNKS);
        chunks.len() >= SURE_CHUNKS
    }

    /// Whether the header of a block stands behind that of a chunk in use which has room for it.
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

    /// Up to where the subsegment at a page reaches; `None` if it is none of chunks. If its header is
    /// damaged, it reaches as far as its chain has no flaw.
    fn end(&self, pages: &Pages<'_>, at: u64, key: u64) -> Option<u64> {
        if let Some(bytes) = self.chunks_bytes(pages, at) {
            return Some(at + bytes + self.first);
        }
        let (chunks, end) = self.chain(pages, at, pages.end(), key, usize::MAX);
        (chunks.len() >= SURE_CHUNKS).then_some(end)
    }

    /// The chunks of the subsegment at a page, and the address behind the last of them; `None` if it
    /// is no such subsegment.
    ///
    /// Where a header does not agree with the one before, the chain goes on at the next that does.
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
                // If the next does not agree, either its header is damaged or the size in this one.
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
        // What looks like the header of a subsegment by chance has no chain.
        (chunks.len() > 2 * breaks).then_some((chunks, next))
    }

    /// Whether the chunk at an address agrees with the next: where that is, and what it names as the
    /// one before it.
    fn follows(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<(u64, u64)> {
        let (bytes, previous, _) = self.chunk_at(pages, at, end, key)?;
        let next = at + bytes;
        let agrees = next == end
            || self.chunk_at(pages, next, end, key).is_some_and(|(_, named, _)| named == bytes);
        agrees.then_some((next, previous))
    }

    /// The bytes of the chunk at an address, as the nearest says that names it as the one before it.
    fn named(&self, pages: &Pages<'_>, at: u64, end: u64, key: u64) -> Option<u64> {
        let sizes = (1..(end - at) / self.unit).map(|i| i * self.unit);
        let names = |bytes: &u64| {
            self.follows(pages, at + bytes, end, key).is_some_and(|(_, named)| named == *bytes)
        };
        sizes.into_iter().find(names)
    }

    /// The next chunk that names what begins at an address as the one before it, or that begins a run
    /// of chunks; and what it names.
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

    /// The chunks of a chain up to its first flaw, at most `most`, and where it ends.
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

    /// Whether a chain that ends there fills the subsegment. Whether its size counts the room of the
    /// header is not known, so both will do.
    fn is_whole(&self, pages: &Pages<'_>, at: u64, end: u64) -> bool {
        let bytes = self.chunks_bytes(pages, at).unwrap_or(0);
        end >= at + bytes && bytes != 0
    }

    /// The secret under which the subsegment at a page is a chain, if one is.
    pub(crate) fn derive(&self, headers: &Headers, pages: &Pages<'_>, at: u64) -> Option<u64> {
        let bytes = self.chunks_bytes(pages, at)?;
        let (units, first) = (bytes / self.unit, at + self.first);
        // The first chunk has none before it; its size is tried, and its use follows from the blocks.
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
    /// Those of Windows 10 2004.
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
            one_size: OneSize::for_tests(),
        }
    }
}

impl Keys {
    /// The secret of chunks.
    pub(crate) const fn heap(self) -> Option<u64> {
        self.heap
    }

    /// The secret of blocks of one size.
    pub(crate) const fn lfh(self) -> Option<u64> {
        self.lfh
    }

    /// With secrets that were found, where none was known.
    pub(crate) fn or(self, heap: Option<u64>, lfh: Option<u64>) -> Self {
        Self { heap: self.heap.or(heap), lfh: self.lfh.or(lfh) }
    }
}
