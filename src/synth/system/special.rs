//! Special pool: each block has a page to itself and is at its end, so that an overrun faults. The
//! rest of the page is filled with one byte, which the header at the start of the page holds.

use super::build::Builder;
use super::pool::Pool;
use super::spec::PoolBlock;
use crate::synth::memory::PAGE;

/// The fill byte, an odd number.
const FILL: u8 = 0x5b;
/// The first build without variables for the range of special pool.
const VISTA: u16 = 6000;
/// The header bit of paged special pool.
const PAGED: u64 = 0x8000;

impl Builder<'_> {
    /// Allocates a special pool block; returns its address.
    pub(super) fn special_pool(&mut self, is_paged: bool, tag: [u8; 4], bytes: u64) -> u64 {
        let page = if self.has_segment_heap() {
            let which = self.pools.which(is_paged);
            self.close_chunks(which);
            let page = self.pools.open[which].next.next_multiple_of(PAGE);
            self.pools.open[which] = Pool { next: page + PAGE, previous: 0 };
            page
        } else {
            // The page behind it is never mapped.
            let page = self.special;
            self.special += 2 * PAGE;
            page
        };
        let unit = 2 * self.width();
        self.put(page, &[FILL; 0x1000]);
        let flags = if is_paged && !self.has_segment_heap() { PAGED } else { 0 };
        let header = bytes | flags | u64::from(FILL) << 16;
        self.put(page, &vec![0; usize::try_from(unit).unwrap_or(0)]);
        self.put_u32(page, header);
        let offset = self.offset("_POOL_HEADER", "PoolTag");
        self.put(page + offset, &tag);
        let address = (page + PAGE - bytes) & !(unit - 1);
        self.put(address, &vec![0x11; usize::try_from(bytes).unwrap_or(0)]);
        let block = PoolBlock { address, bytes, tag, is_paged, ..PoolBlock::default() };
        self.pools.note(PoolBlock { is_special: true, ..block });
        address
    }

    /// Writes the variables with the range of special pool, for versions that have them, and the
    /// number of blocks.
    pub(super) fn special_range(&mut self) {
        let count = self.pools.blocks.iter().filter(|block| block.is_special).count();
        let at = self.variable("MmVerifierData", 0x100);
        let offset = self.offset("_MM_DRIVER_VERIFIER_DATA", "AllocationsSucceededSpecialPool");
        self.put_u32(at + offset, count as u64);
        if self.version.build >= VISTA {
            return;
        }
        for (name, value) in [
            ("MmSpecialPoolStart", self.version.special),
            ("MmSpecialPoolEnd", self.special.next_multiple_of(0x20_0000)),
        ] {
            let at = self.variable(name, 8);
            self.put_pointer(at, value);
        }
    }
}
