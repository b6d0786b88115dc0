//! The header of a pool block, `_POOL_HEADER`: its fields and the meaning of the pool type.

use crate::dump::bytes::{u32_at, u64_at};
use crate::source::kernel::core::Core;
use crate::source::kernel::pool::block::{PoolKind, State};

/// The first build of Windows Vista, where pool types start at 0.
const VISTA: u32 = 6000;
/// The tag bit that marks a protected block.
const PROTECTED: u8 = 0x80;
/// Pool type bits: a process is charged quota (`POOL_QUOTA_MASK`), session pool.
const CHARGED: u32 = 8;
const SESSION: u32 = 0x20;

/// A bit field in the first word of a header.
#[derive(Debug, Clone, Copy)]
struct Bits {
    shift: u32,
    mask: u32,
}

/// Where the header fields are. Sizes are in units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headers {
    /// The unit of sizes in bytes, which is also the size of a header.
    pub(crate) unit: usize,
    previous: Bits,
    size: Bits,
    ty: Bits,
    tag: usize,
    is_old: bool,
}

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Units of the previous block; 0 for the first block of a page.
    pub(crate) previous: u32,
    /// Units of this block.
    pub(crate) size: u32,
    /// Its pool type and flags.
    pub(crate) ty: u32,
    /// The tag, including the protection bit.
    pub(crate) raw_tag: [u8; 4],
}

impl Bits {
    const fn of(self, word: u32) -> u32 {
        word >> self.shift & self.mask
    }
}

impl Headers {
    /// The header layout of a kernel, or `None` if it is not known.
    pub(crate) fn of(core: &Core) -> Option<Self> {
        const NAME: &str = "_POOL_HEADER";
        let bits = |path| {
            let field = core.field(NAME, path)?;
            let (start, len) = field.bits.unwrap_or((0, u8::try_from(field.size * 8).ok()?));
            let shift = u32::try_from(field.offset).ok()?.checked_mul(8)? + u32::from(start);
            let mask = 1u32.checked_shl(len.into()).unwrap_or(0).wrapping_sub(1);
            (shift < 32).then_some(Bits { shift, mask })
        };
        let unit = 2 * core.header.width.bytes();
        // On every kernel the fields that the walk needs are in the first eight bytes.
        let tag = core.field(NAME, "PoolTag")?.offset;
        (tag <= 4).then_some(Self {
            unit,
            previous: bits("PreviousSize")?,
            size: bits("BlockSize")?,
            ty: bits("PoolType")?,
            tag,
            is_old: core.header.build.is_some_and(|build| build < VISTA),
        })
    }

    /// The header at an offset of a page.
    pub(crate) fn at(&self, page: &[u8], offset: usize) -> Option<Header> {
        Some(self.in_word(u64_at(page, offset)?))
    }

    /// Decodes the header from its first word.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    pub(crate) const fn in_word(&self, word: u64) -> Header {
        let first = word as u32;
        Header {
            previous: self.previous.of(first),
            size: self.size.of(first),
            ty: self.ty.of(first),
            raw_tag: ((word >> (8 * self.tag)) as u32).to_le_bytes(),
        }
    }

    /// The block size in bytes, decoded from the first word of the header.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    pub(crate) const fn bytes_in(&self, word: u64) -> usize {
        self.size.of(word as u32) as usize * self.unit
    }

    /// Only the sizes, of the previous block and of this block.
    pub(crate) fn sizes_at(&self, page: &[u8], offset: usize) -> Option<(u32, u32)> {
        let word = u32_at(page, offset)?;
        Some((self.previous.of(word), self.size.of(word)))
    }

    /// Whether the block is in use.
    const fn is_in_use(&self, header: Header) -> bool {
        header.ty & if self.is_old { 4 } else { 2 } != 0
    }

    /// The state that the pool type gives.
    pub(crate) const fn state(&self, header: Header) -> State {
        let [.., last] = header.raw_tag;
        match (self.is_in_use(header), last & PROTECTED != 0) {
            (true, false) => State::Allocated,
            (true, true) => State::Protected,
            (false, _) => State::Free,
        }
    }

    /// The pool that the pool type gives; unknown for a free block.
    pub(crate) fn kind(&self, header: Header) -> PoolKind {
        let base = if self.is_old { (header.ty & 3).wrapping_sub(1) } else { header.ty & 1 };
        let is_paged = match base {
            _ if !self.is_in_use(header) => None,
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        PoolKind { is_paged, is_session: is_paged.is_some() && header.ty & SESSION != 0 }
    }

    /// Whether a block of a segment heap may have this pool type and offset: it is in use, and its
    /// previous size is 0 unless the block was aligned to a cache line.
    pub(crate) const fn is_of_heap(&self, header: Header) -> bool {
        const ALIGNED: u32 = 4;
        const UNKNOWN: u32 = 0x90;
        let is_first = header.previous == 0 || header.ty & ALIGNED != 0;
        self.is_in_use(header) && header.ty & UNKNOWN == 0 && is_first
    }

    /// Whether the header says that a process is charged quota.
    pub(crate) const fn is_charged(&self, header: Header) -> bool {
        self.is_in_use(header) && header.ty & CHARGED != 0
    }
}

#[cfg(test)]
impl Headers {
    /// The layout of 64-bit kernels.
    pub(crate) const fn for_tests() -> Self {
        const fn byte(shift: u32) -> Bits {
            Bits { shift, mask: 0xff }
        }
        Self { unit: 16, previous: byte(0), size: byte(16), ty: byte(24), tag: 4, is_old: false }
    }
}

impl Header {
    /// The tag without the protection bit.
    pub(crate) const fn tag(self) -> [u8; 4] {
        let [a, b, c, d] = self.raw_tag;
        [a, b, c, d & !PROTECTED]
    }
}
